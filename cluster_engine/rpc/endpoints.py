"""grpclib's two ends, with frames that belong together sent together.

A unary call is HEADERS and DATA in one direction, HEADERS, DATA and trailers (HEADERS again) in the other. grpclib
writes each frame by itself, which over TLS makes five records and five segments of one call. gRPC's own
implementations gather what is ready before they write (grpc-go's `loopyWriter`), and so do we: what is written in one
round of the event loop goes out as one.

    grpclib alone   > HEADERS   > DATA   < HEADERS   < DATA   < HEADERS      five records
    here            > HEADERS DATA       < HEADERS DATA HEADERS              two

Use `Server` and `Channel` of this module wherever grpclib's would do; the interfaces are the same. The server bounds
the messages it takes, and answers a call of a service it does not have in words that every gRPC client understands.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol

from grpclib import client, server
from grpclib.config import Configuration
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.protocol import Connection, EventsProcessor, H2Protocol, Stream
from h2.settings import SettingCodes

from cluster_engine.rpc.grpc import Service, unimplemented
from cluster_engine.rpc.http2 import Connection as Http2

WAITING_BYTES_MAX = 64 * 1024
MESSAGE_BYTES_MAX = 2 * 1024 * 1024
"""etcd's own: the largest request and half a mebibyte for what gRPC adds."""

NO_PINGS = Configuration(_keepalive_time=None)
"""grpclib's server would ping after two idle hours and pace itself by the wall clock, which no cluster may read."""


class GatheringTransport(asyncio.Transport):
    """Writes at the end of the loop's round what was written during it, or earlier beyond 64 KiB."""

    def __init__(self, below: asyncio.Transport) -> None:
        super().__init__()
        self._below = below
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._call_soon = asyncio.get_running_loop().call_soon

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write soon."""
        if not data:
            return
        if not self._waiting:
            self._call_soon(self._flush)
        self._waiting.append(bytes(data))
        self._waiting_bytes += len(data)
        if self._waiting_bytes > WAITING_BYTES_MAX:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
            self._below.write(data)

    def close(self) -> None:
        """Write what waits, then close."""
        self._flush()
        self._below.close()

    def abort(self) -> None:
        """Drop what waits and close at once."""
        self._waiting.clear()
        self._below.abort()

    def is_closing(self) -> bool:
        """See asyncio."""
        return self._below.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """See asyncio."""
        return self._below.get_extra_info(name, default)


class Keepalive(NamedTuple):
    """How often a client asks whether the other end is there, and how long it waits for the answer, in seconds."""

    every_seconds: float
    timeout_seconds: float


class Pings:
    """Asks by PING, while there are calls, whether the other end is there; breaks the connection when it is not."""

    def __init__(self, connection: Connection, keepalive: Keepalive) -> None:
        self._connection = connection
        self._keepalive = keepalive
        self._call_later = asyncio.get_running_loop().call_later
        self._timeout: asyncio.TimerHandle | None = None
        self._next = self._call_later(keepalive.every_seconds, self._ping)
        connection.ping_ack_process = self._answered  # type: ignore[method-assign]

    def stop(self) -> None:
        """The connection is no more."""
        self._next.cancel()
        self._answered()

    def _ping(self) -> None:
        if self._connection.is_closing():
            return
        self._next = self._call_later(self._keepalive.every_seconds, self._ping)
        http2 = self._connection._connection
        if http2.open_outbound_streams and self._timeout is None:
            http2.ping(bytes(8))
            self._connection.flush()
            self._timeout = self._call_later(self._keepalive.timeout_seconds, self._give_up)

    def _give_up(self) -> None:
        if not self._connection.is_closing():
            self._connection._transport.abort()

    def _answered(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None


class GatheringProtocol(H2Protocol):
    """grpclib's protocol on a transport that gathers, with our HTTP/2 for h2's."""

    keepalive: Keepalive | None = None
    _pings: Pings | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, asyncio.Transport)
        http2 = Http2(self.h2_config)
        http2.initiate_connection()
        self._widen(http2)
        self.connection = Connection(http2, GatheringTransport(transport), config=self.config)
        self.connection.flush()
        self.connection.initialize()
        self.processor = EventsProcessor(self.handler, self.connection)
        if self.keepalive is not None:
            self._pings = Pings(self.connection, self.keepalive)

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio."""
        if self._pings is not None:
            self._pings.stop()
        super().connection_lost(exc)

    def _widen(self, http2: Http2) -> None:
        """Open the windows as far as grpclib does."""
        initial = http2.local_settings.initial_window_size
        if more := self.config.http2_connection_window_size - initial:
            http2.increment_flow_control_window(more)
        if self.config.http2_stream_window_size != initial:
            http2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: self.config.http2_stream_window_size})


