"""Requests to a server by plain HTTP: HTTP/1.1, a connection for each request under way.

Theory of operation. Without TLS nobody can choose HTTP/2, so Go's net/http speaks HTTP/1.1: a connection carries one
request at a time, and is kept for the next one once its answer is read to the end. A kept connection may have died
meanwhile; a request that finds it so, before a byte has come back, is sent again on a new one.

    first request: dial, GET /api …, its answer          second: the same connection
    a watch, and a request beside it: two connections

`h11` knows the protocol. Headers are given and taken as HTTP/2's, pseudo-headers first, as `http2` does. Left out:
Expect, pipelining, trailers.
"""

import asyncio
import contextlib

import h11

from cluster_engine.client.http2 import Headers
from cluster_engine.client.transport import dialled

HEAD_BYTES_MAX = 1 << 20
READ_BYTES_MAX = 1 << 16


class _Connection:
    """One connection. Errors: ConnectionError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES_MAX)

    @property
    def is_alive(self) -> bool:
        return not self._reader.at_eof() and not self._writer.is_closing()

    async def send(self, request: h11.Request, body: bytes | None) -> None:
        events: list[h11.Event] = [request, *([h11.Data(data=body)] if body else []), h11.EndOfMessage()]
        self._writer.write(b"".join(self._h11.send(event) or b"" for event in events))
        await self._writer.drain()

    async def next(self) -> object:
        try:
            while (event := self._h11.next_event()) is h11.NEED_DATA:
                self._h11.receive_data(await self._reader.read(READ_BYTES_MAX))
        except h11.RemoteProtocolError as error:
            if self._reader.at_eof():
                raise ConnectionResetError("unexpected EOF") from error
            raise ConnectionAbortedError(f"net/http: HTTP/1.x transport connection broken: {error}") from error
        return event

    def is_free(self) -> bool:
        """Make ready for another request, if that can be."""
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE or not self.is_alive:
            return False
        self._h11.start_next_cycle()
        return True

    def close(self) -> None:
        self._writer.close()


class Http1Answer:
    """A request that was sent, and its answer (`transport.Answering`)."""

    def __init__(self, transport: "Http1Transport", connection: _Connection) -> None:
        self._transport, self._connection = transport, connection
        self._headers: Headers = []
        self._ended = False

    async def begin(self) -> None:
        """Wait for the answer's head."""
        while not self._headers:
            event = await self._connection.next()
            if isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("EOF")
            if isinstance(event, h11.Response):
                self._headers = [(b":status", str(event.status_code).encode()), *event.headers]

    async def headers(self) -> Headers:
        """See `Answering`."""
        return self._headers

    async def read(self) -> bytes:
        """See `Answering`."""
        while not self._ended:
            event = await self._connection.next()
            if isinstance(event, h11.Data):
                return bytes(event.data)
            if isinstance(event, h11.EndOfMessage):
                self._ended = True
                self._transport.take_back(self._connection)
        return b""

    def close(self) -> None:
        """See `Answering`: whoever leaves before the end ends the connection."""
        if not self._ended:
            self._ended = True
            self._transport.drop(self._connection)


class Http1Transport:
    """A server, and the connections open to it. Errors: ConnectionError, TimeoutError."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._free: list[_Connection] = []
        self._busy: list[_Connection] = []

    @property
    def is_connected(self) -> bool:
        """Whether a connection is open."""
        return bool(self._busy)

    async def open(self, headers: Headers, body: bytes | None) -> Http1Answer:
        """Send one request and wait for the headers of its answer; give what has the rest."""
        request = _request(headers)
        while self._free:
            if (connection := self._free.pop()).is_alive:
                with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                    return await self._ask(connection, request, body)
        async with dialled(self.host, self.port):
            reader, writer = await asyncio.open_connection(self.host, self.port)
        return await self._ask(_Connection(reader, writer), request, body)

    async def _ask(self, connection: _Connection, request: h11.Request, body: bytes | None) -> Http1Answer:
        self._busy.append(connection)
        answer = Http1Answer(self, connection)
        try:
            await connection.send(request, body)
            await answer.begin()
        except BaseException:
            self.drop(connection)
            raise
        return answer

    def take_back(self, connection: _Connection) -> None:
        """Keep a connection whose answer has been read to the end."""
        self._busy.remove(connection)
        if connection.is_free():
            self._free.append(connection)
        else:
            connection.close()

    def drop(self, connection: _Connection) -> None:
        """End a connection whose answer nobody will read."""
        self._busy.remove(connection)
        connection.close()

    def close(self) -> None:
        """Say goodbye on every connection."""
        for connection in (*self._free, *self._busy):
            connection.close()
        self._free.clear()


def _request(headers: Headers) -> h11.Request:
    """Make HTTP/1.1's head of HTTP/2's."""
    pseudo = {name: value for name, value in headers if name.startswith(b":")}
    plain = [(name, value) for name, value in headers if not name.startswith(b":")]
    return h11.Request(
        method=pseudo[b":method"], target=pseudo[b":path"], headers=[(b"Host", pseudo[b":authority"]), *plain]
    )
