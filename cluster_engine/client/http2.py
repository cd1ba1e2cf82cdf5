"""One HTTP/2 connection to a server, shared by any number of requests and watches.

Theory of operation. A client of a Kubernetes API server keeps one TLS connection and runs everything over it as HTTP/2
streams: short requests beside watches that stay open for minutes (Go's `golang.org/x/net/http2`, as client-go sets it
up). `h2` knows the frames; this module moves bytes and wakes whoever waits. Everything that arrives is handed to its
stream at once, whoever is reading, so a quiet watch never delays a busy one.

    socket --data_received--> h2 --> HEADERS --> stream.headers()
                                     DATA    --> stream.read()
                                     GOAWAY  --> no new streams here; those the server has not seen may be tried again

A peer that has silently gone is noticed by a PING: after READ_IDLE_SECONDS without a frame one is sent, and if nothing
answers within PING_TIMEOUT_SECONDS the connection is given up (client-go: 30 s and 15 s). So a request needs no
deadline of its own to end.

Why not httpcore's HTTP/2: its streams take turns at reading, under a lock. A task whose turn it is waits for *its*
frame while another's, already here, lies unseen: with three or more watches on a connection, events come late or
never. Nor does it reset a stream that the caller left, or send PINGs. See docs/decisions/0003-client-http2.md.

Left out: server push (switched off by SETTINGS), priorities, trailers (read over).
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from cluster_engine.rpc.http2 import Connection

READ_IDLE_SECONDS = 30.0
PING_TIMEOUT_SECONDS = 15.0
STREAM_WINDOW_BYTES = 4 << 20
CONNECTION_WINDOW_BYTES = 1 << 30
STREAMS_MAX_ASSUMED = 100
"""How many streams may be open before the server's SETTINGS have said it (as Go assumes)."""

Headers = list[tuple[bytes, bytes]]
CONFIG = h2.config.H2Configuration(
    client_side=True,
    header_encoding=None,
    validate_inbound_headers=False,
    validate_outbound_headers=False,
    normalize_inbound_headers=False,
    normalize_outbound_headers=False,
)


class StreamNotTaken(ConnectionError):  # noqa: N818, it says what happened
    """The server has not looked at this request (GOAWAY, REFUSED_STREAM, connection gone before it): try it anew."""


