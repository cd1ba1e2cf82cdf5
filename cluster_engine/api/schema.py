"""The words in which a kind is described, once; everything else about it is derived from that description.

Modelled on what Kubernetes spreads over Go struct tags (`json:"…" protobuf:"…" patchStrategy:"merge"`), generated
files, `defaults.go`, `validation.go` and `printers.go`. Here a `Kind` has a `Message`, a message has `Field`s, a field
has a type, a protobuf number, a sentence for `kubectl explain`, and what else is true of it. Defaulting, strict
checking, protobuf, patches, OpenAPI and tables read these records; none of them knows a kind by name.

Three words about presence, because Go's zero values show on the wire:
- plain: Go leaves the field out when it is zero (`omitempty`), so `"nodeName": ""` is stored as nothing;
- `pointer`: zero is a value and is kept (`replicas: 0`);
- `always`: Go writes the field even when it is zero (`resources: {}`, `ready: false`, `creationTimestamp: null`).
  `required` scalars and lists are written always too, a list as `[]` where Go writes `null`.

A small example, the port of a container:

    >>> from cluster_engine.api.schemas.containers import CONTAINER_PORT
    >>> [(field.number, field.name, field.default) for field in CONTAINER_PORT.fields][2:4]
    [(3, 'containerPort', None), (4, 'protocol', 'TCP')]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from cluster_engine.api.derived import Derived
from cluster_engine.api.names import dns_subdomain_problems
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.resource import Resource
from cluster_engine.api.status import Cause

Rule: TypeAlias = Callable[[Object, str, list[Cause]], None]  # (object, its path, causes found so far)


class Scalar(msgspec.Struct, frozen=True, eq=False):
    """A value without fields: its name in Go (for error texts), its OpenAPI form, and its zero in JSON.

    One with a `name` is a definition of its own in OpenAPI; `openapi_v3` is its form there, if version 3 can say more.
    """

    go: str
    openapi: Mapping[str, Any]
    zero: JSON
    name: str = ""
    doc: str = ""
    openapi_v3: Mapping[str, Any] | None = None


STRING = Scalar("string", {"type": "string"}, "")
BOOL = Scalar("bool", {"type": "boolean"}, False)
INT32 = Scalar("int32", {"type": "integer", "format": "int32"}, 0)
INT64 = Scalar("int64", {"type": "integer", "format": "int64"}, 0)
FLOAT64 = Scalar("float64", {"type": "number", "format": "double"}, 0)
BYTES = Scalar("[]uint8", {"type": "string", "format": "byte"}, None)
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_DATE_TIME = {"type": "string", "format": "date-time"}
TIME = Scalar("v1.Time", _DATE_TIME, None, _META + "Time", "A moment, in RFC 3339, to the second.")
MICRO_TIME = Scalar("v1.MicroTime", _DATE_TIME, None, _META + "MicroTime", "A moment, in RFC 3339, to the microsecond.")
QUANTITY = Scalar(
    "resource.Quantity",
    {"type": "string"},
    "0",
    "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "A number with a unit, such as 100m, 64Mi or 2.",
    {"oneOf": [{"type": "string"}, {"type": "number"}]},
)
INT_OR_STRING = Scalar(
    "intstr.IntOrString",
    {"type": "string", "format": "int-or-string"},
    0,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "A number, or a string such as a name or a percentage.",
    {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
)
RAW = Scalar("v1.FieldsV1", {"type": "object"}, None, _META + "FieldsV1", "A set of fields, as a tree.")
RAW_EXTENSION = Scalar(
    "runtime.RawExtension",
    {"type": "object"},
    None,
    "io.k8s.apimachinery.pkg.runtime.RawExtension",
    "An object of any kind, or a part of one.",
)
ANY = Scalar("interface {}", {"x-kubernetes-preserve-unknown-fields": True}, None)
"""A value of any form, kept as it comes: a default, an example, an enumeration's member."""


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A struct: its OpenAPI name, what `kubectl explain` says of it, its fields, and rules that span fields.

    `own` is what protobuf sees; `fields` is what JSON sees, with the inlined messages' fields spread out.
    `defaults` changes the object in place after the fields' own defaults; `rules` appends causes. With
    `preserve_unknown` fields that are not described are kept as they come; an `atomic` one has one owner as a whole.
    """

    name: str
    doc: str
    own: tuple[Field | Inline, ...]
    defaults: Callable[[Object], None] | None = None
    rules: Rule | None = None
    preserve_unknown: bool = False
    atomic: bool = False
    fields: tuple[Field, ...] = field(init=False, repr=False)
    by_name: dict[str, Field] = field(init=False, repr=False)
    derived: Derived = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        flat = [each.message.fields if isinstance(each, Inline) else (each,) for each in self.own]
        object.__setattr__(self, "fields", tuple(each for group in flat for each in group))
        object.__setattr__(self, "by_name", {each.name: each for each in self.fields})

    @property
    def go_name(self) -> str:
        """The struct's name in error texts: `PodSpec`."""
        return self.name.rpartition(".")[2]


