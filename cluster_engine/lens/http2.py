"""HTTP/2 as the lens reads it: frames out of the plain bytes, headers out of HPACK, exchanges by stream (RFC 9113).

A thin reader, not a state machine: it refuses only what it cannot understand, since whether a frame was allowed is the
peers' business, and they are being watched, not judged. DATA and HEADERS go to the stream's exchange; SETTINGS, PING,
GOAWAY and RST_STREAM become entries; PRIORITY and WINDOW_UPDATE are passed over (they are in the records).

    00 00 05  01  05  00 00 00 01  82 86 84 41 8a        length 5, HEADERS, END_STREAM|END_HEADERS, stream 1
    │length   │type│flags│stream   │header block
"""

import struct

from cluster_engine.lens.causes import TIMER, Reason
from cluster_engine.lens.conversation import Conversation
from cluster_engine.lens.evidence import Evidence, Piece
from cluster_engine.lens.exchange import Exchange, OpenExchange
from cluster_engine.lens.header_compression import HeaderDecoder
from cluster_engine.lens.recognition import PREFACE
from cluster_engine.lens.scribe import HTTP, Said
from cluster_engine.lens.unreadable import Unreadable

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE = 0, 1, 2, 3, 4, 5
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 0x01, 0x01, 0x04, 0x08, 0x20
FRAME_HEADER_BYTES = 9
FRAME_BYTES_MAX = 1 << 20
HEADER_BLOCK_BYTES_MAX = 2 * 1024 * 1024
CONTINUATIONS_MAX = 64
EXCHANGES_MAX = 4096
SETTING_NAMES = {
    1: "HEADER_TABLE_SIZE",
    2: "ENABLE_PUSH",
    3: "MAX_CONCURRENT_STREAMS",
    4: "INITIAL_WINDOW_SIZE",
    5: "MAX_FRAME_SIZE",
    6: "MAX_HEADER_LIST_SIZE",
    8: "ENABLE_CONNECT_PROTOCOL",
}
ERRORS = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)


class Side:
    """One direction: bytes not yet a frame, the HPACK table, a header block under way, questions not yet answered."""

    __slots__ = (
        "block",
        "block_bytes",
        "block_ends_stream",
        "block_pieces",
        "block_stream",
        "headers",
        "pieces",
        "ping",
        "rest",
        "settings",
    )

    def __init__(self) -> None:
        self.rest = b""
        self.pieces: list[Piece] = []
        self.headers = HeaderDecoder()
        self.block: list[bytes] | None = None
        self.block_bytes = 0
        self.block_stream = 0
        self.block_ends_stream = False
        self.block_pieces: list[Piece] = []
        self.settings: int | None = None
        self.ping: int | None = None


