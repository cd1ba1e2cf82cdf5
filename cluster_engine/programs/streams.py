"""What programs read from and write to: pipes, files, a terminal, nothing. Bytes, as in reality.

Theory of operation. Writing never waits, so that a program may write from wherever it is; whoever writes much waits in
`drain` until what it wrote has room, as asyncio's own StreamWriter has it. A pipe holds PIPE_BYTES_MAX, and what was
written between two drains beyond that. Whoever writes into a pipe that nobody reads any more gets BrokenPipeError,
which `Invocation` makes the signal that Linux makes of it.

    pipe = Pipe()
    pipe.write(b"a\\n"); pipe.end()
    await pipe.read()       b"a\\n"
    await pipe.read()       b""
"""

import asyncio
import codecs
import errno
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import msgspec

from cluster_engine.programs.window import Window

if TYPE_CHECKING:
    from cluster_engine.world.files import FileSystem

Write = Callable[[str, str], None]
"""Called with "stdout" or "stderr" and a piece of text."""

PIPE_BYTES_MAX = 64 * 1024
"""As pipe(7) says of Linux."""
DIRECTORIES = frozenset({"/", "/bin", "/etc", "/home", "/opt", "/root", "/tmp", "/usr", "/var"})
"""Directories that are there with nothing in them, too."""
TERMINAL_BYTES_MAX = 16 * 1024 * 1024
"""What one line may print on a terminal."""
LEFT_BYTES = 4096


class Input(Protocol):
    """Where a program reads."""

    async def read(self) -> bytes:
        """Return the next piece, at most PIPE_BYTES_MAX; b"" at the end."""
        ...

    def unread(self, data: bytes) -> None:
        """Put back the end of what was read last: it comes again."""
        ...


class Output(Protocol):
    """Where a program writes."""

    def write(self, data: bytes) -> None:
        """Take a piece. OSError where it cannot be taken; BrokenPipeError where nobody reads any more."""
        ...

    async def drain(self) -> None:
        """Wait until there is room for more. BrokenPipeError."""
        ...


class Streams(msgspec.Struct, frozen=True):
    """A program's standard input, output and error."""

    stdin: Input
    stdout: Output
    stderr: Output


class Pipe:
    """An Output whose bytes come out of it as an Input; with a `window` it is an end of a terminal."""

    def __init__(self, window: Window | None = None) -> None:
        self.window = window
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._ended = self._abandoned = False
        self._changed = asyncio.Event()

    async def read(self) -> bytes:
        """See Input."""
        while not self._pieces and not self._ended:
            await self._change()
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        if len(piece) > PIPE_BYTES_MAX:
            self._pieces.appendleft(piece[PIPE_BYTES_MAX:])
            piece = piece[:PIPE_BYTES_MAX]
        self._held -= len(piece)
        self._changed.set()
        return piece

    def unread(self, data: bytes) -> None:
        """See Input."""
        if data:
            self._pieces.appendleft(data)
            self._held += len(data)

    @property
    def held(self) -> int:
        """How many bytes were written and not read yet."""
        return self._held

    def write(self, data: bytes) -> None:
        """See Output."""
        if self._abandoned or self._ended:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        if data:
            self._pieces.append(data)
            self._held += len(data)
            self._changed.set()

    async def drain(self) -> None:
        """See Output."""
        while self._held > PIPE_BYTES_MAX and not self._abandoned:
            await self._change()
        if self._abandoned:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    def end(self) -> None:
        """Called when nobody writes any more: the reader comes to the end."""
        self._ended = True
        self._changed.set()

    def abandon(self) -> None:
        """Called when nobody reads any more: the writer's pipe is broken."""
        self._abandoned = True
        self._pieces.clear()
        self._held = 0
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


class Bytes:
    """An Input of bytes that are there already."""

    def __init__(self, data: bytes = b"") -> None:
        self._data = data
        self._at = 0

    async def read(self) -> bytes:
        """See Input."""
        piece = self._data[self._at : self._at + PIPE_BYTES_MAX]
        self._at += len(piece)
        return piece

    def unread(self, data: bytes) -> None:
        """See Input."""
        self._at -= len(data)