class ListOf(msgspec.Struct, frozen=True, eq=False):
    """A repeated field."""

    item: Type


class MapOf(msgspec.Struct, frozen=True, eq=False):
    """A map with string keys."""

    value: Type


Type: TypeAlias = Scalar | Message | ListOf | MapOf


class Field(msgspec.Struct, frozen=True, eq=False):
    """One field of a message. The module's text says what `pointer`, `always` and `required` mean.

    `number` is the field's in protobuf, 0 for one that protobuf does not have.
    `merge_key` and `patch_strategy` steer strategic merge patches; `list_keys` is `x-kubernetes-list-map-keys`, and an
    `atomic` map has one owner as a whole: they steer server-side apply. `check` returns Kubernetes' sentences about a
    bad string, `minimum` and `maximum` bound numbers.
    """

    number: int
    name: str
    type: Type
    doc: str
    pointer: bool = False
    always: bool = False
    required: bool = False
    default: JSON = None
    enum: tuple[str, ...] = ()
    merge_key: str = ""
    patch_strategy: str = ""
    list_keys: tuple[str, ...] = ()
    atomic: bool = False
    immutable: bool = False
    minimum: int | None = None
    maximum: int | None = None
    check: Callable[[str], list[str]] | None = None


class Inline(msgspec.Struct, frozen=True, eq=False):
    """A struct embedded in another: a message of its own in protobuf, but its fields stand in the parent's JSON."""

    number: int
    message: Message


def message(
    name: str,
    doc: str,
    *own: Field | Inline,
    defaults: Callable[[Object], None] | None = None,
    rules: Rule | None = None,
    preserve_unknown: bool = False,
    atomic: bool = False,
) -> Message:
    """Describe a struct; `name` is its OpenAPI name, such as `io.k8s.api.core.v1.PodSpec`."""
    return Message(name, doc, own, defaults, rules, preserve_unknown, atomic)


class Column(msgspec.Struct, frozen=True, eq=False):
    """One column of `kubectl get`: `cell` makes the value from object and now; wide ones need `-o wide`."""

    name: str
    cell: Callable[[Object, datetime], JSON]
    doc: str
    type: str = "string"
    format: str = ""
    wide: bool = False


class Subresource(msgspec.Struct, frozen=True, eq=False):
    """A path below an object. `body` is the kind that it speaks; None: the object's own.

    What `connects` leads to somebody else, and has no body of ours: discovery names the kind of its query's options.
    """

    name: str
    verbs: tuple[str, ...] = ("get", "patch", "update")
    body: Kind | None = None
    connects: str = ""