class Http2:
    """An HTTP/2 connection, both directions."""

    __slots__ = ("_conversation", "_exchanges", "_open_exchange", "_preface_due", "_sides")

    def __init__(self, conversation: Conversation, open_exchange: OpenExchange) -> None:
        self._conversation = conversation
        self._open_exchange = open_exchange
        self._sides = (Side(), Side())
        self._preface_due = True
        self._exchanges: dict[int, Exchange] = {}

    def data(self, from_client: bool, chunk: bytes, piece: Piece) -> None:
        """Cut frames out of the plain bytes and read them."""
        side = self._sides[from_client]
        if side.rest:
            begun, chunk = len(side.rest), side.rest + chunk
            if not (from_client and self._preface_due):
                piece = piece._replace(begun=_rest_of_frame(chunk, begun))
            side.pieces.append(piece)
            pieces = side.pieces
        else:
            pieces = [piece]
        at = 0
        end = len(chunk)
        if from_client and self._preface_due:
            if end < len(PREFACE) and PREFACE.startswith(chunk):
                side.rest, side.pieces = chunk, pieces
                return
            if not chunk.startswith(PREFACE):
                raise Unreadable("not HTTP/2's connection preface")
            self._preface_due = False
            at = len(PREFACE)
        while end - at >= FRAME_HEADER_BYTES:
            length = chunk[at] << 16 | chunk[at + 1] << 8 | chunk[at + 2]
            if length > FRAME_BYTES_MAX or chunk[at + 3] > 0x20:
                raise Unreadable("not an HTTP/2 frame")
            start = at + FRAME_HEADER_BYTES
            if end - start < length:
                break
            stream = int.from_bytes(chunk[at + 5 : start]) & 0x7FFFFFFF
            self._frame(
                from_client,
                side,
                chunk[at + 3],
                chunk[at + 4],
                stream=stream,
                payload=chunk[start : start + length],
                pieces=pieces,
            )
            at = start + length
            if len(pieces) > 1:
                pieces = [piece]
        side.rest = chunk[at:]
        side.pieces = pieces if side.rest else []

    def ended(self, from_client: bool) -> None:
        """A side has closed: what it had begun to say stays unfinished."""
        exchanges, self._exchanges = self._exchanges, {}
        for exchange in exchanges.values():
            exchange.broken()

    def broken(self) -> None:
        """The connection is no more."""
        self.ended(False)

    def _frame(
        self, from_client: bool, side: Side, kind: int, flags: int, *, stream: int, payload: bytes, pieces: list[Piece]
    ) -> None:
        if side.block is not None and kind != CONTINUATION:
            raise Unreadable("a header block is interrupted")
        if kind == DATA:
            exchange = self._exchanges.get(stream)
            if exchange is not None:
                body = _unpad(payload) if flags & PADDED else payload
                if body:
                    exchange.data(from_client, body, pieces)
                if flags & END_STREAM:
                    self._end(from_client, stream, exchange, pieces)
        elif kind == HEADERS:
            block = _unpad(payload) if flags & PADDED else payload
            if flags & PRIORITIZED:
                block = block[5:]
            self._block(from_client, side, stream, block, flags=flags, pieces=pieces, ends=bool(flags & END_STREAM))
        elif kind == CONTINUATION:
            if side.block is None or side.block_stream != stream:
                raise Unreadable("CONTINUATION of no header block")
            self._continue(from_client, side, flags=flags, payload=payload, pieces=pieces)
        elif kind == SETTINGS:
            self._settings(from_client, side, flags, payload, pieces)
        elif kind == RST_STREAM:
            self._reset(from_client, stream, payload, pieces)
        elif kind == PING:
            self._ping(from_client, side, flags, payload, pieces)
        elif kind == GOAWAY:
            self._goaway(from_client, payload, pieces)
        elif kind == PUSH_PROMISE:
            side.headers.decode((_unpad(payload) if flags & PADDED else payload)[4:])

    def _continue(self, from_client: bool, side: Side, *, flags: int, payload: bytes, pieces: list[Piece]) -> None:
        """Take a CONTINUATION; servers end a connection at which there are too many of them, too."""
        assert side.block is not None
        side.block.append(payload)
        side.block_bytes += len(payload)
        side.block_pieces = _joined(side.block_pieces, pieces)
        if len(side.block) > CONTINUATIONS_MAX or side.block_bytes > HEADER_BLOCK_BYTES_MAX:
            raise Unreadable("a header block without end")
        if flags & END_HEADERS:
            block, begun, ends = b"".join(side.block), side.block_pieces, side.block_ends_stream
            side.block, side.block_pieces = None, []
            self._block(from_client, side, side.block_stream, block, flags=flags, pieces=begun, ends=ends)

    def _block(
        self, from_client: bool, side: Side, stream: int, block: bytes, *, flags: int, pieces: list[Piece], ends: bool
    ) -> None:
        if not flags & END_HEADERS:
            side.block, side.block_bytes, side.block_stream, side.block_ends_stream = [block], len(block), stream, ends
            side.block_pieces = list(pieces)
            return
        headers = side.headers.decode(block)
        exchange = self._exchanges.get(stream)
        if exchange is None:
            if not from_client:
                return
            exchange = self._exchanges[stream] = self._open_exchange(self._conversation, stream, headers)
            if len(self._exchanges) > EXCHANGES_MAX:
                del self._exchanges[next(iter(self._exchanges))]
        exchange.headers(from_client, headers, len(block), pieces)
        if ends:
            self._end(from_client, stream, exchange, pieces)

    def _end(self, from_client: bool, stream: int, exchange: Exchange, pieces: list[Piece]) -> None:
        exchange.ended(from_client, pieces)
        if exchange.over:
            del self._exchanges[stream]

    def _settings(self, from_client: bool, side: Side, flags: int, payload: bytes, pieces: list[Piece]) -> None:
        if flags & ACK:
            asked = self._sides[not from_client].settings
            reason = Reason(asked) if asked is not None else self._conversation.reason()
            said = Said(HTTP, "h2.settings", "SETTINGS ACK", {"ack": True}, reason)
            self._say(from_client, said, payload, pieces)
            return
        if len(payload) % 6:
            raise Unreadable("SETTINGS of a wrong size")
        settings = {SETTING_NAMES.get(key, f"0x{key:X}"): value for key, value in struct.iter_unpack(">HI", payload)}
        fields = {"ack": False, "settings": settings}
        said = Said(HTTP, "h2.settings", "SETTINGS", fields, self._conversation.reason())
        side.settings = self._say(from_client, said, payload, pieces)

    def _ping(self, from_client: bool, side: Side, flags: int, payload: bytes, pieces: list[Piece]) -> None:
        fields = {"ack": bool(flags & ACK), "data": payload.hex()}
        if flags & ACK:
            asked = self._sides[not from_client].ping
            reason = Reason(asked) if asked is not None else TIMER
            said = Said(HTTP, "h2.ping", "PING ACK", fields, reason, heartbeat=True)
            self._say(from_client, said, payload, pieces)
            return
        said = Said(HTTP, "h2.ping", "PING", fields, TIMER, heartbeat=True)
        side.ping = self._say(from_client, said, payload, pieces)

    def _goaway(self, from_client: bool, payload: bytes, pieces: list[Piece]) -> None:
        if len(payload) < 8:
            raise Unreadable("GOAWAY of a wrong size")
        last, code = struct.unpack_from(">II", payload)
        fields = {
            "lastStream": last & 0x7FFFFFFF,
            "error": _error(code),
            "debug": payload[8:].decode("utf-8", "replace"),
        }
        said = Said(HTTP, "h2.goaway", f"GOAWAY {_error(code)}", fields, self._conversation.reason())
        self._say(from_client, said, payload, pieces)

    def _reset(self, from_client: bool, stream: int, payload: bytes, pieces: list[Piece]) -> None:
        if len(payload) != 4:
            raise Unreadable("RST_STREAM of a wrong size")
        error = _error(int.from_bytes(payload))
        exchange = self._exchanges.pop(stream, None)
        asked = None
        if exchange is not None:
            exchange.broken()
            asked = exchange.request
        reason = Reason(asked) if asked is not None else self._conversation.reason()
        label = f"RST_STREAM {error}"
        said = Said(HTTP, "h2.rst_stream", label, {"error": error}, reason, stream=stream)
        self._say(from_client, said, payload, pieces)

    def _say(self, from_client: bool, said: Said, payload: bytes, pieces: list[Piece]) -> int:
        said.size = FRAME_HEADER_BYTES + len(payload)
        return self._conversation.say(from_client, said, Evidence(pieces))


def _rest_of_frame(joined: bytes, begun: int) -> int:
    """Return how many of the bytes behind the first `begun` belong to the frame that these begin."""
    length = int.from_bytes(joined[:3]) if len(joined) >= FRAME_HEADER_BYTES else len(joined)
    return min(FRAME_HEADER_BYTES + length, len(joined)) - begun


def _unpad(payload: bytes) -> bytes:
    if not payload or payload[0] >= len(payload):
        raise Unreadable("padding longer than its frame")
    return payload[1 : len(payload) - payload[0]]


def _error(code: int) -> str:
    return ERRORS[code] if code < len(ERRORS) else f"0x{code:X}"


def _joined(begun: list[Piece], pieces: list[Piece]) -> list[Piece]:
    return begun + [piece for piece in pieces if piece not in begun]
