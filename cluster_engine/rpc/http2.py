"""h2's connection, with short ways for what nearly all traffic is made of. Same bytes, same events, same errors.

Theory of operation. `h2` is written to be right about every frame there is, and pays for that with each: it makes
an object with a set of flags of every frame, prints it for a log that nobody keeps, and compresses fields by walking
through a table. A cluster that does nothing sends some forty frames a virtual second (leases, mostly), nine in ten of
them a whole HEADERS or a DATA without padding; on them h2 spent a third of the engine's time. Here such a frame takes a
short way to the very method that h2 would have called, and a field that was compressed before is looked up:

    HEADERS, END_HEADERS set, neither padding nor priority  ->  ShortHeaders  ->  h2's state machine
    DATA without padding                                    ->  ShortData     ->  h2's state machine
    everything else, and whatever stands in a header block  ->  h2, whole; but a frame too long is refused by its header

    HEADERS or DATA to be sent, with these two flags only   ->  written at once

    HPACK: the same fields while the table has not changed  ->  the same bytes; and the other way round
           a string                                         ->  coded by `huffman`, remembered

What is refused is still refused by h2: a short frame is well-formed by what makes it short. Nothing is left out, but
this leans on h2's inside (`_receive_frame`, its dispatch table, `_open_streams`, `_prepare_for_sending`): the version
is pinned, and tests/engine/rpc/test_rpc_http2.py holds both equal, frame by frame.
"""

import struct
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import Event
from h2.exceptions import FrameTooLargeError, ProtocolError
from h2.stream import StreamState
from hpack import Decoder, Encoder, HeaderTuple, NeverIndexedHeaderTuple
from hpack.exceptions import HPACKDecodingError
from hpack.hpack import decode_integer
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable
from hyperframe.frame import DataFrame, Frame, HeadersFrame

from cluster_engine.rpc import huffman

FRAME_HEADER_BYTES = 9
PREFACE_BYTES = 24
DATA, HEADERS, PUSH_PROMISE, CONTINUATION = 0, 1, 5, 9
END_STREAM, END_HEADERS = 0x1, 0x4
OPTIONS = (
    "client_side",
    "header_encoding",
    "logger",
    "normalize_inbound_headers",
    "normalize_outbound_headers",
    "split_outbound_cookies",
    "validate_inbound_headers",
    "validate_outbound_headers",
)
"""What an H2Configuration says; it computes each anew whenever it is asked, five times a frame."""

CLOSED_STREAMS_MAX = 256
"""How many closed streams a connection remembers, so that a late frame of a reset one is passed over: more than can be
open at once. h2 itself keeps 65,536, of 150 bytes each, and the connections of a cluster last as long as it does."""

KNOWN_MAX = 64
KNOWN_FIELDS_MAX = 100
"""How many fields, and how many header blocks of how many fields, are kept; a cluster's clients send a handful."""
HEADER_BLOCK_BYTES_MAX = 2 * 1024 * 1024

LOW_BITS, HUFFMAN_CODED, NEVER_INDEXED = 0x7F, 0x80, 0x10
"""Of a field's first byte, its index; of a string's, whether it is coded; of a literal's, that no table may have it."""

_ENDS = ("END_STREAM",)
_SENT_SHORT = {
    frozenset(): 0,
    frozenset({"END_STREAM"}): END_STREAM,
    frozenset({"END_HEADERS"}): END_HEADERS,
    frozenset({"END_STREAM", "END_HEADERS"}): END_STREAM | END_HEADERS,
}
"""The flags with which a frame that is sent takes a short way, and what they are on the wire."""
_HEADER = struct.Struct(">HBBBL")
_OPEN = frozenset({StreamState.OPEN, StreamState.HALF_CLOSED_LOCAL, StreamState.HALF_CLOSED_REMOTE})


class ShortFrame:
    """A frame with only what h2 looks at."""

    __slots__ = ("data", "flags", "flow_controlled_length", "stream_id")

    def __init__(self, stream_id: int, data: bytes, ends: bool) -> None:
        self.stream_id, self.data = stream_id, data
        self.flags = _ENDS if ends else ()
        self.flow_controlled_length = len(data)

    def __repr__(self) -> str:
        return "frame"  # h2 prints every frame for a log, kept or not


class ShortHeaders(ShortFrame):
    """A whole header block."""

    __slots__ = ()


class ShortData(ShortFrame):
    """A piece of a body."""

    __slots__ = ()


