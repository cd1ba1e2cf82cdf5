"""What will happen in a container, as data: lines, files, an end, an answer to SIGTERM, each at its second.

    Timeline(lines=(Line(at=0.0, text="up"),), ends_at=5.0, exit_code=3)        says "up", ends after 5 s with 3
    Timeline(on_term=Stop(0.1))                                                 runs for ever, ends soon after SIGTERM

A timeline lies on the host's disk with its container; whoever follows it may be killed and come back.
"""

from dataclasses import dataclass

SIGTERM_IGNORED = None
"""A process with pid 1 that has no handler for SIGTERM never gets it: it lives until SIGKILL (137)."""

STAMP = "\0"


class NotExecutableError(Exception):
    """There is no such program in the image; the text is runc's."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output, `at` seconds after the start. Between two STAMPs stands a strftime format."""

    at: float
    text: str
    stream: str = "stdout"


@dataclass(frozen=True, slots=True)
class Repeat:
    """Lines written again and again, every `period` seconds from `begins_at` on, for ever."""

    begins_at: float
    period: float
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """How a program takes SIGTERM: it ends after so many seconds, with this code."""

    seconds: float
    exit_code: int = 0
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that appears (or goes), `at` seconds after the start."""

    at: float
    path: str
    exists: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that will happen in a container, if nobody stops it. `ends_at` None: it runs for ever.

    `out_of_memory`: its end is a kill by the kernel, for want of memory.
    """

    lines: tuple[Line, ...] = ()
    ends_at: float | None = None
    exit_code: int = 0
    out_of_memory: bool = False
    repeat: Repeat | None = None
    on_term: Stop | None = SIGTERM_IGNORED
    files: tuple[FileChange, ...] = ()

    def files_at(self, elapsed: float) -> dict[str, bool]:
        """Tell which files the program has made (or removed: False), `elapsed` seconds after its start."""
        return {change.path: change.exists for change in self.files if change.at <= elapsed}


def stamp(form: str) -> str:
    """Stand for the time at which the line will be written, in strftime's format."""
    return f"{STAMP}{form}{STAMP}"
