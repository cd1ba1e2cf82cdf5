"""A door from this machine into the world: a real TCP port that leads to a host of the simulated network. It is on
loopback, unless whoever opens it wants others to reach it.

What comes in at the door is connected, as the process "outside/client", to the address inside; from there on the bytes
travel like all others, at the world's pace, through the same tap. So the real kubectl, curl or openssl joins the same
cluster and the same diagram. TLS passes through untouched: the door sees ciphertext only.

    gateway = await open_gateway(world, to=("10.0.0.1", 6443), host="127.0.0.1", port=0)
    gateway.address      ->  ("127.0.0.1", 40123)

Bounded: CONNECTIONS_MAX at a time; a reader that is slow on either side stops the writer on the other.
"""

import asyncio
import contextlib
from typing import Any

from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.process import Process
from cluster_engine.world.world import World

CONNECTIONS_MAX = 2048
CLIENT_NAME = "client"
LOOPBACK = ("127.0.0.1", "localhost")
EVERYWHERE = "0.0.0.0"


class Gateway:
    """An open door. `address` is where it can be reached on this machine."""

    def __init__(self, world: World, to: tuple[str, int]) -> None:
        self.world, self.to = world, to
        self.address = ("", 0)
        self.connections: dict[OutsideEnd, None] = {}
        self._process: Process | None = None

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
            failed.set_result(None)
            try:
                await self.world.loop.create_future()
            finally:
                server.close()

        outside = self.world.network.hosts.get("outside") or self.world.add_host("outside", "10.0.0.254")
        self._process = self.world.spawn(outside, CLIENT_NAME, main)
        await failed

    def close(self) -> None:
        """Close the door and every connection through it."""
        for connection in list(self.connections):
            connection.transport.abort()
        if self._process is not None:
            self._process.kill()


class OutsideEnd(asyncio.Protocol):
    """The real connection; its twin in the world is `InsideEnd`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.transport: Any = None
        self.inside: Any = None
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self.transport = transport
        self._gateway.connections[self] = None
        if len(self._gateway.connections) > CONNECTIONS_MAX:
            self.transport.abort()
            return
        self.transport.pause_reading()
        self._connecting = self._gateway.world.loop.create_task(self._connect())

    async def _connect(self) -> None:
        loop: ClusterLoop = self._gateway.world.loop
        try:
            self.inside, _ = await loop.create_connection(lambda: InsideEnd(self.transport), *self._gateway.to)
        except OSError:
            self.transport.abort()
            return
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self.inside.write(data)

    def eof_received(self) -> bool:
        """See asyncio."""
        if self.inside is not None:
            self.inside.write_eof()
        return True

    def connection_lost(self, _: BaseException | None) -> None:
        """See asyncio."""
        self._gateway.connections.pop(self, None)
        if self._connecting is not None:
            self._connecting.cancel()
        if self.inside is not None:
            self.inside.close()

    def pause_writing(self) -> None:
        """See asyncio."""
        if self.inside is not None:
            self.inside.pause_reading()

    def resume_writing(self) -> None:
        """See asyncio."""
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
