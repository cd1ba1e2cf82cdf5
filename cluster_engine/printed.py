"""What was typed in a real terminal and printed there, kept for the page that is written at the end (`export.html`).

    printed = Printed(write)
    await printed.command(cluster, "kubectl get nodes")        -> the exit code; `write` is called as it comes
    printed.frames        (Typed("console-1", "kubectl get nodes", …), Output("console-1", 1, "stdout", …), Done(…))

As pages are told it of their own commands (`commands`), as far as who reads it later needs it. Of much, the last is
kept.
"""

from collections import deque
from functools import partial
from typing import Any

from cluster_engine.cluster import INTERRUPTED, Cluster, Write
from cluster_engine.deeds import Done, Frame, Output, Stream, Typed

CHARACTERS_MAX = 1024 * 1024


class Printed:
    """One terminal's commands. Used on the cluster's loop."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._said: deque[Typed | Frame] = deque()
        self._size = self._commands = 0

    @property
    def frames(self) -> tuple[Typed | Frame, ...]:
        """What was said, oldest first."""
        return tuple(self._said)

    async def command(self, cluster: Cluster, line: str, *, terminal: str, **how: Any) -> int:
        """Run a line as `Cluster.command` does."""
        self._commands += 1
        identifier = f"console-{self._commands}"
        numbers = iter(range(1, 1 << 62))
        self._keep(Typed(identifier, line, prompt=cluster.terminal(terminal).prompt, after=_head(cluster)))
        code = INTERRUPTED
        try:
            write = partial(self._print, cluster, identifier, numbers)
            code = await cluster.command(line, write, terminal=terminal, **how)
        finally:
            self._keep(Done(identifier, next(numbers), code, after=_head(cluster)))
        return code

    def _print(self, cluster: Cluster, identifier: str, numbers: Any, stream: Stream, text: str) -> None:
        self._write(stream, text)
        self._keep(Output(identifier, next(numbers), stream, text, _head(cluster)))

    def _keep(self, one: Typed | Frame) -> None:
        self._said.append(one)
        self._size += _length(one)
        while self._size > CHARACTERS_MAX and len(self._said) > 1:
            self._size -= _length(self._said.popleft())


def _head(cluster: Cluster) -> int:
    return 0 if cluster.journal is None else cluster.journal.head


def _length(one: Typed | Frame) -> int:
    """How many characters are kept of one, and some for what holds them."""
    return 100 + (len(one.line) if isinstance(one, Typed) else len(one.text) if isinstance(one, Output) else 0)
