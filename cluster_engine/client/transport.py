"""Connections to one server, opened when needed and shared by whoever shares the same TLS identity.

Theory of operation. client-go keeps one transport for each TLS configuration (`transport/cache.go`), and every client
made from it shares its connections. So does this: one `Transport` has one server and one TLS identity; a request takes
a stream of an open HTTP/2 connection, and when that has no free one (100 at the API server) a further connection is
dialled. A bearer token is a header, not a TLS identity: clients with different tokens share a transport.

    first request:  dial, TLS, ALPN h2, stream 1      tenth:  stream 19 of the same connection

Requests that the server cannot have looked at (GOAWAY, REFUSED_STREAM, a connection that died under them) are sent
again, once, on a new connection. Left out: HTTP/1.1 over TLS (the API server speaks h2; without TLS: `http1`), proxies,
DNS round robin.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from cluster_engine.client.http2 import Headers, Http2Connection, Stream, StreamNotTaken
from cluster_engine.streaming import lookup_errors

DIAL_TIMEOUT_SECONDS = 30.0
TLS_HANDSHAKE_TIMEOUT_SECONDS = 10.0
UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's X509_V_ERR_*: no issuer to be found, or a self-signed certificate. Go has one sentence for them."""


class Answering(Protocol):
    """A request under way: its answer's headers, `:status` among them, then its body piece by piece, b"" at the end."""

    async def headers(self) -> Headers:
        """Wait for the headers. ConnectionError, TimeoutError."""
        ...

    async def read(self) -> bytes:
        """Wait for the next piece of the body. ConnectionError, TimeoutError when it is cut short."""
        ...

    def close(self) -> None:
        """Want no more of it."""
        ...


@asynccontextmanager
async def dialled(host: str, port: int) -> AsyncIterator[None]:
    """Dial within DIAL_TIMEOUT_SECONDS; what goes wrong is ConnectionError or TimeoutError in Go's words."""
    where = f"dial tcp {host}:{port}"
    try:
        async with asyncio.timeout(DIAL_TIMEOUT_SECONDS):
            yield
    except TimeoutError as error:
        raise TimeoutError(f"{where}: i/o timeout") from error
    except ConnectionRefusedError as error:
        raise ConnectionRefusedError(f"{where}: connect: connection refused") from error
    except ssl.SSLCertVerificationError as error:
        raise ConnectionAbortedError(f"tls: failed to verify certificate: x509: {_why(error)}") from error
    except ssl.SSLError as error:
        raise ConnectionAbortedError(f"remote error: tls: {error.reason or error}") from error
    except socket.gaierror as error:
        raise ConnectionError(lookup_errors.in_words(host, error)) from error
    except OSError as error:
        raise ConnectionError(f"{where}: {error.strerror or error}") from error


class Transport:
    """A server, a TLS identity, and the connections open between them. Errors: ConnectionError, TimeoutError."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext, *, server_name: str | None = None) -> None:
        self.host = host
        self.port = port
        self._tls = tls
        self._server_name = server_name or host
        self._connections: list[Http2Connection] = []
        self._dialling = asyncio.Lock()

    @property
    def is_connected(self) -> bool:
        """Whether a connection is open."""
        return any(connection.is_usable for connection in self._connections)

    async def open(self, headers: Headers, body: bytes | None) -> Stream:
        """Send one request and wait for the headers of its answer; give the stream with the rest."""
        try:
            return await self._open(headers, body)
        except StreamNotTaken:
            return await self._open(headers, body)

    async def _open(self, headers: Headers, body: bytes | None) -> Stream:
        connection = await self._connection()
        stream = await connection.open(headers, body)
        try:
            await stream.headers()
        except BaseException:
            stream.close()
            raise
        return stream

    async def _connection(self) -> Http2Connection:
        if connection := self._with_room():
            return connection
        async with self._dialling:
            if connection := self._with_room():  # dialled while we waited
                return connection
            connection = await self._dial()
            self._connections.append(connection)
            return connection

    def _with_room(self) -> Http2Connection | None:
        for connection in self._connections:
            if connection.has_room:
                return connection
        self._connections = [connection for connection in self._connections if connection.is_usable]
        return None

    async def _dial(self) -> Http2Connection:
        async with dialled(self.host, self.port):
            transport, connection = await asyncio.get_running_loop().create_connection(
                Http2Connection,
                self.host,
                self.port,
                ssl=self._tls,
                server_hostname=self._server_name,
                ssl_handshake_timeout=TLS_HANDSHAKE_TIMEOUT_SECONDS,
            )
        if transport.get_extra_info("alpn_protocol") != "h2":
            transport.abort()
            raise ConnectionAbortedError(f"dial tcp {self.host}:{self.port}: the server did not choose h2")
        return connection

    def close(self) -> None:
        """Say goodbye on every connection."""
        connections, self._connections = self._connections, []
        for connection in connections:
            connection.close()


def _why(error: ssl.SSLCertVerificationError) -> str:
    """Return why a certificate was not accepted, in Go's words where they do not need the certificate."""
    return "certificate signed by unknown authority" if error.verify_code in UNKNOWN_AUTHORITY else error.verify_message
