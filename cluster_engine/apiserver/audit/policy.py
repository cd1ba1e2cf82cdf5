"""An audit policy: which requests are put on record, and how much of each.

Theory of operation. A policy is a file, read once at the start. Its rules are asked from the first to the last; the
first that matches says the level, and a request that no rule matches leaves no trace. A rule matches when all that it
names does: users, groups, verbs, and either resources and namespaces or paths that are no resources. Stages that the
policy or the rule omits are not written.

    rules:
    - {level: None, verbs: [watch]}                                     a watch: nothing
    - {level: Request, resources: [{group: "", resources: [secrets]}]}  what was sent about a Secret, not the answer
    - {level: Metadata}                                                 who, what, when, of everything else

A file that cannot be used says where, and the server does not start:

    loading audit policy file: failed decoding: yaml: line 4: mapping values are not allowed in this context: from
    file /etc/kubernetes/audit-policy.yaml

Modelled on apiserver/pkg/audit/policy/{reader,checker}.go and apis/audit/validation (v1.32): fields that do not belong
are let through with a warning.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from cluster_engine.api import strict
from cluster_engine.api.causes import invalid, not_supported, required
from cluster_engine.api.documents import Unreadable, read_one_yaml
from cluster_engine.api.names import dns_subdomain_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import BOOL, STRING, Field, ListOf, message
from cluster_engine.api.status import Cause
from cluster_engine.apiserver.authorization.attributes import Attributes

API_VERSION = "audit.k8s.io/v1"
LEVELS = ("None", "Metadata", "Request", "RequestResponse")
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
RULES_MAX = 1000
PACKAGE = "io.k8s.apiserver.pkg.apis.audit.v1."
STRINGS = ListOf(STRING)

_GROUP_RESOURCES = message(
    PACKAGE + "GroupResources",
    "GroupResources are resources of one API group.",
    Field(1, "group", STRING, "API group; the empty one is the core group."),
    Field(2, "resources", STRINGS, "Resources, such as pods, pods/log, */scale or *; all unless given."),
    Field(3, "resourceNames", STRINGS, "Names of objects; all unless given."),
)
_RULE = message(
    PACKAGE + "PolicyRule",
    "PolicyRule says at which level the requests that it matches are put on record.",
    Field(1, "level", STRING, "None, Metadata, Request or RequestResponse."),
    Field(2, "users", STRINGS, "Names of users."),
    Field(3, "userGroups", STRINGS, "Groups of users."),
    Field(4, "verbs", STRINGS, "Verbs."),
    Field(5, "resources", ListOf(_GROUP_RESOURCES), "Resources."),
    Field(6, "namespaces", STRINGS, "Namespaces; the empty one is that of resources without one."),
    Field(7, "nonResourceURLs", STRINGS, "Paths that are no resources; * ends a prefix."),
    Field(8, "omitStages", STRINGS, "Stages that are not written."),
    Field(9, "omitManagedFields", BOOL, "Whether objects lose their managed fields.", pointer=True),
)
_POLICY = message(
    PACKAGE + "Policy",
    "Policy is the configuration of an audit log.",
    Field(0, "apiVersion", STRING, "audit.k8s.io/v1."),
    Field(0, "kind", STRING, "Policy."),
    Field(1, "metadata", message(PACKAGE + "ObjectMeta", "Not used.", preserve_unknown=True), "Not used."),
    Field(2, "rules", ListOf(_RULE), "Rules, the first that matches counts."),
    Field(3, "omitStages", STRINGS, "Stages that are not written, whatever the rule."),
    Field(4, "omitManagedFields", BOOL, "What counts where a rule does not say it."),
)


class PolicyError(ValueError):
    """The file is no policy; the message is what the server ends with."""


class Recorded(msgspec.Struct, frozen=True):
    """How a request is put on record. `level` is an index of LEVELS; 0: not at all."""

    level: int = 0
    omits: frozenset[str] = frozenset()
    without_managed_fields: bool = False


NOT_RECORDED = Recorded()


class _Resources(msgspec.Struct, frozen=True):
    group: str
    resources: frozenset[str]
    names: frozenset[str]

    def matches(self, asked: Attributes) -> bool:
        if self.group != asked.group:
            return False
        if not self.resources:
            return True
        if self.names and asked.name not in self.names:
            return False
        whole = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
        wildcards = {whole, "*", f"{asked.resource}/*"} | ({f"*/{asked.subresource}"} if asked.subresource else set())
        return not self.resources.isdisjoint(wildcards)


class Rule(msgspec.Struct, frozen=True):
    """One rule; what is empty matches everything."""

    recorded: Recorded
    users: frozenset[str]
    groups: frozenset[str]
    verbs: frozenset[str]
    namespaces: frozenset[str]
    resources: tuple[_Resources, ...]
    paths: tuple[str, ...]

    def matches(self, asked: Attributes) -> bool:
        """Return whether this rule is about the request (ruleMatches)."""
        if self.users and asked.user.name not in self.users:
            return False
        if self.groups and self.groups.isdisjoint(asked.user.groups):
            return False
        if self.verbs and asked.verb not in self.verbs:
            return False
        if self.namespaces or self.resources:
            if not asked.is_resource or (self.namespaces and asked.namespace not in self.namespaces):
                return False
            return not self.resources or any(each.matches(asked) for each in self.resources)
        if self.paths:
            return not asked.is_resource and any(_leads_to(path, asked.path) for path in self.paths)
        return True


class Policy(msgspec.Struct, frozen=True):
    """The rules in their order; `warnings` is what does not belong in the file and was let through."""

    rules: tuple[Rule, ...]
    warnings: str = ""

    def evaluate(self, asked: Attributes) -> Recorded:
        """Say how a request is put on record."""
        for rule in self.rules:
            if rule.matches(asked):
                return rule.recorded
        return NOT_RECORDED


def load(text: bytes, path: str) -> Policy:
    """Read a policy's file. PolicyError, in the words with which the server ends."""
    try:
        return _read(text)
    except PolicyError as error:
        raise PolicyError(f"loading audit policy file: {error}: from file {path}") from error