class Pieces:
    """An Input of pieces that are made as they are read. Whatever making them raises comes out of `read`."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._unread = b""

    async def read(self) -> bytes:
        """See Input."""
        piece, self._unread = self._unread, b""
        return piece or next((piece for piece in self._pieces if piece), b"")

    def unread(self, data: bytes) -> None:
        """See Input."""
        self._unread = data


class FileInput(Bytes):
    """A file to read from, as it is when it is opened: what is appended meanwhile does not come, so that reading ends.

    OSError when it is opened and cannot be read.
    """

    def __init__(self, files: "FileSystem", path: str) -> None:
        super().__init__(read_file(files, path))


class FileOutput:
    """A file to write to, emptied first unless `append`. OSError when it is opened and cannot be written."""

    def __init__(self, files: "FileSystem", path: str, *, append: bool) -> None:
        self._files, self._path = files, path
        if append:
            files.append(path, b"")
        else:
            files.write(path, b"")

    def write(self, data: bytes) -> None:
        """See Output."""
        self._files.append(self._path, data)

    async def drain(self) -> None:
        """See Output."""


class Nowhere:
    """What /dev/null is for both."""

    async def read(self) -> bytes:
        """See Input."""
        return b""

    def unread(self, data: bytes) -> None:
        """See Input."""

    def write(self, data: bytes) -> None:
        """See Output."""

    async def drain(self) -> None:
        """See Output."""


class Captured:
    """An Output that keeps at most `bytes_max`; whoever writes more finds it a broken pipe, and `overflowed` is set."""

    def __init__(self, bytes_max: int) -> None:
        self._pieces: list[bytes] = []
        self._room = bytes_max
        self.overflowed = False

    def write(self, data: bytes) -> None:
        """See Output."""
        self._room -= len(data)
        if self._room < 0:
            self.overflowed = True
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        self._pieces.append(data)

    async def drain(self) -> None:
        """See Output."""

    @property
    def data(self) -> bytes:
        """What was written."""
        return b"".join(self._pieces)

    @property
    def text(self) -> str:
        """What was written, as text."""
        return self.data.decode("utf-8", "replace")


class Screen:
    """One stream of a terminal: text as it comes, of bytes that may end in the middle of a character."""

    def __init__(self, stream: str, write: Write, room: list[int], left_bytes: int, window: Window | None) -> None:
        self.window = window
        self._stream, self._write, self._room, self._left_bytes = stream, write, room, left_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, data: bytes) -> None:
        """See Output; OSError (EFBIG) beyond what the streams of one line may print together."""
        if len(data) > self._room[0] - self._left_bytes:
            raise OSError(errno.EFBIG, "File too large")
        self._room[0] -= len(data)
        if text := self._decoder.decode(data):
            self._write(self._stream, text)

    async def drain(self) -> None:
        """See Output."""


def screens(write: Write, window: Window | None = None) -> tuple[Screen, Screen]:
    """Return a terminal's standard output and error for one line, which may print TERMINAL_BYTES_MAX in all.

    Standard output leaves some of it to what is to be said of that.
    """
    room = [TERMINAL_BYTES_MAX]
    return Screen("stdout", write, room, LEFT_BYTES, window), Screen("stderr", write, room, 0, window)


async def pieces(stream: Input) -> AsyncIterator[bytes]:
    """Give what is read, piece by piece, to the end."""
    while piece := await stream.read():
        yield piece


async def read_line(stream: Input, bytes_max: int) -> bytes | None:
    """Return the next line with its newline, or what comes before the end; None where it is longer than `bytes_max`.

    What was read beyond it is put back, as a shell's `read` leaves the rest to the next program.
    """
    pieces: list[bytes] = []
    size = 0
    while piece := await stream.read():
        line, newline, rest = piece.partition(b"\n")
        pieces.append(line + newline)
        size += len(line)
        if size > bytes_max:
            return None
        if newline:
            stream.unread(rest)
            break
    return b"".join(pieces)


def read_file(files: "FileSystem", path: str) -> bytes:
    """Return a file's bytes; OSError as Linux has it, IsADirectoryError too."""
    if is_directory(files, path):
        raise IsADirectoryError(errno.EISDIR, "Is a directory", path)
    return files.read(path)


def is_directory(files: "FileSystem", path: str) -> bool:
    """Return whether a path is that of a directory: one of DIRECTORIES, or one that has something in it."""
    return path in DIRECTORIES or (bool(path) and not files.is_file(path) and files.exists(path))
