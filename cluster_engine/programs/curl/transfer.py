"""One address, from its request to its last byte: redirects followed, -f obeyed, everything told.

Modelled on lib/transfer.c, lib/http.c and src/tool_operate.c.
"""

import asyncio
import base64
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote_plus

import msgspec

from cluster_engine.programs.curl import http1, http2
from cluster_engine.programs.curl.arguments import Options
from cluster_engine.programs.curl.connecting import Connection, Connections, Proxy
from cluster_engine.programs.curl.errors import (
    HTTP_RETURNED_ERROR,
    OPERATION_TIMEDOUT,
    TOO_MANY_REDIRECTS,
    CurlError,
)
from cluster_engine.programs.curl.http1 import Headers, Request, Response
from cluster_engine.programs.curl.output import Sink, inflating
from cluster_engine.programs.curl.proxying import Proxies
from cluster_engine.programs.curl.tls import Say
from cluster_engine.programs.curl.url import URL, joined
from cluster_engine.programs.curl.url import read as read_url

AGENT = "curl/7.88.1"
EXPECT_BYTES = 1024 * 1024
REDIRECTS = frozenset({301, 302, 303, 307, 308})
ENCODINGS = "deflate, gzip"


class Body(msgspec.Struct):
    """What is sent: bytes, and the headers that its option brings along."""

    data: bytes | None = None
    headers: Headers = msgspec.field(default_factory=list)
    query: str = ""
    kind: str = "application/x-www-form-urlencoded"
    """Its Content-Type, where nobody says another."""


class Done(msgspec.Struct):
    """What became of a transfer, for -w, retries and the meter."""

    url: URL
    method: str = ""
    response: Response | None = None
    connection: Connection | None = None
    redirects: int = 0
    opened: int = 0
    received: int = 0
    sent: int = 0
    header_bytes: int = 0
    request_bytes: int = 0
    seconds: float = 0.0
    first_byte: float = 0.0
    redirect_url: str = ""
    tunnel_status: int = 0