class Connection(H2Connection):
    """Use it wherever `h2.connection.H2Connection` would do."""

    MAX_CLOSED_STREAMS = CLOSED_STREAMS_MAX

    def __init__(self, config: H2Configuration) -> None:
        super().__init__(SimpleNamespace(**{name: getattr(config, name) for name in OPTIONS}))  # type: ignore[arg-type]
        self.encoder = KnowingEncoder()
        decoder = KnowingDecoder()
        decoder.max_header_list_size = self.decoder.max_header_list_size
        self.decoder = decoder
        self._frame_dispatch_table[ShortHeaders] = self._receive_headers_frame  # type: ignore[index]
        self._frame_dispatch_table[ShortData] = self._receive_data_frame  # type: ignore[index]
        self._preface_bytes = 0 if config.client_side else PREFACE_BYTES
        self._rest = b""
        self._in_header_block = False
        self._block_bytes = 0

    def receive_data(self, data: bytes) -> list[Event]:  # type: ignore[override]
        """See h2."""
        events: list[Event] = []
        data = self._rest + data if self._rest else bytes(data)
        start = 0
        if self._preface_bytes:
            start = min(self._preface_bytes, len(data))
            self._preface_bytes -= start
            events += super().receive_data(data[:start])
        whole = len(data) - FRAME_HEADER_BYTES
        while start <= whole:
            length = data[start] << 16 | data[start + 1] << 8 | data[start + 2]
            end = start + FRAME_HEADER_BYTES + length
            if length > self.max_inbound_frame_size:
                self._refuse(length)  # at once; h2 would first keep up to 16 MiB of it
            if end > len(data):
                break
            events += self._receive(data, start, end)
            start = end
        self._rest = data[start:]
        return events

    def _refuse(self, length: int) -> None:
        """End the connection over a frame longer than we said we take (RFC 9113, 4.2)."""
        error = FrameTooLargeError(f"Received overlong frame: length {length}, max {self.max_inbound_frame_size}")
        self._terminate_connection(error.error_code)
        raise error

    def _receive(self, data: bytes, start: int, end: int) -> list[Event]:
        """Take one whole frame."""
        kind, flags = data[start + 3], data[start + 4]
        stream_id = int.from_bytes(data[start + 5 : start + 9], "big") & 0x7FFFFFFF
        body = start + FRAME_HEADER_BYTES
        if self._in_header_block or not stream_id:
            return self._receive_long(data[start:end], kind, flags)
        if kind == DATA and not flags & ~END_STREAM:
            return self._receive_short(ShortData(stream_id, data[body:end], bool(flags)))
        if kind == HEADERS and flags | END_STREAM == END_HEADERS | END_STREAM:
            return self._receive_short(ShortHeaders(stream_id, data[body:end], bool(flags & END_STREAM)))
        return self._receive_long(data[start:end], kind, flags)

    def _receive_short(self, frame: ShortFrame) -> list[Event]:
        try:
            return self._receive_frame(frame)  # type: ignore[arg-type]
        except ProtocolError as error:
            self._terminate_connection(error.error_code)
            raise

    def _receive_long(self, frame: bytes, kind: int, flags: int) -> list[Event]:
        if kind in (HEADERS, PUSH_PROMISE, CONTINUATION):
            self._in_header_block = not flags & END_HEADERS
            self._block_bytes = len(frame) if kind != CONTINUATION else self._block_bytes + len(frame)
            if self._block_bytes > HEADER_BLOCK_BYTES_MAX:
                self._refuse(self._block_bytes)
        return super().receive_data(frame)

    def _prepare_for_sending(self, frames: list[Frame]) -> None:
        """Write frames; h2 looks for every flag that there is in each."""
        for frame in frames:
            bits = _SENT_SHORT.get(frozenset(frame.flags)) if type(frame) in (HeadersFrame, DataFrame) else None
            if bits is None:
                super()._prepare_for_sending([frame])
                continue
            length = len(frame.data)  # type: ignore[attr-defined]
            assert length <= (self.max_outbound_frame_size or 0)
            self._data_to_send += _HEADER.pack(length >> 8, length & 0xFF, frame.type, bits, frame.stream_id)
            self._data_to_send += frame.data  # type: ignore[attr-defined]

    def _open_streams(self, remainder: int) -> int:
        """Count open streams, forget closed ones: as h2 does, which asks each stream twice."""
        count, closed = 0, []
        for number, stream in self.streams.items():
            state = stream.state_machine.state
            if state is StreamState.CLOSED:
                closed.append(number)
            elif number & 1 == remainder and state in _OPEN:
                count += 1
        for number in closed:
            self._closed_streams[number] = self.streams.pop(number).closed_by
        return count