class Stream:
    """One request and its response. Read by one task; what it does not read fills the window and stops the server."""

    def __init__(self, connection: "Http2Connection", number: int) -> None:
        self.number = number
        self.ended = False
        self._connection = connection
        self._headers: Headers | None = None
        self._chunks: deque[tuple[bytes, int]] = deque()
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def headers(self) -> Headers:
        """Wait for the response's headers, `:status` among them."""
        while self._headers is None:
            if self._failure is not None:
                raise self._failure
            await self._wait()
        return self._headers

    async def read(self) -> bytes:
        """Wait for the next piece of the body, empty at its end; ConnectionError, TimeoutError when it is cut short."""
        while not self._chunks:
            if self._failure is not None:
                raise self._failure
            if self.ended:
                return b""
            await self._wait()
        data, flow_controlled_bytes = self._chunks.popleft()
        self._connection.acknowledge(self, flow_controlled_bytes)
        return data

    def close(self) -> None:
        """Leave the stream; the server is told (RST_STREAM, CANCEL) if it was still speaking."""
        self._connection.leave(self)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    # -- told by the connection

    def receive_headers(self, headers: Headers) -> None:
        """Keep the response's headers."""
        self._headers = headers
        self._wake()

    def receive_data(self, data: bytes, flow_controlled_bytes: int) -> None:
        """Keep a piece of the body."""
        self._chunks.append((data, flow_controlled_bytes))
        self._wake()

    def receive_end(self) -> None:
        """Know that nothing more will come."""
        self.ended = True
        self._wake()

    def fail(self, failure: Exception) -> None:
        """Raise this in whoever waits, now or later, once what has arrived is read."""
        if self._failure is None and not self.ended:
            self._failure = failure
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Http2Connection(asyncio.Protocol):
    """The client's end of one connection. Streams never wait for one another; when it is lost, every stream fails.

    With `pings` a silent peer is noticed; curl asks for none.
    """

    def __init__(self, *, pings: bool = True) -> None:
        self._pings = pings
        self._loop = asyncio.get_running_loop()
        self._h2 = Connection(CONFIG)
        self._transport: asyncio.Transport | None = None
        self._streams: dict[int, Stream] = {}
        self._going_away = False
        self._lost: Exception | None = None
        self._last_read_at = 0.0
        self._ping_sent_at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._room_waiters: deque[asyncio.Future[None]] = deque()
        self._writing_paused = False

    # -- for the transport pool

    @property
    def is_usable(self) -> bool:
        """Whether new streams may be opened, now or once others have ended."""
        return self._lost is None and not self._going_away

    @property
    def has_room(self) -> bool:
        """Whether a stream can be opened right now."""
        return self.is_usable and len(self._streams) < self._streams_max()

    @property
    def next_stream_number(self) -> int:
        """The number that the next stream will have."""
        return int(self._h2.get_next_available_stream_id())

    def _streams_max(self) -> int:
        said: int = self._h2.remote_settings.max_concurrent_streams
        return STREAMS_MAX_ASSUMED if said > 2**31 else said

    async def open(self, headers: Headers, body: bytes | None) -> Stream:
        """Send a request and give its stream; headers are HTTP/2's, lower case, pseudo-headers first."""
        if not self.is_usable:
            raise StreamNotTaken("connection is closing") from self._lost
        stream = Stream(self, self._h2.get_next_available_stream_id())
        self._streams[stream.number] = stream
        self._h2.send_headers(stream.number, headers, end_stream=not body)
        if not body:
            self._flush()
            return stream
        try:
            await self._send_body(stream, body)
        except BaseException:
            self.leave(stream)
            raise
        return stream

    async def _send_body(self, stream: Stream, body: bytes) -> None:
        sent = 0
        while sent < len(body):
            room = min(self._h2.local_flow_control_window(stream.number), self._h2.max_outbound_frame_size)
            if room <= 0 or self._writing_paused:
                self._flush()
                await self._wait_for_room()
                if stream.number not in self._streams:
                    self._reset(stream)  # answered or refused before all was sent: the answer is what counts
                    return
                continue
            chunk = body[sent : sent + room]
            sent += len(chunk)
            self._h2.send_data(stream.number, chunk, end_stream=sent == len(body))
        self._flush()

    async def _wait_for_room(self) -> None:
        if self._lost is not None:
            raise self._lost
        waiter = self._loop.create_future()
        self._room_waiters.append(waiter)
        await waiter

    def _tell_of_room(self) -> None:
        while self._room_waiters:
            waiter = self._room_waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)

    def close(self) -> None:
        """Say GOAWAY and close the socket; open streams fail."""
        if self._lost is None:
            self._h2.close_connection()
            self._flush()
            self._lose(ConnectionAbortedError("client closed the connection"))

    # -- for streams

    def acknowledge(self, stream: Stream, flow_controlled_bytes: int) -> None:
        """Open the windows again by what the reader has taken; h2 saves them up into few WINDOW_UPDATEs."""
        if self._lost is None and flow_controlled_bytes:
            self._h2.acknowledge_received_data(flow_controlled_bytes, stream.number)
            self._flush()

    def leave(self, stream: Stream) -> None:
        """Forget a stream; reset it if the server has not ended it."""
        if self._streams.pop(stream.number, None) is not None and self._lost is None:
            self._reset(stream)
            self._tell_of_room()

    def _reset(self, stream: Stream) -> None:
        with contextlib.suppress(h2.exceptions.ProtocolError):  # it has ended, or the connection is ending
            self._h2.reset_stream(stream.number, h2.errors.ErrorCodes.CANCEL)
        self._flush()

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Speak the preface; see `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        codes = h2.settings.SettingCodes
        values = {
            codes.ENABLE_PUSH: 0,
            codes.INITIAL_WINDOW_SIZE: STREAM_WINDOW_BYTES,
            codes.MAX_FRAME_SIZE: 16384,
            codes.MAX_HEADER_LIST_SIZE: 10 << 20,
        }
        self._h2.local_settings = h2.settings.Settings(client=True, initial_values=values)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(CONNECTION_WINDOW_BYTES)
        self._flush()
        self._last_read_at = self._loop.time()
        if self._pings:
            self._timer = self._loop.call_later(READ_IDLE_SECONDS, self._check_health)

    def data_received(self, data: bytes) -> None:
        """Take bytes; see `asyncio.Protocol`."""
        if self._lost is not None:
            return
        self._last_read_at = self._loop.time()
        self._ping_sent_at = None
        try:
            events = self._h2.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            self._flush()
            failure = ConnectionAbortedError(f"the server broke HTTP/2: {error}")
            failure.__cause__ = error
            self._lose(failure)
            return
        for event in events:
            handler = _HANDLERS.get(type(event))
            if handler is not None:
                handler(self, event)
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        """Fail what is open; see `asyncio.Protocol`."""
        self._lose(error or ConnectionResetError("EOF"))

    def eof_received(self) -> bool:
        """Close our side too; see `asyncio.Protocol`."""
        return False

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._writing_paused = False
        self._tell_of_room()

    # -- what arrives

    def _on_response(self, event: Any) -> None:
        if stream := self._streams.get(event.stream_id):
            stream.receive_headers(event.headers)

    def _on_data(self, event: Any) -> None:
        if stream := self._streams.get(event.stream_id):
            stream.receive_data(event.data, event.flow_controlled_length)

    def _on_end(self, event: Any) -> None:
        if stream := self._streams.pop(event.stream_id, None):
            stream.receive_end()
            self._tell_of_room()

    def _on_reset(self, event: Any) -> None:
        if stream := self._streams.pop(event.stream_id, None):
            refused = event.error_code == h2.errors.ErrorCodes.REFUSED_STREAM
            text = f"stream error: stream ID {event.stream_id}; {_name(event.error_code)}; received from peer"
            stream.fail(StreamNotTaken(text) if refused else ConnectionResetError(text))
            self._tell_of_room()

    def _on_goaway(self, event: Any) -> None:
        self._going_away = True
        # h2 takes GOAWAY for the end of the connection; RFC 9113 §6.8 lets the streams taken before it run to their end
        self._h2.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
        last = event.last_stream_id or 0
        for number in [number for number in self._streams if number > last]:
            self._streams.pop(number).fail(StreamNotTaken("http2: server sent GOAWAY and did not take the stream"))
        self._tell_of_room()
        if not self._streams:
            self._lose(StreamNotTaken("http2: server sent GOAWAY"))

    def _on_window(self, _: Any) -> None:
        self._tell_of_room()

    # -- health and end

    def _check_health(self) -> None:
        now = self._loop.time()
        if self._ping_sent_at is not None:
            self._lose(TimeoutError("http2: client connection lost"))
            return
        idle_at = self._last_read_at + READ_IDLE_SECONDS
        if idle_at > now:
            self._timer = self._loop.call_at(idle_at, self._check_health)
            return
        self._ping_sent_at = now
        self._h2.ping(b"glass\0\0\0")
        self._flush()
        self._timer = self._loop.call_later(PING_TIMEOUT_SECONDS, self._check_health)

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and self._transport is not None and self._lost is None:
            self._transport.write(data)

    def _lose(self, failure: Exception) -> None:
        if self._lost is not None:
            return
        self._lost = failure
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()
        streams, self._streams = list(self._streams.values()), {}
        for stream in streams:
            stream.fail(_like(failure))
        self._tell_of_room()


def _name(code: h2.errors.ErrorCodes | int | None) -> str:
    return code.name if isinstance(code, h2.errors.ErrorCodes) else str(code)


def _like(failure: Exception) -> Exception:
    """Make one exception a stream: a shared one would collect every waiter's traceback."""
    if isinstance(failure, TimeoutError):
        again: Exception = TimeoutError(str(failure))
    elif isinstance(failure, StreamNotTaken):
        again = StreamNotTaken(str(failure))
    elif isinstance(failure, ConnectionError):
        again = type(failure)(str(failure))
    else:
        again = ConnectionResetError(str(failure))
    again.__cause__ = failure
    return again


_HANDLERS: dict[type[h2.events.Event], Callable[[Http2Connection, Any], None]] = {
    h2.events.ResponseReceived: Http2Connection._on_response,
    h2.events.DataReceived: Http2Connection._on_data,
    h2.events.StreamEnded: Http2Connection._on_end,
    h2.events.StreamReset: Http2Connection._on_reset,
    h2.events.ConnectionTerminated: Http2Connection._on_goaway,
    h2.events.WindowUpdated: Http2Connection._on_window,
    h2.events.RemoteSettingsChanged: Http2Connection._on_window,
}
