"""One program that somebody has started on the workstation: its words, its process, where its output goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

Write = Callable[[str, str], None]
"""Called with "stdout" or "stderr" and a piece of text."""

HOME = "/root"


@dataclass(frozen=True, slots=True)
class Invocation:
    """What a program is given. `argv[0]` is its name."""

    process: "Process"
    argv: Sequence[str]
    write: Write = field(repr=False)

    def out(self, text: str) -> None:
        """Write to standard output."""
        if text:
            self.write("stdout", text)

    def err(self, text: str) -> None:
        """Write to standard error."""
        if text:
            self.write("stderr", text)


def absolute(path: str) -> str:
    """Complete a path from the home directory, where the shell always is."""
    if path.startswith("~"):
        path = HOME + path[1:]
    if not path.startswith("/"):
        path = f"{HOME}/{path}"
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
