"""HTTP/1.1, line by line and chunk by chunk (RFC 9112), with what its bodies carry.

    GET /healthz HTTP/1.1 CRLF        method SP target SP version, end of the line
    Host: 10.244.1.2:8080 CRLF        name, colon, value, end of the line
    CRLF                              end of the head
    5 CRLF hello CRLF 0 CRLF CRLF     a chunk: size, data; the last one, of size 0, and the end of the trailers

A body in chunks is joined, dissected as one and laid back (`runs`). Bytes that begin within a message are read as the
chunks of its body, or as its body. After an answer 101 the bytes are another protocol's.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from cluster_engine.api.strconv import int_of
from cluster_engine.fields.field import Field, moved
from cluster_engine.fields.runs import Run, joined, laid
from cluster_engine.fields.stretch import Stretch, dissected
from cluster_engine.lens.unreadable import Unreadable

Body = Callable[[bytes], tuple[Field, ...]]
Headers = dict[str, str]

LINE_BYTES_MAX = 64 * 1024
RUNS_MAX = 256
"""A body in more chunks than that is not taken apart."""


def messages(data: bytes, body: Body | None = None, upgraded: Body | None = None, begun: int = 0) -> tuple[Field, ...]:
    """Dissect what one side says on a connection, of which the first `begun` bytes are the rest of an earlier body.

    `upgraded` dissects what follows an answer 101.
    """

    def read(stretch: Stretch) -> None:
        if begun:
            stretch.take("http1.continued", min(begun, len(stretch)))
            if stretch.peek(2) == b"\r\n":
                _end_of_line(stretch, b"\r\n")
        _Reader(stretch, body, upgraded).read()

    return dissected(data, read)


class _Reader:
    def __init__(self, stretch: Stretch, body: Body | None, upgraded: Body | None) -> None:
        self._stretch = stretch
        self._body = body
        self._upgraded = upgraded

    def read(self) -> None:
        stretch = self._stretch
        if stretch and not _begins_head(stretch.peek(16)):
            if _chunk_size(_line(stretch)) is not None:
                self._chunks()
            else:
                self._carried("http1.body", len(stretch))
        while stretch:
            if _line(stretch).endswith(b"\n"):
                self._message()
            else:
                stretch.take("http1.cut", len(stretch))

    def _message(self) -> None:
        stretch = self._stretch
        if stretch.peek(5) == b"HTTP/":
            status = self._status_line()
        else:
            status = ""
            _request_line(stretch)
        headers = _headers(stretch)
        if status == "101":
            with stretch.within("http1.upgraded", len(stretch)) as rest:
                if self._upgraded is not None:
                    rest.adopt(moved(self._upgraded(rest.peek(len(rest))), rest.at, rest.at, rest.end))
        elif status.startswith("1") or status in ("204", "304"):
            return
        elif "chunked" in headers.get("transfer-encoding", "").lower():
            self._chunks()
        elif "content-length" in headers:
            length = int_of(headers["content-length"])
            if length is None or length < 0:
                raise Unreadable("a Content-Length that is no number")
            self._carried("http1.body", min(length, len(stretch)))
        elif status:
            self._carried("http1.body", len(stretch))

    def _status_line(self) -> str:
        stretch = self._stretch
        line = _line(stretch)
        version, space, rest = line.rstrip(b"\r\n").partition(b" ")
        status, second, reason = rest.partition(b" ")
        with stretch.within("http1.status_line", len(line), line.decode("latin-1").rstrip()) as inside:
            inside.text("http1.version", len(version), "latin-1")
            inside.take("http1.space", len(space), "SP")
            inside.text("http1.status", len(status), "latin-1")
            inside.take("http1.space", len(second), "SP")
            inside.text("http1.reason", len(reason), "latin-1")
            _end_of_line(inside, line)
        return status.decode("latin-1")

    def _carried(self, name: str, count: int) -> None:
        """Read a body in one run."""
        stretch = self._stretch
        if not count:
            return
        with stretch.within(name, count) as inside:
            if self._body is not None:
                inside.adopt(moved(self._body(inside.peek(count)), inside.at, inside.at, inside.end))
            inside.at = inside.end

    def _chunks(self) -> None:
        stretch = self._stretch
        chunks = list(_chunks(stretch.data, stretch.at, stretch.end))
        runs: list[Run] = [(one.begin, one.end) for one in chunks if one.end > one.begin]
        placed: dict[int, tuple[Field, ...]] = {}
        if self._body is not None and runs and len(runs) <= RUNS_MAX:
            found = laid(self._body(joined(stretch.data, runs)), runs)
            placed = {begin: fields for (begin, _), fields in zip(runs, found, strict=True) if fields}
        for chunk in chunks:
            with stretch.within("http1.chunk", chunk.after - stretch.at, str(chunk.size)) as inside:
                line = _line(inside)
                digits, semicolon, extension = line.rstrip(b"\r\n").partition(b";")
                inside.take("http1.chunk_size", len(digits), f"0x{digits.decode('latin-1').strip()} = {chunk.size}")
                inside.text("http1.chunk_extension", len(semicolon + extension), "latin-1")
                _end_of_line(inside, line)
                count = chunk.end - inside.at
                if count > 0:
                    with inside.within("http1.chunk_data", count) as data:
                        data.adopt(placed.get(chunk.begin, ()))
                        data.at = data.end
                _end_of_line(inside, inside.peek(len(inside)))
        if chunks and not chunks[-1].size:
            _headers(stretch)


class Chunk(NamedTuple):
    """A chunk of `size` bytes: where its data begin and end, as far as they are here, and where the next one begins."""

    size: int
    begin: int
    end: int
    after: int


def _chunks(data: bytes, at: int, end: int) -> Iterator[Chunk]:
    """Cut a body into its chunks, up to the last one or to where that is no longer possible."""
    while at < end:
        line = _line_at(data, at, end)
        size = _chunk_size(line)
        if size is None:
            return
        begin = at + len(line)
        last = min(begin + size, end)
        at = last
        if size:
            at += 2 if data[last : last + 2] == b"\r\n" else 1 if data[last : last + 1] in (b"\n", b"\r") else 0
        yield Chunk(size, begin, last, min(at, end))
        if not size:
            return


def _chunk_size(line: bytes) -> int | None:
    digits = line.partition(b";")[0].strip()
    if not line.endswith(b"\n") or not 0 < len(digits) <= 16 or digits.strip(b"0123456789abcdefABCDEF"):
        return None
    return int(digits, 16)


def _begins_head(data: bytes) -> bool:
    """Tell whether these bytes begin a message: a version, or a method in capitals and a space."""
    method, space, _ = data.partition(b" ")
    return data.startswith(b"HTTP/") or (bool(space) and method.isalpha() and method.isupper())


def _request_line(stretch: Stretch) -> None:
    line = _line(stretch)
    method, space, rest = line.rstrip(b"\r\n").partition(b" ")
    target, second, version = rest.rpartition(b" ")
    if not version.startswith(b"HTTP/"):
        raise Unreadable("not a request line")
    with stretch.within("http1.request_line", len(line), line.decode("latin-1").rstrip()) as inside:
        inside.text("http1.method", len(method), "latin-1")
        inside.take("http1.space", len(space), "SP")
        inside.text("http1.target", len(target), "latin-1")
        inside.take("http1.space", len(second), "SP")
        inside.text("http1.version", len(version), "latin-1")
        _end_of_line(inside, line)


def _headers(stretch: Stretch) -> Headers:
    """Read header fields, or trailers, and the empty line that ends them."""
    found: Headers = {}
    while stretch:
        line = _line(stretch)
        text = line.rstrip(b"\r\n")
        if not text:
            stretch.take("http1.end_of_head", len(line), _end_shown(line))
            break
        name, colon, value = text.partition(b":")
        if not colon:
            raise Unreadable("a header without a colon")
        shown = value.strip().decode("latin-1")
        with stretch.within("http1.header", len(line), f"{name.decode('latin-1')}: {shown}") as inside:
            inside.text("http1.header_name", len(name), "latin-1")
            blank = len(value) - len(value.lstrip())
            inside.take("http1.colon", 1 + blank, ":" + " " * bool(blank))
            inside.text("http1.header_value", len(value) - blank, "latin-1")
            _end_of_line(inside, line)
        found[name.strip().lower().decode("latin-1")] = shown
    return found


def _end_of_line(stretch: Stretch, line: bytes) -> None:
    """Read what ends this line."""
    count = len(line) - len(line.rstrip(b"\r\n"))
    stretch.take("http1.end_of_line", count, _end_shown(line[-count:]))


def _end_shown(end: bytes) -> str:
    return "CRLF" if end == b"\r\n" else "LF"


def _line(stretch: Stretch) -> bytes:
    return _line_at(stretch.data, stretch.at, stretch.end)


def _line_at(data: bytes, at: int, end: int) -> bytes:
    """Return the line at the front with its end, or what there is of it."""
    found = data.find(b"\n", at, min(end, at + LINE_BYTES_MAX))
    return data[at : end if found < 0 else found + 1]
