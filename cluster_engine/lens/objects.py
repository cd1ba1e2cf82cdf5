"""What an object says about itself and others: the few facts by which causes are found.

A pod's JSON has hundreds of values; of them the lens needs name, uid, version, and whom it refers to (owners, the
object an Event is about, the pods an EndpointSlice lists, the pod a token is for). msgspec reads just those and skips
the rest, in a microsecond or two. What has another shape than these gives no facts, never an error.

    read(b'{"kind":"Pod","metadata":{"name":"web-1","namespace":"default","uid":"u1",
           "ownerReferences":[{"kind":"ReplicaSet","name":"web","uid":"u2"}]}}').tokens("pods")
    -> ["pods/default/web-1", "u1", "u2", "replicasets/default/web"]
"""

from typing import Any

import msgspec

from cluster_engine.api import protobuf
from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.status import Refusal
from cluster_engine.lens.kubernetes import plural, token

ITEMS_MAX = 500


class Owner(msgspec.Struct, gc=False):
    """An entry of ownerReferences."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class Reference(msgspec.Struct, gc=False):
    """A reference to an object, as in involvedObject, targetRef, boundObjectRef and a Binding's target."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class Metadata(msgspec.Struct, gc=False, rename="camel"):
    """The part of metadata that identifies."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    owner_references: list[Owner] | None = None


class Address(msgspec.Struct, gc=False, rename="camel"):
    """An address of Endpoints, or an endpoint of an EndpointSlice."""

    target_ref: Reference | None = None


class Subset(msgspec.Struct, gc=False, rename="camel"):
    """A subset of Endpoints."""

    addresses: list[Address] | None = None
    not_ready_addresses: list[Address] | None = None


class Spec(msgspec.Struct, gc=False, rename="camel"):
    """What the lens reads of a spec: whom a TokenRequest is bound to."""

    bound_object_ref: Reference | None = None


class Thing(msgspec.Struct, gc=False, rename="camel"):
    """An object, a list, a Table or a Status, as far as the lens reads it."""

    kind: str = ""
    metadata: Metadata | None = None
    items: "list[Thing] | None" = None
    rows: "list[Row] | None" = None
    involved_object: Reference | None = None
    regarding: Reference | None = None
    target: Reference | None = None
    subsets: list[Subset] | None = None
    endpoints: list[Address] | None = None
    spec: Spec | None = None
    message: str | None = None
    reason: str | None = None
    code: int | None = None

    def tokens(self, resource: str) -> list[str]:
        """Name this object and those it refers to, for the index of causes."""
        found: list[str] = []
        metadata = self.metadata
        if metadata is not None:
            if metadata.name:
                found.append(f"{resource}/{metadata.namespace}/{metadata.name}")
            if metadata.uid:
                found.append(metadata.uid)
            if metadata.owner_references:
                for owner in metadata.owner_references:
                    found.append(owner.uid)
                    found.append(token(plural(owner.kind), metadata.namespace, owner.name))
        for reference in (self.involved_object, self.regarding):
            if reference is not None:
                _refer(found, reference)
        if self.spec is not None and self.spec.bound_object_ref is not None:
            _refer(found, self.spec.bound_object_ref)
        if self.endpoints is not None:
            _addresses(found, self.endpoints)
        if self.subsets is not None:
            for subset in self.subsets:
                _addresses(found, subset.addresses)
                _addresses(found, subset.not_ready_addresses)
        return found

    def target_tokens(self) -> list[str]:
        """Name what a Binding binds to: a pod that waited is bound for what has become of the node."""
        found: list[str] = []
        if self.target is not None:
            _refer(found, self.target)
        return found

    def item_tokens(self, resource: str) -> list[str]:
        """Name the items of a list (or a Table's rows): the first `ITEMS_MAX` of them."""
        found: list[str] = []
        for item in (self.items or ())[:ITEMS_MAX]:
            found += _own(resource, item.metadata)
        for row in (self.rows or ())[:ITEMS_MAX]:
            if row.object is not None:
                found += _own(resource, row.object.metadata)
        return found


class Row(msgspec.Struct, gc=False):
    """A row of a Table; `object` may be left out by the client's wish."""

    cells: list[Any] | None = None
    object: Thing | None = None


class WatchEvent(msgspec.Struct, gc=False):
    """One line of a watch."""

    type: str = ""
    object: Thing | None = None


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""How JSON that somebody sent can fail to be read: what is no JSON, no text, or nested without end."""
NOTHING = Thing()
_things = msgspec.json.Decoder(Thing)
_watch_events = msgspec.json.Decoder(WatchEvent)


def read(body: bytes) -> Thing:
    """Read a JSON object's facts; what is no such object has none."""
    try:
        return _things.decode(body)
    except UNREADABLE:
        return NOTHING


def read_watch_event(line: bytes) -> WatchEvent | None:
    """Read one line of a watch, None when it is no watch event."""
    try:
        event = _watch_events.decode(line)
    except UNREADABLE:
        return None
    return event if event.type else None


def decode_protobuf(body: bytes) -> dict[str, Any] | None:
    """Decode a Kubernetes protobuf body (`k8s\\0` and what follows); None when an API server would refuse it."""
    try:
        return protobuf.decode(BUILT_IN, body)
    except Refusal:
        return None


def read_protobuf(body: bytes) -> Thing:
    """Read the facts of a Kubernetes protobuf body; what is no such object has none."""
    try:
        return msgspec.convert(decode_protobuf(body) or {}, Thing)
    except UNREADABLE:
        return NOTHING


def _own(resource: str, metadata: Metadata | None) -> list[str]:
    if metadata is None:
        return []
    return [f"{resource}/{metadata.namespace}/{metadata.name}", metadata.uid]


def _addresses(found: list[str], addresses: list[Address] | None) -> None:
    for address in addresses or ():
        if address.target_ref is not None:
            _refer(found, address.target_ref)


def _refer(found: list[str], reference: Reference) -> None:
    if reference.uid:
        found.append(reference.uid)
    if reference.name:
        namespace = "" if reference.kind == "Node" else reference.namespace
        found.append(token(plural(reference.kind), namespace, reference.name))
