"""Nobody grants more than they have: what RBAC asks of whoever writes a role or a binding.

Theory of operation. Whoever may create roles could otherwise write one that allows everything, and bind themselves to
it. So the rules of a role that is written, or of the role that a binding grants, are taken apart into single
permissions (one verb on one resource of one group, or of one named object), and each must be covered by one rule that
the writer has in that namespace. Two verbs open a way past that: `escalate` on the role that is written, `bind` on the
role that is granted. The group system:masters is never asked.

    writer has    get,list  pods          role: get pods, get pods/log      missing {APIGroups:[""], Resources:
    in the namespace                                                        ["pods/log"], Verbs:["get"]}: 403

Modelled on pkg/registry/rbac/{role,rolebinding,…}/policybased/storage.go and pkg/registry/rbac/validation
(policy_comparator.go, policy_compact.go). Left out: aggregation rules, which are not here.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from cluster_engine.api.kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import Forbidden, NotFound
from cluster_engine.apiserver.authentication.users import PRIVILEGED_GROUP, User
from cluster_engine.apiserver.authorization.attributes import Attributes, Chain
from cluster_engine.apiserver.authorization.rbac import RBAC, Rule

ROLES, BINDINGS = (ROLE, CLUSTER_ROLE), (ROLE_BINDING, CLUSTER_ROLE_BINDING)
SHOWN = (
    ("APIGroups", "apiGroups"),
    ("Resources", "resources"),
    ("NonResourceURLs", "nonResourceURLs"),
    ("ResourceNames", "resourceNames"),
    ("Verbs", "verbs"),
)
"""The fields of a rule in the order and with the names in which Go shows them (CompactString)."""
COLLECTED = ("ownerReferences", "finalizers", "resourceVersion")
"""What the garbage collector may change in anything."""


class Escalation:
    """Refuses roles and bindings that would give more than their writer has."""

    def __init__(self, authorizer: Chain, rbac: RBAC) -> None:
        self._authorizer = authorizer
        self._rbac = rbac

    def check(self, kind: Kind, user: User, namespace: str, new: Object, old: Object | None = None) -> None:
        """Forbidden, or NotFound for a binding to a role that is not there and that one may not bind unseen."""
        if kind not in (*ROLES, *BINDINGS) or PRIVILEGED_GROUP in user.groups:
            return
        if old is not None and _without_collected(new) == _without_collected(old):
            return
        name = new["metadata"].get("name", "")
        rules: Sequence[Rule] | None
        if kind in ROLES:
            if self._may(user, "escalate", kind, namespace, name if old is not None else ""):
                return
            rules = new.get("rules") or []
        else:
            reference = new.get("roleRef") or {}
            if not reference.get("kind") or not reference.get("name"):
                return  # validation will say so
            role_kind = CLUSTER_ROLE if reference["kind"] == "ClusterRole" else ROLE
            if self._may(user, "bind", role_kind, namespace, reference["name"]):
                return
            rules = self._rbac.rules_of(reference, namespace)
            if rules is None:
                raise NotFound(role_kind, reference["name"])
        missing = _missing(self._rbac.rules_for(user, namespace), rules)
        if missing:
            groups = " ".join(map(_quoted, user.groups))
            text = f"user {_quoted(user.name)} (groups=[{groups}]) is attempting to grant RBAC permissions"
            lines = "\n".join(sorted({_shown(rule) for rule in _compact(missing)}))
            raise Forbidden.because(kind, name, f"{text} not currently held:\n{lines}")

    def _may(self, user: User, verb: str, kind: Kind, namespace: str, name: str) -> bool:
        attributes = Attributes(user, verb, group=kind.group, resource=kind.plural, namespace=namespace, name=name)
        return self._authorizer.authorize(attributes).allowed


def _missing(held: Iterable[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """Return the single permissions in `wanted` that no rule of `held` covers."""
    held = list(held)
    return [one for rule in wanted for one in _single(rule) if not any(_covers(own, one) for own in held)]


def _single(rule: Rule) -> Iterator[Rule]:
    """Take a rule apart (BreakdownRule)."""
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in rule.get("verbs") or ():
                one = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                names = rule.get("resourceNames") or ()
                yield from ({**one, "resourceNames": [name]} for name in names)
                if not names:
                    yield one
    for url in rule.get("nonResourceURLs") or ():
        for verb in rule.get("verbs") or ():
            yield {"nonResourceURLs": [url], "verbs": [verb]}


def _covers(own: Rule, one: Rule) -> bool:
    """Return whether a rule allows a single permission (ruleCovers)."""
    names = own.get("resourceNames") or ()
    return (
        _has(own.get("verbs") or (), one["verbs"])
        and _has(own.get("apiGroups") or (), one.get("apiGroups", ()))
        and all(_resource_covered(own.get("resources") or (), each) for each in one.get("resources", ()))
        and all(_url_covered(own.get("nonResourceURLs") or (), each) for each in one.get("nonResourceURLs", ()))
        and (not names or ("resourceNames" in one and set(one["resourceNames"]) <= set(names)))
    )


def _has(own: Iterable[str], wanted: Iterable[str]) -> bool:
    own = set(own)
    return "*" in own or set(wanted) <= own


def _resource_covered(own: Iterable[str], resource: str) -> bool:
    _, slash, subresource = resource.partition("/")
    return any(each in ("*", resource) or (slash and each == f"*/{subresource}") for each in own)


def _url_covered(own: Iterable[str], url: str) -> bool:
    return any(each == url or (each.endswith("*") and url.startswith(each.rstrip("*"))) for each in own)


def _compact(rules: Iterable[Rule]) -> list[Rule]:
    """Put the verbs of one resource together again (CompactRules)."""
    found: dict[bytes, Rule] = {}
    for rule in rules:
        subject = {key: value for key, value in rule.items() if key != "verbs" or "resources" not in rule}
        known = found.setdefault(msgspec.json.encode(subject, order="sorted"), {**rule, "verbs": []})
        known["verbs"].extend(rule["verbs"])
    return list(found.values())


def _shown(rule: Rule) -> str:
    parts = (f"{name}:[{' '.join(map(_quoted, rule[key]))}]" for name, key in SHOWN if rule.get(key))
    return "{" + ", ".join(parts) + "}"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _without_collected(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in COLLECTED}
    return {**obj, "metadata": metadata}
