"""The API server's port: accepts connections, keeps count of them, and ends them well.

    async with Listener(process, service) as listener:
        server = await listener.listen("10.0.0.1", 6443, tls)
        ...                                   # on leaving: no new connections, the last responses, GOAWAY, FIN

Left out: listeners on several addresses, connection limits (Go has none either), HTTP/2 without TLS.
"""

import asyncio
from types import TracebackType
from typing import Any

from cluster_engine.apiserver.serving.connection import Connection
from cluster_engine.apiserver.serving.exchange import Request, Room, Service
from cluster_engine.apiserver.serving.http1 import Http1Wire
from cluster_engine.apiserver.serving.http2 import Http2Wire
from cluster_engine.apiserver.serving.wire import Tasks, Wire
from cluster_engine.world.process import Process

SHUTDOWN_SECONDS = 5.0
WIRES: dict[str | None, type[Wire]] = {"h2": Http2Wire, "http/1.1": Http1Wire, None: Http1Wire}


class Listener:
    """All connections of one server. Leaving the context shuts them down gracefully, within SHUTDOWN_SECONDS."""

    def __init__(self, process: Process, service: Service) -> None:
        self.service = service
        self.bodies = Room()
        self._process = process
        self._connections: dict[Connection, None] = {}
        self._group = asyncio.TaskGroup()
        self._server: asyncio.Server | None = None
        self._nobody_left = asyncio.Event()
        self._date = (-1, "")

    async def __aenter__(self) -> "Listener":
        await self._group.__aenter__()
        self.tasks = Tasks(self._group)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._shut_down()
        try:
            await self._group.__aexit__(kind, error, at)
        except BaseExceptionGroup as group:
            if error is None or group.exceptions != (error,):
                raise
            raise error from None  # that of who listens, and of no task

    async def listen(self, host: str, port: int, tls: Any) -> None:
        """Open the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self, WIRES), host, port, ssl=tls)

    async def _shut_down(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.shut_down()
        if self._connections:
            try:
                async with asyncio.timeout(SHUTDOWN_SECONDS):
                    await self._nobody_left.wait()
            except TimeoutError:
                for connection in list(self._connections):
                    connection.abort()

    # -- what connections ask (`Owner`) ---------------------------------------------------------------------------

    def date(self) -> str:
        """Return the Date header's value (RFC 9110 §5.6.7), made once a second."""
        now = self._process.now()
        second = int(now.timestamp())
        if self._date[0] != second:
            self._date = (second, now.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        return self._date[1]

    def bug(self, bug: Exception, request: Request) -> None:
        """See `Owner`."""
        self._process.bug(bug, f"{request.method} {request.path}")

    def opened(self, connection: Connection) -> None:
        """See `Owner`."""
        self._connections[connection] = None
        self._nobody_left.clear()

    def closed(self, connection: Connection) -> None:
        """See `Owner`."""
        self._connections.pop(connection, None)
        if not self._connections:
            self._nobody_left.set()
