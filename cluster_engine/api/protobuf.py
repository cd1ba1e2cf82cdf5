"""Reading Kubernetes protobuf: what kubectl 1.32 sends for typed calls such as `create deployment`.

A body is four bytes `k8s\\0` and a message Unknown: who it is (TypeMeta), and the object's own bytes. The field
numbers are those of the schemas; a number that the schema does not have is skipped, as protobuf wants it. proto2 with
gogo writes scalars even when they are empty, so the result goes through the same cleaning as JSON. Nothing is written
in protobuf: answers are JSON, which every client also accepts.

A small example, a ConfigMap without data, named c, by hand: TypeMeta `0a 0f | 0a 02 v1 | 12 09 ConfigMap`,
raw bytes `12 05 | 0a 03 (metadata) | 0a 01 c (name)`.

    >>> from cluster_engine.api.kinds import BUILT_IN
    >>> decode(BUILT_IN, b"k8s\\0" + b"\\x0a\\x0f\\x0a\\x02v1\\x12\\x09ConfigMap" + b"\\x12\\x05\\x0a\\x03\\x0a\\x01c")
    {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'c'}}
"""

import math
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from cluster_engine.api import time
from cluster_engine.api.derived import derived
from cluster_engine.api.documents import Unreadable, read_json
from cluster_engine.api.kind_set import KindSet
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import (
    BOOL,
    BYTES,
    FLOAT64,
    INT32,
    INT64,
    INT_OR_STRING,
    MICRO_TIME,
    QUANTITY,
    RAW,
    RAW_EXTENSION,
    STRING,
    TIME,
    Field,
    Inline,
    ListOf,
    MapOf,
    Message,
    Scalar,
    Type,
    message,
)
from cluster_engine.api.status import BadRequest, UnsupportedMediaType
from cluster_engine.api.strict import check

MAGIC = b"k8s\0"
FLOAT_BYTES = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Value: TypeAlias = int | bytes
Reader: TypeAlias = Callable[[Value], JSON]
Store: TypeAlias = Callable[[Object, Value], None]


def decode(kinds: KindSet, body: bytes) -> Object:
    """Read an object of one of these kinds. Raises BadRequest for bytes that are none, or of another kind."""
    if body[: len(MAGIC)] != MAGIC:
        raise BadRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    try:
        envelope = _read(_UNKNOWN, memoryview(body)[len(MAGIC) :].tobytes())
        type_meta = envelope.get("typeMeta", {})
        if envelope.get("contentEncoding"):
            raise UnsupportedMediaType
        api_version, name = type_meta.get("apiVersion", ""), type_meta.get("kind", "")
        kind = kinds.by_kind(api_version, name)
        if kind is None:
            raise BadRequest(f'no kind "{name}" is registered for version "{api_version}" in scheme')
        obj = _read(kind.schema, envelope.get("raw", b""))
    except (_Malformed, UnicodeDecodeError, Unreadable, OverflowError) as problem:
        raise BadRequest(f"unable to decode the protobuf body: {problem}") from None
    _, cleaned = check(kind, obj)
    return {"apiVersion": api_version, "kind": name, **cleaned}


class _Malformed(Exception):  # noqa: N818, becomes a BadRequest at the edge of this module
    """The bytes are no protobuf message."""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise _Malformed("unexpected EOF" if at >= len(data) else "proto: integer overflow")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Go through a message's fields: number and value, a number or bytes by its wire type."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        value: Value
        if wire_type == 0:
            value, at = _varint(data, at)
        elif wire_type == 2:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        elif wire_type in (1, 5):
            size = 8 if wire_type == 1 else 4
            value, at = data[at : at + size], at + size
        else:
            raise _Malformed(f"proto: illegal wireType {wire_type}")
        if at > end:
            raise _Malformed("unexpected EOF")
        yield number, value


def _read(of: Message, data: bytes) -> Object:
    obj: Object = {}
    _fill(of, data, obj)
    return obj


def _fill(of: Message, data: bytes, obj: Object) -> None:
    stores = _stores(of)
    for number, value in _fields(data):
        store = stores.get(number)
        if store:
            store(obj, value)


@derived
def _stores(of: Message) -> dict[int, Store]:
    return {each.number: _store(each) for each in of.own if each.number}


