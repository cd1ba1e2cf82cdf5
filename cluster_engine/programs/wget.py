"""wget: fetch an address into a file or to standard output. In a container it is BusyBox's, on a host GNU's.

    wget -qO- http://web.default.svc/
    wget --spider -T 2 http://10.244.1.5:8080/healthz

Both take the same options here and differ in what they say and in their exit codes: GNU's 4 (network), 5 (TLS), 8 (an
error answered), BusyBox's 1 for all. Connections are curl's. Modelled on GNU Wget 1.21 (src/http.c, src/retr.c) and
BusyBox 1.36 (networking/wget.c). Left out: recursion, continuing, cookies, proxies, bars that move, BusyBox's lack of
verification (it warns, and so does this one).
"""

import asyncio
import posixpath
from collections.abc import Iterator

import msgspec

from cluster_engine.programs.curl import http1
from cluster_engine.programs.curl.arguments import Options
from cluster_engine.programs.curl.connecting import Connection, Connections
from cluster_engine.programs.curl.errors import (
    COULDNT_CONNECT,
    COULDNT_RESOLVE_HOST,
    PEER_FAILED_VERIFICATION,
    SSL_CONNECT_ERROR,
    CurlError,
)
from cluster_engine.programs.curl.http1 import Request, Response
from cluster_engine.programs.curl.output import Sink
from cluster_engine.programs.curl.url import URL, joined
from cluster_engine.programs.curl.url import read as read_url
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import read_file

GENERIC, USAGE, NETWORK, TLS, ANSWERED = 1, 2, 4, 5, 8
REDIRECTS_MAX, TRIES, TRIES_MAX, WAIT_SECONDS_MAX = 20, 20, 100, 10
TIMEOUT_SECONDS = 900.0
FOLLOWED = frozenset({301, 302, 303, 307, 308})
SWITCHES = {"q": "quiet", "S": "server-response", "nv": "no-verbose", "c": "continue", "V": "version", "h": "help"}
VALUES = {
    "O": "output-document",
    "T": "timeout",
    "t": "tries",
    "U": "user-agent",
    "P": "directory-prefix",
    "Y": "proxy",
}
LONG_SWITCHES = frozenset(SWITCHES.values()) | {"spider", "no-check-certificate", "content-on-error", "verbose"}
MORE_VALUES = """header post-data post-file method body-data ca-certificate certificate private-key connect-timeout
    read-timeout max-redirect"""
LONG_VALUES = frozenset(VALUES.values()) | frozenset(MORE_VALUES.split())
TRY_HELP = "Usage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n"


class WgetError(Exception):
    """It ends, with a sentence that has been said, and this exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class Given(msgspec.Struct):
    """A command line that was read."""

    switches: set[str] = msgspec.field(default_factory=set)
    values: dict[str, list[str]] = msgspec.field(default_factory=dict)
    urls: list[str] = msgspec.field(default_factory=list)

    def value(self, name: str, default: str = "") -> str:
        """Return an option's last value."""
        return self.values.get(name, [default])[-1]


def read(words: list[str]) -> Given:
    """Read a command line; ValueError with what is wrong."""
    given, left = Given(), iter(words)
    for word in left:
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            if name in LONG_SWITCHES and not equals:
                given.switches.add(name)
            elif name in LONG_VALUES:
                found = value if equals else _next(left, f"option '--{name}' requires an argument")
                given.values.setdefault(name, []).append(found)
            else:
                raise ValueError(f"unrecognized option '{word}'")
        elif word == "-nv":
            given.switches.add("no-verbose")
        elif word.startswith("-") and len(word) > 1:
            _short(given, word, left)
        else:
            given.urls.append(word)
    return given


