"""Addresses as curl reads them (lib/urlapi.c, src/tool_urlglob.c).

read("10.0.0.1:6443/api")       URL("http", "10.0.0.1", 6443, "/api", …)
read("https://[::1]/a/../b?c")  URL("https", "::1", 443, "/b?c", …)
expanded("http://h/{a,b}[1-2]")   ["http://h/a1", "http://h/a2", "http://h/b1", "http://h/b2"]
"""

import re
from urllib.parse import unquote, urljoin

import msgspec

from cluster_engine.programs.curl.errors import UNSUPPORTED_PROTOCOL, URL_MALFORMAT, CurlError

PORTS = {"http": 80, "https": 443}
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
PLAIN = re.compile(r"[^{}\[\]\\]*")
AUTHORITY = re.compile(r"(?:([^@]*)@)?(\[[0-9a-fA-F:.]+\]|[^:\[\]]*)(?::([0-9]*))?")
URL_LENGTH_MAX = 100_000
URLS_MAX = 1000
"""How many addresses one pattern may stand for."""


def whole(text: str) -> int | None:
    """Read a number of at most eighteen decimal digits; None where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


class URL(msgspec.Struct, frozen=True):
    """An address: where to connect, and `path` with its query. `text` is the whole, as -w prints it."""

    scheme: str
    host: str
    port: int
    path: str
    text: str
    user: str = ""

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def read(text: str) -> URL:
    """Read an address; CurlError where it is none, or of a protocol that is not here."""
    malformed = CurlError(URL_MALFORMAT, "URL using bad/illegal format or missing URL")
    if not text or len(text) > URL_LENGTH_MAX or any(letter <= " " or letter == "\x7f" for letter in text):
        raise malformed
    found = SCHEME.match(text)
    scheme = found[1].lower() if found else "http"
    rest = text[found.end() :] if found else text
    if scheme not in PORTS:
        raise CurlError(
            UNSUPPORTED_PROTOCOL, f'Protocol "{found[1] if found else scheme}" not supported or disabled in libcurl'
        )
    end = min((at for at in (rest.find(mark) for mark in "/?#") if at >= 0), default=len(rest))
    authority = AUTHORITY.fullmatch(rest[:end])
    if authority is None or not authority[2]:
        raise malformed
    port = whole(authority[3]) if authority[3] else PORTS[scheme]
    if port is None or port > 65535:
        raise malformed
    path, _, query = rest[end:].partition("#")[0].partition("?")
    mark = "?" if "?" in rest[end:].partition("#")[0] else ""
    path = _without_dots(path or "/")
    complete = f"{scheme}://{rest[:end]}{path}{mark}{query}"
    return URL(scheme, authority[2].strip("[]"), port, f"{path}{mark}{query}", complete, unquote(authority[1] or ""))


def _without_dots(path: str) -> str:
    """Take "." and ".." out of a path (RFC 3986, 5.2.4)."""
    if "/." not in path:
        return path
    kept: list[str] = []
    parts = path.split("/")[1:]
    for part in parts:
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
    if parts[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def joined(url: URL, location: str) -> str:
    """Return the address that a Location header leads to."""
    return urljoin(url.text, location.strip().replace(" ", "%20"))


def expanded(pattern: str) -> list[str]:
    """Return the addresses that a pattern stands for; CurlError where its braces or brackets do not fit."""
    if len(pattern) > URL_LENGTH_MAX:
        raise CurlError(URL_MALFORMAT, "URL using bad/illegal format or missing URL")
    made = [""]
    at = 0
    while at < len(pattern):
        choices, end = _choices(pattern, at)
        if len(made) * len(choices) > URLS_MAX:
            raise CurlError(URL_MALFORMAT, f"range overflow in URL position {at + 1}:\n{pattern}\n{' ' * at}^")
        made = [begun + choice for begun in made for choice in choices]
        at = end
    return made


def _choices(pattern: str, at: int) -> tuple[list[str], int]:
    letter = pattern[at]
    if letter == "\\" and pattern[at + 1 : at + 2] in tuple("{}[]"):
        return [pattern[at + 1]], at + 2
    if letter == "{":
        end = pattern.find("}", at)
        if end < 0:
            raise _badly("unmatched brace", pattern, at)
        return pattern[at + 1 : end].split(","), end + 1
    if letter in "}]":
        raise _badly("unmatched close brace/bracket", pattern, at)
    if letter == "[":
        if address := re.compile(r"\[[0-9a-fA-F]*:[0-9a-fA-F:.]*\]").match(pattern, at):
            return [address[0]], address.end()
        span = re.compile(r"\[(?:(\d{1,9})-(\d{1,9})|([a-z])-([a-z])|([A-Z])-([A-Z]))(?::(\d{1,9}))?\]").match(
            pattern, at
        )
        if span is None:
            raise _badly("bad range", pattern, at)
        return _span(span, pattern, at), span.end()
    found = PLAIN.match(pattern, at + 1)
    assert found is not None
    return [pattern[at : found.end()]], found.end()


def _span(span: re.Match[str], pattern: str, at: int) -> list[str]:
    step = int(span[7] or 1)
    if span[1] is None:
        first, last = (ord(span[3] or span[5]), ord(span[4] or span[6]))
    else:
        first, last = int(span[1]), int(span[2])
    if last < first or step < 1 or (last - first) // step >= URLS_MAX:
        raise _badly("bad range", pattern, at)
    numbers = range(first, last + 1, step)
    if span[1] is None:
        return [chr(number) for number in numbers]
    width = len(span[1]) if span[1].startswith("0") else 0
    return [f"{number:0{width}d}" for number in numbers]


def _badly(what: str, pattern: str, at: int) -> CurlError:
    at += what == "bad range"
    return CurlError(URL_MALFORMAT, f"{what} in URL position {at + 1}:\n{pattern}\n{' ' * at}^")
