"""Which object a key of etcd is, and what is known of its kind.

    subject_of("/registry/minions/worker-1")               -> Subject(resource "nodes", group "", "", "worker-1")
    subject_of("/registry/example.com/widgets/default/a")  -> Subject("widgets", "example.com", "default", "a")
    subject_of("/registry/masterleases/10.0.0.1")          -> None, no object

What is built in has kubectl's columns. What was added while the cluster ran has Name and Age here; its definition says
more (`added`).
"""

from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from cluster_engine.api.cells.common import age, name
from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Column, Kind

REGISTRY = "/registry/"
LEARNED_FIRST = (
    *("deployments", "replicasets", "pods", "nodes", "services", "endpointslices", "statefulsets", "daemonsets"),
    *("jobs", "cronjobs", "configmaps", "secrets", "namespaces", "serviceaccounts", "ingresses", "networkpolicies"),
)
LEARNED_LAST = ("leases", "events")
MISSHAPEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
DEFAULT_COLUMNS = (name(), age())


class Resource(NamedTuple):
    """A resource by its names."""

    plural: str
    group: str

    @property
    def kind(self) -> Kind | None:
        """What is known of it, where it is built in."""
        return KINDS.get(self)

    @property
    def columns(self) -> tuple[Column, ...]:
        """What `kubectl get` shows of it."""
        kind = self.kind
        return DEFAULT_COLUMNS if kind is None else kind.columns or DEFAULT_COLUMNS

    @property
    def place(self) -> tuple[int, str, str]:
        """What sorts resources as a learner meets them."""
        if self.plural in LEARNED_FIRST:
            return LEARNED_FIRST.index(self.plural), self.plural, self.group
        last = self.plural in LEARNED_LAST
        return len(LEARNED_FIRST) + (1 + LEARNED_LAST.index(self.plural) if last else 0), self.plural, self.group


class Subject(NamedTuple):
    """An object by its names; the namespace is empty where it has none."""

    resource: Resource
    namespace: str
    name: str


KINDS = {Resource(kind.plural, kind.group): kind for kind in BUILT_IN.stored}
PREFIXES = {kind.storage_prefix: Resource(kind.plural, kind.group) for kind in BUILT_IN.stored}
PREFIX_OF = {resource: prefix for prefix, resource in PREFIXES.items()}


@lru_cache(4096)
def subject_of(key: str) -> Subject | None:
    """Say which object a key is, None where it is none."""
    if not key.startswith(REGISTRY):
        return None
    parts = key.removeprefix(REGISTRY).split("/")
    known = 2 if "/".join(parts[:2]) in PREFIXES else 1
    resource = PREFIXES.get("/".join(parts[:known]))
    if resource is None and "." in parts[0] and len(parts) > 2:
        resource, known = Resource(parts[1], parts[0]), 2
    rest = parts[known:]
    if resource is None or not 1 <= len(rest) <= 2 or not rest[-1]:
        return None
    return Subject(resource, rest[0] if len(rest) == 2 else "", rest[-1])


def key_of(subject: Subject) -> str:
    """Return the key of an object."""
    resource = subject.resource
    prefix = PREFIX_OF.get(resource, f"{resource.group}/{resource.plural}")
    return REGISTRY + "/".join(part for part in (prefix, subject.namespace, subject.name) if part)


def number_of(version: Any) -> int:
    """Read a resourceVersion, which is a revision of etcd's; 0 for what is none."""
    return int(version) if isinstance(version, str) and version.isdecimal() and len(version) < 19 else 0


def resource_of(text: str) -> Resource:
    """Read `pods`, `deployments.apps`; without a group it is the built-in one of that name."""
    plural, _, group = text.partition(".")
    if group or Resource(plural, "") in KINDS:
        return Resource(plural, group)
    return next((one for one in KINDS if one.plural == plural), Resource(plural, ""))


def cell_of(column: Column, obj: Object, now: datetime) -> str:
    """Write a cell as kubectl prints it; of an object that is not shaped as its kind, which none that was admitted is,
    nothing.
    """
    try:
        value: Any = column.cell(obj, now)
    except MISSHAPEN:
        return ""
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    first, newline, _ = str(value).partition("\n")
    return f"{first}..." if newline else first
