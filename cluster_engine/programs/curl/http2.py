"""One request and its answer over HTTP/2, on a connection of `client.http2`, which has the frames and the windows.

    * h2h3 [:method: GET]
    * Using Stream ID: 1 (easy handle 0x55d378c2f2b0)

Modelled on lib/http2.c.
"""

import re
import ssl
from collections.abc import AsyncIterator, Callable

from h2.errors import ErrorCodes

from cluster_engine.client.http2 import Http2Connection, Stream
from cluster_engine.programs.curl.errors import HTTP2_STREAM, PARTIAL_FILE, CurlError
from cluster_engine.programs.curl.http1 import Headers, Request, Response
from cluster_engine.programs.curl.tls import Say
from cluster_engine.programs.curl.url import whole

ERRORS = [code.name for code in ErrorCodes]
"""RFC 9113, 7, by number."""
RESET = re.compile(r"stream error: stream ID (\d+); (\w+)")
NOT_IN_HTTP2 = frozenset({"host", "connection", "transfer-encoding", "upgrade", "keep-alive", "proxy-connection"})


async def send(
    connection: Http2Connection, request: Request, scheme: str, say: Say, handle: Callable[[], int]
) -> Response:
    """Send a request, and wait for the head of its answer. CurlError, OSError."""
    authority = next((value for name, value in request.headers if name.lower() == "host"), "")
    headers: Headers = [
        (":method", request.method),
        (":path", request.target),
        (":scheme", scheme),
        (":authority", authority),
        *((name.lower(), value) for name, value in request.headers if name.lower() not in NOT_IN_HTTP2),
    ]
    for name, value in headers:
        say(f"h2h3 [{name}: {value}]")
    say(f"Using Stream ID: {connection.next_stream_number} (easy handle {handle():#x})")
    encoded = [(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in headers]
    try:
        stream = await connection.open(encoded, request.body)
        found = await stream.headers()
    except ConnectionError as error:
        raise _failure(error) from error
    answered = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in found]
    status = next((whole(value) or 0 for name, value in answered if name == ":status"), 0)
    shown = [(name, value) for name, value in answered if not name.startswith(":")]
    head = "\r\n".join([f"HTTP/2 {status} ", *(f"{name}: {value}" for name, value in shown), "", ""])
    return Response(status, "2", shown, head, _body(stream), lambda: connection.is_usable)


async def _body(stream: Stream) -> AsyncIterator[bytes]:
    try:
        while piece := await stream.read():
            yield piece
    except ConnectionError as error:
        raise _failure(error) from error
    finally:
        stream.close()


def _failure(error: ConnectionError) -> CurlError | OSError:
    """Return what curl says of a stream that was not closed as it should be."""
    if isinstance(error.__cause__, ssl.SSLError):
        return error.__cause__
    if found := RESET.match(str(error)):
        number = ERRORS.index(found[2]) if found[2] in ERRORS else 1
        text = f"HTTP/2 stream {found[1]} was not closed cleanly: {found[2]} (err {number})"
        return CurlError(HTTP2_STREAM, text)
    return CurlError(PARTIAL_FILE, "HTTP/2 stream 1 was not closed cleanly before end of the underlying stream")
