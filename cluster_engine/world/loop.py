"""An asyncio event loop whose network calls stay inside the world.

`create_connection`, `create_server`, their unix twins, `create_datagram_endpoint`, `start_tls` and `getaddrinfo` are
asyncio's own methods led into the simulated network of the process that calls them. Libraries (httpcore, httpx,
grpclib, asyncio streams, anyio) run here unmodified. What leads outside is for the gateway: `outside_server`, real
sockets, and `call_outside_later`, real seconds.
"""

import asyncio
import contextlib
import contextvars
import functools
import itertools
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from cluster_engine.world import resolver
from cluster_engine.world.clock import Clock
from cluster_engine.world.network import ANY, Network
from cluster_engine.world.process import Process, current_process
from cluster_engine.world.sockets import Listener
from cluster_engine.world.tap import Endpoint
from cluster_engine.world.timers import TimedLoop
from cluster_engine.world.tls import ServerTLS
from cluster_engine.world.tls_client import client_engine
from cluster_engine.world.tls_layer import TLSLayer, wrap_client

BACKLOG = 1024
"""How many real clients may wait to be let in: a class that comes back after a restart comes at once."""


class WorldServer(asyncio.AbstractServer):
    """What `create_server` gives: close it, wait for it, ask for its sockets."""

    def __init__(self, loop: "ClusterLoop", listeners: Sequence[Listener]) -> None:
        self._loop, self._listeners = loop, listeners
        self._closed = False

    @property
    def sockets(self) -> tuple[Any, ...]:
        """The listening sockets' facts."""
        return () if self._closed else tuple(listener.facts for listener in self._listeners)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """See asyncio."""
        return self._loop

    def is_serving(self) -> bool:
        """True until closed."""
        return not self._closed

    async def start_serving(self) -> None:
        """A world's server serves from the start."""

    async def serve_forever(self) -> None:
        """Wait until cancelled, then close."""
        try:
            await self._loop.create_future()
        finally:
            self.close()

    def close(self) -> None:
        """Accept no more."""
        self._closed = True
        for listener in self._listeners:
            listener.close()

    async def wait_closed(self) -> None:
        """Nothing is left to wait for."""


