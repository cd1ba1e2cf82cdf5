"""What a container's command does, worked out beforehand: from argv to a timeline.

Containers here run no programs. What a learner can see of one is when it writes which line, which files it makes, when
it ends and with what code, and how it takes SIGTERM; so a command is evaluated once, at its start, into exactly that.
A timeline is data: it lies on the host's disk, and a container lives on while containerd is away, as real ones do under
their shims.

A script is read and walked as the one that a person types is (`shell/syntax.py`, `shell/interpreter.py`); what differs
stands here: `sleep` moves a clock of the evaluation's own, and commands are the handful below, in the words of BusyBox.
Left out: pipes (only the first command counts), `&` (what follows waits), the content of files, and every command that
is not in `COMMANDS`, which is "not found" (127). What a script may cost is bounded (LIMITS), since it is evaluated
between two instants of virtual time, and nothing may wait for it. The bounds end as they do on a real node:

    too many commands or work     the script is followed no further; the container runs on, mute
    too large values              the kernel kills it: OOMKilled, 137
    nested too deep               "sh: can't fork: Resource temporarily unavailable"

A turn of a loop takes at least TURN_SECONDS, so that no loop repeats without time going by.

    evaluate(["sh", "-c", "echo up; sleep 5; exit 3"], {})
    Timeline(lines=(Line(at=0.0, text="up"),), ends_at=5.0, exit_code=3)
"""

import contextlib
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cluster_engine.containerd.timeline import FileChange, Line, NotExecutableError, Repeat, Timeline, stamp
from cluster_engine.shell import expansion
from cluster_engine.shell.budget import (
    CHARACTER_WORK,
    THING_BYTES,
    WORD_BYTES,
    Budget,
    Limits,
    OutOfMemoryError,
    SpentError,
    TooDeepError,
)
from cluster_engine.shell.expansion import ExpansionFailure
from cluster_engine.shell.interpreter import Interpreter, LoopControl, ShellExit
from cluster_engine.shell.syntax import SyntaxFailure, parse
from cluster_engine.shell.syntax_tree import Command, For, Group, Item, Loop, Redirect, Script, Simple

LIMITS = Limits(steps=2_000, work_bytes=4 * 1024 * 1024, memory_bytes=256 * 1024, depth=50)
"""What one container's script may cost, and all that it calls."""
TURN_SECONDS = 0.001
SLEEP_SECONDS_MAX = 100 * 365 * 86_400
OUT_OF_MEMORY_CODE = 137
CANNOT_FORK = "sh: can't fork: Resource temporarily unavailable"

SHELLS = frozenset({"sh", "bash", "ash", "dash"})
T = TypeVar("T")
Streams = tuple[bool, bool]
"""Whether standard output and standard error go to the container's log."""
LOGGED: Streams = (True, True)


def evaluate(argv: Sequence[str], env: Mapping[str, str], exists: Callable[[str], bool] = lambda _: False) -> Timeline:
    """Work out what a program of a BusyBox-like image does.

    `exists` tells of files that are there already. Raises NotExecutableError for an unknown program.
    """
    if not knows(argv[0]):
        raise NotExecutableError(f'exec: "{argv[0]}": executable file not found in $PATH')
    evaluation = Evaluation(dict(env), Budget(LIMITS), exists)
    code, out_of_memory = 0, False
    ends_at: float | None = None
    try:
        code = _at_once(evaluation.execute(list(argv), LOGGED))
        ends_at = evaluation.clock
    except ShellExit as end:
        code, ends_at = end.code, evaluation.clock
    except OutOfMemoryError:
        code, ends_at, out_of_memory = OUT_OF_MEMORY_CODE, evaluation.clock, True
    except (_Forever, SpentError):
        pass
    return Timeline(
        lines=tuple(evaluation.lines),
        ends_at=ends_at,
        exit_code=code,
        out_of_memory=out_of_memory,
        repeat=evaluation.repeat,
        files=tuple(evaluation.files),
    )


def knows(program: str) -> bool:
    """Return whether a BusyBox-like image has a program."""
    name = program.rpartition("/")[2]
    return name in SHELLS or name in COMMANDS or name in _ENDERS


