"""curl: fetch addresses, one after the other.

    curl --cacert /etc/kubernetes/pki/ca.crt https://10.0.0.1:6443/healthz

Modelled on src/tool_operate.c.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from itertools import pairwise

from cluster_engine.programs.curl import arguments, form
from cluster_engine.programs.curl.arguments import Options
from cluster_engine.programs.curl.connecting import Connections
from cluster_engine.programs.curl.errors import (
    COULDNT_CONNECT,
    COULDNT_RESOLVE_HOST,
    FAILED_INIT,
    HTTP_RETURNED_ERROR,
    MORE_DETAILS,
    OPERATION_TIMEDOUT,
    PEER_FAILED_VERIFICATION,
    READ_ERROR,
    WRITE_ERROR,
    CurlError,
    UsageError,
)
from cluster_engine.programs.curl.help import VERSION, help_of
from cluster_engine.programs.curl.output import Sink, meter, written_out
from cluster_engine.programs.curl.proxying import Proxies
from cluster_engine.programs.curl.transfer import Body, Done, Transfer, extra_headers, urlencoded
from cluster_engine.programs.curl.url import URL, expanded
from cluster_engine.programs.curl.url import read as read_url
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import Screen, read_file

TRY_HELP = "curl: try 'curl --help' or 'curl --manual' for more information\n"
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
RETRY_SECONDS_MAX = 600.0
RETRIES_MAX = 1000
MULTIPART = "multipart formpost (-F, --form)"
ENCODED = re.compile(r"%[0-9A-F]{2}")
Tell = Callable[[bytes], Awaitable[None]]
Facts = dict[str, str | int | float | None]


async def curl(invocation: Invocation) -> int:
    """Run curl; give its exit code."""
    words = list(invocation.argv[1:])
    try:
        options = arguments.read(words, await _files(invocation, words))
        invocation.err("".join(f"Warning: {text}\n" for text in options.warnings))
        if options.help:
            invocation.out(help_of(options.urls))
            return 0
        if options.version:
            invocation.out(VERSION)
            return 0
        if not words:
            invocation.err(TRY_HELP)
            return FAILED_INIT
        return await Curl(invocation, options).run()
    except UsageError as error:
        invocation.err(f"{error.before}curl: {error}\n{TRY_HELP}")
        return error.code


async def _files(invocation: Invocation, words: list[str]) -> arguments.Load:
    """Return what reads files of options: what is piped in is read before, where it is one."""
    is_piped = "-K-" in words or any(pair in (("-K", "-"), ("--config", "-")) for pair in pairwise(words))
    piped = await invocation.all() if is_piped else b""

    def load(path: str) -> str:
        found = piped if path == "-" else read_file(invocation.files, invocation.absolute(path))
        return found.decode("utf-8", "replace")

    return load


class Curl:
    """One run: its options, its connections, and what it has said."""

    def __init__(self, invocation: Invocation, options: Options) -> None:
        self._invocation, self._options = invocation, options
        self._handles = [0x55D0_0000_02B0 + (invocation.process.rng.getrandbits(20) << 12)]
        self._connections = Connections(options, self._read_file, self._say, self._handle)
        self._proxies = self._connections.proxies = Proxies(options, invocation.environment, self._tell)
        if invocation.environment.get("SSLKEYLOGFILE"):
            self._connections.key_log = self._log_secret
        self._shows_errors = not options.silent or options.show_error

    async def run(self) -> int:
        """Fetch every address; return the exit code of the last, or of the first that fails with --fail-early."""
        options, code = self._options, 0
        if not options.urls:
            raise UsageError("no URL specified!")
        if options.head and (options.data and not options.get):
            self._warn("You can only select one HTTP request method! Attempted: HEAD (-I, --head), POST (-d, --data).")
            return FAILED_INIT
        if options.form and (options.data or options.head):
            what = "HEAD (-I, --head)" if options.head else "POST (-d, --data)"
            self._warn(f"You can only select one HTTP request method! Attempted: {MULTIPART}, {what}.")
            return FAILED_INIT
        for rule in options.resolve:
            self._say(f"Added {rule} to DNS cache")
        try:
            body, extra = await self._body(), extra_headers(await self._headers())
            number = 0
            for at, pattern in enumerate(options.urls):
                for text in [pattern] if options.globoff else expanded(pattern):
                    code = await self._fetch(text, at, number, body, extra)
                    number += 1
                    if code and options.fail_early:
                        return code
        except CurlError as error:
            code = self._fail(error)
        finally:
            self._connections.close()
        return code

    # -- what is sent --------------------------------------------------------------------------------------------------

    def _log_secret(self, line: str) -> None:
        """Write a line of the TLS key log (lib/vtls/keylog.c); where there is no room nobody is told."""
        with contextlib.suppress(OSError):
            path = self._invocation.absolute(self._invocation.environment["SSLKEYLOGFILE"])
            self._invocation.files.append(path, f"{line}\n".encode())

    def _read_file(self, path: str) -> bytes:
        return read_file(self._invocation.files, self._invocation.absolute(path))

    async def _given(self, path: str, *, what: str) -> bytes:
        try:
            return await self._invocation.all() if path == "-" else self._read_file(path)
        except OSError:
            if what == "data":
                self._warn(f'Couldn\'t read data from file "{path}", this makes \nWarning: an empty POST.')
            else:
                self._warn(f"Failed to open {path}")
            return b""

    async def _headers(self) -> list[str]:
        found: list[str] = []
        for one in self._options.header:
            if one.startswith("@"):
                found += (await self._given(one[1:], what="header")).decode("utf-8", "replace").splitlines()
            else:
                found.append(one)
        return found

    async def _body(self) -> Body:
        options = self._options
        if options.upload_file:
            try:
                path = options.upload_file
                return Body(await self._invocation.all() if path in ("-", ".") else self._read_file(path))
            except OSError:
                raise CurlError(READ_ERROR, f"Can't open '{options.upload_file}'!") from None
        if options.form:
            try:
                data, kind = await form.body_of(options.form, self._part, self._invocation.process.rng)
            except OSError:
                text = "Failed to open/read local data from file/application"
                raise CurlError(READ_ERROR, text) from None
            return Body(data, kind=kind)
        if not options.data:
            return Body()
        pieces: list[bytes] = []
        is_json = False
        for kind, text in options.data:
            is_json = is_json or kind == "json"
            piece = await self._piece(kind, text)
            if pieces and kind != "json":
                pieces.append(b"&")
            pieces.append(piece)
        data = b"".join(pieces)
        if options.get:
            query = data.decode("utf-8", "replace")
            return Body(query=ENCODED.sub(lambda found: found[0].lower(), query))
        kinds = [("Content-Type", "application/json"), ("Accept", "application/json")] if is_json else []
        return Body(data, kinds)

    async def _part(self, path: str) -> bytes:
        return await self._invocation.all() if path == "-" else self._read_file(path)

    async def _piece(self, kind: str, text: str) -> bytes:
        if kind == "data-urlencode":
            return await self._encoded(text)
        if kind == "data-raw" or not text.startswith("@"):
            return text.encode("utf-8", "surrogateescape")
        data = await self._given(text[1:], what="data")
        return data.translate(None, b"\r\n\0") if kind in ("data", "data-ascii") else data

    async def _encoded(self, text: str) -> bytes:
        at = next((index for index, letter in enumerate(text) if letter in "=@"), None)
        if at is None:
            return urlencoded(text).encode()
        name, mark, value = text[:at], text[at], text[at + 1 :]
        if mark == "@":
            value = (await self._given(value, what="data")).decode("utf-8", "surrogateescape")
        encoded = urlencoded(value)
        return (f"{name}={encoded}" if name else encoded).encode()

    # -- one address ---------------------------------------------------------------------------------------------------

    async def _fetch(self, text: str, at: int, number: int, body: Body, extra: list[tuple[str, str]]) -> int:
        options = self._options
        url = read_url(_with_query(text, body.query))
        path, forced = self._path(at, url)
        left, delay = int(min(options.retry, RETRIES_MAX)), options.retry_delay or 1.0
        while True:
            sink = Sink(self._invocation, path, forced=forced)
            done = Done(url)
            code, error = await self._attempt(url, sink, body, extra, done)
            self._show_meter(sink, done)
            if not left or not (reason := self._transient(code, done)):
                break
            left -= 1
            self._warn(f"Problem : {reason}. Will retry in {int(delay)} seconds. {left + 1} retries left.")
            await asyncio.sleep(delay)
            delay = min(delay if options.retry_delay else delay * 2, RETRY_SECONDS_MAX)
        if error is not None:
            self._fail(error)
        if options.write_out:
            await self._write_out(
                _facts(done, url, error) | {"urlnum": number, "filename_effective": sink.path or None}, done
            )
        return code

    def _path(self, at: int, url: URL) -> tuple[str, bool]:
        """Return the file of an address's body, "" for standard output, and whether that was asked for."""
        options = self._options
        if at < len(options.outputs):
            given = options.outputs[at]
            if given is not None:
                return ("", True) if given == "-" else (given, True)
        elif not options.remote_name_all:
            return "", False
        name = url.path.partition("?")[0].rpartition("/")[2]
        if not name:
            raise CurlError(WRITE_ERROR, "Failed writing received data to disk/application")
        return name, True

    async def _attempt(
        self, url: URL, sink: Sink, body: Body, extra: list[tuple[str, str]], done: Done
    ) -> tuple[int, CurlError | None]:
        options = self._options
        transfer = Transfer(options, body, extra, self._connections, self._say)
        transfer.on_head = self._tell
        transfer.handle, transfer.proxies = self._handle, self._proxies
        heads: list[Tell] = [sink.tell] if options.include or options.head else []
        if options.dump_header:
            heads.append(Sink(self._invocation, "" if options.dump_header == "-" else options.dump_header).tell)
        try:
            await transfer.run(url, sink, heads, done)
            if sink.path:
                sink.open()
        except CurlError as error:
            return error.code, error
        except OSError:
            return WRITE_ERROR, CurlError(WRITE_ERROR, "Failure writing output to destination")
        if options.fail_with_body and done.response is not None and done.response.status >= 400:
            text = f"The requested URL returned error: {done.response.status}"
            return HTTP_RETURNED_ERROR, CurlError(HTTP_RETURNED_ERROR, text)
        return 0, None

    def _transient(self, code: int, done: Done) -> str:
        options = self._options
        status = done.response.status if done.response is not None else 0
        if code in (OPERATION_TIMEDOUT, COULDNT_RESOLVE_HOST):
            return "timeout"
        if code == COULDNT_CONNECT and (options.retry_connrefused or options.retry_all_errors):
            return "connection refused"
        if status in TRANSIENT and code in (0, HTTP_RETURNED_ERROR):
            return "HTTP error"
        return "(retrying all errors)" if code and options.retry_all_errors else ""

    # -- what is said --------------------------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        self._tell("*", text)

    def _tell(self, mark: str, text: str) -> None:
        if self._options.verbose:
            at = f"{self._invocation.process.now():%H:%M:%S.%f} " if self._options.trace_time else ""
            self._invocation.err(f"{at}{mark} {text}\n")

    def _handle(self) -> int:
        return self._handles[0]

    def _warn(self, text: str) -> None:
        if not self._options.silent:
            self._invocation.err(f"Warning: {text}\n")

    def _fail(self, error: CurlError) -> int:
        if self._shows_errors:
            more = MORE_DETAILS if error.code == PEER_FAILED_VERIFICATION else ""
            self._invocation.err(f"curl: ({error.code}) {error}\n{more}")
        return error.code

    def _show_meter(self, sink: Sink, done: Done) -> None:
        options = self._options
        to_terminal = not sink.path and isinstance(self._invocation.streams.stdout, Screen)
        if options.silent or to_terminal or not options.progress_meter:
            return
        total = done.response.length if done.response is not None else None
        self._invocation.err(meter(done.received, total, done.sent, done.seconds))

    async def _write_out(self, facts: Facts, done: Done) -> None:
        text = self._options.write_out
        if text.startswith("@"):
            text = (await self._given(text[1:], what="header")).decode("utf-8", "replace")
        headers = {name.lower(): value for name, value in done.response.headers} if done.response is not None else {}

        def unknown(name: str) -> None:
            self._invocation.err(f"curl: unknown --write-out variable: '{name}'\n")

        stdout, *rest = text.split("%{stderr}")
        self._invocation.out(written_out(stdout, facts, headers, unknown))
        for part in rest:
            to_err, _, to_out = part.partition("%{stdout}")
            self._invocation.err(written_out(to_err, facts, headers, unknown))
            self._invocation.out(written_out(to_out, facts, headers, unknown))
        await self._invocation.drain()


