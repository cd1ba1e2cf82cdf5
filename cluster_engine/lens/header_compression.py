"""HPACK, the receiving half: header blocks to headers (RFC 7541), and nothing else.

The lens reads every header block of a cluster, so this decoder is built for speed. The `hpack` package, which the
clients and servers of the cluster use, takes several times as long; a test holds the two equal. Only the static table
is its.

A byte may stand for a field of 4 KiB, so of a block only LIST_BYTES_MAX of fields are given on, and a last one that
says what is left out; the rest is decoded all the same, since later blocks may refer to it.

Left out: encoding, and the limit on the table size that the receiver's SETTINGS impose (the receiver minds it).

    decoder = HeaderDecoder()
    decoder.decode(bytes.fromhex("828684410f7777772e6578616d706c652e636f6d"))
    -> [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")]     RFC 7541 C.3.1
"""

from collections.abc import Iterable

from hpack.table import HeaderTable

from cluster_engine.lens.unreadable import Unreadable
from cluster_engine.rpc.huffman import HuffmanError, decode

TABLE_BYTES = 4096
ENTRY_OVERHEAD_BYTES = 32
INTEGER_BYTES_MAX = 6
LIST_BYTES_MAX = 64 * 1024
"""Of one list of headers, ENTRY_OVERHEAD_BYTES counted for each field (RFC 9113 §6.5.2)."""
FIELDS_FEW, BLOCK_BYTES_FEW = 64, 4096
"""Up to so many nobody counts: they cannot be much more than LIST_BYTES_MAX."""
LEFT_OUT = "…"
"""The name of the field that says how many are left out; no real one has it."""

Header = tuple[str, str]

STATIC: tuple[Header, ...] = tuple((name.decode(), value.decode()) for name, value in HeaderTable.STATIC_TABLE)
STATIC_COUNT = len(STATIC)


def huffman(data: bytes) -> str:
    """Decode a Huffman-coded string, as far as it goes."""
    try:
        return decode(data).text.decode("latin-1")
    except HuffmanError as error:
        raise Unreadable("a header's Huffman code ends nowhere") from error


def bounded(headers: Iterable[Header], before: Iterable[Header] = ()) -> list[Header]:
    """Return `before`, which is bounded, and as many headers as there is room for; the last says what is left out."""
    kept = list(before)
    room = LIST_BYTES_MAX - sum(map(_size, kept))
    count = size = 0
    for header in headers:
        room -= _size(header)
        if room >= 0:
            kept.append(header)
        else:
            count += 1
            size += _size(header)
    if count and not (kept and kept[-1][0] == LEFT_OUT):
        kept.append((LEFT_OUT, f"{count} more header fields of {size} bytes are not kept"))
    return kept


def _size(header: Header) -> int:
    return len(header[0]) + len(header[1]) + ENTRY_OVERHEAD_BYTES


class HeaderDecoder:
    """One direction of one HTTP/2 connection: blocks must be given in the order of the wire."""

    __slots__ = ("_bytes", "_bytes_max", "_newest_last")

    def __init__(self) -> None:
        self._newest_last: list[Header] = []
        self._bytes = 0
        self._bytes_max = TABLE_BYTES

    def decode(self, block: bytes) -> list[Header]:
        """Return the headers of a whole block; raises Unreadable on what RFC 7541 does not allow."""
        headers: list[Header] = []
        at = 0
        end = len(block)
        try:
            while at < end:
                first = block[at]
                if first & 0x80:
                    index, at = (first & 0x7F, at + 1) if first != 0xFF else self._integer(block, at, 0x7F)
                    headers.append(self._entry(index))
                elif first & 0xE0 == 0x20:
                    self._bytes_max, at = self._integer(block, at, 0x1F)
                    self._evict()
                else:
                    mask = 0x3F if first & 0x40 else 0x0F
                    header, at = self._literal(block, at, mask)
                    headers.append(header)
                    if first & 0x40:
                        self._add(header)
        except IndexError as error:
            raise Unreadable("a header block ends early or names an entry that is not there") from error
        return headers if len(headers) <= FIELDS_FEW and end <= BLOCK_BYTES_FEW else bounded(headers)

    def _entry(self, index: int) -> Header:
        if 0 < index <= STATIC_COUNT:
            return STATIC[index - 1]
        if index == 0:
            raise Unreadable("header index 0")
        return self._newest_last[STATIC_COUNT - index]

    def _literal(self, block: bytes, at: int, mask: int) -> tuple[Header, int]:
        index = block[at] & mask
        if index == mask:
            index, at = self._integer(block, at, mask)
        else:
            at += 1
        if index:
            name = self._entry(index)[0]
        else:
            name, at = self._string(block, at)
        value, at = self._string(block, at)
        return (name, value), at

    def _string(self, block: bytes, at: int) -> tuple[str, int]:
        first = block[at]
        length = first & 0x7F
        if length == 0x7F:
            length, at = self._integer(block, at, 0x7F)
        else:
            at += 1
        end = at + length
        if end > len(block):
            raise Unreadable("a header's string ends after its block")
        data = block[at:end]
        return (huffman(data) if first & 0x80 else data.decode("latin-1")), end

    @staticmethod
    def _integer(block: bytes, at: int, mask: int) -> tuple[int, int]:
        value = block[at] & mask
        at += 1
        if value < mask:
            return value, at
        for shift in range(0, 7 * INTEGER_BYTES_MAX, 7):
            byte = block[at]
            at += 1
            value += (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at
        raise Unreadable("a header block's integer is too long")

    def _add(self, header: Header) -> None:
        self._newest_last.append(header)
        self._bytes += len(header[0]) + len(header[1]) + ENTRY_OVERHEAD_BYTES
        if self._bytes > self._bytes_max:
            self._evict()

    def _evict(self) -> None:
        gone = 0
        while self._bytes > self._bytes_max:
            name, value = self._newest_last[gone]
            self._bytes -= len(name) + len(value) + ENTRY_OVERHEAD_BYTES
            gone += 1
        del self._newest_last[:gone]