def _at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits, to its end."""
    try:
        work.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    raise AssertionError("a script waited for something")


class _Forever(Exception):  # noqa: N818
    """The script never gets any further."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """How things stood when a turn of a loop began."""

    clock: float
    lines: int
    files: int
    variables: dict[str, str]


class Evaluation(Interpreter[Streams]):
    """The state of one evaluation: the clock that `sleep` moves, and what has been seen by then."""

    def __init__(
        self, env: dict[str, str], budget: Budget, exists_before: Callable[[str], bool], clock: float = 0.0
    ) -> None:
        super().__init__(env, budget)
        self.exists_before = exists_before
        self.clock = clock
        self.lines: list[Line] = []
        self.files: list[FileChange] = []
        self.repeat: Repeat | None = None
        self.there: dict[str, bool] = {}

    # -- what can be seen ----------------------------------------------------------------------------------------------

    def say(self, text: str, streams: Streams, stream: str = "stdout") -> None:
        """Write lines, to the log where the stream leads there."""
        if not streams[stream == "stderr"]:
            return
        self.budget.work(len(text) + THING_BYTES * (1 + text.count("\n")))
        self.lines.extend(Line(self.clock, line, stream) for line in text.split("\n"))

    def exists(self, path: str) -> bool:
        """Return whether a file is there by now."""
        known = self.there.get(path)
        return self.exists_before(path) if known is None else known

    def change(self, path: str, exists: bool) -> None:
        """Make or delete a file."""
        self.budget.work(THING_BYTES)
        self.files.append(FileChange(self.clock, path, exists))
        self.there[path] = exists

    # -- Interpreter ---------------------------------------------------------------------------------------------------

    async def script(self, text: str, streams: Streams) -> int:
        """Read and run a script."""
        self.budget.work(CHARACTER_WORK * len(text))
        try:
            with self.budget.deeper():
                return await self.run(parse(text), streams)
        except SyntaxFailure as failure:
            self.say(f"sh: {failure}", streams, "stderr")
            return 2
        except LoopControl:
            return 0
        except TooDeepError:
            return self.cannot_fork(streams)

    def cannot_fork(self, streams: Streams) -> int:
        """Say that something is nested too deep."""
        self.say(CANNOT_FORK, streams, "stderr")
        return 2

    async def simple(self, command: Simple, streams: Streams) -> int:
        """See Interpreter."""
        try:
            words = await expansion.fields(command.words, self)
            self.budget.words(words)
            inner = await self.redirected(command.redirects, streams)
            for name, word in command.assignments:
                self.assign(name, await expansion.text(word, self))
        except ExpansionFailure as problem:
            self.say(f"sh: {problem}", streams, "stderr")
            return 2
        return await self.execute(words, inner) if words else 0

    async def execute(self, words: Sequence[str], streams: Streams) -> int:
        """Run one command with its arguments."""
        if not words:
            return 0
        name, arguments = words[0].rpartition("/")[2], list(words[1:])
        if name in ("break", "continue"):
            return self.leave_loop(words)
        if name in _ENDERS or name in SHELLS:
            try:
                with self.budget.deeper():
                    return await _ENDERS.get(name, _shell)(self, arguments, streams)
            except TooDeepError:
                return self.cannot_fork(streams)
        if name not in COMMANDS:
            self.say(f"sh: {words[0]}: not found", streams, "stderr")
            return 127
        return COMMANDS[name](self, arguments, streams)

    async def pipeline(self, commands: Sequence[Command], streams: Streams) -> int:
        """See Interpreter: only the first command counts."""
        return await self.command(commands[0], streams)

    async def begin_job(self, item: Item, streams: Streams) -> int:
        """See Interpreter: what follows waits for it."""
        return await self.and_or(item.and_or, streams)

    async def group(self, group: Group, streams: Streams) -> int:
        """See Interpreter."""
        return await self.run(group.body, streams)

    async def redirected(self, redirects: Sequence[Redirect], streams: Streams) -> Streams:
        """See Interpreter: what goes to a file makes that file, and is not in the log."""
        logged = [False, *streams]
        for redirect in redirects:
            target = await expansion.text(redirect.target, self)
            if redirect.operator in (">&", "<&"):
                logged[redirect.descriptor] = target in ("1", "2") and logged[int(target)]
            elif redirect.operator in (">", ">>"):
                logged[redirect.descriptor] = target in ("/dev/stdout", "/dev/stderr", "/proc/1/fd/1", "/proc/1/fd/2")
                if not target.startswith(("/dev/", "/proc/")):
                    self.change(target, True)
        return logged[1], logged[2]

    async def output(self, script: Script) -> str:
        """See expansion.Scope. It takes the time that the script sleeps."""
        self.budget.work(WORD_BYTES * len(self.variables))
        inner = Evaluation(dict(self.variables), self.budget, self.exists, self.clock)
        with self.budget.deeper(), contextlib.suppress(ShellExit, LoopControl):
            await inner.run(script, LOGGED)
        inner.give_back()
        self.clock = inner.clock
        return "\n".join(line.text for line in inner.lines if line.stream == "stdout")

    # -- loops ---------------------------------------------------------------------------------------------------------

    def turn_begins(self) -> _Turn:
        """See Interpreter."""
        self.budget.work(WORD_BYTES * len(self.variables))
        return _Turn(self.clock, len(self.lines), len(self.files), dict(self.variables))

    async def turn_ends(self, loop: Loop | For, began: Any) -> None:
        """Let time go by; where the loop always goes on, it is a `Repeat`.

        It always goes on where its condition is a constant, and where a turn has left everything as it was. While a
        variable doubles in each turn there is a next turn nevertheless: soon there is no memory for it.
        """
        if isinstance(loop, For):
            return
        turn: _Turn = began
        self.clock = max(self.clock, turn.clock + TURN_SECONDS)
        is_constant = _is_constant(loop) and not _doubles(turn.variables, self.variables)
        if is_constant or (turn.variables == self.variables and turn.files == len(self.files)):
            lines = tuple(Line(line.at - turn.clock, line.text, line.stream) for line in self.lines[turn.lines :])
            self.repeat = Repeat(self.clock, self.clock - turn.clock, lines)
            raise _Forever


def _is_constant(loop: Loop) -> bool:
    first = loop.condition[0].and_or.pipelines[0].commands[0]
    return isinstance(first, Simple) and bool(first.words) and first.words[0].plain in ("true", ":", "false")


def _doubles(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Return whether a variable is new, or at least twice as long as it was."""
    return any(len(value) >= 2 * len(before.get(name, "")) for name, value in after.items() if value)


