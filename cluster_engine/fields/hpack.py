"""HPACK, the compression of HTTP/2's headers, representation by representation (RFC 7541).

A header block refers to a *dynamic table* of what earlier blocks of the connection have told, which is not at hand when
one entry is opened. Two things stand in for it: what the block itself and those before it in the same bytes have added
to the table, and `known`, the headers as they were decoded at the time, which are kept with the entry. The block's n-th
header is the n-th of those, so what its reference stands for is known without the connection's history.

    82                                        indexed: 2, :method: GET              (the static table)
    be                                        indexed: 62, known[n]                 (the dynamic one's newest)
    41 8c f1 e3 c2 e5 f2 3a 6b a0 ab 90 …     incremental: name 1 :authority, H=1 12, www.example.com

Which header a reference stands for stays open where neither says it. Left out: what was evicted from the table, for a
block that may be sent names only what is there.
"""

from collections.abc import Sequence

from cluster_engine.fields.field import Field
from cluster_engine.fields.stretch import Stretch, dissected
from cluster_engine.lens.header_compression import INTEGER_BYTES_MAX, STATIC, STATIC_COUNT
from cluster_engine.lens.unreadable import Unreadable
from cluster_engine.rpc.huffman import HuffmanError, decode

Header = tuple[str, str]
Told = tuple[str | None, str | None]
"""Name and value of a header, as far as they are known."""
UNKNOWN: Told = (None, None)
TABLE_ENTRIES_MAX = 1024


class Blocks:
    """The header blocks of one direction in one stretch of bytes, in the order of the wire."""

    def __init__(self) -> None:
        self._table: list[Told] = []

    def dissect(self, block: bytes, known: Sequence[Header] = ()) -> tuple[Field, ...]:
        """Dissect a whole header block, of which the headers are `known`; unless what is written out says otherwise."""
        read = _Block(known, self._table)
        fields = read.fields(block)
        if not read.agrees:
            read = _Block((), self._table)
            fields = read.fields(block)
        self._table = read.table[-TABLE_ENTRIES_MAX:]
        return fields

    def count(self, block: bytes) -> int:
        """Return how many headers a block has."""
        read = _Block((), self._table)
        read.fields(block)
        return read.count


class _Block:
    """Reads one block; afterwards `count` says how many headers it has, and whether what is known `agrees` with it."""

    def __init__(self, known: Sequence[Header], table: Sequence[Told]) -> None:
        self._known = known
        self.table = list(table)
        self.count = 0
        self.agrees = True

    def fields(self, block: bytes) -> tuple[Field, ...]:
        return dissected(block, self._read)

    def _read(self, stretch: Stretch) -> None:
        while stretch:
            self._representation(stretch)

    def _representation(self, stretch: Stretch) -> None:
        first = stretch.peek(1)[0]
        if first & 0x80:
            with stretch.group("hpack.indexed") as field:
                field.value = _line(self._indexed(field))
        elif first & 0x40:
            with stretch.group("hpack.incremental") as field:
                header = self._literal(field, 0x3F)
                self.table.append(header)
                field.value = _line(header)
        elif first & 0x20:
            size, count = _integer(stretch, 0x1F)
            stretch.take("hpack.table_size", count, str(size))
            if size == 0:
                self.table.clear()
        elif first & 0x10:
            with stretch.group("hpack.never_indexed") as field:
                field.value = _line(self._literal(field, 0x0F))
        else:
            with stretch.group("hpack.without_indexing") as field:
                field.value = _line(self._literal(field, 0x0F))

    def _indexed(self, field: Stretch) -> Told:
        index, count = _integer(field, 0x7F)
        if index == 0:
            raise Unreadable("header index 0")
        header = self._header(self._entry(index))
        shown = f"{index} {_line(header)}".rstrip()
        if index <= STATIC_COUNT:
            field.take("hpack.static_index", count, shown)
        else:
            field.take("hpack.dynamic_index", count, shown)
        return header

    def _literal(self, field: Stretch, mask: int) -> Told:
        index, count = _integer(field, mask)
        name: str | None
        if index == 0:
            field.take("hpack.new_name", count, "0")
            name = _string(field, is_name=True)
        elif index <= STATIC_COUNT:
            name = self._entry(index)[0]
            field.take("hpack.static_name", count, f"{index} {name}")
        else:
            name = self._entry(index)[0] or self._next()[0]
            field.take("hpack.dynamic_name", count, f"{index} {name or ''}".rstrip())
        return self._header((name, _string(field, is_name=False)))

    def _entry(self, index: int) -> Told:
        """Return an entry of the tables, as far as it is known."""
        if index <= STATIC_COUNT:
            return STATIC[index - 1]
        place = index - STATIC_COUNT
        return self.table[-place] if place <= len(self.table) else UNKNOWN

    def _next(self) -> Told:
        return self._known[self.count] if self.count < len(self._known) else UNKNOWN

    def _header(self, read: Told) -> Told:
        """Return the next header: what was read of it, and for the rest what is known."""
        known = self._next()
        self.count += 1
        if known is not UNKNOWN and any(
            one is not None and one != other for one, other in zip(read, known, strict=True)
        ):
            self.agrees = False
        return read[0] if read[0] is not None else known[0], read[1] if read[1] is not None else known[1]


def _string(field: Stretch, *, is_name: bool) -> str:
    length, count = _integer(field, 0x7F)
    is_huffman = bool(field.peek(1)[0] & 0x80)
    length_shown = f"H={int(is_huffman)} {length}"
    if is_name:
        field.take("hpack.name_length", count, length_shown)
    else:
        field.take("hpack.value_length", count, length_shown)
    if len(field) < length:
        raise Unreadable("a header's string ends after its block")
    text = _text(field.peek(length), is_huffman)
    if is_name:
        field.take("hpack.name_huffman" if is_huffman else "hpack.name", length, text)
    else:
        field.take("hpack.value_huffman" if is_huffman else "hpack.value", length, text)
    return text


def _text(data: bytes, is_huffman: bool) -> str:
    if not is_huffman:
        return data.decode("latin-1")
    try:
        return decode(data).text.decode("latin-1")
    except HuffmanError as error:
        raise Unreadable("a header's Huffman code ends nowhere") from error


def _integer(stretch: Stretch, mask: int) -> tuple[int, int]:
    """Look at the integer that comes next, behind the bits that are not in the mask: its value, and in how many bytes.

    (RFC 7541 5.1.)
    """
    data = stretch.peek(1 + INTEGER_BYTES_MAX)
    if not data:
        raise Unreadable("a header block ends early")
    value = data[0] & mask
    if value < mask:
        return value, 1
    for place, byte in enumerate(data[1:]):
        value += (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, place + 2
    raise Unreadable("an integer of a header block is too long, or ends early")


def _line(header: Told) -> str:
    name, value = header
    if name is None and value is None:
        return ""
    return f"{name or '?'}: {'?' if value is None else value}"
