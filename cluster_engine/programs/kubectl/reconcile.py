"""`kubectl auth reconcile`: make roles and bindings allow at least what files say.

A role is given the permissions that it lacks, a binding the subjects; what they have besides stays, unless it is to be
removed. A binding whose role differs is deleted and made anew, for a binding's role cannot be changed.

    auth reconcile -f reader.yaml
        GET …/roles/pod-reader       404: POST; else PUT with the rules that are missing, or nothing

Modelled on kubectl/pkg/cmd/auth/reconcile.go and k8s.io/component-helpers/auth/rbac/reconciliation.
"""

from collections.abc import Iterator
from itertools import product

from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.programs.kubectl import errors, output
from cluster_engine.programs.kubectl.arguments import FILE_FLAGS, NO_KUSTOMIZE
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import Manifest, read_manifests, resource_of
from cluster_engine.programs.kubectl.session import Session

FLAGS = (
    *FILE_FLAGS,
    *output.FLAGS,
    output.DRY_RUN,
    Flag("remove-extra-permissions", kind="bool"),
    Flag("remove-extra-subjects", kind="bool"),
)
MANAGER = "kubectl-reconcile"
GROUP = "rbac.authorization.k8s.io/"
ROLES, BINDINGS = ("Role", "ClusterRole"), ("RoleBinding", "ClusterRoleBinding")
_LISTS = {
    "Verbs": "verbs",
    "APIGroups": "apiGroups",
    "Resources": "resources",
    "ResourceNames": "resourceNames",
    "NonResourceURLs": "nonResourceURLs",
}
PERMISSIONS_MAX = 10_000


async def run(session: Session, arguments: list[str]) -> int:
    """Reconcile what files say; other kinds are passed over."""
    flags = session.flags
    if flags["kustomize"]:
        raise CommandError(NO_KUSTOMIZE)
    if arguments:
        raise CommandError("no arguments are allowed")
    if not flags["filename"]:
        raise CommandError("must specify one of -f and -k")
    code = 0
    for manifest in list(read_manifests(session, flags["filename"])):
        kind = manifest.document["kind"]
        if not (manifest.document["apiVersion"].startswith(GROUP) and kind in ROLES + BINDINGS):
            continue
        try:
            await _reconcile(session, manifest, is_role=kind in ROLES)
        except Refusal as refusal:
            session.err(f"{errors.refusal_text(refusal)}\n")
            code = 1
    return code


async def _reconcile(session: Session, manifest: Manifest, *, is_role: bool) -> None:
    resource = await resource_of(session, manifest)
    namespace = manifest.namespace or session.flags["namespace"]  # as the real one: never the context's
    path = resource.path(namespace if resource.namespaced else None, manifest.name)
    wanted, field = manifest.document, "rules" if is_role else "subjects"
    try:
        there: Object | None = await session.get(path)
    except NotFound:
        there = None
    had = there
    if there is not None and not is_role and there.get("roleRef") != wanted.get("roleRef"):
        if session.flags["dry-run"] == "none":
            await session.delete(path, {"preconditions": {"uid": there["metadata"]["uid"]}})
        there = None
    has, wants = (there or {}).get(field) or [], wanted.get(field) or []
    beyond = _beyond if is_role else _others
    missing, extra = beyond(wants, has), beyond(has, wants)
    removes = session.flags["remove-extra-permissions" if is_role else "remove-extra-subjects"]
    extra = extra if removes else []
    if there is None:
        operation, made = "create" if had is None else "recreate", wanted
        made = await _send(session, "POST", path.rpartition("/")[0], wanted)
    elif missing or extra:
        kept = wants if is_role and extra else [one for one in has if one not in extra] + missing
        operation, made = "update", await _send(session, "PUT", path, {**there, field: kept})
    else:
        operation, made = "", there
    output.tell(session, resource.label(manifest.name), made, "reconciled")
    if operation:
        told = f"\treconciliation required {operation}\n"
        session.err(told + _said(f"missing {field} added", missing) + _said(f"extra {field} removed", extra))


async def _send(session: Session, method: str, path: str, obj: Object) -> Object:
    dry = session.flags["dry-run"]
    if dry == "client":
        return obj
    params = {"dryRun": "All" if dry == "server" else None, "fieldManager": MANAGER}
    answer: Object = await session.request(method, path, body=obj, params=params)
    return answer


def _said(title: str, items: list[Object]) -> str:
    return f"\t{title}:\n" + "".join(f"\t\t{{{_in_go(one)}}}\n" for one in items) if items else ""


def _in_go(item: Object) -> str:
    """Write a rule or a subject as %+v writes the struct."""
    if "kind" in item:
        fields = {"Kind": "kind", "APIGroup": "apiGroup", "Name": "name", "Namespace": "namespace"}
        return " ".join(f"{name}:{item.get(field) or ''}" for name, field in fields.items())
    return " ".join(f"{name}:[{' '.join(item.get(field) or ())}]" for name, field in _LISTS.items())


def _others(subjects: list[Object], known: list[Object]) -> list[Object]:
    return [one for one in subjects if one not in known]


def _beyond(rules: list[Object], others: list[Object]) -> list[Object]:
    """Return what rules allow that others do not, as rules of one permission each."""
    found = []
    for number, permission in enumerate(one for rule in rules for one in _each(rule)):
        if number >= PERMISSIONS_MAX:
            raise CommandError("these rules allow too much to be compared")
        if not any(_covers(other, permission) for other in others):
            found.append(permission)
    return found


def _each(rule: Object) -> Iterator[Object]:
    """Yield a rule's permissions one by one (BreakdownRule)."""
    for verb, url in product(rule.get("verbs") or (), rule.get("nonResourceURLs") or ()):
        yield {"nonResourceURLs": [url], "verbs": [verb]}
    places = product(rule.get("verbs") or (), rule.get("apiGroups") or (), rule.get("resources") or ())
    for verb, group, resource in places:
        base = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        names = rule.get("resourceNames") or ()
        yield from ({**base, "resourceNames": [name]} for name in names) if names else (base,)


def _covers(rule: Object, permission: Object) -> bool:
    """Return whether a rule allows a single permission."""
    if "nonResourceURLs" in permission:
        url = permission["nonResourceURLs"][0]
        urls = rule.get("nonResourceURLs") or ()
        allowed = any(url == one or (one.endswith("*") and url.startswith(one[:-1])) for one in urls)
        return allowed and _has(rule, "verbs", permission)
    names = rule.get("resourceNames") or ()
    if names and (permission.get("resourceNames") or [None])[0] not in names:
        return False
    return all(_has(rule, field, permission) for field in ("verbs", "apiGroups", "resources"))


def _has(rule: Object, field: str, permission: Object) -> bool:
    listed = rule.get(field) or ()
    return "*" in listed or permission[field][0] in listed