# -- commands ----------------------------------------------------------------------------------------------------------


async def _shell(evaluation: Evaluation, arguments: list[str], streams: Streams) -> int:
    """An interactive shell without a terminal reads end-of-file and ends; with -c it runs the script."""
    if "-c" not in arguments:
        return 0
    script = arguments[arguments.index("-c") + 1 :]
    return await evaluation.script(script[0], streams) if script else 2


def _sleep(evaluation: Evaluation, arguments: list[str], streams: Streams) -> int:
    total = 0.0
    for argument in arguments:
        if argument in {"infinity", "inf"}:
            raise _Forever
        match = re.match(r"^(\d+(?:\.\d+)?)([smhd]?)$", argument)
        if not match:
            evaluation.say(f"sleep: invalid number '{argument}'", streams, "stderr")
            return 1
        total += float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
    if total > SLEEP_SECONDS_MAX:
        raise _Forever
    evaluation.clock += total
    return 0


async def _exit(evaluation: Evaluation, arguments: list[str], streams: Streams) -> int:
    if not arguments:
        raise ShellExit(0)
    if not re.fullmatch(r"[0-9]{1,9}", arguments[0]):
        evaluation.say(f"sh: exit: Illegal number: {arguments[0]}", streams, "stderr")
        raise ShellExit(2)
    raise ShellExit(int(arguments[0]) & 0xFF)


async def _exec(evaluation: Evaluation, arguments: list[str], streams: Streams) -> int:
    return await evaluation.execute(arguments, streams)


