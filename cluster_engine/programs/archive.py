"""Tar archives of files, one file at a time in memory: what `tar` and `kubectl cp` write and read.

    pack(files, {"tmp/a": "/tmp/a"})          the pieces of an archive (ustar) with one member, tmp/a
    members(pieces)                           ("tmp/a", b"…"), … as they come; ArchiveError for what is none

Nothing but files is kept: directories exist by having something in them (`world/files.py`), links are passed over.
"""

import io
import tarfile
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING

from cluster_engine.programs.streams import PIPE_BYTES_MAX
from cluster_engine.world.files import FILE_BYTES_MAX

if TYPE_CHECKING:
    from cluster_engine.world.files import FileSystem

MEMBERS_MAX = 4_000
FILE_MODE = 0o777
EXTENDED = (b"x", b"g", b"X", b"L", b"K")
"""Headers that say something of the member behind them."""
EXTENDED_BYTES_MAX = 64 * 1024
END_BYTES = 2 * tarfile.BLOCKSIZE
NO_ARCHIVE = "This does not look like a tar archive"


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


def pack(files: "FileSystem", members: Mapping[str, str]) -> Iterator[bytes]:
    """Give an archive of files, by the names that they have in it, in pieces. OSError."""
    size = 0
    for name, path in members.items():
        data = files.read(path)
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), files.mode(path)
        info.uname = info.gname = "root"
        try:
            yield info.tobuf(tarfile.USTAR_FORMAT)
        except ValueError:
            raise OSError(f"{name}: file name is too long") from None
        for begin in range(0, len(data), PIPE_BYTES_MAX):
            yield data[begin : begin + PIPE_BYTES_MAX]
        yield bytes(_in_blocks(len(data)) - len(data))
        size += tarfile.BLOCKSIZE + _in_blocks(len(data))
    yield bytes(END_BYTES + -(size + END_BYTES) % tarfile.RECORDSIZE)


async def members(pieces: AsyncIterable[bytes]) -> AsyncIterator[tuple[str, bytes, int]]:
    """Give each file of an archive as it comes: its name there, its bytes and its mode. ArchiveError."""
    source, extended, number = _Source(pieces), b"", 0
    try:
        while any(header := await source.take(tarfile.BLOCKSIZE, is_end_allowed=number > 0)):
            info = tarfile.TarInfo.frombuf(header, tarfile.ENCODING, "surrogateescape")
            number += 1
            if not 0 <= info.size <= FILE_BYTES_MAX or len(extended) > EXTENDED_BYTES_MAX or number > MEMBERS_MAX:
                raise ArchiveError("the archive is too large")
            if info.type in EXTENDED:
                extended += header + await source.take(_in_blocks(info.size))
                continue
            with tarfile.open(fileobj=io.BytesIO(extended + header), mode="r:") as opened:
                found, extended = opened.next(), b""
            if found is None or not info.isreg():
                continue
            if found.issparse() or found.size != info.size:
                raise ArchiveError(NO_ARCHIVE)
            yield found.name, await source.take(info.size), found.mode & FILE_MODE
            await source.take(_in_blocks(info.size) - info.size)
    except (tarfile.TarError, ValueError, OverflowError) as error:
        raise ArchiveError(NO_ARCHIVE) from error
    async for _ in pieces:
        pass  # what fills the last record


def _in_blocks(size: int) -> int:
    return size + -size % tarfile.BLOCKSIZE


class _Source:
    """Bytes as they are asked for, of pieces as they come."""

    def __init__(self, pieces: AsyncIterable[bytes]) -> None:
        self._pieces = aiter(pieces)
        self._left = b""

    async def take(self, size: int, *, is_end_allowed: bool = False) -> bytes:
        """Give exactly so many bytes, or b"" at an end that is allowed. ArchiveError where there are fewer."""
        taken, held = [self._left], len(self._left)
        while held < size:
            piece = await anext(self._pieces, b"")
            if not piece:
                if is_end_allowed and not held:
                    return b""
                raise ArchiveError(NO_ARCHIVE)
            taken.append(piece)
            held += len(piece)
        beyond = held - size
        self._left = taken[-1][len(taken[-1]) - beyond :]
        taken[-1] = taken[-1][: len(taken[-1]) - beyond]
        return b"".join(taken)
