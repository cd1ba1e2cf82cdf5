"""The far side of a mitmdump: one connection to the server for each client, opened before the client's handshake.

mitmproxy shows its client a certificate with the names of the server's, so it has to see that first. The connection is
then httpcore's, HTTP/2 or HTTP/1.1 as the server chooses; another one is opened when it has ended.

    upstream = Upstream(options, tls)
    names = await upstream.connect()            of the server's certificate; OSError, ssl.SSLError
    answer = await upstream.ask("GET", "/api", headers, b"")
"""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from typing import Any

import httpcore
from cryptography import x509

from cluster_engine.programs.mitmdump.options import Options
from cluster_engine.streaming.dialling import Answer

CONNECT_SECONDS = 30.0


class Stream(httpcore.AsyncNetworkStream):
    """An open TLS connection, as httpcore wants one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See httpcore."""
        try:
            return await self._reader.read(max_bytes)
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See httpcore."""
        try:
            self._writer.write(buffer)
            await self._writer.drain()
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        """See httpcore."""
        self._writer.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "Stream":
        """See httpcore: TLS is done already."""
        return self

    def get_extra_info(self, info: str) -> Any:
        """See httpcore."""
        return self._writer.get_extra_info(info)


class Backend(httpcore.AsyncNetworkBackend):
    """Connects with TLS; hands out first what was `opened` before."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self.opened: Stream | None = None

    async def open(self, host: str, port: int) -> Stream:
        """Connect. OSError, ssl.SSLError."""
        async with asyncio.timeout(CONNECT_SECONDS):
            return Stream(*await asyncio.open_connection(host, port, ssl=self._tls, server_hostname=host))

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> Stream:
        """See httpcore."""
        opened, self.opened = self.opened, None
        try:
            return opened or await self.open(host, port)
        except OSError as error:
            raise httpcore.ConnectError(why(error)) from error


class KeptAnswer(Answer):
    """An answer on a connection that goes on after it."""

    async def close(self) -> None:
        """See `Answer`."""
        await self._response.aclose()


class Upstream:
    """One client's way to the server."""

    def __init__(self, options: Options, tls: ssl.SSLContext) -> None:
        self._host, self._port = options.host, options.port
        self._backend = Backend(tls)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls, http1=True, http2=True, max_connections=1, network_backend=self._backend
        )

    @property
    def address(self) -> str:
        """Where it leads."""
        return f"{self._host}:{self._port}"

    async def connect(self) -> list[str]:
        """Open the connection; return the names in the server's certificate. OSError, ssl.SSLError."""
        stream = self._backend.opened = await self._backend.open(self._host, self._port)
        return _names(stream.get_extra_info("ssl_object").getpeercert(binary_form=True) or b"")

    async def ask(self, method: str, target: str, headers: Sequence[tuple[str, str]], content: bytes) -> Answer:
        """Send a request; return its answer's head and the way to the rest. ConnectionError."""
        url = httpcore.URL(scheme=b"https", host=self._host.encode(), port=self._port, target=target.encode("latin-1"))
        sent = [("Host", self.address), *headers]
        if content:
            sent.append(("Content-Length", str(len(content))))
        try:
            request = httpcore.Request(method, url, headers=sent, content=content)
            return KeptAnswer(self._pool, await self._pool.handle_async_request(request))
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise ConnectionError(str(error) or "server disconnected") from error

    async def close(self) -> None:
        """Hang up."""
        if self._backend.opened is not None:
            await self._backend.opened.aclose()
        with contextlib.suppress(OSError, httpcore.NetworkError):
            await self._pool.aclose()


def _names(der: bytes) -> list[str]:
    try:
        names = (
            x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        )
    except (ValueError, x509.ExtensionNotFound):
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def why(error: OSError) -> str:
    """Say what is wrong with a server, in mitmproxy's words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Certificate verify failed: {error.verify_message}"
    return error.strerror or str(error) or "connection closed"
