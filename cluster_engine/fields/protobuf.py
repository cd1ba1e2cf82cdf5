"""Protobuf's wire format, field by field, named by the message's description (protobuf.dev, "Encoding").

A message is fields, each a tag (its number and how its value is written) and a value. The bytes do not say what a field
is called, nor what is in it: that says a `Shape`, made from a compiled `.proto` (`Descriptions`) or, for Kubernetes'
own objects, from their schemas (`kubernetes`). Without one, numbers and values are shown as they are.

    0a 02 2f 61        RangeRequest     field key = "/a"     tag 1 LEN · length 2 · string /a
    18 01                               field limit = 1      tag 3 VARINT · varint 1

Left out: groups, which proto3 does not have.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from cluster_engine.fields.stretch import Stretch
from cluster_engine.lens.unreadable import Unreadable

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
WIRE_TYPES = {VARINT: "VARINT", FIXED64: "I64", LENGTH: "LEN", 3: "SGROUP", 4: "EGROUP", FIXED32: "I32"}
VARINT_BYTES_MAX = 10
TEXT_SHARE = 0.9
"""Of bytes without description so many must be printable to be shown as text."""

Read = Callable[[Stretch], None]
Show = Callable[[int], str]


class Known(NamedTuple):
    """What is known of a field: its name, and how its value is to be read.

    `inside` reads a message, or what bytes are known to hold; `show` says a number as text. `is_text`: a string.
    """

    name: str
    inside: Read | None = None
    show: Show = str
    is_text: bool = False
    is_number: bool = False


Shape = Callable[[int], Known | None]
"""What is known of a message's field of this number."""


def nothing_known(number: int) -> Known | None:
    """Be the shape of a message of which there is no description."""
    return None


def fields(stretch: Stretch, shape: Shape) -> None:
    """Read a message's fields, to the stretch's end."""
    while stretch:
        _field(stretch, shape)


def _field(stretch: Stretch, shape: Shape) -> None:
    tag, tag_bytes = varint(stretch.peek(VARINT_BYTES_MAX))
    number, wire_type = tag >> 3, tag & 7
    if number == 0:
        raise Unreadable("a field's number is never 0")
    known = shape(number)
    name = known.name if known is not None else str(number)
    if wire_type == LENGTH:
        length, length_bytes = varint(stretch.peek(tag_bytes + VARINT_BYTES_MAX)[tag_bytes:])
        with stretch.within("protobuf.field", tag_bytes + length_bytes + length, name) as field:
            _tag(field, tag_bytes, number, wire_type)
            field.take("protobuf.length", length_bytes, str(length))
            _delimited(field, known)
        return
    with stretch.group("protobuf.field", name) as field:
        _tag(field, tag_bytes, number, wire_type)
        show = known.show if known is not None else str
        if wire_type == VARINT:
            value, count = varint(field.peek(VARINT_BYTES_MAX))
            field.value = f"{name} = {show(value)}"
            field.take("protobuf.varint", count, show(value))
        elif wire_type == FIXED64:
            shown = show(int.from_bytes(field.peek(8), "little"))
            field.take("protobuf.fixed64", 8, shown)
            field.value = f"{name} = {shown}"
        elif wire_type == FIXED32:
            shown = show(int.from_bytes(field.peek(4), "little"))
            field.take("protobuf.fixed32", 4, shown)
            field.value = f"{name} = {shown}"
        else:
            raise Unreadable(f"wire type {wire_type} is not read")


def _tag(field: Stretch, count: int, number: int, wire_type: int) -> None:
    field.take("protobuf.tag", count, f"{number} {WIRE_TYPES.get(wire_type, wire_type)}")


def _delimited(field: Stretch, known: Known | None) -> None:
    """Read a value that has its length before it: a message, a string, bytes, or numbers in a row."""
    if not field:
        return
    if known is not None and known.inside is not None:
        known.inside(field)
        return
    data = field.peek(len(field))
    if known is None:
        text = _as_text(data)
        if text is None:
            field.take("protobuf.bytes", len(field))
        else:
            field.take("protobuf.text", len(field), text)
            field.value += f" = {text}"
    elif known.is_number:
        while field:
            value, count = varint(field.peek(VARINT_BYTES_MAX))
            field.take("protobuf.packed", count, known.show(value))
    else:
        text = data.decode("utf-8", "replace") if known.is_text else _as_text(data)
        if text is not None:
            field.value += f" = {text}"
        if known.is_text:
            field.take("protobuf.string", len(field), text)
        else:
            field.take("protobuf.bytes", len(field), text)


