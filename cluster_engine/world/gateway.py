"""A door from this machine into the world: a real TCP port that leads to a host of the simulated network. It is on
loopback, unless whoever opens it wants others to reach it.

What comes in at the door is connected, as the process "outside/client", to the address inside; from there on the bytes
travel like all others, at the world's pace, through the same tap. So the real kubectl, curl or openssl joins the same
cluster and the same diagram. TLS passes through untouched: the door sees ciphertext only.

    gateway = await open_gateway(world, to=("10.0.0.1", 6443), host="127.0.0.1", port=0)
    gateway.address      ->  ("127.0.0.1", 40123)

First outside, then inside. The way from the door to the API server is shorter than any way in the world: what is for a
real client is on its socket before anybody inside has heard of the same thing and set to work on it, which, in one
thread, would keep the client waiting for all that follows from its own request.

Two clocks. Clients live in real time. Their own patience and ours with them is therefore counted in real seconds:
whoever says nothing for HELLO_SECONDS is shown out, and so is whoever takes nothing of what waits for it for
STALLED_SECONDS, paused or not. What the server inside counts, it counts by the slower of both clocks (`peer_time`).

Bounded: how many there are (`visitors.py`), and what is kept for each: a reader that is slow on either side stops the
writer on the other.
"""

import asyncio
import contextlib
import contextvars
import resource
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.process import Host, Process
from cluster_engine.world.visitors import CONNECTIONS_MAX, Visitors
from cluster_engine.world.world import World

CLIENT_NAME = "client"
LOOPBACK = ("127.0.0.1", "localhost")
EVERYWHERE = "0.0.0.0"
DOOR_LATENCY_SECONDS = 0.000_01
"""Less than any hop inside: see "first outside"."""

HELLO_SECONDS = 10.0
STALLED_SECONDS = 60.0
SEND_BUFFER_BYTES = 256 * 1024
"""What this machine's kernel keeps for a client, which Linux doubles. Left to itself it keeps 4 MiB and more: a client
that reads nothing would seem to."""

DESCRIPTORS_LEFT = 256
"""How many of this process's descriptors are not for clients."""


Overhear = Callable[[str, int, bytes, Any], None]
"""Hears what a client does, by its number: "connected", "said" (inside its TLS; the engine is given too), "left"."""


class Numbers:
    """Numbers for clients, from 1."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """Give one that nobody had."""
        self._last += 1
        return self._last

    def pass_over(self, number: int) -> None:
        """Give none up to this one."""
        self._last = max(self._last, number)


class Gateway:
    """An open door. `address` is where it can be reached on this machine."""

    def __init__(self, world: World, to: tuple[str, int]) -> None:
        self.world, self.to = world, to
        self.loop: ClusterLoop = world.loop
        self.address = ("", 0)
        self.connections = Visitors(_descriptors(CONNECTIONS_MAX + DESCRIPTORS_LEFT) - DESCRIPTORS_LEFT)
        self.overhear: Overhear = lambda what, client, data, engine: None
        self.numbers = Numbers()
        self._process: Process | None = None
        self._context: contextvars.Context | None = None

    def do(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Have some work done as the process of clients from outside."""
        return self.loop.create_task(work, context=self._context)

    async def open(self, host: str, port: int) -> None:
        """Listen on a real port (0: any free one). OSError when it is taken."""
        failed: asyncio.Future[None] = self.world.loop.create_future()

        async def main(process: Process) -> None:
            try:
                server = await self.world.loop.outside_server(lambda: OutsideEnd(self), host, port)
            except OSError as error:
                failed.set_exception(OSError(error.errno, error.strerror, f"{host}:{port}"))
                return
            self.address = server.sockets[0].getsockname()  # type: ignore[attr-defined]
            process.ready()
            self._context = contextvars.copy_context()
            failed.set_result(None)
            try:
                await self.world.loop.create_future()
            finally:
                server.close()

        outside = self.world.network.hosts.get("outside") or self.world.add_host("outside", "10.0.0.254")
        self._come_close(outside)
        self._process = self.world.spawn(outside, CLIENT_NAME, main, part_of_world=True)
        await failed

    def _come_close(self, outside: Host) -> None:
        network, (address, _) = self.world.network, self.to
        for host in network.hosts.values():
            if host.address == address:
                network.set_latency(outside.name, host.name, DOOR_LATENCY_SECONDS)

    def refuse(self, address: str, reason: str) -> None:
        """Log that somebody was refused."""
        if self._process is not None:
            self._process.note("gateway.refused", reason, address=address, reason=reason)

    def close(self) -> None:
        """Close the door and every connection through it."""
        for connection in self.connections:
            connection.show_out()
        if self._process is not None:
            self._process.kill()