STATUS_SUBRESOURCE = Subresource("status")
STREAM_VERBS = ("create", "get")
PROXY_VERBS = ("create", "delete", "get", "patch", "update")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Kind(Resource):
    """What an API server knows about one kind, and whoever reads what it says.

    `prepare_create` and `prepare_update` change the object in place before it is validated: they set what clients may
    not set and clear what they may not bring (PrepareForCreate and PrepareForUpdate of a strategy in pkg/registry; an
    update is that of the object itself, not of a subresource). `has_status`: there is a status, which is empty at first
    unless `keeps_status_on_create`, and `status_carries` names the parts of metadata (labels, annotations) that may be
    changed with it. Objects are gone `ttl_seconds` after they were last written (0: never). `takes_strategic_patches`:
    custom resources do not. `stored_as` is the newer version that objects of an older one are stored in; the two
    functions beside it spell an object of one as the other does.
    """

    schema: Message
    subresources: tuple[Subresource, ...] = ()
    columns: tuple[Column, ...] = ()
    field_labels: Mapping[str, Callable[[Object], str]] = field(default_factory=dict)
    name_problems: Callable[[str], list[str]] = dns_subdomain_problems
    update_rules: Callable[[Object, Object, list[Cause]], None] | None = None
    prepare_create: Callable[[Object], None] | None = None
    prepare_update: Callable[[Object, Object], None] | None = None
    has_status: bool = False
    keeps_status_on_create: bool = False
    status_carries: tuple[str, ...] = ()
    ttl_seconds: int = 0
    has_generation: bool = False
    create_on_update: bool = False
    unconditional_update: bool = True
    delete_returns_object: bool = False
    takes_strategic_patches: bool = True
    storage_prefix: str = ""
    stored_as: Kind | None = None
    to_stored: Callable[[Object], Object] | None = None
    from_stored: Callable[[Object], Object] | None = None
    derived: Derived = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        Resource.__post_init__(self)  # super() does not find its class in one that slots have replaced
        is_foreign = "." in self.group and not self.group.endswith(".k8s.io")
        prefix = f"{self.group}/{self.plural}" if is_foreign else self.plural
        object.__setattr__(self, "storage_prefix", self.storage_prefix or prefix)

    @property
    def is_served(self) -> bool:
        """Whether the kind has a path of its own; others are only spoken by subresources."""
        return bool(self.verbs)

    @property
    def is_stored(self) -> bool:
        """Whether its objects are kept in etcd; of others only the answer to a POST is seen."""
        return "get" in self.verbs and self.stored_as is None

    def subresource(self, name: str) -> Subresource | None:
        """Find a subresource by its name."""
        return next((each for each in self.subresources if each.name == name), None)


def field_path(path: str) -> Callable[[Object], str]:
    """Make a getter for a dotted path, as field selectors compare: text; missing is "", booleans are true and false."""
    keys = path.split(".")

    def get(obj: Object) -> str:
        value: JSON = obj
        for key in keys:
            value = value.get(key)
            if value is None:
                return ""
        return value if isinstance(value, str) else str(value).lower()

    return get


def list_type(field: Field) -> str:
    """Say what a list is to who merges: a `map` of items with keys, a `set` of scalars, or `atomic`."""
    if field.list_keys:
        return "map"
    return "set" if field.patch_strategy == "merge" and not field.merge_key else "atomic"


def merge_extensions(field: Field) -> dict[str, JSON]:
    """Return what OpenAPI says of a field in Kubernetes' own words: how it is merged, and what a list's keys are."""
    found: dict[str, JSON] = {}
    if field.list_keys:
        found["x-kubernetes-list-map-keys"] = list(field.list_keys)
    if isinstance(field.type, ListOf):
        found["x-kubernetes-list-type"] = list_type(field)
    elif field.atomic:
        found["x-kubernetes-map-type"] = "atomic"
    if field.merge_key:
        found["x-kubernetes-patch-merge-key"] = field.merge_key
    if field.patch_strategy:
        found["x-kubernetes-patch-strategy"] = field.patch_strategy
    return found