def varint(data: bytes) -> tuple[int, int]:
    """Return the number at the front of the bytes, and in how many it is written. Unreadable."""
    value = 0
    for place, byte in enumerate(data[:VARINT_BYTES_MAX]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place + 1
    raise Unreadable("a varint is too long, or ends early")


def strings(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give number and bytes of a message's fields that have a length, as far as it can be read."""
    at = 0
    while at < len(data):
        try:
            tag, count = varint(data[at : at + VARINT_BYTES_MAX])
            at += count
            value, count = varint(data[at : at + VARINT_BYTES_MAX]) if tag & 7 in (VARINT, LENGTH) else (0, 0)
        except Unreadable:
            return
        at += count
        if tag & 7 == LENGTH:
            yield tag >> 3, data[at : at + value]
            at += value
        elif tag & 7 != VARINT:
            at += 8 if tag & 7 == FIXED64 else 4


def _as_text(data: bytes) -> str | None:
    """Return bytes as text where they are text."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    sample = text[:256]
    return text if sum(map(str.isprintable, sample)) >= TEXT_SHARE * len(sample) else None


def signed(value: int) -> str:
    """Show an int32 or int64: two's complement in 64 bits."""
    return str(value - (1 << 64) if value >= 1 << 63 else value)


def boolean(value: int) -> str:
    """Show a bool."""
    return "true" if value else "false"


def double(value: int) -> str:
    """Show a double."""
    return f"{struct.unpack('<d', value.to_bytes(8, 'little'))[0]:g}"


def _zigzag(value: int) -> str:
    return str((value >> 1) ^ -(value & 1))


def _float(value: int) -> str:
    return f"{struct.unpack('<f', (value & 0xFFFFFFFF).to_bytes(4, 'little'))[0]:g}"


def _fixed(bits: int) -> Show:
    return lambda value: str(value - (1 << bits) if value >= 1 << (bits - 1) else value)


SHOWN: Mapping[int, Show] = {
    FieldDescriptor.TYPE_INT32: signed,
    FieldDescriptor.TYPE_INT64: signed,
    FieldDescriptor.TYPE_BOOL: boolean,
    FieldDescriptor.TYPE_SINT32: _zigzag,
    FieldDescriptor.TYPE_SINT64: _zigzag,
    FieldDescriptor.TYPE_DOUBLE: double,
    FieldDescriptor.TYPE_FLOAT: _float,
    FieldDescriptor.TYPE_SFIXED32: _fixed(32),
    FieldDescriptor.TYPE_SFIXED64: _fixed(64),
}
_PACKED_OTHERWISE = frozenset(
    {
        FieldDescriptor.TYPE_DOUBLE,
        FieldDescriptor.TYPE_FLOAT,
        FieldDescriptor.TYPE_FIXED32,
        FieldDescriptor.TYPE_FIXED64,
        FieldDescriptor.TYPE_SFIXED32,
        FieldDescriptor.TYPE_SFIXED64,
    }
)


class Descriptions:
    """Shapes of compiled messages, each made once; `contents` reads what bytes fields hold, by their full names."""

    def __init__(self, contents: Mapping[str, Read]) -> None:
        self._contents = contents
        self._made: dict[str, Shape] = {}

    def shape(self, descriptor: Descriptor) -> Shape:
        """Return the shape of a message."""
        name = descriptor.full_name
        if name not in self._made:
            known: dict[int, Known] = {}
            self._made[name] = known.get
            known.update({field.number: self._known(field) for field in descriptor.fields})
        return self._made[name]

    def _known(self, field: FieldDescriptor) -> Known:
        if field.message_type is not None:
            inner = self.shape(field.message_type)
            return Known(field.name, lambda stretch: fields(stretch, inner))
        if field.type == FieldDescriptor.TYPE_STRING:
            return Known(field.name, is_text=True)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return Known(field.name, self._contents.get(field.full_name))
        if field.enum_type is not None:
            names = {one.number: one.name for one in field.enum_type.values}
            return Known(field.name, show=lambda value: f"{value} {names.get(value, '')}".rstrip(), is_number=True)
        show = SHOWN.get(field.type, str)
        return Known(field.name, show=show, is_number=field.type not in _PACKED_OTHERWISE)
