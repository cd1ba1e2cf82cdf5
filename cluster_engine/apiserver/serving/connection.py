"""One accepted connection: its timers, its back-pressure, its end.

A `Connection` is asyncio's protocol object for one accepted connection. When TLS is done, ALPN has chosen the version
and the connection makes the `Wire` that speaks it, out of those it was given. The wire parses and frames; the
connection keeps what does not depend on the version: back-pressure from the transport, the idle timeout, and the ways
in which a connection ends.

    idle for 90 s          no request is open: GOAWAY (h2), then FIN            apiserver/pkg/server/secure_serving.go
    no request for 32 s    a connection that never sent a whole request head    (read-header timeout)
    shutdown               watches end cleanly, requests under way finish, then GOAWAY (h2), FIN
    refused by the door    each request is answered 429 with the door's own words (a client of the gateway too many)

A client from outside the world is judged by the slower of both clocks (`world.patience`).
"""

import asyncio
from collections.abc import Mapping
from typing import Protocol, cast

import msgspec

from cluster_engine.api.status import TooManyRequests
from cluster_engine.apiserver.serving.exchange import Peer, Request, Response, Service
from cluster_engine.apiserver.serving.wire import Site, Wire
from cluster_engine.world.patience import LOOK_AGAIN_SECONDS_MIN

IDLE_SECONDS = 90.0
FIRST_REQUEST_SECONDS = 32.0
CLOCK_RESOLUTION_SECONDS = 1e-6
"""A timer may fire that much early by the loop's own clock."""


class Owner(Site, Protocol):
    """What the listener is to its connections."""

    def opened(self, connection: "Connection") -> None:
        """Called when a connection has been made."""
        ...

    def closed(self, connection: "Connection") -> None:
        """Called when a connection has gone."""
        ...


def refusing(reason: str, wire: Wire) -> Service:
    """Make the service of a connection that is one too many: its first request is its last."""
    refusal = TooManyRequests(reason)
    answer = Response(refusal.code, body=msgspec.json.encode(refusal.status()))

    async def refuse(_: Request) -> Response:
        wire.draining = True
        return answer

    return refuse


class Connection(asyncio.Protocol):
    """One accepted connection. `wires` are the HTTP versions by their names in ALPN; None is for a peer without it."""

    def __init__(self, owner: Owner, wires: Mapping[str | None, type[Wire]]) -> None:
        self._owner = owner
        self._wires = wires
        self._wire: Wire | None = None
        self._timer: asyncio.TimerHandle | None = None

    # -- asyncio.Protocol ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS is done: find out who is there and which HTTP is spoken."""
        self.transport = cast(asyncio.Transport, transport)
        address = transport.get_extra_info("peername") or ("", 0)
        certificates = tuple(transport.get_extra_info("peercert_chain") or ())
        peer = Peer(str(address[0]), certificates, time=transport.get_extra_info("peer_time"))
        version = self._wires[transport.get_extra_info("alpn_protocol")]
        self._wire = version(self.transport, peer, self._owner)
        if refusal := transport.get_extra_info("refusal"):
            self._wire.service = refusing(refusal, self._wire)
        self._wire.start()
        self._owner.opened(self)
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
        self._owner.closed(self)

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