def _short(given: Given, word: str, left: Iterator[str]) -> None:
    at = 1
    while at < len(word):
        letter = word[at]
        at += 1
        if letter in SWITCHES:
            given.switches.add(SWITCHES[letter])
        elif letter in VALUES:
            value = word[at:] or _next(left, f"option requires an argument -- '{letter}'")
            given.values.setdefault(VALUES[letter], []).append(value)
            return
        else:
            raise ValueError(f"invalid option -- '{letter}'")


def _next(left: Iterator[str], problem: str) -> str:
    found: str | None = next(left, None)
    if found is None:
        raise ValueError(problem)
    return found


async def wget(invocation: Invocation) -> int:
    """Run wget; give its exit code."""
    is_busybox = invocation.is_in_container
    try:
        given = read(list(invocation.argv[1:]))
        if "version" in given.switches:
            invocation.out("GNU Wget 1.21.3 built on linux-gnu.\n")
            return 0
        if "help" in given.switches:
            invocation.out(f"GNU Wget 1.21.3, a non-interactive network retriever.\n{TRY_HELP}")
            return 0
        if not given.urls:
            invocation.err(f"wget: missing URL\n{TRY_HELP}")
            return GENERIC
        run = Wget(invocation, given, is_busybox=is_busybox)
    except ValueError as error:
        invocation.err(f"wget: {error}\n{TRY_HELP}")
        return GENERIC if is_busybox else USAGE
    code = 0
    for text in given.urls:
        try:
            await run.fetch(text)
        except WgetError as error:
            code = GENERIC if is_busybox else error.code
    run.close()
    return code


