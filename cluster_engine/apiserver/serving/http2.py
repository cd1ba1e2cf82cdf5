"""HTTP/2 at the server's end of one connection.

Theory of operation. The `h2` library is the protocol's state machine: bytes in, events out, frames in, bytes out. This
module gives it what it leaves open: a task for every request, and for every response a queue of bytes that moves as the
peer's windows allow. RFC 9113 §5.2 gives each stream and the connection a window; when either is empty the stream waits
in `_blocked` for a WINDOW_UPDATE (or a SETTINGS that enlarges windows), and when the transport's own buffer is full all
wait. So one client that does not read holds up its own bytes and nobody else's.

Bytes that several watches write in one instant leave in one piece: `write` only queues frames; the flush is called once
by the loop when the callbacks of this instant are done.

    stream 1   HEADERS ──►  task ──►  HEADERS, DATA "{…}" END_STREAM
    stream 3   HEADERS ──►  task ──►  HEADERS, DATA event, DATA event, … (window empty: queue) … ◄── WINDOW_UPDATE, DATA
    shutdown                          streams end, GOAWAY(last stream 3), FIN

Modelled on Go's net/http2 server with the settings kube-apiserver gives it (apiserver/pkg/server/secure_serving.go: 100
streams, windows and frames of 256 KiB, idle for 90 s). Left out: push, priorities, trailers, padding.
"""

from collections.abc import Callable
from typing import Any

from h2.config import H2Configuration
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hpack import HeaderTuple, NeverIndexedHeaderTuple
from hyperframe.frame import GoAwayFrame

from cluster_engine.apiserver.serving import suites
from cluster_engine.apiserver.serving.exchange import Body, Request, Response, header_map
from cluster_engine.apiserver.serving.wire import Exchange, Wire
from cluster_engine.rpc.http2 import Connection

STREAMS_MAX = 100
WINDOW_BYTES = 256 * 1024
HEADER_LIST_BYTES_MAX = 1024 * 1024 + 10 * 32
"""Go's MaxHeaderBytes and ten fields' overhead, as net/http says it in SETTINGS. A request beyond is answered 431, one
of twice as much ends the connection."""
HEADER_OVERHEAD_BYTES = 32
FLUSH_BYTES = 64 * 1024
"""Frames are handed to the transport at the latest when this many bytes of them have gathered."""

VARYING_HEADERS = frozenset({"audit-id", "date", "content-length", "etag"})
"""Fields whose values hardly repeat: sent without entering the peer's HPACK table."""

SETTINGS: dict[SettingCodes | int, int] = {
    SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS_MAX,
    SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_BYTES,
    SettingCodes.MAX_FRAME_SIZE: WINDOW_BYTES,
    SettingCodes.MAX_HEADER_LIST_SIZE: HEADER_LIST_BYTES_MAX,
}
HEADERS_TOO_LARGE = Response(431, "text/html", b"<h1>HTTP Error 431</h1><p>Request Header Field(s) Too Large</p>")


class Stream(Exchange):
    """An exchange and the number of the stream that carries it."""

    __slots__ = ("number",)

    def __init__(self, wire: Wire, number: int, request: Request) -> None:
        super().__init__(wire, request)
        self.number = number


