"""Where curl writes: bodies to standard output or files, heads with -i and -D, the meter's last line, and -w.

    written_out("%{http_code} %{time_total}\\n", facts)      "200 0.004012\\n"

Modelled on src/tool_cb_wrt.c, src/tool_writeout.c and lib/progress.c.
"""

import json
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from cluster_engine.programs.curl.errors import BAD_CONTENT_ENCODING, WRITE_ERROR, CurlError
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import FileOutput, Nowhere, Output, Screen

BINARY = (
    'Warning: Binary output can mess up your terminal. Use "--output -" to tell \n'
    'Warning: curl to output it to your terminal anyway, or consider "--output \n'
    'Warning: <FILE>" to save to a file.\n'
)
METER = """  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
                                 Dload  Upload   Total   Spent    Left  Speed
"""
LOOKED_AT_BYTES = 2000
INFLATED_BYTES_MAX = 64 * 1024
VARIABLE = re.compile(r"%(?:\{([^}]{0,100})\}|header\{([^}]{0,100})\}|(%))|\\([nrt\\])")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}


class Sink:
    """Where one address's body goes: `path` "" is standard output. The file is made with the first piece."""

    def __init__(self, invocation: Invocation, path: str, *, forced: bool = False) -> None:
        self._invocation, self.path = invocation, path
        self._file: Output | None = None
        self._is_checked = forced or bool(path) or not isinstance(invocation.streams.stdout, Screen)
        self.size = 0

    async def write(self, data: bytes) -> None:
        """Write a piece; CurlError where it cannot be taken."""
        self.size += len(data)
        if not self._is_checked:
            self._is_checked = True
            if b"\0" in data[:LOOKED_AT_BYTES]:
                self._invocation.err(BINARY)
                raise CurlError(WRITE_ERROR, "Failure writing output to destination")
        await self.tell(data)

    async def tell(self, data: bytes) -> None:
        """Write what does not count as the body."""
        if not self.path:
            self._invocation.out(data)
            await self._invocation.drain()
            if self._invocation.failed:
                raise CurlError(WRITE_ERROR, "Failure writing output to destination")
            return
        try:
            self.open().write(data)
        except OSError as error:
            raise CurlError(WRITE_ERROR, "Failure writing output to destination") from error
        self._invocation.moved(len(data))
        await self._invocation.drain()

    def open(self) -> Output:
        """Return the file, made if it is not there yet; OSError."""
        if self._file is None:
            path = self._invocation.absolute(self.path)
            self._file = Nowhere() if path == "/dev/null" else FileOutput(self._invocation.files, path, append=False)
        return self._file


def inflating(encoding: str) -> Callable[[bytes], list[bytes]]:
    """Return what unpacks a body in bounded pieces; CurlError for what it cannot read."""
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return lambda data: [data]
    packed = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def unpack(data: bytes) -> list[bytes]:
        pieces: list[bytes] = []
        try:
            while data and not packed.eof and len(pieces) < 1024:
                pieces.append(packed.decompress(data, INFLATED_BYTES_MAX))
                data = packed.unconsumed_tail
        except zlib.error as error:
            text = f"Error while processing content unencoding: {error}"
            raise CurlError(BAD_CONTENT_ENCODING, text) from error
        return pieces

    return unpack


def written_out(text: str, facts: Mapping[str, Any], headers: Mapping[str, str], unknown: Callable[[str], None]) -> str:
    """Fill in -w's text; `unknown` is told each variable that there is none of."""

    def fill(found: re.Match[str]) -> str:
        if found[4]:
            return ESCAPES[found[4]]
        if found[3]:
            return "%"
        if found[2] is not None:
            return headers.get(found[2].lower(), "")
        name = found[1]
        if name is None or name in ("stderr", "stdout"):
            return ""
        if name == "json":
            return json.dumps(dict(sorted(facts.items())), separators=(",", ":"))
        if name == "header_json":
            return json.dumps({key: [value] for key, value in headers.items()})
        if name not in facts:
            unknown(name)
            return ""
        return _shown(name, facts[name])

    return VARIABLE.sub(fill, text)


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}"
    return f"{value:03d}" if name in ("http_code", "response_code", "http_connect") else str(value)


def meter(received: int, total: int | None, sent: int, seconds: float) -> str:
    """Return the meter as it stands at the end."""
    speed = int(received / seconds) if seconds > 0 else 0
    up = int(sent / seconds) if seconds > 0 else 0
    whole = total if total is not None else received
    percent = 100 if received and total is not None else 0
    passed = int(seconds)
    spent = f"{passed // 3600:2d}:{passed // 60 % 60:02d}:{passed % 60:02d}" if passed else "--:--:--"
    columns = (
        f"{percent if whole else 0:3d} {_five(whole + sent)}  {percent:3d} {_five(received)}  "
        f"{100 if sent else 0:3d} {_five(sent)}  {_five(speed):>6} {_five(up):>6}"
    )
    return f"{METER}{columns} --:--:-- {spent} --:--:-- {_five(speed):>5}\n"


def _five(size: int) -> str:
    """Print a size in five places (lib/progress.c, max5data)."""
    if size < 100_000:
        return f"{size:5d}"
    if size < 10_000 << 10:
        return f"{size >> 10:4d}k"
    if size < 100 << 20:
        return f"{size / (1 << 20):4.1f}M"
    return f"{size >> 20:4d}M"
