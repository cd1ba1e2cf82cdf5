"""What both HTTP versions share: the connection, its timers, its tasks, its end.

A `Connection` is asyncio's protocol object for one accepted connection. When TLS is done, ALPN has chosen the version
and the connection makes the `Wire` that speaks it. The wire parses and frames; the connection keeps what does not
depend on the version: back-pressure from the transport, the idle timeout, and the ways in which a connection ends.

    idle for 90 s          no request is open: GOAWAY (h2), then FIN            apiserver/pkg/server/secure_serving.go
    no request for 32 s    a connection that never sent a whole request head    (read-header timeout)
    shutdown               watches end cleanly, requests under way finish, then GOAWAY (h2), FIN
    refused by the door    each request is answered 429 with the door's own words (a client of the gateway too many)

A client from outside the world is judged by the slower of both clocks (`world.patience`).
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Iterator
from typing import Protocol, cast

import msgspec

from cluster_engine.api.status import TooManyRequests
from cluster_engine.apiserver.serving.exchange import Peer, Request, Response, Room, Service
from cluster_engine.world.patience import LOOK_AGAIN_SECONDS_MIN

IDLE_SECONDS = 90.0
FIRST_REQUEST_SECONDS = 32.0
CLOCK_RESOLUTION_SECONDS = 1e-6
"""A timer may fire that much early by the loop's own clock."""


class Tasks:
    """Makes a task per request below the server's task group, in the server's own context."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._context = contextvars.copy_context()

    def create_task(self, work: "asyncio._CoroutineLike[None]") -> asyncio.Task[None]:
        """Start one request's work."""
        return self._group.create_task(work, context=self._context.copy())


class Site(Protocol):
    """What the listener lends to its connections."""

    service: Service
    tasks: Tasks
    bodies: Room

    def date(self) -> str:
        """Give the Date header's value."""
        ...

    def opened(self, connection: "Connection") -> None:
        """Hear that a connection is there."""
        ...

    def closed(self, connection: "Connection") -> None:
        """Hear that a connection has gone."""
        ...


class Exchange:
    """One request and its response, which may go on. Implements `Writer`: a queue that its wire empties."""

    __slots__ = ("_wire", "backlog", "chunks", "closed", "drained", "ending", "is_long", "request", "task")

    def __init__(self, wire: "Wire", request: Request) -> None:
        self._wire = wire
        self.request = request
        self.chunks: deque[bytes] = deque()
        self.backlog = 0
        self.ending = False
        self.closed = False
        self.is_long = False
        self.drained: asyncio.Future[None] | None = None
        self.task: asyncio.Task[None] | None = None

    def write(self, data: bytes) -> None:
        """See `Writer`."""
        if self.closed or self.ending or not data:
            return
        if not self.chunks and self._wire.send_at_once(data):
            return
        self.chunks.append(data)
        self.backlog += len(data)
        self._wire.pump(self)

    async def drain(self) -> None:
        """See `Writer`."""
        if self.backlog and not self.closed:
            self.drained = asyncio.get_running_loop().create_future()
            await self.drained

    def end(self) -> None:
        """Let the response end after what is queued."""
        if not self.closed and not self.ending:
            self.ending = True
            self._wire.pump(self)

    def drop(self) -> None:
        """End it now: nobody is there to take the rest, and whoever drains is told so."""
        self.closed = True
        self.request.body.release()
        self.chunks.clear()
        self.backlog = 0
        self.wake()
        if self.task is not None:
            self.task.cancel()

    def wake(self) -> None:
        """Tell whoever drains that nothing is left."""
        if self.drained is not None and not self.drained.done():
            self.drained.set_result(None)


