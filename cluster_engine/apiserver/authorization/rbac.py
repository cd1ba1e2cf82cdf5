"""Role-based access control: bindings say who, roles say what.

Theory of operation. A ClusterRoleBinding grants a ClusterRole everywhere; a RoleBinding grants a Role or a ClusterRole
in its own namespace. A request is allowed when one rule of one role bound to the user covers it; there are no rules
that forbid. The objects come from the watch caches, so a binding that is deleted stops working as soon as etcd's watch
has told so. For every user the rules that apply are gathered once and kept until an RBAC object changes.

    ClusterRoleBinding "kubeadm:cluster-admins" ── Group "kubeadm:cluster-admins" ── ClusterRole "cluster-admin" ── * *
    *

Modelled on plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation/rule.go.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.apiserver.authentication.users import SERVICE_ACCOUNT_PREFIX, User
from cluster_engine.apiserver.authorization.attributes import Attributes, Decision

USERS_MAX = 2000

Rule = dict[str, list[str]]


class Policy(msgspec.Struct, frozen=True):
    """Where the four RBAC kinds are read from: each gives its objects in key order."""

    roles: Callable[[], Iterable[Object]]
    role_bindings: Callable[[], Iterable[Object]]
    cluster_roles: Callable[[], Iterable[Object]]
    cluster_role_bindings: Callable[[], Iterable[Object]]


class Grant(msgspec.Struct, frozen=True):
    """The rules that one binding gives one user, where (`None`: everywhere), and how to say so."""

    namespace: str | None
    rules: tuple[Rule, ...]
    reason: str


class RBAC:
    """Answers from RBAC objects. Call `changed` whenever one of them has changed."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.version = 0
        self._stale = True
        self._rules: dict[tuple[str | None, str], tuple[Rule, ...]] = {}
        self._bindings: list[tuple[str | None, Object]] = []
        self._grants: dict[User, tuple[tuple[Grant, ...], tuple[str, ...]]] = {}

    def changed(self) -> None:
        """Forget what was derived: an RBAC object has changed."""
        self.version += 1
        self._stale = True

    def authorize(self, attributes: Attributes) -> Decision:
        """Allow if a rule covers it."""
        grants, problems = self._grants_of(attributes.user)
        for grant in grants:
            if grant.namespace is None or (attributes.is_resource and grant.namespace == attributes.namespace):
                for rule in grant.rules:
                    if covers(rule, attributes):
                        return Decision(allowed=True, reason=grant.reason)
        return Decision(allowed=False, reason=f"RBAC: {_joined(problems)}" if problems else "")

    def rules_for(self, user: User, namespace: str) -> list[Rule]:
        """List all rules that apply to a user in a namespace (SelfSubjectRulesReview, escalation checks)."""
        grants, _ = self._grants_of(user)
        return [rule for grant in grants if grant.namespace in (None, namespace) for rule in grant.rules]

    def rules_of(self, reference: Object, namespace: str) -> tuple[Rule, ...] | None:
        """List the rules of the role that a binding in this namespace refers to; None when there is no such role."""
        if self._stale:
            self._read_policy()
        return self._rules.get((None if reference["kind"] == "ClusterRole" else namespace, reference["name"]))

    def _grants_of(self, user: User) -> tuple[tuple[Grant, ...], tuple[str, ...]]:
        if self._stale:
            self._read_policy()
        known = self._grants.get(user)
        if known is None:
            if len(self._grants) >= USERS_MAX:
                self._grants.clear()
            problems: list[str] = []
            known = self._grants[user] = (tuple(self._collect(user, problems)), tuple(problems))
        return known

    def _read_policy(self) -> None:
        self._stale = False
        self._grants.clear()
        self._rules = {(None, role["metadata"]["name"]): _rules(role) for role in self._policy.cluster_roles()}
        for role in self._policy.roles():
            self._rules[role["metadata"]["namespace"], role["metadata"]["name"]] = _rules(role)
        self._bindings = [(None, binding) for binding in self._policy.cluster_role_bindings()]
        self._bindings += [(binding["metadata"]["namespace"], binding) for binding in self._policy.role_bindings()]

    def _collect(self, user: User, problems: list[str]) -> Iterator[Grant]:
        for namespace, binding in self._bindings:
            subject = next((each for each in binding.get("subjects") or () if applies(each, user, namespace)), None)
            if subject is None:
                continue
            reference = binding["roleRef"]
            rules = self.rules_of(reference, namespace or "")
            if rules is None:
                resource = "clusterrole" if reference["kind"] == "ClusterRole" else "role"
                problems.append(f'{resource}.rbac.authorization.k8s.io "{reference["name"]}" not found')
                continue
            yield Grant(namespace, rules, _reason(namespace, binding, reference, subject))


def _rules(role: Object) -> tuple[Rule, ...]:
    return tuple(role.get("rules") or ())


def _joined(problems: tuple[str, ...]) -> str:
    return problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"


def _reason(namespace: str | None, binding: Object, reference: Object, subject: Object) -> str:
    name = binding["metadata"]["name"]
    bound = f'ClusterRoleBinding "{name}"' if namespace is None else f'RoleBinding "{name}/{namespace}"'
    who = f'{subject["kind"]} "{subject["name"]}"'
    if subject["kind"] == "ServiceAccount":
        who = f'ServiceAccount "{subject["name"]}/{subject.get("namespace") or namespace}"'
    return f'RBAC: allowed by {bound} of {reference["kind"]} "{reference["name"]}" to {who}'


def applies(subject: Object, user: User, namespace: str | None) -> bool:
    """Return whether a binding's subject is this user."""
    match subject["kind"]:
        case "User":
            return bool(subject["name"] == user.name)
        case "Group":
            return subject["name"] in user.groups
        case "ServiceAccount":
            account = f"{SERVICE_ACCOUNT_PREFIX}{subject.get('namespace') or namespace}:{subject['name']}"
            return user.name == account
    return False


def covers(rule: Rule, attributes: Attributes) -> bool:
    """Return whether one rule allows the request."""
    verbs = rule.get("verbs") or ()
    if "*" not in verbs and attributes.verb not in verbs:
        return False
    if not attributes.is_resource:
        return any(_path_matches(pattern, attributes.path) for pattern in rule.get("nonResourceURLs") or ())
    groups = rule.get("apiGroups") or ()
    if "*" not in groups and attributes.group not in groups:
        return False
    names = rule.get("resourceNames")
    if names and attributes.name not in names:
        return False
    return _resource_matches(rule.get("resources") or (), attributes)


def _resource_matches(resources: Iterable[str], attributes: Attributes) -> bool:
    subresource = attributes.subresource
    wanted = f"{attributes.resource}/{subresource}" if subresource else attributes.resource
    wild = f"*/{subresource}" if subresource else "*"
    return any(resource in ("*", wanted, wild) for resource in resources)


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))