def _store(field: Field | Inline) -> Store:
    """Make what puts one field's values into the object."""
    if isinstance(field, Inline):
        inlined = field.message
        return lambda obj, value: _fill(inlined, _as_bytes(value), obj)
    name, type_ = field.name, field.type
    if isinstance(type_, MapOf):
        return _map_store(name, type_)
    if isinstance(type_, ListOf):
        assert isinstance(type_.item, Scalar | Message), f"{name}: protobuf has no lists of lists or maps"
        return _list_store(name, type_.item)
    read = _reader(type_)

    def store(obj: Object, value: Value) -> None:
        obj[name] = read(value)

    return store


def _list_store(name: str, item: Scalar | Message) -> Store:
    read = _reader(item)
    packable = item in (INT32, INT64, BOOL)

    def store(obj: Object, value: Value) -> None:
        items = obj.setdefault(name, [])
        if packable and isinstance(value, bytes):
            items.extend(read(each) for each in _packed(value))
        else:
            items.append(read(value))

    return store


def _packed(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _map_store(name: str, type_: MapOf) -> Store:
    value_type = type_.value
    read = _items if isinstance(value_type, ListOf) else _reader(value_type)

    def store(obj: Object, value: Value) -> None:
        entry = dict(_fields(_as_bytes(value)))
        obj.setdefault(name, {})[_string(entry.get(1, b""))] = read(entry.get(2, b""))

    return store


def _items(value: Value) -> list[str]:
    """Read a message that only wraps a list of strings."""
    return [_string(each) for number, each in _fields(_as_bytes(value)) if number == 1]


def _reader(type_: Type) -> Reader:
    if isinstance(type_, Message):
        return lambda value: _read(type_, _as_bytes(value))
    assert isinstance(type_, Scalar)
    return _READERS[type_]


def _as_bytes(value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    raise _Malformed("proto: wrong wireType = 0 for a message or string")


def _as_int(value: Value) -> int:
    if isinstance(value, bytes):
        raise _Malformed("proto: wrong wireType = 2 for a number")
    return value - (1 << 64) if value >= 1 << 63 else value


def _float(value: Value) -> float:
    raw = _as_bytes(value)
    if len(raw) != FLOAT_BYTES:
        raise _Malformed("proto: wrong wireType for a floating-point number")
    found: float = struct.unpack("<d", raw)[0]
    if not math.isfinite(found):
        raise _Malformed(f"json: unsupported value: {found}")
    return found


def _string(value: Value) -> str:
    return _as_bytes(value).decode()


def _moment(value: Value) -> datetime | None:
    found = dict(_fields(_as_bytes(value)))
    seconds, nanos = _as_int(found.get(1, 0)), _as_int(found.get(2, 0))
    if not found:
        return None
    return _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)


def _time(value: Value) -> str | None:
    moment = _moment(value)
    return time.rfc3339(moment) if moment else None


def _micro_time(value: Value) -> str | None:
    moment = _moment(value)
    return time.micro(moment) if moment else None


def _quantity(value: Value) -> str:
    return _string(dict(_fields(_as_bytes(value))).get(1, b"0"))


def _int_or_string(value: Value) -> int | str:
    found = dict(_fields(_as_bytes(value)))
    return _string(found.get(3, b"")) if found.get(1) else _as_int(found.get(2, 0))


def _raw(value: Value) -> JSON:
    found = _as_bytes(dict(_fields(_as_bytes(value))).get(1, b""))
    return read_json(found) if found else None


_READERS: dict[Scalar, Reader] = {
    STRING: _string,
    BOOL: lambda value: bool(_as_int(value)),
    INT32: _as_int,
    INT64: _as_int,
    FLOAT64: _float,
    BYTES: lambda value: b64encode(_as_bytes(value)).decode(),
    TIME: _time,
    MICRO_TIME: _micro_time,
    QUANTITY: _quantity,
    INT_OR_STRING: _int_or_string,
    RAW: _raw,
    RAW_EXTENSION: _raw,
}


_BARE = Scalar("[]uint8", {}, None)
_READERS[_BARE] = _as_bytes
_TYPE_META = message(
    "TypeMeta",
    "Who the object is.",
    Field(1, "apiVersion", STRING, "Its API version."),
    Field(2, "kind", STRING, "Its kind."),
)
_UNKNOWN = message(
    "Unknown",
    "The envelope.",
    Field(1, "typeMeta", _TYPE_META, "Who the object is."),
    Field(2, "raw", _BARE, "Its bytes."),
    Field(3, "contentEncoding", STRING, "How they are packed; not at all."),
    Field(4, "contentType", STRING, "What they are; protobuf unless given."),
)
