"""Attribute-based access control: a file of policies, one a line, read once at the start.

    {"apiVersion": "abac.authorization.kubernetes.io/v1beta1", "kind": "Policy",
     "spec": {"user": "alice", "namespace": "*", "resource": "*", "apiGroup": "*"}}
    {"user": "bob", "readonly": true}          the old form, without a version

A line allows somebody something; what no line allows is nobody's business here. Lines that are empty or begin with #
are passed over. A line that cannot be read keeps the server from starting, in Go's words, which show it:

    error reading policy file /etc/kubernetes/abac.jsonl, line 3: {"user": : couldn't get version/kind; …

Modelled on pkg/auth/authorizer/abac/abac.go and pkg/apis/abac/{v0,v1beta1}/conversion.go.
"""

from typing import Any

import msgspec

from cluster_engine.api import strict
from cluster_engine.api.documents import Unreadable, read_json
from cluster_engine.api.schema import BOOL, STRING, Field, message
from cluster_engine.apiserver.authentication.users import AUTHENTICATED_GROUP
from cluster_engine.apiserver.authorization.attributes import Attributes, Decision

API_VERSION = "abac.authorization.kubernetes.io/v1beta1"
LINES_MAX = 10_000
READS = frozenset({"get", "list", "watch"})
PACKAGE = "io.k8s.kubernetes.pkg.apis.abac.v1beta1."
NO_MATCH = Decision(allowed=False, reason="No policy matched.")

_SPEC = message(
    PACKAGE + "PolicySpec",
    "PolicySpec says who is allowed what.",
    Field(1, "user", STRING, "A user, or * for everybody who is known."),
    Field(2, "group", STRING, "A group, or *."),
    Field(3, "readonly", BOOL, "Whether only get, list and watch are allowed."),
    Field(4, "apiGroup", STRING, "API group, or *."),
    Field(5, "resource", STRING, "Resource, or *."),
    Field(6, "namespace", STRING, "Namespace, or *."),
    Field(7, "nonResourcePath", STRING, "Path that is no resource; * ends a prefix."),
)
_POLICY = message(
    PACKAGE + "Policy",
    "Policy is one line of the file.",
    Field(0, "apiVersion", STRING, "abac.authorization.kubernetes.io/v1beta1."),
    Field(0, "kind", STRING, "Policy."),
    Field(1, "spec", _SPEC, "Who is allowed what."),
)


class PolicyLoadError(ValueError):
    """A file that cannot be read as policies; the message says which line."""


class Policy(msgspec.Struct, frozen=True):
    """One line; what is empty names nobody and nothing."""

    user: str = ""
    group: str = ""
    readonly: bool = False
    namespace: str = ""
    resource: str = ""
    api_group: str = ""
    path: str = ""

    def allows(self, asked: Attributes) -> bool:
        """Return whether this line allows the request."""
        if not self._is_about(asked) or (self.readonly and asked.verb not in READS):
            return False
        if asked.is_resource:
            pairs = (
                (self.namespace, asked.namespace),
                (self.resource, asked.resource),
                (self.api_group, asked.group),
            )
            return all(said in ("*", wanted) for said, wanted in pairs)
        path = self.path
        return path in ("*", asked.path) or (path.endswith("*") and asked.path.startswith(path.rstrip("*")))

    def _is_about(self, asked: Attributes) -> bool:
        if not self.user and not self.group:
            return False
        user_fits = self.user in ("", "*", asked.user.name)
        return user_fits and (self.group in ("", "*") or self.group in asked.user.groups)


class ABAC:
    """Answers from the lines of a file."""

    version = 0

    def __init__(self, policies: list[Policy]) -> None:
        self._policies = policies

    def authorize(self, attributes: Attributes) -> Decision:
        """See `Authorizer`."""
        if any(policy.allows(attributes) for policy in self._policies):
            return Decision(allowed=True)
        return NO_MATCH


def load(text: bytes, path: str) -> ABAC:
    """Read a file. PolicyLoadError."""
    policies = []
    for number, line in enumerate(text.decode("utf-8", "replace").splitlines()[:LINES_MAX], 1):
        if not line.strip() or line.strip().startswith("#"):
            continue
        try:
            policies.append(_policy(line))
        except (Unreadable, strict.Unfit) as problem:
            raise PolicyLoadError(f"error reading policy file {path}, line {number}: {line}: {problem}") from problem
    return ABAC(policies)


def _policy(line: str) -> Policy:
    try:
        document = read_json(line)
    except Unreadable as problem:
        raise Unreadable(f"couldn't get version/kind; json parse error: {problem}") from problem
    if not isinstance(document, dict):
        raise Unreadable("couldn't get version/kind; json parse error: json: cannot unmarshal into Go value")
    if not document.get("apiVersion") or not document.get("kind"):
        return _unversioned(strict.fill(_SPEC, document)[1])
    version, kind = document["apiVersion"], document["kind"]
    if version != API_VERSION or kind != "Policy":
        raise Unreadable(
            f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/apis/abac/register.go:34"'
        )
    spec = strict.fill(_POLICY, document)[1].get("spec") or {}
    policy = _of(spec)
    return _for_everybody(policy) if "*" in (policy.user, policy.group) else policy


def _of(spec: dict[str, Any]) -> Policy:
    return Policy(
        user=spec.get("user", ""),
        group=spec.get("group", ""),
        readonly=spec.get("readonly", False),
        namespace=spec.get("namespace", ""),
        resource=spec.get("resource", ""),
        api_group=spec.get("apiGroup", ""),
        path=spec.get("nonResourcePath", ""),
    )


def _for_everybody(policy: Policy) -> Policy:
    return msgspec.structs.replace(policy, user="", group=AUTHENTICATED_GROUP)


def _unversioned(spec: dict[str, Any]) -> Policy:
    """Read the old form, in which what is not said is everything."""
    policy = _of(spec)
    policy = msgspec.structs.replace(
        policy,
        namespace=policy.namespace or "*",
        resource=policy.resource or "*",
        api_group="*",
        path="" if policy.namespace or policy.resource else "*",
    )
    nobody = not policy.user and not policy.group
    return _for_everybody(policy) if nobody or "*" in (policy.user, policy.group) else policy
