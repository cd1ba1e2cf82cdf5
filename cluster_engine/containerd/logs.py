"""Container logs: files on the host, in the format that CRI prescribes and the kubelet reads.

    /var/log/pods/default_web-0_<uid>/nginx/0.log
    2026-11-21T10:00:00.020000000Z stdout F /docker-entrypoint.sh: Configuration complete; ready for start up

A line is time, stream, F (full; P would be partial), text. Files keep their last LINES_MAX lines (real kubelets rotate
at 10 MiB, five files).
"""

from datetime import datetime, timedelta

from cluster_engine.containerd.timeline import STAMP, Line
from cluster_engine.world.process import FileSystem

LINES_MAX = 500


def append(files: FileSystem, path: str, lines: list[Line], begun: datetime) -> None:
    """Add lines to a container's log; each is `at` seconds after `begun`."""
    if not lines or not path:
        return
    old = files.read(path).splitlines(keepends=True) if files.exists(path) else []
    kept = old + [format_line(line, begun) for line in lines]
    files.write(path, b"".join(kept[-LINES_MAX:]))


def format_line(line: Line, begun: datetime) -> bytes:
    """Write one line as CRI does."""
    at = begun + timedelta(seconds=line.at)
    pieces = line.text.split(STAMP)
    pieces[1::2] = [at.strftime(form) for form in pieces[1::2]]
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z {line.stream} F {''.join(pieces)}\n".encode()
