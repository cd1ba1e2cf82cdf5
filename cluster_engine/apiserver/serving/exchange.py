"""A request and its response, whatever HTTP version carries them.

Theory of operation. A request is handed to the service as soon as its head is complete: who may not come in is told so
before a body is read. The body is awaited (`await request.read()`), bounded at 3 MiB as etcd-backed servers have it. A
response is whole (`body`) or goes on (`stream`, a watch): then the service is given a `Writer` that never blocks. It
counts what the peer has not taken yet (`backlog`), and whoever writes decides what to do about a peer that is slow.

    async def service(request):
        return Response(200, body=b"ok")                        # whole

    async def service(request):
        async def events(writer):                               # goes on until the function returns
            writer.write(b'{"type":"ADDED"…}\n')
            await writer.drain()
        return Response(200, stream=events)
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import msgspec

from cluster_engine.api.status import Refusal, TooLarge, TooManyRequests
from cluster_engine.streaming.duplex import Duplex

BODY_BYTES_MAX = 3 * 1024 * 1024
BODIES_BYTES_MAX = 32 * 1024 * 1024

Headers = tuple[tuple[str, str], ...]


class Writer(Protocol):
    """The body of a response that goes on. Bytes leave in order; nothing is lost unless the peer goes away."""

    @property
    def backlog(self) -> int:
        """Count the bytes that were written and could not be sent yet."""
        ...

    @property
    def waiting(self) -> int:
        """Count the pieces of which something was written and could not be sent yet."""
        ...

    @property
    def closed(self) -> bool:
        """Return whether the peer has gone or the server is shutting down; writes are then ignored."""
        ...

    def write(self, data: bytes) -> None:
        """Queue bytes and send what the peer's windows allow. Never blocks."""
        ...

    async def drain(self) -> None:
        """Wait until everything written has been sent, or the peer has gone."""
        ...


class Peer(msgspec.Struct):
    """Whoever is at the other end of a connection. `memory` lasts as long as the connection (the x509 identity).

    `time` is its clock where that is not the server's (`world.patience`).
    """

    address: str
    certificates: tuple[bytes, ...] = ()
    memory: dict[str, Any] = msgspec.field(default_factory=dict)
    time: Callable[[], float] | None = None


class Room:
    """What all bodies of a server may take together while their requests are under way."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = BODIES_BYTES_MAX


class Body:
    """A request's body as it arrives. At most BODY_BYTES_MAX are kept; what comes beyond is dropped and told.

    So is what finds no room beside the bodies of other requests.
    """

    __slots__ = ("_chunks", "_complete", "_reader", "_refusal", "_room", "_size", "_taken")

    def __init__(self, room: Room | None = None) -> None:
        self._room = room or Room()
        self._taken = 0
        self._chunks: list[bytes] = []
        self._size = 0
        self._complete = False
        self._refusal: Refusal | None = None
        self._reader: asyncio.Future[None] | None = None

    @property
    def is_complete(self) -> bool:
        """Return whether the last byte has come."""
        return self._complete

    def feed(self, data: bytes) -> None:
        """Take bytes from the wire."""
        self._size += len(data)
        if self._refusal is not None:
            return
        if self._size > BODY_BYTES_MAX:
            self._refuse(TooLarge(f"limit is {BODY_BYTES_MAX}"))
        elif self._room.left < len(data):
            self._refuse(TooManyRequests("Too many requests, please try again later."))
        else:
            self._chunks.append(data)
            self._taken += len(data)
            self._room.left -= len(data)

    def _refuse(self, refusal: Refusal) -> None:
        self._refusal = refusal
        self.release()
        self._wake()

    def release(self) -> None:
        """Give the room back: the request is over."""
        self._chunks.clear()
        self._room.left += self._taken
        self._taken = 0

    def finish(self) -> None:
        """Take note that the last byte has come."""
        self._complete = True
        self._wake()

    async def read(self) -> bytes:
        """Wait for the whole body; refuse with 413 as soon as it is too large."""
        if not self._complete and self._refusal is None:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        if self._refusal is not None:
            raise self._refusal
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class Request(msgspec.Struct):
    """The head of a request, and the way to its body. Header names are lower-case; values keep their order."""

    method: str
    path: str
    query: str
    headers: dict[str, tuple[str, ...]]
    peer: Peer
    body: Body

    def header(self, name: str, default: str = "") -> str:
        """Return the first value of a header."""
        values = self.headers.get(name)
        return values[0] if values else default

    async def read(self) -> bytes:
        """Wait for the whole body; Refusal 413 beyond BODY_BYTES_MAX."""
        return await self.body.read()

    @property
    def asks_for_upgrade(self) -> bool:
        """Return whether the connection is to become another protocol's (RFC 9110 §7.8)."""
        return "upgrade" in self.header("connection").lower() and bool(self.header("upgrade"))


class Response(msgspec.Struct):
    """What to answer. `body` is whole; with `stream` the body is what that function writes until it returns.

    With `upgrade` the answer is 101 Switching Protocols (HTTP/1.1 only), and that function has the connection until it
    returns.
    """

    status: int
    content_type: str = "application/json"
    body: bytes = b""
    headers: Headers = ()
    stream: Callable[[Writer], Awaitable[None]] | None = None
    upgrade: Callable[[Duplex], Awaitable[None]] | None = None


def when_over(response: Response, over: Callable[[], None]) -> Response:
    """Have `over` called when a response that goes on has ended, however that comes."""

    def until_over(goes_on: Callable[[Any], Awaitable[None]] | None) -> Callable[[Any], Awaitable[None]] | None:
        async def run(to: Any) -> None:
            assert goes_on is not None
            try:
                await goes_on(to)
            finally:
                over()

        return goes_on and run

    stream, upgrade = until_over(response.stream), until_over(response.upgrade)
    return msgspec.structs.replace(response, stream=stream, upgrade=upgrade)


Service = Callable[[Request], Awaitable[Response]]


def header_map(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, tuple[str, ...]]:
    """Collect header fields by lower-case name, repeated ones in order."""
    collected: dict[str, list[str]] = {}
    for raw_name, raw_value in headers:
        collected.setdefault(raw_name.decode("latin-1").lower(), []).append(raw_value.decode("latin-1"))
    return {name: tuple(values) for name, values in collected.items()}
