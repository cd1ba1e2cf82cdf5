"""What a dissector finds in a stretch of bytes: fields, each with its place, its value and the fields in it.

    (Field("tls.record.type", 0, 1, "22 handshake"),
     Field("tls.record.version", 1, 3, "0x0303 TLS 1.2"), …)

`name` is a key of the catalogue; `begin` and `end` are offsets in the bytes that were dissected, `end` exclusive. The
fields in a field lie inside it, in order, and do not overlap.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

VALUE_CHARS_MAX = 160
BYTES_SHOWN_MAX = 32
UNREADABLE = "unreadable"
"""The name of the field over bytes that cannot be read; its value is the reason."""
UNFINISHED = "any.unfinished"
"""The name of the field over the beginning of what announces more bytes than are here; its value says how many."""


class Field(NamedTuple):
    """A run of bytes that means something; `value` is plain text, and short."""

    name: str
    begin: int
    end: int
    value: str
    fields: "tuple[Field, ...]" = ()


def text_of(value: str | bytes) -> str:
    """Return what can be shown in a line: bytes in hexadecimal, no control characters, at most VALUE_CHARS_MAX."""
    if isinstance(value, bytes):
        cut = value[:BYTES_SHOWN_MAX].hex(" ")
        return f"{cut} …" if len(value) > BYTES_SHOWN_MAX else cut
    cut = "".join(sign if sign.isprintable() else "�" for sign in value[:VALUE_CHARS_MAX])
    return f"{cut}…" if len(value) > VALUE_CHARS_MAX else cut


def every(fields: Sequence[Field]) -> Iterator[Field]:
    """Give each field and what is in it, a parent before its children."""
    for field in fields:
        yield field
        yield from every(field.fields)


def moved(fields: Sequence[Field], by: int, begin: int, end: int) -> tuple[Field, ...]:
    """Shift fields by so many bytes, and keep of them what lies from `begin` to `end`; a field may be cut in two."""
    return tuple(
        Field(
            one.name, max(one.begin + by, begin), min(one.end + by, end), one.value, moved(one.fields, by, begin, end)
        )
        for one in fields
        if one.begin + by < end and one.end + by > begin
    )
