"""Container logs: files on the host, in the format that CRI prescribes and the kubelet reads.

    /var/log/pods/default_web-0_<uid>/nginx/0.log
    2026-11-21T10:00:00.020000000Z stdout F /docker-entrypoint.sh: Configuration complete; ready for start up

A line is time, stream, F (full) or P (partial: the next one goes on with it), text. A line of more than LINE_BYTES_MAX
is written as several, as containerd does (`max_container_log_line_size`). A file keeps its newest LINES_MAX lines and
LOG_BYTES_MAX bytes (real kubelets rotate at 10 MiB, five files). What finds no room on the disk is lost.
"""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from cluster_engine.containerd.timeline import STAMP, Line
from cluster_engine.world.files import FileSystem

LINES_MAX = 500
LINE_BYTES_MAX = 16 * 1024
LOG_BYTES_MAX = 512 * 1024


def append(files: FileSystem, path: str, lines: list[Line], begun: datetime) -> None:
    """Add lines to a container's log; each is `at` seconds after `begun`."""
    if not lines or not path:
        return
    new = b"".join(piece for line in lines[-LINES_MAX:] for piece in format_line(line, begun))
    old = files.read(path) if files.exists(path) else b""
    with contextlib.suppress(OSError):
        files.write(path, _newest(old + new))


def format_line(line: Line, begun: datetime) -> Iterator[bytes]:
    """Write one line as CRI does."""
    at = begun + timedelta(seconds=line.at)
    text = line.text
    if STAMP in text:
        pieces = text.split(STAMP)
        pieces[1::2] = [at.strftime(form) for form in pieces[1::2]]
        text = "".join(pieces)
    data = text.encode("utf-8", "replace")
    head = f"{at.isoformat(timespec='microseconds')[:26]}000Z {line.stream} ".encode()
    while len(data) > LINE_BYTES_MAX:
        yield b"%sP %s\n" % (head, data[:LINE_BYTES_MAX])
        data = data[LINE_BYTES_MAX:]
    yield b"%sF %s\n" % (head, data)


def _newest(log: bytes) -> bytes:
    """Cut a log at its beginning, between two lines."""
    start = 0
    for _ in range(log.count(b"\n") - LINES_MAX):
        start = log.index(b"\n", start) + 1
    if len(log) - start > LOG_BYTES_MAX:
        start = log.index(b"\n", len(log) - LOG_BYTES_MAX) + 1
    return log[start:] if start else log
