"""What every shell here does with a script: lists, conditions, loops and words, whatever its commands do.

Theory of operation. `Interpreter` walks the tree of `syntax_tree.py`. It is a coroutine, and knows neither time nor
programs: `simple`, `pipeline`, `output` and a few more are left to who derives from it. There are two such:

    shell/shell.py          on a host of the cluster: commands are programs, and take their time
    containerd/container_shell.py    the shell in a container, throttled

Streams are whatever the deriving class hands from a command to those in it.

Modelled on POSIX.1-2017, Shell Command Language, 2.9. What a script may cost is bounded by its `budget`.
"""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.structs import replace

from cluster_engine.shell import expansion, globs, patterns
from cluster_engine.shell.budget import WORD_BYTES, Budget
from cluster_engine.shell.expansion import ExpansionFailure
from cluster_engine.shell.syntax_tree import (
    AndOr,
    Case,
    Command,
    For,
    Function,
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


class FunctionReturn(ShellExit):
    """`return`: the function that runs this ends with a code; in a subshell, that does."""


class LoopControl(Exception):  # noqa: N818, control flow
    """`break` and `continue`, out of so many loops."""

    def __init__(self, *, goes_on: bool, levels: int) -> None:
        self.goes_on, self.levels = goes_on, levels


class Own(msgspec.Struct):
    """What a shell has beside its variables: its name ($0), positional parameters, functions, options of `set`."""

    name: str = "sh"
    parameters: list[str] = msgspec.field(default_factory=list)
    functions: dict[str, Function] = msgspec.field(default_factory=dict)
    options: dict[str, None] = msgspec.field(default_factory=dict)

    def copy(self) -> "Own":
        """Return what a subshell begins with."""
        return replace(self, functions=dict(self.functions), options=dict(self.options))


class Interpreter(ABC, Generic[S]):
    """Runs scripts. `status` is the exit code of the last command, `variables` hold what was assigned."""

    def __init__(self, variables: dict[str, str], budget: Budget, own: Own) -> None:
        self.variables = variables
        self.budget = budget
        self.own = own
        self.status = 0
        self._loops = 0
        self._conditions = 0
        """How many conditions it is in: in none `set -e` ends the shell."""
        self.locals: list[dict[str, str | None]] = []
        """For each function that runs, what variables were before it made them its own."""
        self._held = 0

    unset = "unbound variable"
    """What is said of a variable that is not set, with `set -u`."""

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

    @abstractmethod
    def failed(self, problem: ExpansionFailure, streams: S) -> int:
        """Say that a command's words could not be expanded; return its exit code. ShellExit."""

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
        """Run pipelines joined by && and ||. ShellExit where `set -e` has a failure end the shell."""
        code, ran = 0, 0
        for number, pipeline in enumerate(list_.pipelines):
            if number and (list_.operators[number - 1] == "&&") is not (code == 0):
                continue
            ran = number
            is_condition = number < len(list_.pipelines) - 1 or pipeline.negated
            with self._in_condition() if is_condition else contextlib.nullcontext():
                code = self.status = await self._pipeline(pipeline, streams)
        if code and "e" in self.own.options and not self._conditions and ran == len(list_.pipelines) - 1:
            last = list_.pipelines[ran]
            command = last.commands[-1]
            is_counted = isinstance(command, Simple) or (isinstance(command, Group) and command.subshell)
            if not last.negated and (is_counted or len(last.commands) > 1):
                raise ShellExit(code)
        return code

    @contextlib.contextmanager
    def _in_condition(self) -> Iterator[None]:
        self._conditions += 1
        try:
            yield
        finally:
            self._conditions -= 1

    async def _holds(self, condition: Script, streams: S) -> bool:
        with self._in_condition():
            return await self.run(condition, streams) == 0

    async def _pipeline(self, pipeline: Pipeline, streams: S) -> int:
        if len(pipeline.commands) == 1:
            code = await self.command(pipeline.commands[0], streams)
        else:
            code = await self.pipeline(pipeline.commands, streams)
        return int(code == 0) if pipeline.negated else code

    async def command(self, command: Command, streams: S) -> int:
        """Run one command of a pipeline."""
        with self.budget.deeper():
            try:
                if isinstance(command, Simple):
                    self.budget.step()
                    return await self.simple(command, streams)
                inner = await self.redirected(command.redirects, streams) if command.redirects else streams
                return 1 if inner is None else await self._compound(command, inner)
            except ExpansionFailure as problem:
                return self.failed(problem, streams)

    async def _compound(self, command: Command, streams: S) -> int:
        match command:
            case Loop():
                return await self._loop(command, streams)
            case For():
                return await self._for(command, streams)
            case If():
                return await self._if(command, streams)
            case Case():
                return await self._case(command, streams)
            case Group():
                return await self.group(command, streams)
            case Function():
                self._define(command)
        return 0

    async def _if(self, command: If, streams: S) -> int:
        for condition, body in command.branches:
            if await self._holds(condition, streams):
                return await self.run(body, streams)
        return await self.run(command.otherwise or (), streams)

    async def _case(self, command: Case, streams: S) -> int:
        self.budget.step()
        word = await expansion.text(command.word, self)
        for branch, body in command.branches:
            for pattern in branch:
                if patterns.fits(await expansion.pieces(pattern, self), word, self.budget):
                    return await self.run(body, streams)
        return 0

    # -- functions -----------------------------------------------------------------------------------------------------

    def _define(self, function: Function) -> None:
        self.budget.step()
        known = self.own.functions.get(function.name)
        self._hold(function.size - (known.size if known else 0))
        self.own.functions[function.name] = function

    async def call(self, function: Function, arguments: Sequence[str], streams: S) -> int:
        """Run a function with positional parameters and variables of its own; return its exit code."""
        before, self.own.parameters = self.own.parameters, list(arguments)
        loops, self._loops = self._loops, 0
        self.locals.append({})
        try:
            return await self.command(function.body, streams)
        except FunctionReturn as end:
            return end.code
        finally:
            self._loops = loops
            self.own.parameters = before
            for name, value in self.locals.pop().items():
                if value is None:
                    self.forget(name)
                else:
                    self.assign(name, value)

    # -- loops ---------------------------------------------------------------------------------------------------------

    async def _loop(self, loop: Loop, streams: S) -> int:
        code = 0
        while True:
            began = self.turn_begins()
            self.budget.step()
            if await self._holds(loop.condition, streams) is loop.until:
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

    @property
    def parameters(self) -> Sequence[str]:
        """See expansion.Scope."""
        return self.own.parameters

    def value(self, name: str) -> str | None:
        """See expansion.Scope."""
        parameters = self.own.parameters
        match name:
            case "?":
                return str(self.status)
            case "#":
                return str(len(parameters))
            case "@" | "*":
                return " ".join(parameters) if parameters else None
            case "0":
                return self.own.name
            case "-":
                return "".join(option for option in self.own.options if len(option) == 1)
        if name.isdigit():
            number = int(name[:9])
            return parameters[number - 1] if number <= len(parameters) else None
        return self.variables.get(name)

    def missing(self, name: str) -> None:
        """See expansion.Scope."""
        if "u" in self.own.options and name not in ("@", "*"):
            raise ExpansionFailure(f"{name}: {self.unset}", ends=True)

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
