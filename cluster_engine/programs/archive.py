"""Tar archives of files, whole in memory and bounded: what `tar` and `kubectl cp` write and read.

    pack(files, {"tmp/a": "/tmp/a"})          an archive (ustar) with one member, tmp/a
    members(archive)                          ("tmp/a", b"…"), …; ArchiveError for what is none

Nothing but files is kept: directories exist by having something in them (`world/files.py`), links are passed over.
"""

import io
import tarfile
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cluster_engine.programs.invocation import MEMORY_BYTES_MAX

if TYPE_CHECKING:
    from cluster_engine.world.files import FileSystem

MEMBERS_MAX = 4_000
FILE_MODE = 0o777


class ArchiveError(Exception):
    """Bytes that are no tar archive, or one that is too large."""


def below(files: "FileSystem", path: str) -> Iterator[str]:
    """Give a file, or the files in a directory and those below, sorted. FileNotFoundError."""
    try:
        files.read(path)
    except FileNotFoundError:
        for name in files.listdir(path):
            yield from below(files, f"{path.rstrip('/')}/{name}")
    else:
        yield path


def pack(files: "FileSystem", members: Mapping[str, str]) -> bytes:
    """Return an archive of files, by the names that they have in it. OSError."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, path in members.items():
            data = files.read(path)
            try:
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(data), files.mode(path)
                info.uname = info.gname = "root"
                archive.addfile(info, io.BytesIO(data))
            except ValueError:
                raise OSError(f"{name}: file name is too long") from None
    return out.getvalue()


def members(archive: bytes) -> Iterator[tuple[str, bytes, int]]:
    """Give each file of an archive: its name there, its bytes and its mode. ArchiveError."""
    room = MEMORY_BYTES_MAX
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as opened:
            for number, info in enumerate(opened):
                room -= info.size
                if room < 0 or number >= MEMBERS_MAX:
                    raise ArchiveError("the archive is too large")
                content = opened.extractfile(info) if info.isreg() and not info.issparse() else None
                if content is not None:
                    yield info.name, content.read(), info.mode & FILE_MODE
    except (tarfile.TarError, ValueError, OverflowError, OSError) as error:
        raise ArchiveError("This does not look like a tar archive") from error
