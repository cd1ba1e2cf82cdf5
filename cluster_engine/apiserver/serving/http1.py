"""HTTP/1.1 at the server's end of one connection.

Theory of operation. `h11` is the protocol's state machine: one request and one response at a time. Its events drive
this module: `Request` starts a task, `Data` and `EndOfMessage` feed the body, and when both sides are `DONE` the next
cycle begins with what the client has already sent ahead (pipelining). What is not HTTP gets a 400 and the connection
ends; the server lives on.

A whole response leaves in one piece. A watch is a response of unknown length: one chunk for each write, flushed at
once. Once its head has said `Transfer-Encoding: chunked` there is nothing left for a state machine to decide until its
end, so chunks are framed here; and since many watchers are told of the same event, a line is framed once for all.

    GET /api/v1/pods?watch=1 HTTP/1.1      ──►   task
                                           ◄──   HTTP/1.1 200 OK, Transfer-Encoding: chunked
                                           ◄──   5a␍␊{"type":"ADDED",…}␊␍␊ …

A request may ask for an upgrade (WebSocket, SPDY). Where the service agrees, the answer is 101 and the connection is
that protocol's from then on: an `UpgradedConnection`, which is given bytes and takes bytes.

Left out: trailers.
"""

import asyncio
import functools
from collections import deque
from http import HTTPStatus

import h11

from cluster_engine.apiserver.serving.exchange import Body, Request, Response, header_map
from cluster_engine.apiserver.serving.wire import Exchange, Wire
from cluster_engine.streaming.duplex import READ_BYTES_MAX

HEAD_BYTES_MAX = 1024 * 1024
VERSIONS = (b"1.0", b"1.1")
GARBAGE = b"HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n%s"
CHUNKED = b"transfer-encoding: chunked"
SWITCHING_PROTOCOLS = 101
BAD_REQUEST, HEAD_TOO_LARGE = b"400 Bad Request", b"431 Request Header Fields Too Large"