class Wget:
    """One run. ValueError where a number is none."""

    def __init__(self, invocation: Invocation, given: Given, *, is_busybox: bool) -> None:
        self._invocation, self._given, self._is_busybox = invocation, given, is_busybox
        self._insecure = "no-check-certificate" in given.switches
        self._timeout = _seconds(given.value("timeout") or given.value("read-timeout"), TIMEOUT_SECONDS)
        self._tries = int(_seconds(given.value("tries"), TRIES)) or TRIES_MAX
        options = Options(
            http="1.1",
            insecure=self._insecure or is_busybox,
            cacert=given.value("ca-certificate"),
            cert=given.value("certificate"),
            key=given.value("private-key"),
            connect_timeout=self._timeout,
        )
        self._connections = Connections(options, self._read_file, lambda _: None, lambda: 0)

    def close(self) -> None:
        """Close what is open."""
        self._connections.close()

    def _read_file(self, path: str) -> bytes:
        return read_file(self._invocation.files, self._invocation.absolute(path))

    # -- what is said --------------------------------------------------------------------------------------------------

    def _say(self, gnu: str, busybox: str = "") -> None:
        quiet = {"quiet", "no-verbose"} & self._given.switches
        if not quiet:
            self._invocation.err(busybox if self._is_busybox else gnu)

    def _fail(self, code: int, gnu: str, busybox: str) -> WgetError:
        if self._is_busybox:
            self._invocation.err(f"wget: {busybox}\n")
        elif "quiet" not in self._given.switches:
            self._invocation.err(gnu)
        return WgetError(code)

    def _now(self) -> str:
        return f"{self._invocation.process.now():%Y-%m-%d %H:%M:%S}"

    # -- an address ----------------------------------------------------------------------------------------------------

    async def fetch(self, text: str) -> None:
        """Fetch one address, trying again where the connection fails. WgetError."""
        scheme, found, _ = text.partition("://")
        if found and scheme.lower() not in ("http", "https"):
            raise self._fail(GENERIC, f"{text}: Unsupported scheme ‘{scheme}’.\n", f"not an http or ftp url: {text}")
        try:
            url = read_url(text)
        except CurlError:
            raise self._fail(GENERIC, f"{text}: Invalid host name.\n", f"bad address '{text}'") from None
        if "spider" in self._given.switches:
            self._say("Spider mode enabled. Check if remote file exists.\n")
        for attempt in range(1, self._tries + 1):
            try:
                await self._follow(url, last=attempt == self._tries or self._is_busybox)
                return
            except TryAgainError:
                await asyncio.sleep(min(attempt, WAIT_SECONDS_MAX))

    async def _follow(self, url: URL, *, last: bool) -> None:
        most = int(_seconds(self._given.value("max-redirect"), REDIRECTS_MAX))
        for _ in range(most + 1):
            self._say(f"--{self._now()}--  {url.text}\n")
            connection = await self._connect(url, last=last)
            response = await self._ask(connection, url, last=last)
            location = response.header("location")
            if response.status not in FOLLOWED or not location:
                await self._take(connection, response, url, last=last)
                return
            self._say(f"Location: {location} [following]\n")
            async for _piece in response.body:
                pass
            self._keep(connection, response)
            url = read_url(joined(url, location))
        raise self._fail(ANSWERED, f"{most} redirections exceeded.\n", "too many redirections")

    def _keep(self, connection: Connection, response: Response) -> None:
        if response.keeps():
            self._connections.keep(connection)
        else:
            connection.close()

    async def _connect(self, url: URL, *, last: bool) -> Connection:
        opened = self._connections.opened
        shown = url.authority if url.authority.endswith(f":{url.port}") else f"{url.authority}:{url.port}"
        began = asyncio.get_running_loop().time()
        try:
            connection = await self._connections.get(url, began)
        except CurlError as error:
            raise self._unconnected(url, shown, error, last=last) from error
        if opened == self._connections.opened:
            self._say(f"Reusing existing connection to {shown}.\n")
        else:
            self._tell_connecting(url, shown, connection.remote[0], "connected.\n")
            self._warn(connection, url)
        return connection

    def _tell_connecting(self, url: URL, shown: str, address: str, outcome: str) -> None:
        if address != url.host:
            self._say(f"Resolving {url.host} ({url.host})... {address}\n")
            shown = f"{url.host} ({url.host})|{address}|:{url.port}"
        self._say(f"Connecting to {shown}... {outcome}", f"Connecting to {url.authority} ({address}:{url.port})\n")

    def _warn(self, connection: Connection, url: URL) -> None:
        code = connection.handshake.tls.verify_code if connection.handshake is not None else 0
        if code and self._is_busybox:
            self._say("", "wget: note: TLS certificate validation not implemented\n")
        elif code:
            self._say(_distrust("WARNING", url.host))

    def _unconnected(self, url: URL, shown: str, error: CurlError, *, last: bool) -> Exception:
        if error.code == COULDNT_RESOLVE_HOST:
            self._say(f"Resolving {url.host} ({url.host})... failed: Name or service not known.\n")
            text = f"wget: unable to resolve host address ‘{url.host}’\n"
            return self._fail(NETWORK, text, f"bad address '{url.authority}'")
        if error.code == PEER_FAILED_VERIFICATION:
            self._tell_connecting(url, shown, url.host, "connected.\n")
            text = _distrust("ERROR", url.host)
            if "alternative certificate subject name" in str(error) or "does not match" in str(error):
                text = f"The certificate's owner does not match hostname ‘{url.host}’\n"
            return self._fail(TLS, text, str(error))
        if error.code == SSL_CONNECT_ERROR:
            self._tell_connecting(url, shown, url.host, "connected.\n")
            return self._fail(TLS, "Unable to establish SSL connection.\n", "TLS error from peer")
        cause = error.__cause__
        refused = getattr(cause, "strerror", None) or "Connection timed out"
        if error.code == COULDNT_CONNECT or "timeout" in str(error):
            self._tell_connecting(url, shown, url.host, f"failed: {refused}.\n")
            if refused == "Connection timed out" and not last:
                self._say("Retrying.\n\n")
                return TryAgainError()
            return self._fail(NETWORK, "", f"can't connect to remote host ({url.host}): {refused}")
        return self._fail(GENERIC, f"{error}\n", str(error))

    def _request(self, url: URL) -> Request:
        given = self._given
        body = given.value("post-data") or given.value("body-data")
        data = body.encode() if body else None
        if path := given.value("post-file"):
            try:
                data = self._read_file(path)
            except OSError as error:
                raise self._fail(GENERIC, f"{path}: {error.strerror}\n", f"can't open '{path}'") from error
        method = given.value("method") or ("POST" if data is not None else "GET")
        method = "HEAD" if "spider" in given.switches and method == "GET" else method
        headers = {"Host": url.authority, "User-Agent": given.value("user-agent", "Wget/1.21.3"), "Accept": "*/*"}
        if self._is_busybox:
            headers = {"Host": url.authority, "User-Agent": given.value("user-agent", "Wget"), "Connection": "close"}
        else:
            headers |= {"Accept-Encoding": "identity", "Connection": "Keep-Alive"}
        for one in given.values.get("header", []):
            name, _, value = one.partition(":")
            headers[next((key for key in headers if key.lower() == name.strip().lower()), name.strip())] = value.strip()
        if data is not None:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            headers["Content-Length"] = str(len(data))
        return Request(method, url.path, list(headers.items()), data)

    async def _ask(self, connection: Connection, url: URL, *, last: bool) -> Response:
        self._say("HTTP request sent, awaiting response... ")
        try:
            async with asyncio.timeout(self._timeout):
                response = await http1.send(connection.wire, self._request(url), lambda _: None)
        except TimeoutError:
            raise self._again(
                "Read error (Connection timed out) in headers.\n", "download timed out", last=last
            ) from None
        except CurlError as error:
            raise self._again("No data received.\n", "error getting response", last=last) from error
        except OSError as error:
            text = f"Read error ({error.strerror or error}) in headers.\n"
            raise self._again(text, "error getting response", last=last) from error
        first, *rest = response.head.rstrip("\r\n").split("\r\n")
        if "server-response" in self._given.switches:
            self._say("\n")
            self._invocation.err("".join(f"  {line}\n" for line in (first, *rest)))
        else:
            self._say(f"{first.partition(' ')[2]}\n")
        return response

    def _again(self, gnu: str, busybox: str, *, last: bool) -> Exception:
        """Return how a try ends: another follows, or none does."""
        if last:
            return self._fail(NETWORK, f"{gnu}Giving up.\n\n", busybox)
        self._say(f"{gnu}Retrying.\n\n")
        return TryAgainError()

    async def _take(self, connection: Connection, response: Response, url: URL, *, last: bool) -> None:
        reason = response.head.partition("\r\n")[0].split(" ", 2)[-1]
        spider = "spider" in self._given.switches
        keeps_body = "content-on-error" in self._given.switches
        failed = response.status >= 400
        if failed and not keeps_body:
            connection.close()
            text = f"{self._now()} ERROR {response.status}: {reason}.\n\n"
            text = "Remote file does not exist -- broken link!!!\n\n" if spider else text
            head = response.head.partition("\r\n")[0]
            raise self._fail(ANSWERED, text, f"server returned error: {head}")
        length = "unspecified" if response.length is None else str(response.length)
        kind = response.header("content-type").partition(";")[0]
        self._say(f"Length: {length}{f' [{kind}]' if kind else ''}\n")
        if spider:
            links = " and could contain further links,\nbut recursion is disabled -- not retrieving"
            self._say(f"Remote file exists{links if kind in ('', 'text/html') else ''}.\n\n", "remote file exists\n")
            connection.close()
            return
        sink, name = self._sink(url)
        self._say(f"Saving to: ‘{name or 'STDOUT'}’\n", f"saving to '{name}'\n" if name else "writing to stdout\n")
        await self._save(response, sink, name, url, last=last)
        self._keep(connection, response)
        if failed:
            raise WgetError(ANSWERED)

    def _sink(self, url: URL) -> tuple[Sink, str]:
        """Return where the body goes, and the file's name; a file that is there already is not overwritten."""
        given = self._given.value("output-document")
        if given == "-":
            return Sink(self._invocation, "", forced=True), ""
        name = given or posixpath.basename(url.path.partition("?")[0]) or "index.html"
        if not given:
            name = posixpath.join(self._given.value("directory-prefix"), name)
            free, number = name, 0
            while self._invocation.files.exists(self._invocation.absolute(free)) and number < 1000:
                number += 1
                free = f"{name}.{number}"
            if free != name and self._is_busybox:
                raise self._fail(GENERIC, "", f"can't open '{name}': File exists")
            name = free
        return Sink(self._invocation, name, forced=True), name

    async def _save(self, response: Response, sink: Sink, name: str, url: URL, *, last: bool) -> None:
        began = asyncio.get_running_loop().time()
        total = f"/{response.length}" if response.length is not None else ""
        cut = ""
        try:
            if name:
                sink.open()
            async with asyncio.timeout(None) as patience:
                iterator = response.body.__aiter__()
                while True:
                    patience.reschedule(asyncio.get_running_loop().time() + self._timeout)
                    piece = await anext(iterator, None)
                    if piece is None:
                        break
                    await sink.write(piece)
        except TimeoutError:
            cut = f"Read error at byte {sink.size}{total} (Connection timed out)."
        except CurlError:
            cut = f"Connection closed at byte {sink.size}."
        except OSError as error:
            text = f"{name}: {error.strerror}\n"
            raise self._fail(GENERIC, text, f"can't open '{name}': {error.strerror}") from error
        seconds = asyncio.get_running_loop().time() - began
        self._tell_saved(sink.size, response.length, name, url, seconds, cut=cut)
        if cut and last:
            raise self._fail(NETWORK, "", "connection closed prematurely")
        if cut:
            raise TryAgainError

    def _tell_saved(self, size: int, length: int | None, name: str, url: URL, seconds: float, *, cut: str) -> None:
        total = f"/{length}" if length is not None else ""
        percent = f"{100 * size // max(1, length)}%" if length is not None else ""
        speed = _speed(size, seconds)
        what = f"‘{name}’ saved" if name else "written to stdout"
        self._say(f"\n     0K{percent:>59} {_speed(size, seconds)[:5]}={seconds:.0f}s\n\n")
        outcome = f"{cut} Giving up.\n\n" if cut else f"{what} [{size}{total}]\n\n"
        bar = f"{name or '-':<20} 100% |{'*' * 32}| {size:5d}  0:00:00 ETA\n"
        done = f"'{name}' saved\n" if name else "written to stdout\n"
        self._say(f"{self._now()} ({speed}) - {outcome}", "" if cut else bar + done)
        if "no-verbose" in self._given.switches and "quiet" not in self._given.switches and not cut:
            self._invocation.err(f'{self._now()} URL:{url.text} [{size}{total}] -> "{name or "-"}" [1]\n')


class TryAgainError(Exception):
    """A try has failed, and another follows."""


def _seconds(text: str, default: float) -> float:
    """Read a number of seconds; ValueError in wget's words."""
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"--timeout: Invalid time period ‘{text[:100]}’") from None
    if not 0 <= number < 1e9:
        raise ValueError(f"--timeout: Invalid time period ‘{text[:100]}’")
    return number or default


def _distrust(word: str, host: str) -> str:
    begun = f"{word}: The certificate of ‘{host}’"
    return f"{begun} is not trusted.\n{begun} doesn't have a known issuer.\n"


def _speed(size: int, seconds: float) -> str:
    rate = size / seconds if seconds > 0 else 0.0
    for unit in ("B/s", "KB/s", "MB/s"):
        if rate < 1024 or unit == "MB/s":
            break
        rate /= 1024
    return f"{rate:.3g} {unit}"
