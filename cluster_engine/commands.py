"""The commands that are running in a cluster, by the ids that people gave them, and what is told of them.

Each line runs in a task of its own, in the terminal that all pages share. What it prints is told in frames that are
numbered within the command, so that somebody who has heard a part of it can be told the rest:

    Command("k1", "kubectl get nodes")    Typed("k1", …), Output("k1", 1, "stdout", …), Done("k1", 2, 0, "worker-1:~$")

What is typed while one runs goes to its programs, by a keyboard of its own:

    Command("k2", "cat", keyboard=True)   Typed("k2", …), Reads("k2", 1, True)
    Keys("k2", "a\\n", end=True)          Output("k2", 2, "stdin", "a\\n"), Output("k2", 3, "stdout", "a\\n"),
                                          Reads("k2", 4, False), Done("k2", 5, 0, …)

A line that began jobs goes on in the background until they have ended, and what they print is told as its own:

    Command("k3", "kubectl get pods -w &")  Typed("k3", …), Output("k3", 1, "stderr", "[1] 105\\n"),
                                          Background("k3", 2, …), Output("k3", 3, "stdout", …), …
    Interrupt("k3")                       Done("k3", 9, 143, …)
"""

import asyncio
import contextvars
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from cluster_engine.cluster import INTERRUPTED, Cluster, Write
from cluster_engine.deeds import (
    Background,
    Command,
    Done,
    Edited,
    Editing,
    Keys,
    Output,
    Reads,
    RefusedDeedError,
    Resize,
    Stream,
    Told,
    Typed,
)

if TYPE_CHECKING:
    from cluster_engine.programs.keyboard import Keyboard

COMMANDS_MAX = 8
OUTPUT_CHARACTERS_MAX = 32 * 1024  # of one frame
TERMINATED = 143

Show = Callable[[str, str], tuple[Write, Callable[[int], None]]]
"""Called with a line and the prompt before it; gives where its output goes, and whom to tell its exit code."""


class Commands:
    """The commands of one cluster. All is done on the cluster's loop; `tell` must be quick.

    `head` gives the journal's last entry, for what is told to stand after it.
    """

    def __init__(self, tell: Callable[[Told], None], head: Callable[[], int]) -> None:
        self._tell, self._head = tell, head
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._keyboards: dict[str, Keyboard] = {}
        self._frames: dict[str, int] = {}  # of each that is running, a lesson's too
        self._lines_shown = 0
        self._completing = False

    def type(self, cluster: Cluster, command: Command) -> None:
        """Begin a command. RefusedDeedError when its id is taken, or too many are running."""
        if command.id in self._frames:
            raise RefusedDeedError("A command with this id is running already.")  # a lesson's
        if len(self._tasks) >= COMMANDS_MAX:
            raise RefusedDeedError("Too many commands are running in this cluster; interrupt one first.")
        self._begin(Typed(command.id, command.line, prompt=cluster.terminal().prompt, after=self._head()))
        if command.keyboard:
            # here, so that a cluster starts without programs
            from cluster_engine.programs.keyboard import Keyboard
            from cluster_engine.programs.window import Window

            reads, asks = partial(self._reads, command.id), partial(self._asks, command.id)
            self._keyboards[command.id] = Keyboard(reads, asks, Window(command.columns, command.rows))
        running = self._run(cluster, command)  # in a task that is no part of whichever process is running
        self._tasks[command.id] = cluster.loop.create_task(running, context=contextvars.Context())

    async def complete(self, cluster: Cluster, line: str) -> dict[str, Any]:
        """Find what may stand at the end of a line; nothing while somebody else is being told."""
        if self._completing:
            return {"begin": len(line), "words": []}
        self._completing = True
        try:
            found = await cluster.terminal().complete(line)
        finally:
            self._completing = False
        return {"begin": found.begin, "words": list(found.words)}

    def interrupt(self, identifier: str) -> None:
        """Cancel a command, or the jobs that it left; nothing where they are over."""
        if identifier in self._tasks:
            self._tasks[identifier].cancel()

    def keys(self, keys: Keys) -> None:
        """Type to a command, and show what was typed; nothing where it is over. See `Keys`."""
        if keys.id not in self._tasks:
            return
        keyboard = self._keyboards.get(keys.id)
        if keyboard is None:
            raise RefusedDeedError("This command reads nothing that is typed.")
        keyboard.type(keys.text)
        self._print(keys.id, "stdin", keys.text)
        if keys.end:
            keyboard.end()

    def resize(self, resize: Resize) -> None:
        """Tell a command's programs the size of their terminal."""
        if resize.id in self._keyboards:
            self._keyboards[resize.id].window.resize(resize.columns, resize.rows)

    def edited(self, edited: Edited) -> None:
        """Give a command the text that it had edited."""
        if edited.id in self._keyboards:
            self._keyboards[edited.id].edited(edited.text)

    def show(self, line: str, prompt: str) -> tuple[Write, Callable[[int], None]]:
        """Tell of a line that the lesson runs as if it were typed; see `Show`. The page's own prompt stays as it is."""
        self._lines_shown += 1
        identifier = f"lesson-{self._lines_shown}"
        while identifier in self._frames:  # a page may give its commands any id
            identifier += "'"
        self._begin(Typed(identifier, line, "lesson", prompt, self._head()))
        return partial(self._print, identifier), lambda code: self._end(identifier, code, "")

    async def _run(self, cluster: Cluster, command: Command) -> None:
        identifier, write = command.id, partial(self._print, command.id)
        try:
            code = await cluster.command(command.line, write, stdin=self._keyboards.get(identifier))
        except asyncio.CancelledError:
            code = INTERRUPTED
        self._keyboards.pop(identifier, None)
        terminal = cluster.terminal()
        if terminal.jobs.printing(write):
            self._tell(Background(identifier, self._next(identifier), terminal.prompt, self._head()))
        while jobs := terminal.jobs.printing(write):
            try:
                await asyncio.wait(jobs)
            except asyncio.CancelledError:
                code = TERMINATED
                for job in jobs:
                    job.cancel()
        del self._tasks[identifier]
        self._end(identifier, code, terminal.prompt)

    def _begin(self, typed: Typed) -> None:
        self._frames[typed.id] = 0
        self._tell(typed)

    def _end(self, identifier: str, code: int, prompt: str) -> None:
        self._tell(Done(identifier, self._next(identifier), code, prompt, self._head()))
        del self._frames[identifier]

    def _next(self, identifier: str) -> int:
        self._frames[identifier] += 1
        return self._frames[identifier]

    def _reads(self, identifier: str, reads: bool) -> None:
        if identifier in self._frames:
            self._tell(Reads(identifier, self._next(identifier), reads, self._head()))

    def _asks(self, identifier: str, name: str, text: str, problem: str) -> None:
        if identifier in self._frames:
            self._tell(Editing(identifier, self._next(identifier), name, text, problem, self._head()))

    def _print(self, identifier: str, stream: Stream, text: str) -> None:
        if identifier not in self._frames:
            return
        for start in range(0, len(text), OUTPUT_CHARACTERS_MAX):
            piece = text[start : start + OUTPUT_CHARACTERS_MAX]
            self._tell(Output(identifier, self._next(identifier), stream, piece, self._head()))


__all__ = ["COMMANDS_MAX", "OUTPUT_CHARACTERS_MAX", "Commands", "Show"]