def _read(text: bytes) -> Policy:
    try:
        document = read_one_yaml(text)
        _check_type(document)
        unknown, policy = strict.fill(_POLICY, document)
    except (Unreadable, strict.Unfit) as problem:
        raise PolicyError(f"failed decoding: {problem}") from problem
    rules = policy.get("rules") or []
    causes = [cause for at, rule in enumerate(rules[:RULES_MAX]) for cause in _rule_causes(rule, f"rules[{at}]")]
    if causes:
        texts = list(dict.fromkeys(map(str, causes)))
        raise PolicyError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    if not rules:
        raise PolicyError("loaded illegal policy with 0 rules")
    if len(rules) > RULES_MAX:
        raise PolicyError(f"too many rules: {len(rules)}, at most {RULES_MAX} are taken")
    warnings = f"strict decoding error: {', '.join(unknown)}" if unknown else ""
    return Policy(tuple(_rule(policy, rule) for rule in rules), warnings)


def _check_type(document: Any) -> None:
    """Refuse what does not say that it is a Policy (runtime.UniversalDecoder)."""
    found = document if isinstance(document, dict) else {}
    shown = msgspec.json.encode(document).decode()
    kind, version = found.get("kind"), found.get("apiVersion")
    if not isinstance(document, dict):
        what = "array" if isinstance(document, list) else "string" if isinstance(document, str) else "number"
        struct = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
        if document is not None:
            raise PolicyError(
                "failed decoding: couldn't get version/kind; json parse error: "
                f"json: cannot unmarshal {what} into Go value of type {struct}"
            )
    if not kind:
        raise PolicyError(f"failed decoding: Object 'Kind' is missing in '{shown}'")
    if not version:
        raise PolicyError(f"failed decoding: Object 'apiVersion' is missing in '{shown}'")
    if version != API_VERSION or kind != "Policy":
        raise PolicyError(
            f'failed decoding: no kind "{kind}" is registered for version "{version}" in scheme '
            '"pkg/audit/scheme.go:30"'
        )


def _rule_causes(rule: Object, path: str) -> list[Cause]:
    causes = []
    level, paths, resources = rule.get("level"), rule.get("nonResourceURLs") or [], rule.get("resources") or []
    if not level:
        causes.append(required(f"{path}.level"))
    elif level not in LEVELS:
        causes.append(not_supported(f"{path}.level", level, LEVELS))
    for at, url in enumerate(paths):
        place = f"{path}.nonResourceURLs[{at}]"
        if url != "*" and not url.startswith("/"):
            causes.append(invalid(place, url, "non-resource URL rules must begin with a '/' character"))
        if "*" in url[:-1]:
            text = "non-resource URL wildcards '*' must be the final character of the rule"
            causes.append(invalid(place, url, text))
    for each in resources:
        group = each.get("group") or ""
        if group and (problems := dns_subdomain_problems(group)):
            causes.append(invalid(f"{path}.resources.group", group, ",".join(problems)))
        if (names := each.get("resourceNames")) and not each.get("resources"):
            text = "using resourceNames requires at least one resource"
            causes.append(invalid(f"{path}.resources.resourceNames", names, text))
    for at, stage in enumerate(rule.get("omitStages") or ()):
        if stage not in STAGES:
            causes.append(invalid(f"{path}.omitStages[{at}]", stage, f"allowed stages are {','.join(STAGES)}"))
    if paths and (resources or rule.get("namespaces")):
        text = "rules cannot apply to both regular resources and non-resource URLs"
        causes.append(invalid(f"{path}.nonResourceURLs", paths, text))
    return causes


def _rule(policy: Object, rule: Object) -> Rule:
    omits = frozenset([*(policy.get("omitStages") or ()), *(rule.get("omitStages") or ())])
    without = rule.get("omitManagedFields", policy.get("omitManagedFields", False))
    return Rule(
        recorded=Recorded(LEVELS.index(rule["level"]), omits, bool(without)),
        users=_set(rule.get("users")),
        groups=_set(rule.get("userGroups")),
        verbs=_set(rule.get("verbs")),
        namespaces=_set(rule.get("namespaces")),
        resources=tuple(
            _Resources(each.get("group", ""), _set(each.get("resources")), _set(each.get("resourceNames")))
            for each in rule.get("resources") or ()
        ),
        paths=tuple(rule.get("nonResourceURLs") or ()),
    )


def _set(values: Sequence[str] | None) -> frozenset[str]:
    return frozenset(values or ())


def _leads_to(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))
