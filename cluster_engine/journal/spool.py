"""Where captured bytes wait until somebody asks: an append-only store with a bound.

A spool is a line of chunks. New blobs go to the end of the last chunk; when all chunks together exceed the bound, the
oldest chunk goes. With a directory the chunks are anonymous files there (nothing is left behind by a crash) and memory
holds only the last few kilobytes not yet written; without one the chunks stay in memory, and the bound should be small.

Modelled on a log-structured file (Kafka's segments, in miniature). Left out: an index (a blob is found by the position
its writer was given), durability, deleting single blobs.

    spool = Spool(None, bytes_max=1 << 20)
    spool.append(b"abc")      -> 0
    spool.append(b"de")       -> 7        four bytes of length stand before each blob
    spool.read(0)             -> b"abc"
    spool.first               -> 0        a position below `first` has been dropped; reading it gives None
"""

import os
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

LENGTH_BYTES = 4
TAIL_BYTES_MAX = 64 * 1024
READ_AHEAD_BYTES = 2048
COPIED_BYTES = 1024 * 1024
MEMORY_BYTES_MAX = 4 * 1024 * 1024


class Chunk:
    """A run of blobs that is dropped as a whole. `tail` holds what the file does not have yet, or everything."""

    __slots__ = ("file", "flushed", "start", "tail")

    def __init__(self, start: int, directory: Path | None) -> None:
        self.start = start
        self.tail = bytearray()
        self.flushed = 0
        self.file = tempfile.TemporaryFile(dir=directory, buffering=0) if directory else None  # noqa: SIM115

    def flush(self) -> None:
        """Move the tail to the file, if there is one."""
        while self.file is not None and self.tail:
            written = self.file.write(self.tail)
            self.flushed += written
            del self.tail[:written]

    def read(self, offset: int) -> bytes:
        """Return the blob whose length stands at `offset`."""
        if self.file is None or offset >= self.flushed:
            at = offset - self.flushed
            length = int.from_bytes(self.tail[at : at + LENGTH_BYTES])
            return bytes(self.tail[at + LENGTH_BYTES : at + LENGTH_BYTES + length])
        ahead = os.pread(self.file.fileno(), READ_AHEAD_BYTES, offset)
        end = LENGTH_BYTES + int.from_bytes(ahead[:LENGTH_BYTES])
        if end <= len(ahead):
            return ahead[LENGTH_BYTES:end]
        return ahead[LENGTH_BYTES:] + os.pread(self.file.fileno(), end - len(ahead), offset + len(ahead))

    def close(self) -> None:
        """Give the file's space back."""
        if self.file is not None:
            self.file.close()


class Spool:
    """Blobs by position. Holds at most `bytes_max` (give or take one blob); the oldest go first, a chunk at a time."""

    def __init__(self, directory: Path | None, *, bytes_max: int, first: int = 0) -> None:
        self._directory = directory
        self._chunk_bytes_max = max(1, bytes_max // 16)
        self._bytes_max = bytes_max
        self._end = first
        self._chunks = [Chunk(first, directory)]
        self._starts = [first]

    @property
    def first(self) -> int:
        """The lowest position that can still be read."""
        return self._starts[0]

    @property
    def end(self) -> int:
        """The position that the next blob will get."""
        return self._end

    @property
    def bytes_max(self) -> int:
        """How much is kept at most; less once a disk has failed."""
        return self._bytes_max

    def append(self, blob: bytes) -> int:
        """Keep `blob`; give the position by which `read` finds it."""
        chunk = self._chunks[-1]
        position = self._end
        if position - chunk.start >= self._chunk_bytes_max:
            self._guarded(self._turn)
            chunk = self._chunks[-1]
        tail = chunk.tail
        tail += len(blob).to_bytes(LENGTH_BYTES)
        tail += blob
        self._end = position + LENGTH_BYTES + len(blob)
        if len(tail) >= TAIL_BYTES_MAX:
            self._guarded(chunk.flush)
        return position

    def read(self, position: int) -> bytes | None:
        """Return the blob at `position`, or None when it has been dropped."""
        if position < self._starts[0] or position >= self._end:
            return None
        chunk = self._chunks[bisect_right(self._starts, position) - 1]
        return chunk.read(position - chunk.start)

    def pieces(self) -> Iterator[bytes]:
        """Yield all bytes that are still here, from `first` on."""
        for chunk in self._chunks:
            chunk.flush()
            for at in range(0, chunk.flushed, COPIED_BYTES):
                assert chunk.file is not None
                yield os.pread(chunk.file.fileno(), min(COPIED_BYTES, chunk.flushed - at), at)
            yield bytes(chunk.tail)

    @classmethod
    def of(cls, first: int, file: BinaryIO, directory: Path | None, *, bytes_max: int) -> "Spool":
        """Return one that has the rest of a file, which begins with position `first`."""
        spool = cls(directory, bytes_max=bytes_max, first=first)
        while data := file.read(COPIED_BYTES):
            spool._chunks[-1].tail += data
            spool._end += len(data)
            spool._guarded(spool._chunks[-1].flush)
        return spool

    def close(self) -> None:
        """Give all space back; nothing can be read any more."""
        for chunk in self._chunks:
            chunk.close()
        self._starts = [self._end]
        self._chunks = []

    def _turn(self) -> None:
        """Begin a new chunk, and drop the oldest while there is too much."""
        self._chunks[-1].flush()
        self._chunks.append(Chunk(self._end, self._directory))
        self._starts.append(self._end)
        while self._end - self._starts[0] > self._bytes_max and len(self._chunks) > 1:
            self._chunks.pop(0).close()
            self._starts.pop(0)

    def _guarded(self, write: Callable[[], None]) -> None:
        """Write to disk; a disk that is full or gone costs history, never the cluster: go on in memory."""
        try:
            write()
        except OSError:
            last = self._chunks[-1]
            kept = Chunk(last.start + last.flushed, None)
            kept.tail = last.tail
            for chunk in self._chunks:
                chunk.close()
            self._chunks, self._starts = [kept], [kept.start]
            self._directory = None
            self._bytes_max = min(self._bytes_max, MEMORY_BYTES_MAX)
            self._chunk_bytes_max = max(1, self._bytes_max // 16)