class Methods(dict[str, Handler]):
    """Handlers by path, and how often each was called; a path of no service gets one that says so."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        super().__init__(handlers)
        self.started = dict.fromkeys(handlers, 0)

    def get(self, path: str, default: Any = None) -> Handler:
        """Find the handler of a call."""
        found = super().get(path)
        if found is not None:
            self.started[path] += 1
            return found
        service, _, method = path.strip("/").partition("/")
        known = any(one.startswith(f"/{service}/") for one in self)
        text = f"unknown method {method} for service {service}" if known else f"unknown service {service}"
        return Handler(unimplemented(text), Cardinality.STREAM_STREAM, None, None)


class Pages(Protocol):
    """What a gRPC server answers beside gRPC: GET, over HTTP/2 or HTTP/1.1."""

    async def answer(self, target: str) -> tuple[str, str, bytes] | None:
        """Answer a path with its query: "200 OK", a content type, a body; None where there is nothing."""
        ...

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a connection that does not speak HTTP/2."""
        ...


class Choosing(asyncio.Protocol):
    """A connection whose protocol is not known before TLS has agreed on one (as cmux does in etcd)."""

    def __init__(self, grpc: Callable[[], asyncio.Protocol], pages: Pages) -> None:
        self._grpc, self._pages = grpc, pages

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, asyncio.Transport)
        made: asyncio.BaseProtocol
        if transport.get_extra_info("alpn_protocol") == "h2":
            made = self._grpc()
        else:
            made = asyncio.StreamReaderProtocol(asyncio.StreamReader(), self._pages.converse)
        transport.set_protocol(made)
        made.connection_made(transport)


class Server(server.Server):
    """grpclib's server: gathering, bounded, without pings of its own. `pages` answers who does not ask by gRPC."""

    def __init__(
        self, services: Collection[Service], *, message_bytes_max: int = MESSAGE_BYTES_MAX, pages: Pages | None = None
    ) -> None:
        super().__init__(services, config=NO_PINGS)
        self._pages = pages
        self._answering: dict[asyncio.Task[None], None] = {}
        self._mapping = self._methods = Methods(self._mapping)
        self._message_bytes_max = message_bytes_max

    def told(self) -> Iterable[tuple[str, str, str, list[tuple[Mapping[str, str], float]]]]:
        """Return what is counted: the calls that were begun, by service and method."""
        text = "Total number of RPCs started on the server."
        samples: list[tuple[Mapping[str, str], float]] = []
        for path, count in sorted(self._methods.started.items()):
            service, _, method = path.strip("/").partition("/")
            samples.append(({"grpc_method": method, "grpc_service": service}, count))
        yield "grpc_server_started_total", "counter", text, samples

    def _protocol_factory(self) -> H2Protocol:
        if self._pages is None:
            return self._grpc_protocol()
        return Choosing(self._grpc_protocol, self._pages)  # type: ignore[return-value]

    def _grpc_protocol(self) -> H2Protocol:
        made = super()._protocol_factory()
        accept = made.handler.accept

        def accept_bounded(stream: Stream, headers: Any, release_stream: Callable[[], None]) -> None:
            read = partial(_read_bounded, stream.recv_data, self._message_bytes_max)
            stream.recv_data = read  # type: ignore[method-assign]
            asked = dict(headers)
            if self._pages is not None and asked.get(":method") == "GET":
                task = asyncio.get_running_loop().create_task(
                    _answer(self._pages, stream, str(asked.get(":path", "")), release_stream)
                )
                self._answering[task] = None
                task.add_done_callback(self._answering.pop)
                return
            accept(stream, headers, release_stream)

        made.handler.accept = accept_bounded  # type: ignore[method-assign]
        return GatheringProtocol(made.handler, made.config, made.h2_config)


async def _read_bounded(read: Callable[[int], Awaitable[bytes]], message_bytes_max: int, size: int) -> bytes:
    if size > message_bytes_max:
        raise GRPCError(
            Status.RESOURCE_EXHAUSTED, f"grpc: received message larger than max ({size} vs. {message_bytes_max})"
        )
    return await read(size)


async def _answer(pages: Pages, stream: Stream, target: str, release_stream: Callable[[], None]) -> None:
    """Answer a GET of HTTP/2."""
    found = await pages.answer(target) or ("404 Not Found", "text/plain; charset=utf-8", b"404 page not found\n")
    status, content_type, body = found
    head = [(":status", status[:3]), ("content-type", content_type), ("content-length", str(len(body)))]
    with contextlib.suppress(ConnectionError, StreamTerminatedError):
        await stream.send_headers(head)
        await stream.send_data(body, end_stream=True)
    release_stream()


class Channel(client.Channel):
    """grpclib's channel, gathering."""

    keepalive: Keepalive | None = None
    """Without it a client waits as long as TCP does for one that has vanished."""

    def _protocol_factory(self) -> H2Protocol:
        made = super()._protocol_factory()
        protocol = GatheringProtocol(made.handler, made.config, made.h2_config)
        protocol.keepalive = self.keepalive
        return protocol
