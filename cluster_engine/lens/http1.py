"""HTTP/1.1 as the lens reads it: heads and bodies out of the plain bytes, incrementally (RFC 9112).

Each direction is a small machine: head → body (by length, by chunks, or until the end) → next head. Requests wait in a
line for their responses, which come in the same order (pipelining). A head is shown with HTTP/2's names (`:method`,
`:path`, `:status`), so that what follows need not know which version carried it. Left out: obsolete line folding.

    "GET /a HTTP/1.1\\r\\nHost: b\\r\\n\\r\\n"  ->  headers [(":method", "GET"), (":path", "/a"), ("host", "b")], then
    the end

After an upgrade (101) the bytes are another protocol's: a WebSocket's messages are read (`websocket`), all others are
shown as bytes, as after CONNECT.
"""

from collections import deque
from typing import TYPE_CHECKING

from cluster_engine.api.strconv import int_of
from cluster_engine.lens.conversation import Conversation
from cluster_engine.lens.evidence import Headers, Piece
from cluster_engine.lens.exchange import Exchange, OpenExchange, header
from cluster_engine.lens.header_compression import bounded
from cluster_engine.lens.unreadable import Unreadable

if TYPE_CHECKING:
    from cluster_engine.lens.websocket import WebSocketStream

HEAD_BYTES_MAX = 256 * 1024
LINE_BYTES_MAX = 8 * 1024
PIPELINE_MAX = 1024
HEAD, LENGTH, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILERS, REST, UPGRADED = range(8)


class Side:
    """One direction: where it is in a message, how much of a body is left, bytes that do not make a line yet."""

    __slots__ = ("left", "pieces", "rest", "state")

    def __init__(self) -> None:
        self.state = HEAD
        self.left = 0
        self.rest = b""
        self.pieces: list[Piece] = []

    def begun(self, chunk: bytes) -> int:
        """Return how many bytes of the next chunk belong to what is under way: a body, a chunk, a line or a head."""
        if self.state in (LENGTH, CHUNK):
            return min(self.left, len(chunk))
        end = b"\r\n\r\n" if self.state == HEAD else b"\n"
        found = (self.rest + chunk).find(end)
        return len(chunk) if found < 0 else found + len(end) - len(self.rest)