class Transfer:
    """One address of a command line."""

    def __init__(self, options: Options, body: Body, extra: Headers, connections: Connections, say: Say) -> None:
        self._options, self._body, self._extra = options, body, extra
        self._connections, self._say = connections, say
        self.on_head: Callable[[str, str], None] = lambda _mark, _text: None
        """Told each line of -v, and its mark."""
        self.handle: Callable[[], int] = lambda: 0
        self.proxies: Proxies | None = None

    async def run(self, url: URL, sink: Sink, heads: list[Callable[[bytes], Any]], done: Done) -> None:
        """Fetch an address; `done` is filled in also where it fails. CurlError."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        limit = self._options.max_time or None
        try:
            async with asyncio.timeout(limit):
                await self._follow(url, sink, heads, done, began)
        except TimeoutError:
            raise self._too_late(done, loop.time() - began) from None
        finally:
            done.seconds = loop.time() - began

    def _too_late(self, done: Done, seconds: float) -> CurlError:
        milliseconds = int(seconds * 1000)
        if done.connection is None:
            text = f"Connection timed out after {milliseconds} milliseconds"
        else:
            length = done.response.length if done.response is not None else None
            of = f" out of {length}" if length is not None else ""
            text = f"Operation timed out after {milliseconds} milliseconds with {done.received}{of} bytes received"
            done.connection.close()
        self._say(text)
        self._say(f"Closing connection {done.connection.number if done.connection is not None else 0}")
        return CurlError(OPERATION_TIMEDOUT, text)

    async def _follow(
        self, url: URL, sink: Sink, heads: list[Callable[[bytes], Any]], done: Done, began: float
    ) -> None:
        method = self._method()
        body = self._body
        first = url
        while True:
            before = self._connections.opened
            connection = done.connection = await self._connections.get(url, began)
            done.opened += self._connections.opened - before
            done.url = url
            if connection.tunnel_head:
                head, connection.tunnel_head = connection.tunnel_head, ""
                done.tunnel_status = connection.tunnel_status
                for tell in heads:
                    await tell(head.encode("latin-1"))
            trusted = (url.host, url.port) == (first.host, first.port)
            request = self._request(url, method, body, trusted=trusted, proxy=connection.proxy)
            done.method = request.method
            try:
                response = done.response = await self._ask(connection, request, url, done)
                done.first_byte = asyncio.get_running_loop().time() - began
                await self._tell_head(response, heads, done)
                location = response.header("location") if response.status in REDIRECTS else ""
                follows = bool(location) and (self._options.location or self._options.location_trusted)
                await self._take_body(response, None if follows else sink, done, request.method)
            except CurlError as error:
                self._say(str(error))
                self._close(connection)
                raise
            except OSError as error:
                failure = connection.failure(error)
                self._say(str(failure))
                self._close(connection)
                raise failure from error
            self._finish(connection, response)
            if not follows:
                done.redirect_url = joined(url, location) if location else ""
                return
            if done.redirects >= self._options.max_redirs:
                text = f"Maximum ({int(self._options.max_redirs)}) redirects followed"
                self._say(text)
                raise CurlError(TOO_MANY_REDIRECTS, text)
            done.redirects += 1
            url = read_url(joined(url, location))
            self._say(f"Issue another request to this URL: '{url.text}'")
            if body.data is not None and response.status in (301, 302, 303) and self._options.request is None:
                self._say(f"Switch from {method} to GET")
                method, body = "GET", Body()

    def _close(self, connection: Connection) -> None:
        self._say(f"Closing connection {connection.number}")
        connection.close()

    def _finish(self, connection: Connection, response: Response) -> None:
        if response.keeps():
            self._say(f"Connection #{connection.number} to host {connection.shown_host} left intact")
            self._connections.keep(connection)
        else:
            self._close(connection)

    def _method(self) -> str:
        options = self._options
        if options.upload_file:
            return "PUT"
        if options.head:
            return "HEAD"
        return "POST" if self._body.data is not None else "GET"

    def _request(self, url: URL, method: str, body: Body, *, trusted: bool, proxy: Proxy | None) -> Request:
        options = self._options
        extra = [one for one in self._extra if trusted or one[0].lower() not in ("authorization", "cookie", "host")]
        given = {name.lower() for name, _ in self._extra}
        headers: Headers = [("Host", next((value for name, value in extra if name.lower() == "host"), url.authority))]
        is_read = proxy is not None and not proxy.tunnels
        if is_read and proxy is not None and self.proxies is not None:
            headers += self.proxies.headers(proxy)
        user = options.user or url.user
        if user and (trusted or options.location_trusted):
            headers.append(("Authorization", "Basic " + base64.b64encode(user.encode()).decode()))
            self._say(f"Server auth using Basic with user '{user.partition(':')[0]}'")
        elif options.oauth2_bearer and trusted:
            headers.append(("Authorization", f"Bearer {options.oauth2_bearer}"))
            self._say("Server auth using Bearer with user ''")
        if options.range:
            headers.append(("Range", f"bytes={options.range}"))
        agent = AGENT if options.user_agent is None else options.user_agent
        if agent:
            headers.append(("User-Agent", agent))
        headers.append(("Accept", "*/*"))
        if options.compressed:
            headers.append(("Accept-Encoding", ENCODINGS))
        if options.referer:
            headers.append(("Referer", options.referer.removesuffix(";auto")))
        if is_read:
            headers.append(("Proxy-Connection", "Keep-Alive"))
        if cookies := "; ".join(one for one in options.cookie if "=" in one):
            headers.append(("Cookie", cookies))
        own = {name.lower() for name, _ in body.headers}
        headers = [one for one in headers if one[0] == "Host" or one[0].lower() not in given | own]
        headers += [one for one in body.headers if one[0].lower() not in given]
        headers += [(name, value) for name, value in extra if value is not _REMOVED and name.lower() != "host"]
        if body.data is not None:
            headers += self._describing(body.data, body.kind, given | own)
        asked = method if options.request is None else options.request
        version = "1.0" if options.http == "1.0" else "1.1"
        target = f"http://{url.authority}{url.path}" if is_read else url.path
        return Request(asked, options.request_target or target, headers, body.data, version)

    def _describing(self, data: bytes, kind: str, given: set[str]) -> Headers:
        """Return the headers that go with a body."""
        found: Headers = []
        if "content-length" not in given:
            found.append(("Content-Length", str(len(data))))
        if "content-type" not in given and not self._options.upload_file:
            found.append(("Content-Type", kind))
        return found

    async def _ask(self, connection: Connection, request: Request, url: URL, done: Done) -> Response:
        lines = request.lines
        if connection.http2 is not None:
            version = f"{request.method} {request.target} HTTP/2"
            lines = [version, *(line if line.startswith("Host:") else _lower(line) for line in lines[1:])]
        told = "\r\n".join([*lines, "", ""])
        done.request_bytes += len(told)
        done.sent += len(request.body or b"")
        if connection.http2 is not None:
            asking = http2.send(connection.http2, request, url.scheme, self._say, self.handle)
            task = asyncio.ensure_future(asking)
            await asyncio.sleep(0)
            self._tell_lines(">", told)
            if request.body is not None:
                self._say("We are completely uploaded and fine")
            try:
                return await task
            finally:
                task.cancel()
        self._tell_lines(">", told)
        told_head = partial(self._tell_lines, "<")
        return await http1.send(connection.wire, request, told_head, raw=self._options.raw)

    def _tell_lines(self, mark: str, text: str) -> None:
        for line in text.split("\r\n")[:-1]:
            self.on_head(mark, line)

    async def _tell_head(self, response: Response, heads: list[Callable[[bytes], Any]], done: Done) -> None:
        if response.says:
            self._say(response.says)
        done.header_bytes += len(response.head)
        if response.status >= 400 and self._options.fail:
            text = f"The requested URL returned error: {response.status}"
            first, *_ = response.head.split("\r\n")
            self.on_head("<", first)
            raise CurlError(HTTP_RETURNED_ERROR, text)
        self._tell_lines("<", response.head)
        for tell in heads:
            await tell(response.head.encode("latin-1"))

    async def _take_body(self, response: Response, sink: Sink | None, done: Done, method: str) -> None:
        if method == "HEAD" or self._options.head:
            return
        if sink is None:
            self._say("Ignoring the response-body")
        unpacks = self._options.compressed and not self._options.raw
        unpack = inflating(response.header("content-encoding") if unpacks else "")
        async for piece in response.body:
            done.received += len(piece)
            if sink is not None:
                for part in unpack(piece):
                    await sink.write(part)


class _Removed(str):
    """A header that is not to be sent."""

    __slots__ = ()


_REMOVED = _Removed()


def extra_headers(given: list[str]) -> Headers:
    """Read -H: "Name: value", "Name:" takes a header away, "Name;" sends it empty."""
    found: Headers = []
    for one in given:
        name, colon, value = one.partition(":")
        if colon:
            found.append((name.strip(), value.strip() or _REMOVED))
        elif one.rstrip().endswith(";"):
            found.append((one.rstrip()[:-1], ""))
    return found


def urlencoded(text: str) -> str:
    """Encode for a form: letters, digits and -._~ stay, a space is a +."""
    return quote_plus(text, safe="~")


def _lower(line: str) -> str:
    name, colon, rest = line.partition(":")
    return f"{name.lower()}{colon}{rest}"
