"""One run of a program that a person can type: all it is given, and all it may do to the world.

    async def cat(invocation):
        async for piece in invocation.pieces():
            invocation.out(piece)
            await invocation.drain()
        return 0                                        # its exit code

Signals. SIGTERM and Ctrl-C cancel the program, which may clean up and then ends; SIGKILL and SIGPIPE end its process at
that instant (`Process.kill`), SIGPIPE when it writes into a pipe that nobody reads any more (exit code 141).

Time. What a program moves from one stream to the next takes time, MOVED_BYTES_A_SECOND, so that no amount of data holds
up the world; little data takes none.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cluster_engine.programs.streams import PIPE_BYTES_MAX, Output, Screen, Streams, read_file
from cluster_engine.programs.window import size_of, window_of

if TYPE_CHECKING:
    from cluster_engine.world.files import FileSystem
    from cluster_engine.world.process import Process

HOME = "/root"
SIGPIPE = 13
MEMORY_BYTES_MAX = 16 * 1024 * 1024
"""What a program may hold of what it reads."""
LINE_BYTES = 64
"""What holding a line takes beside its letters."""
MOVED_BYTES_A_SECOND = 64 * 1024 * 1024


class MemoryExhaustedError(Exception):
    """A program is to hold more than MEMORY_BYTES_MAX of what it reads."""


class CannotGoOnError(Exception):
    """A line has spent what it may; the text says so."""


Execute = Callable[[Sequence[str], Streams, Mapping[str, str]], Awaitable[int]]
"""Runs another program, with streams and an environment; returns its exit code. FileNotFoundError, CannotGoOnError."""


async def nothing_else(argv: Sequence[str], _: Streams, __: Mapping[str, str]) -> int:
    """Find no other program."""
    raise FileNotFoundError(2, "No such file or directory", argv[0])


@dataclass(slots=True)
class Invocation:
    """What a program is given. `argv[0]` is its name, `directory` where it was started."""

    process: "Process"
    argv: Sequence[str]
    streams: Streams = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    directory: str = HOME
    execute: Execute = field(default=nothing_else, repr=False)
    failed: bool = False
    """Whether something it wrote was not taken."""
    _moved: int = 0
    _has_written: bool = False

    @property
    def files(self) -> "FileSystem":
        """The files of the host it runs on."""
        return self.process.files

    @property
    def is_in_container(self) -> bool:
        """Whether it runs in a pod's network or sees a container's files: there the small tools are BusyBox's."""
        host = self.process.host
        return host.machine is not host or self.process.files is not host.files

    @property
    def columns(self) -> int | None:
        """How wide the terminal is that standard output is: its COLUMNS, or its window's; None where nobody says."""
        stdout, text = self.streams.stdout, self.environment.get("COLUMNS", "")
        if not isinstance(stdout, Screen) and window_of(stdout) is None:
            return None
        if text.isascii() and text.isdigit() and len(text) < 5:
            return max(int(text), 1)
        size = size_of(stdout)
        return None if size is None else size.columns

    def absolute(self, path: str) -> str:
        """Complete a path from the directory in which the program was started."""
        return absolute(path, self.directory)

    # -- output --------------------------------------------------------------------------------------------------------

    def out(self, data: str | bytes) -> None:
        """Write to standard output. Where that is not possible, say so once; the exit code then is not 0."""
        if self.failed:
            return
        try:
            self._write(self.streams.stdout, data)
        except OSError as error:
            self.failed = True
            self.err(f"{self.argv[0]}: write error: {error.strerror}\n")

    def err(self, data: str | bytes) -> None:
        """Write to standard error; what cannot be written is lost."""
        try:
            self._write(self.streams.stderr, data)
        except OSError:
            self.failed = True

    def _write(self, output: Output, data: str | bytes) -> None:
        if not data or not self.process.is_alive:
            return
        raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
        self._moved += len(raw)
        self._has_written = True
        try:
            output.write(raw)
        except BrokenPipeError:
            self.process.kill(signal=SIGPIPE)

    def moved(self, size: int) -> None:
        """Count bytes that were moved in another way than by this invocation's streams; they take time in `drain`."""
        self._moved += size

    async def drain(self) -> None:
        """Wait until what was written has room. Whoever writes in a loop calls this in it."""
        if self._has_written:
            self._has_written = False
            try:
                await self.streams.stdout.drain()
            except BrokenPipeError:
                self.process.kill(signal=SIGPIPE)
        if self._moved >= PIPE_BYTES_MAX or not self.process.is_alive:
            seconds, self._moved = self._moved / MOVED_BYTES_A_SECOND, 0
            await asyncio.sleep(seconds)

    # -- input ---------------------------------------------------------------------------------------------------------

    async def pieces(self, path: str = "-") -> AsyncIterator[bytes]:
        """Read a file, or standard input where it is called "-", piece by piece. OSError."""
        if path != "-":
            data = read_file(self.files, self.absolute(path) if path else "")
            for begin in range(0, len(data), PIPE_BYTES_MAX):
                piece = data[begin : begin + PIPE_BYTES_MAX]
                self._moved += len(piece)
                yield piece
                await self.drain()
            return
        while piece := await self.streams.stdin.read():
            yield piece
            await self.drain()

    async def lines(self, path: str = "-") -> AsyncIterator[str]:
        """Read line by line, without the newline. OSError; MemoryExhaustedError for a line beyond MEMORY_BYTES_MAX."""
        rest: list[bytes] = []
        size = 0
        async for piece in self.pieces(path):
            *lines, last = piece.split(b"\n")
            for line in lines:
                yield (b"".join([*rest, line]) if rest else line).decode("utf-8", "replace")
                rest, size = [], 0
            if last:
                rest.append(last)
                size += len(last)
                if size > MEMORY_BYTES_MAX:
                    raise MemoryExhaustedError
        if rest:
            yield b"".join(rest).decode("utf-8", "replace")

    async def all(self, path: str = "-") -> bytes:
        """Read everything. OSError; MemoryExhaustedError where it is more than MEMORY_BYTES_MAX."""
        found: list[bytes] = []
        room = MEMORY_BYTES_MAX
        async for piece in self.pieces(path):
            found.append(piece)
            room -= len(piece)
            if room < 0:
                raise MemoryExhaustedError
        return b"".join(found)


class Held:
    """How much a program holds in lines; MemoryExhaustedError beyond MEMORY_BYTES_MAX."""

    def __init__(self) -> None:
        self._room = MEMORY_BYTES_MAX

    def take(self, line: str) -> None:
        """Count a line."""
        self._room -= len(line) + LINE_BYTES
        if self._room < 0:
            raise MemoryExhaustedError

    def drop(self, line: str) -> None:
        """Count a line no longer."""
        self._room += len(line) + LINE_BYTES


def absolute(path: str, directory: str = HOME) -> str:
    """Complete a path from a directory; `~` is the home directory."""
    if path == "~" or path.startswith("~/"):
        path = HOME + path[1:]
    if not path.startswith("/"):
        path = f"{directory}/{path}"
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
