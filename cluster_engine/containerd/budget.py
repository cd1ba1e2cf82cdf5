"""What evaluating one container's script may cost: commands, work, memory and nesting, handed down into `$(…)`.

A script is evaluated in one go, between two instants of virtual time, so nothing may wait for it. It is bounded in
three ways, the last two of which end as its user knows it from a real node:

    too many commands or work     SpentError         the script is followed no further; the container runs on, mute
    too large values              OutOfMemoryError   the kernel kills it: OOMKilled, 137
    nested too deep               TooDeepError       "sh: can't fork: Resource temporarily unavailable"

Work is counted in bytes: those of every word that is read, made and written, and a surcharge for each thing that is
kept (`THING_BYTES`), so that a timeline is no larger than the work that has made it.
"""

import contextlib
from collections.abc import Iterator, Sequence

STEPS_MAX = 2_000
WORK_BYTES_MAX = 4 * 1024 * 1024
MEMORY_BYTES_MAX = 256 * 1024
DEPTH_MAX = 50
THING_BYTES = 64
WORD_BYTES = 8
CHARACTER_WORK = 8
"""What it costs to take one character of a script apart."""
TOKEN_WORK = 2
"""What it costs to pass over one word or operator in search of a command's end."""


class SpentError(Exception):
    """The script has had its share of commands or work."""


class OutOfMemoryError(Exception):
    """The script's values are larger than a container's memory."""


class TooDeepError(Exception):
    """A command in a command in a command, more than DEPTH_MAX times."""


class Budget:
    """What is left to one script and all that it calls."""

    __slots__ = ("_depth", "_memory", "_steps", "_work")

    def __init__(self) -> None:
        self._steps = STEPS_MAX
        self._work = WORK_BYTES_MAX
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
        check_memory(size)
        self.work(size + WORD_BYTES * len(words))

    def hold(self, size: int) -> None:
        """Count what a variable takes, or (negative) gives back; OutOfMemoryError."""
        self._memory += size
        check_memory(self._memory)

    @contextlib.contextmanager
    def deeper(self) -> Iterator[None]:
        """Count one level of nesting; TooDeepError."""
        if self._depth >= DEPTH_MAX:
            raise TooDeepError
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    @contextlib.contextmanager
    def fork(self) -> Iterator[None]:
        """Count what a subshell holds only for as long as it lives."""
        held = self._memory
        try:
            yield
        finally:
            self._memory = held


def check_memory(size: int) -> None:
    """Raise OutOfMemoryError where one value is larger than the memory."""
    if size > MEMORY_BYTES_MAX:
        raise OutOfMemoryError
