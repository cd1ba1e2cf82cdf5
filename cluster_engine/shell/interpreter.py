"""What every shell here does with a script: lists, conditions, loops and words, whatever its commands do.

Theory of operation. `Interpreter` walks the tree of `syntax_tree.py`. It is a coroutine, and knows neither time nor
programs: `simple`, `pipeline`, `output` and a few more are left to who derives from it. There are two such:

    shell/shell.py          on a host of the cluster: commands are programs, and take their time
    containerd/container_shell.py    the shell in a container, throttled

Streams are whatever the deriving class hands from a command to those in it.

Modelled on POSIX.1-2017, Shell Command Language, 2.9. What a script may cost is bounded by its `budget`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from cluster_engine.shell import expansion, globs
from cluster_engine.shell.budget import WORD_BYTES, Budget
from cluster_engine.shell.syntax_tree import (
    AndOr,
    Command,
    For,
    Group,
    If,
    Item,
    Loop,
    Pipeline,
    Redirect,
    Script,
    Simple,
)

S = TypeVar("S")
LEVELS_MAX = 1000


class ShellExit(Exception):  # noqa: N818, control flow
    """`exit`: the shell that runs this ends with a code."""

    def __init__(self, code: int) -> None:
        self.code = code


class LoopControl(Exception):  # noqa: N818, control flow
    """`break` and `continue`, out of so many loops."""

    def __init__(self, *, goes_on: bool, levels: int) -> None:
        self.goes_on, self.levels = goes_on, levels


class Interpreter(ABC, Generic[S]):
    """Runs scripts. `status` is the exit code of the last command, `variables` hold what was assigned."""

    def __init__(self, variables: dict[str, str], budget: Budget) -> None:
        self.variables = variables
        self.budget = budget
        self.status = 0
        self._loops = 0
        self._held = 0

    # -- what the deriving class does ----------------------------------------------------------------------------------

    @abstractmethod
    async def simple(self, command: Simple, streams: S) -> int:
        """Run one command with its arguments; return its exit code."""

    @abstractmethod
    async def pipeline(self, commands: Sequence[Command], streams: S) -> int:
        """Run two commands or more, joined by pipes; return the last one's exit code."""

    @abstractmethod
    async def output(self, script: Script) -> str:
        """See expansion.Scope."""

    @abstractmethod
    async def group(self, group: Group, streams: S) -> int:
        """Run a group in its own streams; return the exit code of the last command in it."""

    @abstractmethod
    async def redirected(self, redirects: Sequence[Redirect], streams: S) -> S | None:
        """Return the streams of a compound command; None, and a word to the user, where they cannot be had."""

    @abstractmethod
    async def begin_job(self, item: Item, streams: S) -> int:
        """Run something beside what follows; return the exit code of having begun it."""

    def turn_begins(self) -> Any:
        """Return what `turn_ends` needs. Called before each turn of a loop."""

    async def turn_ends(self, loop: Loop | For, began: Any) -> None:
        """Take time, or give up. Called after each turn of a loop."""

    def paths(self, pieces: Sequence[globs.Piece]) -> list[str]:
        """See expansion.Scope."""
        return []

    # -- lists ---------------------------------------------------------------------------------------------------------

    async def run(self, script: Script, streams: S) -> int:
        """Run a list; return the exit code of its last command, 0 where it is empty."""
        code = 0
        for item in script:
            code = await (self.begin_job(item, streams) if item.background else self.and_or(item.and_or, streams))
            self.status = code
        return code

    async def and_or(self, list_: AndOr, streams: S) -> int:
        """Run pipelines joined by && and ||."""
        code = self.status = await self._pipeline(list_.pipelines[0], streams)
        for operator, pipeline in zip(list_.operators, list_.pipelines[1:], strict=True):
            if (operator == "&&") is (code == 0):
                code = self.status = await self._pipeline(pipeline, streams)
        return code

    async def _pipeline(self, pipeline: Pipeline, streams: S) -> int:
        if len(pipeline.commands) == 1:
            code = await self.command(pipeline.commands[0], streams)
        else:
            code = await self.pipeline(pipeline.commands, streams)
        return int(code == 0) if pipeline.negated else code

    async def command(self, command: Command, streams: S) -> int:
        """Run one command of a pipeline."""
        with self.budget.deeper():
            if isinstance(command, Simple):
                self.budget.step()
                return await self.simple(command, streams)
            inner = await self.redirected(command.redirects, streams) if command.redirects else streams
            if inner is None:
                return 1
            match command:
                case Loop():
                    return await self._loop(command, inner)
                case For():
                    return await self._for(command, inner)
                case If():
                    return await self._if(command, inner)
                case Group():
                    return await self.group(command, inner)

    async def _if(self, command: If, streams: S) -> int:
        for condition, body in command.branches:
            if await self.run(condition, streams) == 0:
                return await self.run(body, streams)
        return await self.run(command.otherwise or (), streams)

    # -- loops ---------------------------------------------------------------------------------------------------------

    async def _loop(self, loop: Loop, streams: S) -> int:
        code = 0
        while True:
            began = self.turn_begins()
            self.budget.step()
            if (await self.run(loop.condition, streams) == 0) is loop.until:
                return code
            turned = await self._turn(loop.body, streams)
            if turned is None:
                return 0
            code = turned
            await self.turn_ends(loop, began)

    async def _for(self, loop: For, streams: S) -> int:
        code = 0
        for word in await expansion.fields(loop.words, self):
            began = self.turn_begins()
            self.budget.step()
            self.assign(loop.name, word)
            turned = await self._turn(loop.body, streams)
            if turned is None:
                return 0
            code = turned
            await self.turn_ends(loop, began)
        return code

    async def _turn(self, body: Script, streams: S) -> int | None:
        """Run a loop's body; return its exit code, None where the loop is to end."""
        self._loops += 1
        try:
            return await self.run(body, streams)
        except LoopControl as control:
            if control.levels > 1 and self._loops > 1:
                raise LoopControl(goes_on=control.goes_on, levels=control.levels - 1) from None
            return 0 if control.goes_on else None
        finally:
            self._loops -= 1

    def leave_loop(self, words: Sequence[str]) -> int:
        """Run `break` or `continue`, as a command of a loop: raise LoopControl."""
        levels = words[1] if len(words) > 1 else "1"
        if self._loops and levels.isascii() and levels.isdigit():
            raise LoopControl(goes_on=words[0] == "continue", levels=min(int(levels[:9]), LEVELS_MAX))
        return 0

    # -- variables -----------------------------------------------------------------------------------------------------

    def value(self, name: str) -> str | None:
        """See expansion.Scope."""
        return str(self.status) if name == "?" else self.variables.get(name)

    def assign(self, name: str, value: str) -> None:
        """See expansion.Scope. OutOfMemoryError."""
        self._hold(len(value) + WORD_BYTES + len(name) - self._size(name))
        self.variables[name] = value

    def forget(self, name: str) -> None:
        """Unset a variable."""
        self._hold(-self._size(name))
        self.variables.pop(name, None)

    def _size(self, name: str) -> int:
        known = self.variables.get(name)
        return 0 if known is None else len(known) + WORD_BYTES + len(name)

    def _hold(self, size: int) -> None:
        self._held += size
        self.budget.hold(size)

    def give_back(self) -> None:
        """Give back what the variables of a subshell have taken: called when it has ended."""
        self.budget.hold(-self._held)
        self._held = 0
