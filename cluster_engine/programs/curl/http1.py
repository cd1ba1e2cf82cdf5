"""One request and its answer over HTTP/1.1, or 1.0: what h11 makes of the bytes.

    response = await send(wire, request)
    response.head       "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n"
    async for piece in response.body: …

Modelled on lib/http.c. h11 knows the framing: lengths, chunks, an end by closing.
"""

from collections.abc import AsyncIterator, Callable

import h11
import msgspec

from cluster_engine.programs.curl.connecting import Wire
from cluster_engine.programs.curl.errors import (
    BAD_FUNCTION_ARGUMENT,
    GOT_NOTHING,
    PARTIAL_FILE,
    RECV_ERROR,
    UNSUPPORTED_PROTOCOL,
    CurlError,
)
from cluster_engine.programs.curl.url import whole

HEAD_BYTES_MAX = 300 * 1024
"""curl's MAX_HTTP_RESP_HEADER_SIZE."""

Headers = list[tuple[str, str]]


class Request(msgspec.Struct):
    """What is asked: `headers` in their order, Host among them."""

    method: str
    target: str
    headers: Headers
    body: bytes | None = None
    version: str = "1.1"

    @property
    def lines(self) -> list[str]:
        """The head, line by line, as it is sent over HTTP/1."""
        return [f"{self.method} {self.target} HTTP/{self.version}", *(_line(*one) for one in self.headers)]


class Response(msgspec.Struct):
    """What is answered: `head` as -i prints it, `body` in pieces; `keeps` whether the connection lives on."""

    status: int
    version: str
    headers: Headers
    head: str
    body: AsyncIterator[bytes]
    keeps: Callable[[], bool]
    says: str = ""
    """What -v says before the head."""

    @property
    def length(self) -> int | None:
        """How long the body is said to be; None where it is not said."""
        return whole(self.header("content-length"))

    def header(self, name: str) -> str:
        """Return a header's value, "" where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def _line(name: str, value: str) -> str:
    return f"{name}: {value}" if value else f"{name}:"


async def send(wire: Wire, request: Request, interim: Callable[[str], None], *, raw: bool = False) -> Response:
    """Send a request, and wait for the head of its answer; `interim` is told heads of 1xx. CurlError, OSError.

    A `raw` body is as it crosses the wire, with the sizes of its chunks.
    """
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES_MAX)
    try:
        head = connection.send(_told(request))
    except h11.LocalProtocolError as error:
        raise CurlError(BAD_FUNCTION_ARGUMENT, "A libcurl function was given a bad argument") from error
    assert head is not None
    connection.send(h11.Data(b"")) if request.body is None else None
    lines = "\r\n".join(request.lines) + "\r\n\r\n"
    await wire.write(lines.encode("utf-8", "surrogateescape"))
    if request.body is not None:
        await wire.write(request.body)
        connection.send(h11.Data(request.body))
    connection.send(h11.EndOfMessage())
    return await _answer(wire, connection, interim, raw=raw)


def _told(request: Request) -> h11.Request:
    """Tell h11 of a request as far as it decides what the answer's framing is."""
    length = [("Content-Length", str(len(request.body)))] if request.body is not None else []
    method = request.method.encode("utf-8", "surrogateescape")
    return h11.Request(method=method, target="/", headers=[("Host", "h"), *length])


async def _answer(wire: Wire, connection: h11.Connection, interim: Callable[[str], None], *, raw: bool) -> Response:
    has_come = False
    while True:
        event = _next(connection, has_come=has_come)
        if event is h11.NEED_DATA:
            data = await wire.read()
            if not data and not has_come:
                raise CurlError(GOT_NOTHING, "Empty reply from server")
            has_come = True
            connection.receive_data(data)
        elif isinstance(event, h11.InformationalResponse):
            interim(_head(event))
        elif isinstance(event, h11.Response):
            version = event.http_version.decode()
            return Response(
                event.status_code,
                version,
                _headers(event),
                _head(event),
                _body(wire, connection, _length(event), raw=raw),
                lambda: connection.our_state is h11.DONE and connection.their_state is h11.DONE,
                says="HTTP 1.0, assume close after body" if version == "1.0" else "",
            )
        else:
            raise CurlError(GOT_NOTHING, "Empty reply from server")


def _next(connection: h11.Connection, *, has_come: bool) -> object:
    try:
        return connection.next_event()
    except h11.RemoteProtocolError as error:
        if error.error_status_hint == 431:
            raise CurlError(
                RECV_ERROR, f"Too large response headers: {HEAD_BYTES_MAX + 1} > {HEAD_BYTES_MAX}"
            ) from error
        if not has_come or "without sending" in str(error):
            raise CurlError(GOT_NOTHING, "Empty reply from server") from error
        raise CurlError(UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed") from error


async def _body(wire: Wire, connection: h11.Connection, length: int | None, *, raw: bool) -> AsyncIterator[bytes]:
    came, unread = 0, connection.trailing_data[0]
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            left = (
                "with outstanding read data remaining"
                if length is None
                else f"with {length - came} bytes remaining to read"
            )
            raise CurlError(PARTIAL_FILE, f"transfer closed {left}") from error
        if event is h11.NEED_DATA:
            if raw and unread:
                yield unread
            unread = await wire.read()
            connection.receive_data(unread)
        elif isinstance(event, h11.Data):
            came += len(event.data)
            if not raw:
                yield bytes(event.data)
        else:
            if raw:
                yield unread[: len(unread) - len(connection.trailing_data[0])]
            return


def _length(event: h11.Response) -> int | None:
    return next((whole(value.decode("latin-1")) for name, value in event.headers if name == b"content-length"), None)


def _headers(event: h11.Response | h11.InformationalResponse) -> Headers:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers.raw_items()]


def _head(event: h11.Response | h11.InformationalResponse) -> str:
    reason = bytes(event.reason).decode("latin-1")
    first = f"HTTP/{event.http_version.decode()} {event.status_code} {reason}"
    return "\r\n".join([first, *(f"{name}: {value}" for name, value in _headers(event)), "", ""])
