"""What running one script may cost: commands, work, memory and nesting, handed down into `$(…)`.

    too many commands or work     SpentError         the script is followed no further
    too large values              OutOfMemoryError   there is no room for its variables or for one of its words
    nested too deep               TooDeepError       "can't fork": a command in a command in a command

Work is counted in bytes: those of every word that is read, made and written, and a surcharge for each thing that is
kept (`THING_BYTES`). What each of the three means to whoever runs the script is theirs to say.
"""

import contextlib
from collections.abc import Iterator, Sequence

import msgspec

THING_BYTES = 64
WORD_BYTES = 8
CHARACTER_WORK = 8
"""What it costs to take one character of a script apart."""


class SpentError(Exception):
    """The script has had its share of commands or work."""


class OutOfMemoryError(Exception):
    """The script's values are larger than the memory they may have."""


class TooDeepError(Exception):
    """A command in a command in a command, more often than may be."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one script may have: commands, bytes of work, bytes of values held at one time, nesting."""

    steps: int
    work_bytes: int
    memory_bytes: int
    depth: int


class Budget:
    """What is left to one script and all that it calls."""

    __slots__ = ("_depth", "_memory", "_steps", "_work", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._steps = limits.steps
        self._work = limits.work_bytes
        self._memory = 0
        self._depth = 0

    def step(self) -> None:
        """Count one command; SpentError."""
        self._steps -= 1
        if self._steps < 0:
            raise SpentError

    def work(self, size: int) -> None:
        """Count work, in bytes; SpentError."""
        self._work -= size
        if self._work < 0:
            raise SpentError

    def words(self, words: Sequence[str]) -> None:
        """Count the words of one command; OutOfMemoryError where they are larger than the memory, SpentError."""
        size = sum(map(len, words))
        self.check_memory(size)
        self.work(size + WORD_BYTES * len(words))

    def hold(self, size: int) -> None:
        """Count what a variable takes, or (negative) gives back; OutOfMemoryError."""
        self._memory += size
        self.check_memory(self._memory)

    def check_memory(self, size: int) -> None:
        """Raise OutOfMemoryError where one value is larger than the memory."""
        if size > self.limits.memory_bytes:
            raise OutOfMemoryError

    @contextlib.contextmanager
    def deeper(self) -> Iterator[None]:
        """Count one level of nesting; TooDeepError."""
        if self._depth >= self.limits.depth:
            raise TooDeepError
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