class Wire:
    """One HTTP version on one connection. Subclasses parse and frame."""

    def __init__(self, transport: asyncio.Transport, peer: Peer, site: Site) -> None:
        self.transport = transport
        self.peer = peer
        self.site = site
        self.service = site.service
        self.tasks = site.tasks
        self.loop = asyncio.get_running_loop()
        self.is_paused = False
        self.draining = False
        self.served = False
        self._note_the_time()

    @property
    def is_idle(self) -> bool:
        """Tell whether no request is open."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin: send what the protocol wants first."""

    def received(self, data: bytes) -> None:
        """Take bytes from the peer."""
        raise NotImplementedError

    def pump(self, exchange: Exchange) -> None:
        """Send what an exchange has queued, as far as the peer lets."""
        raise NotImplementedError

    def send_at_once(self, data: bytes) -> bool:
        """Send a piece of a body before which nothing waits, if that needs no more than its bytes; tell whether."""
        return False

    def writable_again(self) -> None:
        """Go on sending after back-pressure."""

    def say_goodbye(self) -> None:
        """Tell the peer that no new request will be taken."""

    def end_long_responses(self) -> None:
        """End watches cleanly; requests under way go on."""

    def lost(self) -> None:
        """Drop everything: the peer has gone."""

    def became_idle(self) -> None:
        """Note the moment, and close if the server is waiting for it."""
        self.served = True
        self._note_the_time()
        if self.draining:
            self.say_goodbye()
            self.transport.close()

    def _note_the_time(self) -> None:
        self.idle_since = self.loop.time()
        self.idle_since_there = 0.0 if self.peer.time is None else self.peer.time()

    def idle_seconds_left_there(self, allowed: float) -> float:
        """Tell how many of so many idle seconds are left by the peer's own clock; 0 where it has none of its own."""
        return 0.0 if self.peer.time is None else self.idle_since_there + allowed - self.peer.time()

    def head_fields(self, response: Response, length: int | None) -> Iterator[tuple[str, str]]:
        """Give the header fields of a response, lower-case, in the order in which they go out."""
        yield from response.headers
        if response.content_type:
            yield "content-type", response.content_type
        yield "date", self.site.date()
        if length is not None:
            yield "content-length", str(length)


def refusing(reason: str, wire: Wire) -> Service:
    """Make the service of a connection that is one too many: its first request is its last."""
    refusal = TooManyRequests(reason)
    answer = Response(refusal.code, body=msgspec.json.encode(refusal.status()))

    async def refuse(_: Request) -> Response:
        wire.draining = True
        return answer

    return refuse


class Connection(asyncio.Protocol):
    """One accepted connection."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._wire: Wire | None = None
        self._timer: asyncio.TimerHandle | None = None

    # -- asyncio.Protocol ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS is done: find out who is there and which HTTP is spoken."""
        from cluster_engine.apiserver.serving.http1 import Http1Wire
        from cluster_engine.apiserver.serving.http2 import Http2Wire

        self.transport = cast(asyncio.Transport, transport)
        address = transport.get_extra_info("peername") or ("", 0)
        certificates = tuple(transport.get_extra_info("peercert_chain") or ())
        peer = Peer(str(address[0]), certificates, time=transport.get_extra_info("peer_time"))
        version = Http2Wire if transport.get_extra_info("alpn_protocol") == "h2" else Http1Wire
        self._wire = version(self.transport, peer, self._site)
        if refusal := transport.get_extra_info("refusal"):
            self._wire.service = refusing(refusal, self._wire)
        self._wire.start()
        self._site.opened(self)
        self._timer = self._wire.loop.call_later(FIRST_REQUEST_SECONDS, self._look_at_the_clock)

    def data_received(self, data: bytes) -> None:
        """See `Wire.received`."""
        assert self._wire is not None
        self._wire.received(data)

    def pause_writing(self) -> None:
        """The peer takes nothing for now."""
        assert self._wire is not None
        self._wire.is_paused = True

    def resume_writing(self) -> None:
        """The peer takes bytes again."""
        assert self._wire is not None
        self._wire.is_paused = False
        self._wire.writable_again()

    def eof_received(self) -> bool:
        """The peer will send no more; half-open connections are not kept."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has gone: end what served it."""
        if self._timer is not None:
            self._timer.cancel()
        if self._wire is not None:
            self._wire.lost()
        self._site.closed(self)

    # -- the ends of a connection --------------------------------------------------------------------------------

    def _look_at_the_clock(self) -> None:
        wire = self._wire
        assert wire is not None
        if self.transport.is_closing():
            return
        now = wire.loop.time()
        allowed = IDLE_SECONDS if wire.served else FIRST_REQUEST_SECONDS
        deadline = wire.idle_since + allowed if wire.is_idle else now + IDLE_SECONDS
        if deadline - now > CLOCK_RESOLUTION_SECONDS:
            self._timer = wire.loop.call_at(deadline, self._look_at_the_clock)
            return
        rest = wire.idle_seconds_left_there(allowed)
        if rest > 0:
            self._timer = wire.loop.call_later(max(rest, LOOK_AGAIN_SECONDS_MIN), self._look_at_the_clock)
            return
        wire.say_goodbye()
        self.transport.close()

    def shut_down(self) -> None:
        """Take no new request, end watches, and close as soon as the last response is out."""
        wire = self._wire
        if wire is None or self.transport.is_closing():
            return
        wire.draining = True
        wire.end_long_responses()
        if wire.is_idle:
            wire.say_goodbye()
            self.transport.close()

    def abort(self) -> None:
        """Close at once."""
        self.transport.abort()