def _with_query(text: str, query: str) -> str:
    """Add -G's data to an address."""
    if not query:
        return text
    before, hash_, after = text.partition("#")
    if "?" in before:
        return f"{before}&{query}{hash_}{after}"
    slash = "" if "/" in before.partition("://")[2] or ("://" not in before and "/" in before) else "/"
    return f"{before}{slash}?{query}{hash_}{after}"


def _facts(done: Done, url: URL, error: CurlError | None) -> Facts:
    """Return what -w's variables stand for (curl(1), --write-out)."""
    response, connection = done.response, done.connection
    times = connection.times if connection is not None else None
    status = response.status if response is not None else 0
    tls = connection.handshake.tls if connection is not None and connection.handshake is not None else None
    local, remote = (connection.local, connection.remote) if connection is not None else (("", 0), ("", 0))
    return {
        "content_type": (response.header("content-type") or None) if response is not None else None,
        "errormsg": str(error) if error is not None else None,
        "exitcode": error.code if error is not None else 0,
        "http_code": status,
        "http_connect": done.tunnel_status,
        "http_version": (response.version if response is not None else "0").removesuffix(".0"),
        "local_ip": local[0],
        "local_port": local[1],
        "method": done.method,
        "num_certs": len(tls.peer_chain) if tls is not None else 0,
        "num_connects": done.opened,
        "num_headers": len(response.headers) if response is not None else 0,
        "num_redirects": done.redirects,
        "proxy_ssl_verify_result": 0,
        "redirect_url": done.redirect_url or None,
        "referer": None,
        "remote_ip": remote[0],
        "remote_port": remote[1],
        "response_code": status,
        "scheme": done.url.scheme.upper(),
        "size_download": done.received,
        "size_header": done.header_bytes,
        "size_request": done.request_bytes,
        "size_upload": done.sent,
        "speed_download": int(done.received / done.seconds) if done.seconds else 0,
        "speed_upload": int(done.sent / done.seconds) if done.seconds else 0,
        "ssl_verify_result": tls.verify_code if tls is not None else 0,
        "time_appconnect": times.secured if times is not None else 0.0,
        "time_connect": times.connected if times is not None else 0.0,
        "time_namelookup": times.resolved if times is not None else 0.0,
        "time_pretransfer": times.ready if times is not None else 0.0,
        "time_redirect": 0.0,
        "time_starttransfer": done.first_byte,
        "time_total": done.seconds,
        "url": url.text,
        "url_effective": done.url.text,
    }
