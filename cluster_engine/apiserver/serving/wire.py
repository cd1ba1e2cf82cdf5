"""What both HTTP versions share: a request with the queue of its response, and the wire that empties the queue.

A `Wire` is one HTTP version on one connection: `http1` and `http2` are the two. It parses and frames; it makes an
`Exchange` and a task for each request, and sends what the exchange's handler writes as far as the peer and the
transport let it. What does not depend on the version (back-pressure, idle time, the end) is `connection`'s.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Protocol

from cluster_engine.apiserver.serving.exchange import Peer, Request, Response, Room, Service


class Tasks:
    """Makes a task per request below the server's task group, in the server's own context."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._context = contextvars.copy_context()

    def create_task(self, work: "asyncio._CoroutineLike[None]") -> asyncio.Task[None]:
        """Start one request's work."""
        return self._group.create_task(work, context=self._context.copy())


class Site(Protocol):
    """What the server lends to its wires."""

    service: Service
    tasks: Tasks
    bodies: Room

    def date(self) -> str:
        """Return the Date header's value."""
        ...

    def bug(self, bug: Exception, request: Request) -> None:
        """Called with a bug of ours that has left a request's handler."""
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

    @property
    def waiting(self) -> int:
        """See `Writer`."""
        return len(self.chunks)

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
        """Return whether no request is open."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin: send what the protocol wants first."""

    def received(self, data: bytes) -> None:
        """Take bytes from the peer."""
        raise NotImplementedError

    def pump(self, exchange: Exchange) -> None:
        """Send what an exchange has queued, as far as the peer lets."""
        raise NotImplementedError

    def serve(self, exchange: Exchange, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start the work of an exchange. A bug in it breaks this exchange and no other, as after Go's recover."""
        exchange.task = self.tasks.create_task(self._recovered(exchange, work))

    async def _recovered(self, exchange: Exchange, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except Exception as bug:
            exchange.task = None
            self.site.bug(bug, exchange.request)
            self.break_off(exchange)

    def break_off(self, exchange: Exchange) -> None:
        """End a response that cannot be completed, so that the peer does not take it for whole."""
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
        """Yield the header fields of a response, lower-case, in the order in which they go out."""
        yield from response.headers
        if response.content_type:
            yield "content-type", response.content_type
        yield "date", self.site.date()
        if length is not None:
            yield "content-length", str(length)