class Http1:
    """An HTTP/1.1 connection, both directions."""

    __slots__ = ("_asking", "_conversation", "_open_exchange", "_sides", "_upgraded", "_waiting", "_websocket")

    def __init__(self, conversation: Conversation, open_exchange: OpenExchange) -> None:
        self._conversation = conversation
        self._open_exchange = open_exchange
        self._sides = (Side(), Side())
        self._waiting: deque[tuple[str, Exchange]] = deque()
        self._asking: Exchange | None = None
        self._upgraded: tuple[Exchange, str] | None = None
        self._websocket: WebSocketStream | None = None

    def data(self, from_client: bool, chunk: bytes, piece: Piece) -> None:
        """Take the next bytes of a direction."""
        side = self._sides[from_client]
        if side.rest or side.state in (LENGTH, CHUNK, CHUNK_END):
            piece = piece._replace(begun=side.begun(chunk))
        if side.rest:
            chunk = side.rest + chunk
            side.rest = b""
        side.pieces.append(piece)
        data_is_due = False
        while chunk:
            before = side.state
            left = self._step(from_client, side, chunk)
            if left is None:
                break
            chunk = left
            data_is_due = before == CHUNK_SIZE and side.state == CHUNK
            if not data_is_due:  # a chunk's data are read from where its size stands
                side.pieces = [piece]
        if not side.rest and not data_is_due:
            side.pieces = []

    def ended(self, from_client: bool) -> None:
        """A side has closed; a body that goes on until the end is complete with that."""
        side = self._sides[from_client]
        if side.state == REST:
            self._finish(from_client, side, [])
            return
        for _, exchange in self._waiting:
            exchange.broken()
        self._waiting.clear()

    def broken(self) -> None:
        """The connection is no more."""
        for _, exchange in self._waiting:
            exchange.broken()
        self._waiting.clear()

    def _step(self, from_client: bool, side: Side, chunk: bytes) -> bytes | None:
        """Read one thing from the front of `chunk`; give what is left, or None when it is too little and must wait."""
        if side.state == HEAD:
            return self._head(from_client, side, chunk)
        if side.state in (LENGTH, CHUNK):
            part, chunk = chunk[: side.left], chunk[side.left :]
            side.left -= len(part)
            self._body(from_client, part, side.pieces)
            if not side.left:
                if side.state == LENGTH:
                    self._finish(from_client, side, side.pieces)
                else:
                    side.state = CHUNK_END
            return chunk
        if side.state == REST:
            self._body(from_client, chunk, side.pieces)
            return b""
        if side.state == UPGRADED:
            self._websocket_data(from_client, side, chunk)
            return b""
        return self._chunk_line(from_client, side, chunk)

    def _websocket_data(self, from_client: bool, side: Side, chunk: bytes) -> None:
        if self._upgraded is None:
            raise Unreadable("another protocol, after an upgrade")
        if self._websocket is None:
            exchange, protocol = self._upgraded
            from cluster_engine.lens.websocket import WebSocketStream  # seldom needed: a start does without

            self._websocket = WebSocketStream(self._conversation, protocol, exchange)
        self._websocket.data(from_client, chunk, side.pieces)

    def _chunk_line(self, from_client: bool, side: Side, chunk: bytes) -> bytes | None:
        line, found, after = chunk.partition(b"\n")
        if not found:
            if len(chunk) > LINE_BYTES_MAX:
                raise Unreadable("a line of a chunked body without end")
            side.rest = chunk
            return None
        line = line.rstrip(b"\r")
        if side.state == CHUNK_SIZE:
            try:
                side.left = int(line.partition(b";")[0], 16)
            except ValueError as error:
                raise Unreadable("a chunk without size") from error
            if side.left < 0:
                raise Unreadable("a chunk of less than nothing")
            side.state = CHUNK if side.left else TRAILERS
        elif side.state == CHUNK_END:
            side.state = CHUNK_SIZE
        elif not line:
            self._finish(from_client, side, side.pieces)
        return after

    def _head(self, from_client: bool, side: Side, chunk: bytes) -> bytes | None:
        chunk = chunk.lstrip(b"\r\n")
        end = chunk.find(b"\r\n\r\n")
        if end < 0:
            if len(chunk) > HEAD_BYTES_MAX:
                raise Unreadable("a head without end")
            side.rest = chunk
            return None
        lines = chunk[:end].decode("latin-1").split("\r\n")
        headers = _request_line(lines[0]) if from_client else _status_line(lines[0])
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise Unreadable("a header without a colon")
            headers.append((name.strip().lower(), value.strip()))
        if from_client:
            self._asked(side, headers, end + 4)
        else:
            self._answered(side, headers, end + 4)
        return chunk[end + 4 :]

    def _asked(self, side: Side, headers: Headers, size: int) -> None:
        exchange = self._open_exchange(self._conversation, None, headers)
        self._asking = exchange
        self._waiting.append((headers[0][1], exchange))
        if len(self._waiting) > PIPELINE_MAX:
            raise Unreadable("requests without responses")
        exchange.headers(True, bounded(headers), size, side.pieces)
        if not _measure(side, headers, until_end=False):
            self._finish(True, side, side.pieces)

    def _answered(self, side: Side, headers: Headers, size: int) -> None:
        if not self._waiting:
            raise Unreadable("a response to nothing")
        method, exchange = self._waiting[0]
        status = int(headers[0][1])
        exchange.headers(False, bounded(headers), size, side.pieces)
        if status == 101 or (method == "CONNECT" and status < 300):
            if status == 101 and header(headers, "upgrade").lower() == "websocket":
                self._upgraded = exchange, header(headers, "sec-websocket-protocol")
            self._finish(False, side, side.pieces)
            self._sides[0].state = self._sides[1].state = UPGRADED
        elif status < 200:
            return
        elif method == "HEAD" or status in (204, 304) or not _measure(side, headers, until_end=True):
            self._finish(False, side, side.pieces)

    def _body(self, from_client: bool, part: bytes, pieces: list[Piece]) -> None:
        exchange = self._asking if from_client else self._waiting[0][1] if self._waiting else None
        if exchange is not None and part:
            exchange.data(from_client, part, pieces)

    def _finish(self, from_client: bool, side: Side, pieces: list[Piece]) -> None:
        side.state = HEAD
        if from_client:
            if self._asking is not None:
                self._asking.ended(True, pieces)
                self._asking = None
        elif self._waiting:
            _, exchange = self._waiting.popleft()
            exchange.ended(False, pieces)
            if not exchange.question.done:
                exchange.ended(True, [])


def _measure(side: Side, headers: Headers, *, until_end: bool) -> bool:
    """Find how the body's length is told; False when there is no body."""
    if "chunked" in header(headers, "transfer-encoding").lower():
        side.state = CHUNK_SIZE
        return True
    length = header(headers, "content-length")
    if length:
        number = int_of(length)
        if number is None or number < 0:
            raise Unreadable("a Content-Length that is no number")
        side.left = number
        side.state = LENGTH
        return side.left > 0
    if until_end:
        side.state = REST
        return True
    return False


def _request_line(line: str) -> Headers:
    parts = line.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise Unreadable("not a request line")
    return [(":method", parts[0]), (":path", parts[1])]


def _status_line(line: str) -> Headers:
    parts = line.split(" ", 2)
    if not parts[0].startswith("HTTP/1.") or len(parts) < 2 or int_of(parts[1]) is None:
        raise Unreadable("not a status line")
    return [(":status", parts[1])]