async def _timeout(evaluation: Evaluation, arguments: list[str], streams: Streams) -> int:
    return await evaluation.execute(arguments[1:], streams)


def _tail(_: Evaluation, arguments: list[str], __: Streams) -> int:
    if "-f" in arguments:
        raise _Forever
    return 0


def _cat(evaluation: Evaluation, arguments: list[str], streams: Streams) -> int:
    for path in arguments:
        if not evaluation.exists(path):
            evaluation.say(f"cat: can't open '{path}': No such file or directory", streams, "stderr")
            return 1
    return 0


def _test(evaluation: Evaluation, arguments: list[str], _: Streams) -> int:
    arguments = [argument for argument in arguments if argument != "]"]
    match arguments:
        case ["-f" | "-e" | "-d", path]:
            return 0 if evaluation.exists(path) else 1
        case [left, "=" | "==", right]:
            return 0 if left == right else 1
        case [left, "!=", right]:
            return 0 if left != right else 1
    return 0 if arguments and arguments[0] else 1


Run = Callable[[Evaluation, list[str], Streams], int]


def _touch(exists: bool) -> Run:
    def change(evaluation: Evaluation, arguments: list[str], _: Streams) -> int:
        for path in arguments:
            if not path.startswith("-"):
                evaluation.change(path, exists)
        return 0

    return change


def _echo(evaluation: Evaluation, arguments: list[str], streams: Streams) -> int:
    evaluation.say(" ".join(argument for argument in arguments if argument not in {"-n", "-e"}), streams)
    return 0


def _env(evaluation: Evaluation, _: list[str], streams: Streams) -> int:
    evaluation.say("\n".join(f"{name}={value}" for name, value in evaluation.variables.items()), streams)
    return 0


def _says(text: Callable[[Evaluation, list[str]], str], code: int = 0) -> Run:
    def run(evaluation: Evaluation, arguments: list[str], streams: Streams) -> int:
        evaluation.say(text(evaluation, arguments), streams, "stderr" if code else "stdout")
        return code

    return run


def _silent(code: int) -> Run:
    return lambda *_: code


_ENDERS: dict[str, Callable[[Evaluation, list[str], Streams], Awaitable[int]]] = {
    "exit": _exit,
    "exec": _exec,
    "busybox": _exec,
    "timeout": _timeout,
}

COMMANDS: dict[str, Run] = {
    "true": _silent(0),
    ":": _silent(0),
    "false": _silent(1),
    "set": _silent(0),
    "wait": _silent(0),
    "cd": _silent(0),
    "mkdir": _touch(True),
    "touch": _touch(True),
    "rm": _touch(False),
    "sleep": _sleep,
    "tail": _tail,
    "cat": _cat,
    "test": _test,
    "[": _test,
    "ls": lambda evaluation, arguments, streams: _cat(
        evaluation, [argument for argument in arguments if argument.startswith("/tmp/")], streams
    ),
    "echo": _echo,
    "printf": lambda evaluation, arguments, streams: _echo(
        evaluation, [argument.replace("\\n", "") for argument in arguments[:1]], streams
    ),
    "env": _env,
    "printenv": _env,
    "date": _says(lambda *_: stamp("%a %b %e %H:%M:%S UTC %Y")),
    "hostname": _says(lambda evaluation, _: evaluation.variables.get("HOSTNAME", "localhost")),
    "uname": _says(lambda *_: "Linux"),
    "whoami": _says(lambda *_: "root"),
    "id": _says(lambda *_: "uid=0(root) gid=0(root) groups=0(root)"),
    "pwd": _says(lambda *_: "/"),
    "wget": _says(lambda _, arguments: f"wget: bad address '{_host(arguments)}'", 1),
    "curl": _says(lambda _, arguments: f"curl: (6) Could not resolve host: {_host(arguments)}", 6),
    "nslookup": _says(lambda *_: ";; connection timed out; no servers could be reached", 1),
    "ping": _says(lambda _, arguments: f"ping: bad address '{_host(arguments)}'", 1),
}


def _host(arguments: Sequence[str]) -> str:
    last = arguments[-1] if arguments else ""
    return re.sub(r"^\w+://", "", last).partition("/")[0]
