"""Container logs: files on the host, in the format that CRI prescribes and the kubelet reads.

    /var/log/pods/default_web-0_<uid>/nginx/0.log
    2026-11-21T10:00:00.020000000Z stdout F /docker-entrypoint.sh: Configuration complete; ready for start up

A line is time, stream, F (full) or P (partial: the next one goes on with it), text. A line of more than LINE_BYTES_MAX
is written as several, as containerd does (`max_container_log_line_size`). A file keeps its newest LINES_MAX lines and
LOG_BYTES_MAX bytes (real kubelets rotate at 10 MiB, five files). What finds no room on the disk is lost. Whoever writes
a flood waits for it: LOG_BYTES_A_SECOND, after the first LOG_BYTES_MAX.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime

from cluster_engine.programs.streams import Output
from cluster_engine.programs.window import Window
from cluster_engine.world.files import FileSystem

LINES_MAX = 500
LINE_BYTES_MAX = 16 * 1024
LOG_BYTES_MAX = 512 * 1024
LOG_BYTES_A_SECOND = 128 * 1024
HEAD_BYTES = 48
"""What stands before the text of a line, about."""


class Log:
    """One container's log file, and who follows what is written (`attach`)."""

    def __init__(self, files: FileSystem, path: str, now: Callable[[], datetime], window: Window | None = None) -> None:
        self._files, self._path, self._now = files, path, now
        self._owed_bytes, self._paid_at = 0.0, 0.0
        self._unwritten: deque[tuple[str, bytes, bytes]] = deque(maxlen=LINES_MAX)
        """What was said at this instant: written at its end, all at once."""
        self.followers: dict[tuple[str, Output], None] = {}
        """Where what is written goes as well, by the name of the stream."""
        self.stdout, self.stderr = LogStream(self, "stdout", window), LogStream(self, "stderr", window)

    def say(self, stream: str, line: bytes, tag: bytes = b"F") -> None:
        """Add a line, as of now."""
        if not self._path:
            return
        if not self._unwritten:
            asyncio.get_running_loop().call_soon(self._write)
        self._unwritten.append((stream, line, tag))

    def _write(self) -> None:
        if self._unwritten:
            now = self._now()
            lines = [format_line(now, stream, line, tag) for stream, line, tag in self._unwritten]
            self._unwritten.clear()
            append(self._files, self._path, b"".join(lines))

    def follow(self, stream: str, data: bytes) -> None:
        """Show what is written to whoever follows; who cannot take it follows no longer."""
        self._owed_bytes += len(data) + HEAD_BYTES * data.count(b"\n")
        for follower in [one for one in self.followers if one[0] == stream]:
            try:
                follower[1].write(data)
            except OSError:
                self.followers.pop(follower, None)

    async def drain(self) -> None:
        """Wait until the disk has caught up."""
        now = asyncio.get_running_loop().time()
        self._owed_bytes = max(0.0, self._owed_bytes - (now - self._paid_at) * LOG_BYTES_A_SECOND)
        self._paid_at = now
        if self._owed_bytes > LOG_BYTES_MAX + LOG_BYTES_A_SECOND:
            await asyncio.sleep((self._owed_bytes - LOG_BYTES_MAX) / LOG_BYTES_A_SECOND)

    def end(self) -> None:
        """Write what has not come to the end of its line, as the shim does when the pipes are closed."""
        self.stdout.end()
        self.stderr.end()
        self._write()


class LogStream:
    """An Output whose lines go to a log; with a `window` it is an end of the container's terminal."""

    def __init__(self, log: Log, name: str, window: Window | None) -> None:
        self.window = window
        self._log, self._name = log, name
        self._rest = b""

    def write(self, data: bytes) -> None:
        """See Output."""
        self._log.follow(self._name, data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines[-LINES_MAX:]:
            self._log.say(self._name, line)
        while len(self._rest) > LINE_BYTES_MAX:
            self._log.say(self._name, self._rest[:LINE_BYTES_MAX], b"P")
            self._rest = self._rest[LINE_BYTES_MAX:]

    async def drain(self) -> None:
        """See Output."""
        await self._log.drain()

    def end(self) -> None:
        """See Log."""
        if self._rest:
            self._log.say(self._name, self._rest)
            self._rest = b""


def append(files: FileSystem, path: str, new: bytes) -> None:
    """Add lines to a log, and cut it at its beginning."""
    old = files.read(path) if files.exists(path) else b""
    with contextlib.suppress(OSError):
        files.write(path, _newest(old + new))


def format_line(at: datetime, stream: str, text: bytes, tag: bytes = b"F") -> bytes:
    """Write one line as CRI does: in pieces, where it is long."""
    head = f"{at.isoformat(timespec='microseconds')[:26]}000Z {stream} ".encode()
    *pieces, last = _pieces(text)
    return b"".join(b"%sP %s\n" % (head, piece) for piece in pieces) + b"%s%s %s\n" % (head, tag, last)


def _pieces(text: bytes) -> Iterator[bytes]:
    while len(text) > LINE_BYTES_MAX:
        yield text[:LINE_BYTES_MAX]
        text = text[LINE_BYTES_MAX:]
    yield text


def _newest(log: bytes) -> bytes:
    """Cut a log at its beginning, between two lines."""
    start = 0
    for _ in range(log.count(b"\n") - LINES_MAX):
        start = log.index(b"\n", start) + 1
    if len(log) - start > LOG_BYTES_MAX:
        start = log.index(b"\n", len(log) - LOG_BYTES_MAX) + 1
    return log[start:] if start else log