class Http2Wire(Wire):
    """The HTTP/2 half of a connection: a task per stream, and response bytes that move as windows allow."""

    def start(self) -> None:
        """Send the server's preface: SETTINGS and the connection's window."""
        self._streams: dict[int, Stream] = {}
        self._blocked: dict[int, Stream] = {}
        self._flush_is_due = False
        self._unflushed = 0
        self._last_stream = 0
        configuration = H2Configuration(
            client_side=False,
            header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self._h2 = Connection(configuration)
        self._h2.local_settings.update(SETTINGS)
        self._h2.local_settings.acknowledge()
        self._h2.decoder.max_header_list_size = 2 * HEADER_LIST_BYTES_MAX
        self._h2.max_inbound_frame_size = WINDOW_BYTES
        if suite := suites.prohibited_by_http2(self.transport):
            self._h2.close_connection(
                ErrorCodes.INADEQUATE_SECURITY, f"Prohibited TLS 1.2 Cipher Suite: {suite}".encode()
            )
            self._flush()
            self.transport.close()
            return
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(WINDOW_BYTES * STREAMS_MAX - 65535)
        self._flush()

    @property
    def is_idle(self) -> bool:
        """Return whether no stream is open."""
        return not self._streams

    # -- from the peer -------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Take bytes from the peer. What is not HTTP/2 ends the connection with a GOAWAY that says why."""
        try:
            events = self._h2.receive_data(data)
        except ProtocolError:
            self._flush()
            self._over()
            return
        for event in events:
            handle = HANDLERS.get(type(event))
            if handle is not None:
                handle(self, event)
        self._flush()

    def _on_request(self, event: RequestReceived) -> None:
        assert event.stream_id is not None
        if self.draining:
            self._h2.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
            return
        self._last_stream = event.stream_id
        fields = event.headers or ()
        is_too_large = (
            sum(len(name) + len(value) + HEADER_OVERHEAD_BYTES for name, value in fields) > HEADER_LIST_BYTES_MAX
        )
        headers = header_map(fields)
        path, _, query = headers.get(":path", ("/",))[0].partition("?")
        method = headers.get(":method", ("GET",))[0]
        request = Request(method, path, query, headers, self.peer, Body(self.site.bodies))
        if event.stream_ended is not None:
            request.body.finish()
        stream = Stream(self, event.stream_id, request)
        self._streams[event.stream_id] = stream
        if is_too_large:
            self.serve(stream, lambda: self._answer(stream, HEADERS_TOO_LARGE))
        else:
            self.serve(stream, lambda: self._serve(stream))

    def _on_data(self, event: DataReceived) -> None:
        assert event.stream_id is not None
        self._h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
        stream = self._streams.get(event.stream_id)
        if stream is not None and event.data:
            stream.request.body.feed(event.data)

    def _on_end(self, event: StreamEnded) -> None:
        stream = self._streams.get(event.stream_id or 0)
        if stream is not None:
            stream.request.body.finish()

    def _on_reset(self, event: StreamReset) -> None:
        stream = self._streams.get(event.stream_id or 0)
        if stream is not None:
            self._forget(stream)

    def _on_window(self, event: WindowUpdated) -> None:
        if event.stream_id:
            stream = self._blocked.get(event.stream_id)
            if stream is not None:
                self.pump(stream)
        else:
            self._pump_blocked()

    def _on_settings(self, event: RemoteSettingsChanged) -> None:
        if SettingCodes.INITIAL_WINDOW_SIZE in event.changed_settings:
            self._pump_blocked()

    def _on_goaway(self, event: ConnectionTerminated) -> None:
        self._over()

    def _over(self) -> None:
        """Close, and serve nobody any more: what was sent before may still be under way for long."""
        self.lost()
        self.transport.close()

    # -- to the peer ---------------------------------------------------------------------------------------------

    async def _serve(self, stream: Stream) -> None:
        await self._answer(stream, await self.service(stream.request))

    async def _answer(self, stream: Stream, response: Response) -> None:
        if not stream.closed:
            self._send_head(stream, response, len(response.body) if response.stream is None else None)
        if response.stream is not None:
            stream.is_long = True
            await response.stream(stream)
        elif stream.request.method != "HEAD":
            stream.write(response.body)
        stream.end()

    def _send_head(self, stream: Stream, response: Response, length: int | None) -> None:
        fields: list[HeaderTuple] = [HeaderTuple(b":status", str(response.status).encode())]
        for name, value in self.head_fields(response, length):
            kind = NeverIndexedHeaderTuple if name in VARYING_HEADERS else HeaderTuple
            fields.append(kind(name.encode("latin-1"), value.encode("latin-1", "replace")))
        self._h2.send_headers(stream.number, fields)
        self._schedule_flush()

    def break_off(self, exchange: Exchange) -> None:
        """See `Wire`: the stream is reset with INTERNAL_ERROR, as by Go's net/http2."""
        assert isinstance(exchange, Stream)
        if not exchange.closed:
            self._h2.reset_stream(exchange.number, ErrorCodes.INTERNAL_ERROR)
            self._forget(exchange)
            self._flush()

    def pump(self, exchange: Exchange) -> None:
        """Frame as much of a stream's queue as the windows and the transport allow; park the rest."""
        assert isinstance(exchange, Stream)
        try:
            self._pump(exchange)
        except ProtocolError:  # reset by the peer in this very instant; the event is still under way
            self._forget(exchange)

    def _pump(self, stream: Stream) -> None:
        connection = self._h2
        chunks = stream.chunks
        while chunks and not self.is_paused:
            window = min(connection.local_flow_control_window(stream.number), connection.max_outbound_frame_size)
            if window <= 0:
                break
            chunk = chunks.popleft()
            if len(chunk) > window:
                chunks.appendleft(chunk[window:])
                chunk = chunk[:window]
            stream.backlog -= len(chunk)
            connection.send_data(stream.number, chunk, end_stream=stream.ending and not chunks)
            self._schedule_flush(len(chunk))
            if stream.ending and not chunks:
                self._finish(stream)
                return
        if chunks:
            self._blocked[stream.number] = stream
            return
        self._blocked.pop(stream.number, None)
        if stream.ending:
            connection.end_stream(stream.number)
            self._schedule_flush()
            self._finish(stream)
        else:
            stream.wake()

    def _pump_blocked(self) -> None:
        for stream in list(self._blocked.values()):
            self.pump(stream)

    def _finish(self, stream: Stream) -> None:
        """Close a stream whose response is complete; a request still being sent is told to stop (RFC 9113 §8.1)."""
        if not stream.request.body.is_complete:
            self._h2.reset_stream(stream.number, ErrorCodes.NO_ERROR)
        stream.task = None
        self._forget(stream)

    def _forget(self, stream: Stream) -> None:
        self._streams.pop(stream.number, None)
        self._blocked.pop(stream.number, None)
        stream.drop()
        if not self._streams:
            self.became_idle()

    def _schedule_flush(self, size: int = 0) -> None:
        self._unflushed += size
        if self._unflushed >= FLUSH_BYTES:
            self._flush()
        elif not self._flush_is_due:
            self._flush_is_due = True
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_is_due = False
        self._unflushed = 0
        data = self._h2.data_to_send()
        if data and not self.transport.is_closing():
            self.transport.write(data)

    # -- the connection's own events -----------------------------------------------------------------------------

    def writable_again(self) -> None:
        """Go on after the transport's buffer has emptied."""
        self._pump_blocked()

    def say_goodbye(self) -> None:
        """Announce the end: a GOAWAY with the last stream taken."""
        self._flush()
        if not self.transport.is_closing():
            self.transport.write(GoAwayFrame(0, last_stream_id=self._last_stream).serialize())

    def end_long_responses(self) -> None:
        """See `Wire`: END_STREAM, as a watch's own timeout would."""
        for stream in list(self._streams.values()):
            if stream.is_long and stream.task is not None:
                task = stream.task
                stream.end()
                task.cancel()

    def lost(self) -> None:
        """Forget everything: the peer has gone."""
        for stream in list(self._streams.values()):
            self._forget(stream)


HANDLERS: dict[type[Event], Callable[[Http2Wire, Any], None]] = {
    RequestReceived: Http2Wire._on_request,
    DataReceived: Http2Wire._on_data,
    StreamEnded: Http2Wire._on_end,
    StreamReset: Http2Wire._on_reset,
    WindowUpdated: Http2Wire._on_window,
    RemoteSettingsChanged: Http2Wire._on_settings,
    ConnectionTerminated: Http2Wire._on_goaway,
}