class ClusterLoop(TimedLoop):
    """The world's event loop: virtual time from its `clock`, connections in its `network`."""

    network: Network

    def __init__(self, clock: Clock | None = None) -> None:
        self.task_numbers = itertools.count()
        super().__init__(clock)
        self.set_task_factory(_owned_task)  # type: ignore[arg-type]

    def wind_up(self) -> None:
        """Cancel what somebody asked for and the world did not live to answer, and close; the loop does not run."""
        if left := asyncio.all_tasks(self):
            for task in left:
                task.cancel()
            self.run_until_complete(asyncio.wait(left, timeout=1.0))
        self.run_until_complete(self.shutdown_asyncgens())
        self.close()

    # -- the network ---------------------------------------------------------------------------------------------------

    async def create_connection(
        self,
        protocol_factory: Callable[[], Any],
        host: str | bytes | None = None,
        port: int | str | None = None,
        *,
        ssl: Any = None,
        server_hostname: str | None = None,
        **_: Any,
    ) -> tuple[Any, Any]:
        """Connect the calling process to a host of the world, with TLS when `ssl` is a context."""
        process = current_process.get()
        name = host.decode() if isinstance(host, bytes) else str(host)
        *others, last = await self._addresses(process, name)
        if ssl and (make_old := process.host.machine.old_tls.get(process.name)):
            make_old(ssl)
        engine_for = functools.partial(client_engine, ssl, server_hostname or name) if ssl else None

        async def connect(address: str) -> tuple[Any, Any]:
            def dial(make: Callable[[], Any]) -> Any:
                return self.network.connect(process, address, int(port or 0), make)

            return await (
                dial(protocol_factory) if engine_for is None else wrap_client(dial, protocol_factory, engine_for())
            )

        for address in others:
            with contextlib.suppress(OSError):
                return await connect(address)
        return await connect(last)

    async def _addresses(self, process: Process, name: str) -> list[str]:
        """Look a name up: in a container by its /etc/resolv.conf, elsewhere as the data centre's DNS answers."""
        host = process.host
        at_home = process.files is host.machine.files or name in host.names or resolver.is_address(name)
        if at_home or not resolver.configuration(process.files).servers:
            return [self.network.resolve(host, name)]
        return await resolver.look_up(process, name)

    async def create_unix_connection(
        self, protocol_factory: Callable[[], Any], path: Any = None, **_: Any
    ) -> tuple[Any, Any]:
        """Connect to a unix socket of the calling process's own host."""
        return await self.network.connect(current_process.get(), str(path), 0, protocol_factory)

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], Any],
        host: Any = None,
        port: int | None = None,
        *,
        ssl: Any = None,
        **_: Any,
    ) -> WorldServer:
        """Listen on the calling process's host, at one address or several; `ssl` is a `ServerTLS`."""
        hosts = [host] if host is None or isinstance(host, str) else host
        return self._listen(hosts, int(port or 0), protocol_factory, ssl)

    async def create_unix_server(  # type: ignore[override]
        self, protocol_factory: Callable[[], Any], path: Any = None, *, ssl: Any = None, **_: Any
    ) -> WorldServer:
        """Listen on a unix socket of the calling process's host."""
        return self._listen([str(path)], 0, protocol_factory, ssl)

    def _listen(
        self, hosts: Sequence[Any], port: int, factory: Callable[[], Any], ssl: ServerTLS | None
    ) -> WorldServer:
        accept = factory
        if ssl is not None:
            if not isinstance(ssl, ServerTLS):
                raise TypeError("a server in a world takes ssl=ServerTLS(...)")
            tls = ssl

            def accept() -> TLSLayer:
                return self.secured(tls, factory)

        process = current_process.get()
        return WorldServer(self, [self.network.listen(process, host, port, accept) for host in hosts])

    def secured(self, tls: ServerTLS, factory: Callable[[], Any]) -> TLSLayer:
        """Return a server's end of one TLS connection, a protocol for the connection below; its keys are logged."""
        tls.on_secret = self._tell_secret
        return TLSLayer(factory, tls.engine())

    def _tell_secret(self, line: str) -> None:
        if self.network.tap is not None:
            self.network.tap.secret(line)

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], Any],
        local_addr: tuple[str, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        **_: Any,
    ) -> tuple[Any, Any]:
        """Open a UDP socket on the calling process's host."""
        process = current_process.get()
        local = remote = None
        if local_addr is not None:
            address = "" if local_addr[0] in ANY else self.network.resolve(process.host, local_addr[0])
            local = Endpoint(address, local_addr[1])
        if remote_addr is not None:
            remote = Endpoint((await self._addresses(process, remote_addr[0]))[0], remote_addr[1])
        transport = self.network.datagrams.open(process, local, remote)
        transport.protocol = protocol = protocol_factory()
        protocol.connection_made(transport)
        return transport, protocol

    async def start_tls(
        self,
        transport: Any,
        protocol: Any,
        sslcontext: Any,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        **_: Any,
    ) -> Any:
        """Put TLS on an open connection (client side)."""
        if server_side:
            raise NotImplementedError("only a client may start TLS late")
        layer = TLSLayer(lambda: protocol, client_engine(sslcontext, server_hostname or ""), tell_made=False)
        transport.set_protocol(layer)
        layer.connection_made(transport)
        await layer.established
        return layer.transport

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002
        proto: int = 0,
        flags: int = 0,
    ) -> list[tuple[Any, ...]]:
        """Look a name up as the calling process would."""
        name = host.decode() if isinstance(host, bytes) else str(host)
        found = await self._addresses(current_process.get(), name)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (one, int(port or 0))) for one in found]

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """Numbers only: there is no reverse DNS."""
        return str(sockaddr[0]), str(sockaddr[1])

    # -- doors to the real world ---------------------------------------------------------------------------------------

    async def outside_server(self, protocol_factory: Callable[[], Any], host: str, port: int) -> asyncio.AbstractServer:
        """Listen on a real socket of this machine."""
        return await super().create_server(protocol_factory, sock=_real_socket(host, port), backlog=BACKLOG)

    def call_outside_later(self, seconds: float, callback: Callable[..., Any], *args: Any) -> asyncio.Handle:
        """Call back after so many real seconds, whatever the pace, paused too."""
        handle = asyncio.Handle(callback, args, self)
        self.clock.outside.call_later(seconds, handle)
        return handle


def _real_socket(host: str, port: int) -> socket.socket:
    real = socket.socket(
        socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # asyncio sets TCP_NODELAY on these only
    real.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        real.bind((host, port))
    except OSError:
        real.close()
        raise
    real.setblocking(False)
    return real


class OwnedTask(asyncio.Task[Any]):
    """A task that belongs to the process in whose context it runs, and is hashed by its number among that process's.

    asyncio keeps tasks in sets (a `TaskGroup` does, and cancels them as it finds them there). Hashed by their
    addresses, as tasks are elsewhere, they would stand in another order in each run.
    """

    def __init__(self, owner: Process | None, number: int, coroutine: Coroutine[Any, Any, Any], **options: Any) -> None:
        self.owner = owner
        self._hash = hash((owner.pid if owner is not None else 0, number))
        super().__init__(coroutine, **options)

    def __hash__(self) -> int:
        return self._hash


def _owned_task(
    loop: "ClusterLoop",
    coroutine: Coroutine[Any, Any, Any],
    *,
    context: contextvars.Context | None = None,
    **options: Any,
) -> asyncio.Task[Any]:
    owner: Process | None = context.get(current_process) if context is not None else current_process.get(None)
    if owner is None:
        return OwnedTask(None, next(loop.task_numbers), coroutine, loop=loop, context=context, **options)
    task = OwnedTask(owner, next(owner.task_numbers), coroutine, loop=loop, context=context, **options)
    owner.adopt(task)
    return task


__all__ = ["ClusterLoop", "WorldServer"]