class Http1Wire(Wire):
    """The HTTP/1.1 half of a connection: one exchange at a time."""

    def start(self) -> None:
        """See `Wire`."""
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
        self._exchange: Exchange | None = None
        self._in_chunks = False
        """A response is being sent in chunks."""
        self._upgraded: UpgradedConnection | None = None

    @property
    def is_idle(self) -> bool:
        """See `Wire`."""
        return self._exchange is None

    # -- from the peer -------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """See `Wire`."""
        if self.transport.is_closing():
            return
        if self._upgraded is not None:
            self._upgraded.feed(data)
            return
        try:
            self._h11.receive_data(data)
            self._advance()
        except h11.RemoteProtocolError as error:
            self._refuse_garbage(error)

    def _advance(self) -> None:
        while not self.transport.is_closing():
            event = self._h11.next_event()
            if event is h11.PAUSED:
                self.transport.pause_reading()
                return
            if event is h11.NEED_DATA:
                self._continue_if_awaited()
                return
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data) and self._exchange is not None:
                self._exchange.request.body.feed(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and self._exchange is not None:
                self._exchange.request.body.finish()
            elif isinstance(event, h11.ConnectionClosed):
                self.transport.close()

    def _begin(self, event: h11.Request) -> None:
        if event.http_version not in VERSIONS:
            self._refuse_garbage()
            return
        path, _, query = event.target.decode("latin-1").partition("?")
        if not path.startswith("/") and "://" in path:
            path = "/" + path.split("://", 1)[1].partition("/")[2]
        headers = header_map(event.headers)
        request = Request(event.method.decode("latin-1"), path, query, headers, self.peer, Body(self.site.bodies))
        exchange = self._exchange = Exchange(self, request)
        self.serve(exchange, lambda: self._serve(exchange))

    def _continue_if_awaited(self) -> None:
        if self._h11.they_are_waiting_for_100_continue:
            event = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            self._send(self._h11.send(event) or b"")

    def _refuse_garbage(self, error: h11.RemoteProtocolError | None = None) -> None:
        if self._exchange is not None:
            self._exchange.drop()
        if self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            is_long = error is not None and error.error_status_hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            status = HEAD_TOO_LARGE if is_long else BAD_REQUEST
            self.transport.write(GARBAGE % (status, status))
        self.transport.close()

    # -- to the peer ---------------------------------------------------------------------------------------------

    async def _serve(self, exchange: Exchange) -> None:
        response = await self.service(exchange.request)
        if exchange.closed:
            return
        if response.upgrade is not None:
            await self._upgrade(exchange, response)
            return
        if response.stream is not None:
            head = self._head(response, None)
            self._in_chunks = CHUNKED in head.lower()
            self._send(head)
            exchange.is_long = True
            await response.stream(exchange)
        else:
            whole = self._head(response, len(response.body))
            if exchange.request.method != "HEAD":
                whole += self._h11.send(h11.Data(data=response.body)) or b""
            exchange.write(whole)
        exchange.end()

    async def _upgrade(self, exchange: Exchange, response: Response) -> None:
        """Switch protocols, let the other one have the connection until it is done, and close."""
        assert response.upgrade is not None
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
        event = h11.InformationalResponse(
            status_code=SWITCHING_PROTOCOLS, headers=headers, reason=_phrase(SWITCHING_PROTOCOLS)
        )
        self._send(self._h11.send(event) or b"")
        self._upgraded = UpgradedConnection(self)
        self._upgraded.feed(self._h11.trailing_data[0])
        self.transport.resume_reading()
        exchange.is_long = True
        try:
            await response.upgrade(self._upgraded)
        finally:
            self.transport.close()

    def _head(self, response: Response, length: int | None) -> bytes:
        fields = [
            (name.title().encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in self.head_fields(response, length)
        ]
        if self.draining or (self._exchange is not None and not self._exchange.request.body.is_complete):
            fields.append((b"Connection", b"close"))
        event = h11.Response(status_code=response.status, headers=fields, reason=_phrase(response.status))
        return self._h11.send(event) or b""

    def _send(self, data: bytes) -> None:
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def break_off(self, exchange: Exchange) -> None:
        """See `Wire`: the connection is closed, as by Go's net/http."""
        self.transport.close()

    def send_at_once(self, data: bytes) -> bool:
        """See `Wire`: a chunk of a watch that keeps up."""
        if not self._in_chunks or self.is_paused:
            return False
        self.transport.write(chunk_of(data))
        return True

    def pump(self, exchange: Exchange) -> None:
        """See `Wire`."""
        while exchange.chunks and not self.is_paused:
            data = exchange.chunks.popleft()
            exchange.backlog -= len(data)
            self._send(chunk_of(data) if self._in_chunks else data)
        if exchange.chunks:
            return
        if exchange.ending and not exchange.closed:
            self._send(self._h11.send(h11.EndOfMessage()) or b"")
            self._finish(exchange)
        else:
            exchange.wake()

    def _finish(self, exchange: Exchange) -> None:
        exchange.task = None
        exchange.drop()
        self._exchange = None
        self._in_chunks = False
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self.became_idle()
            self._h11.start_next_cycle()
            self.transport.resume_reading()
            self.loop.call_soon(self._go_on)
        else:
            self.transport.close()

    def _go_on(self) -> None:
        try:
            self._advance()
        except h11.RemoteProtocolError as error:
            self._refuse_garbage(error)

    # -- the connection's own events -----------------------------------------------------------------------------

    def writable_again(self) -> None:
        """See `Wire`."""
        if self._upgraded is not None:
            self._upgraded.wake()
        elif self._exchange is not None:
            self.pump(self._exchange)

    def end_long_responses(self) -> None:
        """See `Wire`."""
        exchange = self._exchange
        if exchange is not None and exchange.is_long and exchange.task is not None:
            task = exchange.task
            if self._upgraded is None:
                exchange.end()
            task.cancel()

    def lost(self) -> None:
        """See `Wire`."""
        if self._upgraded is not None:
            self._upgraded.end()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.drop()


class UpgradedConnection:
    """A `Duplex`: the connection after 101. What has come and was not read is bounded; beyond that the peer waits."""

    def __init__(self, wire: Http1Wire) -> None:
        self._wire = wire
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._ended = False
        self._changed = asyncio.Event()

    def feed(self, data: bytes) -> None:
        """Take bytes from the peer."""
        if data:
            self._pieces.append(data)
            self._held += len(data)
            if self._held > READ_BYTES_MAX:
                self._wire.transport.pause_reading()
            self.wake()

    def end(self) -> None:
        """Take note that the peer has gone."""
        self._ended = True
        self.wake()

    def wake(self) -> None:
        """Tell whoever waits that something has changed."""
        self._changed.set()

    async def read(self) -> bytes:
        """See `Duplex`."""
        while not self._pieces and not self._ended:
            await self._change()
        if not self._pieces:
            return b""
        data = self._pieces.popleft()
        self._held -= len(data)
        if self._held <= READ_BYTES_MAX and not self._ended:
            self._wire.transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """See `Duplex`."""
        if self._ended or self._wire.transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        self._wire.transport.write(data)
        while self._wire.is_paused and not self._ended:
            await self._change()

    async def close(self) -> None:
        """See `Duplex`."""
        self._ended = True
        self._wire.transport.close()
        self.wake()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


@functools.lru_cache(maxsize=8)
def chunk_of(data: bytes) -> bytes:
    """Frame a chunk (RFC 9112 §7.1); the same bytes for the next watcher are found, not made."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@functools.cache
def _phrase(status: int) -> bytes:
    return HTTPStatus(status).phrase.encode()