class WatchedTable(HeaderTable):
    """An HPACK table that counts its changes, and drops what is known of it when it changes."""

    def __init__(self, known: dict[Any, Any]) -> None:
        super().__init__()
        self.changes = 0
        self._known = known

    def add(self, name: bytes, value: bytes) -> None:
        """See hpack."""
        self._changed()
        super().add(name, value)

    @property
    def maxsize(self) -> int:
        """See hpack."""
        return super().maxsize

    @maxsize.setter
    def maxsize(self, size: int) -> None:
        self._changed()
        HeaderTable.maxsize.fset(self, size)  # type: ignore[attr-defined]

    def _changed(self) -> None:
        self.changes += 1
        self._known.clear()


class KnowingEncoder(Encoder):
    """Finds a field that is in the table without looking through it."""

    def __init__(self) -> None:
        super().__init__()
        self.huffman_coder = huffman  # type: ignore[assignment]
        self._known: dict[tuple[bytes, bytes], bytes] = {}
        self.header_table = WatchedTable(self._known)

    def encode(self, headers: Iterable[Any], huffman: bool = True) -> bytes:
        """See hpack; headers are pairs of bytes, as h2 gives them."""
        if self.header_table.resized:
            return super().encode(headers, huffman)
        known, block = self._known, []
        for header in headers:
            indexable = header.indexable if isinstance(header, HeaderTuple) else True
            field = known.get(header) if indexable else None
            block.append(self._encode(header, indexable, huffman) if field is None else field)
        return b"".join(block)

    def _encode(self, header: tuple[bytes, bytes], indexable: bool, huffman: bool) -> bytes:
        field = self.add(header, not indexable, huffman)
        if indexable and field[0] & 0x80:  # an index into the table, RFC 7541 §6.1
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[header[0], header[1]] = field
        return field


class KnowingDecoder(Decoder):
    """Knows a block that it has decoded while the table was as it is."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[bytes, list[HeaderTuple]] = {}
        self.header_table: WatchedTable = WatchedTable(self._known)
        self._limits = (0, 0)

    def decode(self, data: bytes, raw: bool = False) -> Iterable[HeaderTuple]:
        """See hpack."""
        limits = (self.max_header_list_size, self.max_allowed_table_size)
        if limits != self._limits:
            self._known.clear()
            self._limits = limits
        known = self._known.get(data) if raw else None
        if known is not None:
            return known.copy()
        changes = self.header_table.changes
        headers = list(super().decode(data, raw))
        indexes_only = len(data) <= 2 * len(headers)  # or nearly: what says more does not come twice
        is_short = len(headers) <= KNOWN_FIELDS_MAX
        if raw and indexes_only and is_short and changes == self.header_table.changes:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[data] = headers.copy()
        return headers

    def _decode_indexed(self, data: bytes | memoryview) -> tuple[HeaderTuple, int]:
        index = data[0] & LOW_BITS
        if index == LOW_BITS:
            return super()._decode_indexed(data)
        return HeaderTuple(*self.header_table.get_by_index(index)), 1

    def _decode_literal(self, data: bytes | memoryview, should_index: bool) -> tuple[HeaderTuple, int]:
        data = bytes(data)
        index, at = decode_integer(data, 6 if should_index else 4)
        if index:
            name = self.header_table.get_by_index(index)[0]
        else:
            name, at = _string(data, at)
        value, at = _string(data, at)
        if should_index:
            self.header_table.add(name, value)
        elif data[0] & NEVER_INDEXED:
            return NeverIndexedHeaderTuple(name, value), at
        return HeaderTuple(name, value), at


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    """Read a string at a place; give it and where the next begins (RFC 7541, 5.2). HPACKDecodingError."""
    length, consumed = (data[at] & LOW_BITS, 1) if at < len(data) else (LOW_BITS, 0)
    if length == LOW_BITS:
        length, consumed = decode_integer(data[at:], 7)
    start = at + consumed
    end = start + length
    if end > len(data):
        raise HPACKDecodingError("Truncated header block")
    text = data[start:end]
    if not data[at] & HUFFMAN_CODED:
        return text, end
    try:
        decoded = huffman.decode(text)
    except huffman.HuffmanError:
        return decode_huffman(text), end  # it says what is wrong
    return (decoded.text if decoded.is_whole else decode_huffman(text)), end
