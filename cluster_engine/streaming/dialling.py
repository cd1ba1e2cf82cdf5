"""Asking another server by HTTP/1.1 on one's own connection: for an answer that is passed on, or for an upgrade.

The API server asks kubelets and pods so, a kubelet its containerd, kubectl the API server. A connection is dialled for
each question and closed with its answer.

    answer = await ask("https://10.0.0.11:10250/exec/default/web-0/nginx?command=date&output=1", tls=…, headers=…)
    answer.status        101: `answer.duplex` is what follows; else `answer.chunks()` is the body
    await answer.close()

Modelled on what dials in apimachinery/pkg/util/proxy. What goes wrong is a `DialError` in Go's words.
"""

import socket
import ssl
import string
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from cluster_engine.streaming import lookup_errors
from cluster_engine.streaming.duplex import READ_BYTES_MAX

if TYPE_CHECKING:  # else it is loaded by who first dials: a cluster starts without it
    import httpcore

Headers = Sequence[tuple[str, str]]
TEXT_BYTES_MAX = 2048
"""Of an answer that is a refusal in plain text."""
KEPT_IN_URLS = string.punctuation.replace("#", "")
"""All others are percent-encoded."""
HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"})
"""What a proxy does not pass on (RFC 9110 §7.6.1)."""


class DialError(ConnectionError):
    """A server that could not be asked; the text is what net/http says, `Get "https://…": dial tcp …`.

    `reason` is its end, from "dial tcp" on.
    """

    def __init__(self, method: str, url: str, reason: str) -> None:
        super().__init__(f'{method.title()} "{url}": {reason}')
        self.reason = reason


def _troubles() -> tuple[type[Exception], ...]:
    import anyio
    import httpcore

    ended = anyio.EndOfStream  # of TLS whose other end has hung up, when it is written to; httpcore lets it through
    return (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, ended, OSError)


class Upgraded:
    """A `Duplex` made of httpcore's network stream."""

    def __init__(self, stream: "httpcore.AsyncNetworkStream") -> None:
        self._stream = stream

    async def read(self) -> bytes:
        """See `Duplex`."""
        try:
            return await self._stream.read(READ_BYTES_MAX)
        except _troubles():
            return b""

    async def write(self, data: bytes) -> None:
        """See `Duplex`."""
        try:
            await self._stream.write(data)
        except _troubles() as error:
            raise ConnectionResetError("the connection is closed") from error

    async def close(self) -> None:
        """See `Duplex`."""
        await self._stream.aclose()


class Answer:
    """What came back. Header names are lower case."""

    def __init__(self, pool: "httpcore.AsyncConnectionPool", response: "httpcore.Response") -> None:
        self._pool, self._response = pool, response
        self.status = response.status
        self.headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers]
        self.duplex = Upgraded(response.extensions["network_stream"])

    def header(self, name: str) -> str:
        """Return a header's value, "" where there is none."""
        return next((value for one, value in self.headers if one == name), "")

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the body as it comes; it ends early when the server goes away."""
        try:
            async for chunk in self._response.aiter_stream():
                yield chunk
        except _troubles():
            return

    async def text(self) -> str:
        """Read a body in plain text, at most TEXT_BYTES_MAX of it."""
        found = b""
        async for chunk in self.chunks():
            found += chunk[: TEXT_BYTES_MAX - len(found)]
        return found.decode(errors="replace").strip()

    async def close(self) -> None:
        """Hang up."""
        await self._response.aclose()
        await self._pool.aclose()


async def ask(
    url: str,
    *,
    method: str = "GET",
    headers: Headers = (),
    content: bytes = b"",
    tls: ssl.SSLContext | None = None,
    server_name: str | None = None,
) -> Answer:
    """Send a request and wait for the head of its answer; DialError."""
    import httpcore

    parsed = httpcore.URL(quote(url, safe=KEPT_IN_URLS))
    target = parsed.host.decode() + (f":{parsed.port}" if parsed.port else "")
    pool = httpcore.AsyncConnectionPool(ssl_context=tls, http1=True, http2=False, max_connections=1)
    sent = [("Host", target), *headers]
    if content or method == "POST":
        sent.append(("Content-Length", str(len(content))))
    try:
        extensions = {"sni_hostname": server_name} if server_name else {}
        request = httpcore.Request(method, parsed, headers=sent, content=content, extensions=extensions)
        return Answer(pool, await pool.handle_async_request(request))
    except _troubles() as error:
        await pool.aclose()
        port = parsed.port or (443 if parsed.scheme == b"https" else 80)
        raise DialError(method, url, _why(error, parsed.host.decode(), port)) from error
    except BaseException:
        await pool.aclose()
        raise


def _why(error: BaseException, host: str, port: int) -> str:
    """Say in Go's words why a server could not be dialled; what httpcore raises has the reason among its causes."""
    import httpcore

    where = f"dial tcp {host}:{port}"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return lookup_errors.in_words(host, cause)
        if isinstance(cause, ConnectionRefusedError):
            return f"{where}: connect: connection refused"
        if isinstance(cause, TimeoutError | httpcore.TimeoutException):
            return f"{where}: i/o timeout"
        if isinstance(cause, OSError) and cause.strerror and "route" in cause.strerror:
            return f"{where}: connect: no route to host"
        cause = cause.__cause__ or cause.__context__
    return f"{where}: connect: {error}"
