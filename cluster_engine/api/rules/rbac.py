"""Rules for roles and bindings, from `pkg/apis/rbac/validation/validation.go`."""

from cluster_engine.api.causes import Go, child, go, invalid, not_supported, required
from cluster_engine.api.names import path_segment_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause

GROUP = "rbac.authorization.k8s.io"


def policy_rule(obj: Object, path: str, causes: list[Cause]) -> None:
    """A rule has verbs, and either paths or groups and resources."""
    if not obj.get("verbs"):
        causes.append(required(child(path, "verbs"), "verbs must contain at least one value"))
    if obj.get("nonResourceURLs"):
        if obj.get("apiGroups") or obj.get("resources") or obj.get("resourceNames"):
            detail = "rules cannot apply to both regular resources and non-resource URLs"
            causes.append(invalid(child(path, "nonResourceURLs"), obj["nonResourceURLs"], detail))
        return
    if not obj.get("apiGroups"):
        causes.append(required(child(path, "apiGroups"), "resource rules must supply at least one api group"))
    if not obj.get("resources"):
        causes.append(required(child(path, "resources"), "resource rules must supply at least one resource"))


def role(obj: Object, path: str, causes: list[Cause]) -> None:
    """Rules within a namespace cannot speak of paths."""
    detail = "namespaced rules cannot apply to non-resource URLs"
    causes += [
        invalid(f"{child(path, 'rules')}[{index}].nonResourceURLs", rule["nonResourceURLs"], detail)
        for index, rule in enumerate(obj.get("rules", ()))
        if rule.get("nonResourceURLs")
    ]


def subject(obj: Object, path: str, causes: list[Cause]) -> None:
    """The kind says which group, and whether there is a namespace."""
    group = obj.get("apiGroup", "")
    match obj.get("kind"):
        case "ServiceAccount":
            if group:
                causes.append(not_supported(child(path, "apiGroup"), group, ("",)))
            if not obj.get("namespace"):
                causes.append(required(child(path, "namespace")))
        case "User" | "Group":
            if group != GROUP:
                causes.append(not_supported(child(path, "apiGroup"), group, (GROUP,)))
        case kind if kind:
            causes.append(not_supported(child(path, "kind"), kind, ("ServiceAccount", "User", "Group")))


def role_ref(obj: Object, path: str, causes: list[Cause]) -> None:
    """A role of the RBAC group, by a name that may stand in a path."""
    if obj["apiGroup"] != GROUP:
        causes.append(not_supported(child(path, "apiGroup"), obj["apiGroup"], (GROUP,)))
    if obj["kind"] and obj["kind"] not in ("Role", "ClusterRole"):
        causes.append(not_supported(child(path, "kind"), obj["kind"], ("Role", "ClusterRole")))
    causes += [invalid(child(path, "name"), obj["name"], each) for each in path_segment_problems(obj["name"])]


def role_ref_update(new: Object, old: Object, causes: list[Cause]) -> None:
    """A binding keeps its role: otherwise who may bind could become who may do anything."""
    if new["roleRef"] != old["roleRef"]:
        ref = new["roleRef"]
        printed = f"rbac.RoleRef{{APIGroup:{go(ref['apiGroup'])}, Kind:{go(ref['kind'])}, Name:{go(ref['name'])}}}"
        causes.append(invalid("roleRef", Go(printed), "cannot change roleRef"))
