"""What mitmdump says: its log, and the list of flows.

    [12:00:05.123][10.0.0.100:40000] client connect
    10.0.0.100:40000: GET https://10.0.0.1:6443/api/v1/nodes?limit=500 HTTP/2.0
                << HTTP/2.0 200 OK 4.2k

A flow is written down when its answer is whole. --flow-detail 0 says nothing of flows, 2 their headers, 3 the beginning
of their bodies, 4 all of them. Modelled on mitmproxy 11 (addons/dumper.py, addons/termlog.py). Left out: views of
contents (JSON is shown as it came), colours.
"""

from collections.abc import Iterator, Sequence
from http import HTTPStatus

import msgspec

from cluster_engine.programs.invocation import Invocation

Headers = Sequence[tuple[str, str]]
URL_MAX = 55
LINES_MAX = 70
TEXT_BYTES_MAX = 64 * 1024


class Flow(msgspec.Struct, kw_only=True):
    """One request and its answer; `content` None: passed on as it came, and not kept."""

    client: str
    version: str
    method: str
    url: str
    headers: Headers
    sent: bytes
    status: int = 0
    answer: Headers = ()
    content: bytes | None = None
    error: str = ""


class Teller:
    """Writes to whoever has started the program."""

    def __init__(self, invocation: Invocation, *, detail: int, quiet: bool) -> None:
        self._invocation, self._detail, self._quiet = invocation, detail, quiet

    def log(self, text: str, client: str = "") -> None:
        """Write a line of the log."""
        if not self._quiet:
            now = self._invocation.process.now()
            who = f"[{client}]" if client else ""
            between = "" if client else " "
            self._invocation.out(f"[{now:%H:%M:%S}.{now.microsecond // 1000:03d}]{who}{between or ' '}{text}\n")

    def flow(self, flow: Flow) -> None:
        """Write a flow down."""
        if self._detail and not self._quiet:
            self._invocation.out("".join(f"{line}\n" for line in lines(flow, self._detail)))


def lines(flow: Flow, detail: int) -> Iterator[str]:
    """Yield what is said of a flow."""
    url = flow.url if detail > 1 or len(flow.url) <= URL_MAX else f"{flow.url[:URL_MAX]}…"
    version = f" {flow.version}" if flow.version != "HTTP/1.1" else ""
    yield f"{flow.client}: {flow.method} {_escaped(url)}{version}"
    yield from _details(flow.headers, flow.sent, detail)
    if flow.error:
        yield f" << {flow.error}"
        return
    version = f"{flow.version} " if flow.version != "HTTP/1.1" else ""
    pad = " " * max(0, len(flow.client) - 2 - len(version)) if detail == 1 else ""
    size = "(content missing)" if flow.content is None else pretty_size(len(flow.content))
    yield f"{pad} << {version}{flow.status} {reason(flow.status)} {size}"
    yield from _details(flow.answer, flow.content or b"", detail)


def _details(headers: Headers, content: bytes, detail: int) -> Iterator[str]:
    if detail >= 2:
        yield from (f"    {_escaped(name)}: {_escaped(value)}" for name, value in headers)
    if detail >= 3 and content:
        found = content[:TEXT_BYTES_MAX].decode("utf-8", "backslashreplace").splitlines()
        yield ""
        yield from (f"    {_escaped(line)}" for line in (found[:LINES_MAX] if detail == 3 else found))
        if (detail == 3 and len(found) > LINES_MAX) or len(content) > TEXT_BYTES_MAX:
            yield "    (cut off)"
    if detail >= 2:
        yield ""


def _escaped(text: str) -> str:
    return "".join(one if one.isprintable() or one == "\t" else "." for one in text)


def reason(status: int) -> str:
    """Return a status's phrase, "" for one without."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def pretty_size(size: int) -> str:
    """Write a size as mitmproxy does: 17b, 4.2k, 120k."""
    if size < 1024:
        return f"{size}b"
    amount, suffix = (size / 1024, "k") if size < 1024**2 else (size / 1024**2, "m")
    return f"{amount:.1f}{suffix}" if amount < 99.95 else f"{amount:.0f}{suffix}"
