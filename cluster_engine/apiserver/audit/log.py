"""The file that an audit log is: one event a line, and what becomes of it when it is long.

    /var/log/kubernetes/audit/audit.log                             the newest lines
    /var/log/kubernetes/audit/audit-2026-01-01T10-00-03.250.log     those before, since the file was full
    -                                                               standard output: the unit's log, or the container's

Its size is bounded by `--audit-log-maxsize` and by FILE_BYTES_MAX, which is what a disk of this world takes easily;
of older files `--audit-log-maxbackup` are kept, never more than BACKUPS_MAX; `--audit-log-maxage` says for how many
days. What cannot be written (a full disk) is dropped and counted: requests go on. Modelled on lumberjack.v2 and
apiserver/plugin/pkg/audit/log. Left out: compression, batches (each event is written at once, as by default).
"""

import posixpath
from datetime import datetime, timedelta

import msgspec

from cluster_engine.world.process import Process

MEBIBYTE = 1024 * 1024
FILE_BYTES_MAX = 4 * MEBIBYTE
BACKUPS_MAX = 4
MODE = 0o600
STANDARD_OUTPUT = "-"


class LogFile(msgspec.Struct):
    """Appends lines to a file. `bytes_max` of one file; `backups` and `days` of those before, 0: as many as fit."""

    process: Process
    path: str
    bytes_max: int = FILE_BYTES_MAX
    backups: int = BACKUPS_MAX
    days: int = 0
    dropped: int = 0

    def open(self) -> None:
        """Make the file. OSError when it cannot be."""
        if self.path == STANDARD_OUTPUT:
            return
        files = self.process.files
        if not files.is_file(self.path):
            files.write(self.path, b"", MODE)

    def write(self, line: bytes) -> None:
        """Append a line, or count it as dropped."""
        if self.path == STANDARD_OUTPUT:
            self.process.prints(line.decode("utf-8", "replace").rstrip("\n"))
            return
        try:
            files = self.process.files
            if not files.is_file(self.path):
                files.write(self.path, b"", MODE)
            elif files.length(self.path) + len(line) > self.bytes_max:
                self._rotate()
            files.append(self.path, line)
        except OSError:
            self.dropped += 1

    def _rotate(self) -> None:
        files, now = self.process.files, self.process.now()
        stem, end = posixpath.splitext(self.path)
        files.move(self.path, f"{stem}-{now:%Y-%m-%dT%H-%M-%S}.{now.microsecond // 1000:03}{end}")
        files.write(self.path, b"", MODE)
        folder, name = posixpath.split(stem)
        older = [one for one in files.listdir(folder) if one.startswith(f"{name}-") and one.endswith(end)]
        kept = older[-self.backups :] if self.backups else older
        for one in older:
            if one not in kept or (self.days and _is_older(one.removeprefix(f"{name}-").removesuffix(end), now, self)):
                files.remove(f"{folder}/{one}")


def _is_older(stamp: str, now: datetime, log: LogFile) -> bool:
    try:
        at = datetime.strptime(stamp, "%Y-%m-%dT%H-%M-%S.%f").replace(tzinfo=now.tzinfo)
    except ValueError:
        return False
    return now - at > timedelta(days=log.days)