def _descriptors(wanted: int) -> int:
    """Let this process have as many descriptors as wanted, if it may; tell how many it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(OSError, ValueError):  # a system that has its own idea of the hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        return allowed
    return soft


class OutsideEnd(asyncio.Protocol):
    """The real connection; its twin in the world is `InsideEnd`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.transport: Any = None
        self.inside: Any = None
        self.since = gateway.loop.clock.outside.real()
        self._refusal = ""
        self._number = 0  # of one that is heard
        self._connecting: asyncio.Task[None] | None = None
        self._until_hello: asyncio.Handle | None = None
        self._until_taken: asyncio.Handle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        refusal = self._gateway.connections.admit(self, address, self.since)
        if refusal is None:
            self.transport.abort()
            return
        if refusal:
            self._refusal = refusal
            self._gateway.refuse(address, refusal)
        self.transport.pause_reading()
        self._connecting = self._gateway.loop.create_task(self._connect())

    def _overhear(self, data: bytes, engine: Any) -> None:
        if self._number:
            self._gateway.overhear("said", self._number, data, engine)

    def _left(self) -> None:
        if self._number:
            self._gateway.overhear("left", self._number, b"", None)
            self._number = 0

    def _show_out_after(self, seconds: float) -> asyncio.Handle:
        return self._gateway.loop.call_outside_later(seconds, self.show_out)

    async def _connect(self) -> None:
        loop = self._gateway.loop
        if not self._refusal:
            self._number = self._gateway.numbers.next()
            self._gateway.overhear("connected", self._number, b"", None)
        try:
            self.inside, _ = await loop.create_connection(lambda: InsideEnd(self.transport), *self._gateway.to)
        except OSError:
            self.transport.abort()
            return
        self.inside.told = {"peer_time": loop.clock.outside.real, "refusal": self._refusal, "overhear": self._overhear}
        self._until_hello = self._show_out_after(HELLO_SECONDS)
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if self._until_hello is not None:
            self._until_hello.cancel()
            self._until_hello = None
            self._gateway.connections.spoke(self)
        self.inside.write(data)

    def eof_received(self) -> bool:
        """See asyncio."""
        self._left()
        if self.inside is not None:
            self.inside.write_eof()
        return True

    def show_out(self) -> None:
        """See `Visitor`."""
        self.transport.abort()

    def connection_lost(self, _: BaseException | None) -> None:
        """See asyncio."""
        self._gateway.connections.left(self)
        self._left()
        for waiting in (self._until_hello, self._until_taken):
            if waiting is not None:
                waiting.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
        if self.inside is not None:
            self.inside.close()

    def pause_writing(self) -> None:
        """See asyncio."""
        self._until_taken = self._show_out_after(STALLED_SECONDS)
        if self.inside is not None:
            self.inside.pause_reading()

    def resume_writing(self) -> None:
        """See asyncio."""
        if self._until_taken is not None:
            self._until_taken.cancel()
        if self.inside is not None:
            self.inside.resume_reading()


class InsideEnd(asyncio.Protocol):
    """The simulated connection behind a real one."""

    def __init__(self, outside: Any) -> None:
        self._outside = outside

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self._outside.write(data)

    def eof_received(self) -> bool:
        """See asyncio."""
        if self._outside.can_write_eof() and not self._outside.is_closing():
            with contextlib.suppress(OSError):  # it may have been reset, and nobody reads there who would know
                self._outside.write_eof()
        return True

    def connection_lost(self, reason: BaseException | None) -> None:
        """See asyncio."""
        if reason is None:
            self._outside.close()
        else:
            self._outside.abort()

    def pause_writing(self) -> None:
        """See asyncio."""
        if not self._outside.is_closing():
            self._outside.pause_reading()

    def resume_writing(self) -> None:
        """See asyncio."""
        if not self._outside.is_closing():
            self._outside.resume_reading()


async def open_gateway(
    world: World, *, to: tuple[str, int], host: str = "127.0.0.1", port: int = 0, for_others: bool = False
) -> Gateway:
    """Open a door to `to` on a real address: loopback, or `for_others` every address of this machine.

    ValueError for an address that others could reach when it is not for them.
    """
    if host not in LOOPBACK:
        raise ValueError(f"a gateway listens on loopback only, not on {host}")
    gateway = Gateway(world, to)
    await gateway.open(EVERYWHERE if for_others else "127.0.0.1", port)
    return gateway
