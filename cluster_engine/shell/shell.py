"""The shell of a host: it runs programs, joins them by pipes, and keeps a directory, variables and an environment.

Theory of operation. Each program is a process of the host (`programs/running.py`). The commands of a pipeline run side
by side, each in a copy of the shell, joined by pipes of 64 KiB: a writer whose reader has ended gets SIGPIPE (141), and
the exit code of the last one counts. Ctrl-C is the cancellation of whatever runs here.

A turn of a loop takes at least TURN_SECONDS, so that no loop repeats without time going by, and what a line may run,
expand and hold in all is bounded (LIMITS).

    shell = Shell(terminal, login(host), stderr)
    await shell.run(parse("cd /etc && ls *.conf | wc -l"), streams)      -> 0

Modelled on bash called as sh, by root. Left out: traps.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec.structs import replace

from cluster_engine.programs import running
from cluster_engine.programs.invocation import HOME, SIGPIPE, CannotGoOnError, absolute
from cluster_engine.programs.streams import (
    Bytes,
    Captured,
    FileInput,
    FileOutput,
    Input,
    Nowhere,
    Output,
    Pipe,
    Streams,
)
from cluster_engine.programs.table import ALIASES
from cluster_engine.programs.window import size_of
from cluster_engine.shell import expansion, globs, subshells
from cluster_engine.shell.budget import WORD_BYTES, Budget, Limits, OutOfMemoryError, SpentError, TooDeepError
from cluster_engine.shell.expansion import ExpansionFailure
from cluster_engine.shell.interpreter import Interpreter, LoopControl, Own, ShellExit
from cluster_engine.shell.syntax_tree import Command, For, Group, Item, Loop, Redirect, Script, Simple
from cluster_engine.world.bugs import first_of

if TYPE_CHECKING:
    from cluster_engine.shell.jobs import Job, Jobs
    from cluster_engine.world.files import FileSystem
    from cluster_engine.world.process import Host
    from cluster_engine.world.world import World

LIMITS = Limits(steps=100_000, work_bytes=256 * 1024 * 1024, memory_bytes=1024 * 1024, depth=50)
"""What one line may cost, and all that it calls."""
TURN_SECONDS = 0.001
PIPELINE_LENGTH_MAX = 16
NOT_FOUND, NOT_EXECUTABLE = 127, 126
EXECUTABLE = 0o111
PIPEFAIL = "pipefail"
PLAIN = re.compile(r"[\w./:=@%+,-]+")
"""What needs no quotes where it is traced."""
HOST_GONE = 255
BROKEN_PIPE = 128 + SIGPIPE
WRITTEN_BY_THE_SHELL = frozenset({"echo", "printf"})
"""Programs that are part of a real shell: when their pipe breaks it is the shell that dies, and a loop in it ends."""
STANDARD_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
SPENT = f"a line may run {LIMITS.steps} commands: no more of it is run"
PROGRAMS_IN_REALITY = frozenset({"bash", "kill", "scp", "sh", "ssh", "sudo", "which"})
"""What the shell does itself here and is a program elsewhere."""
CANNOT_FORK, CANNOT_FORK_CODE = "fork: retry: Resource temporarily unavailable", 126
ENVIRONMENT = {
    "HOME": HOME, "LANG": "C.UTF-8", "LOGNAME": "root", "SHELL": "/bin/sh", "TERM": "dumb", "USER": "root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}  # fmt: skip


class Place(msgspec.Struct):
    """What outlives a line: the host, the directory, variables, the names of those that programs are given.

    `root` are the files of the container that one is in; of none, the host's count.
    """

    host: "Host"
    boot: int
    directory: str = HOME
    variables: dict[str, str] = msgspec.field(default_factory=dict)
    exported: dict[str, None] = msgspec.field(default_factory=dict)
    status: int = 0
    root: "FileSystem | None" = None
    own: Own = msgspec.field(default_factory=Own)
    began: float = 0.0
    """When $SECONDS was 0, in seconds since the host was booted."""

    @property
    def files(self) -> "FileSystem":
        """The files one sees."""
        return self.host.files if self.root is None else self.root

    @property
    def is_up(self) -> bool:
        """Whether the host has run without a break since one came."""
        return self.host.powered and self.host.boots == self.boot


def login(host: "Host") -> Place:
    """Return where one is after logging in on a host as root."""
    variables = {**ENVIRONMENT, "HOSTNAME": host.name, "PWD": HOME}
    return Place(host, host.boots, HOME, variables, dict.fromkeys(variables), began=host.seconds_up)


Builtin = Callable[["Shell", Sequence[str], Streams], Awaitable[int]]


class Session(Protocol):
    """What a shell needs of the terminal that its lines are typed into. `programs` are those found there, by name."""

    world: "World"
    jobs: "Jobs"
    pid: int
    builtins: Mapping[str, Builtin]
    programs: Mapping[str, "running.Program"]

    def begin_job(self, text: str, work: Callable[[], Awaitable[int]], streams: Streams) -> "Job | None":
        """Run something in the background; return None where too much runs there already."""
        ...

    def enter(self, host: "Host", streams: Streams) -> int:
        """Go to a host; return the exit code of having gone."""
        ...

    async def run_at(self, host: "Host", line: str, streams: Streams, caller: "Shell") -> int:
        """Run a line on another host; return its exit code."""
        ...


class Shell(Interpreter[Streams]):
    """A shell in a place. `stderr` is where it complains; only one that is `interactive` may move to another host."""

    cannot_fork = CANNOT_FORK
    is_bash = True
    """Whether it has $SECONDS, and sets COLUMNS and LINES at a terminal; other shells do neither."""
    unset_code = 127
    """The exit code of a shell that ends by a variable that is not set."""

    def __init__(
        self,
        terminal: Session,
        place: Place,
        stderr: Output,
        *,
        interactive: bool = False,
        budget: Budget | None = None,
    ) -> None:
        super().__init__(place.variables, budget or Budget(LIMITS), place.own)
        self.budget.hold(sum(len(name) + len(value) + WORD_BYTES for name, value in place.variables.items()))
        self.budget.hold(sum(function.size for function in place.own.functions.values()))
        self.status = place.status
        self.terminal = terminal
        self.place = place
        self.stderr = stderr
        self.interactive = interactive
        self.argv: Sequence[str] = ("bash",)
        """The command line that its forks are seen by."""
        self._substituted: int | None = None

    def copy(self) -> "Shell":
        """Return a subshell: it begins as this one is, and changes nothing in it; they share the budget."""
        place = replace(
            self.place,
            variables=dict(self.variables),
            exported=dict(self.place.exported),
            status=self.status,
            own=self.own.copy(),
        )
        copy = type(self)(self.terminal, place, self.stderr)
        copy.argv = self.argv
        copy.budget, copy._loops, copy._conditions = self.budget, self._loops, self._conditions
        copy.locals = [dict(one) for one in self.locals]
        return copy

    def complain(self, text: str, streams: Streams) -> None:
        """Say something to the user, as sh does."""
        self.say(f"sh: {text}\n", streams.stderr)

    @staticmethod
    def say(text: str, output: Output) -> None:
        """Write text; what cannot be written is lost."""
        try:
            output.write(text.encode("utf-8", "replace"))
        except OSError:
            return

    # -- commands ------------------------------------------------------------------------------------------------------

    async def simple(self, command: Simple, streams: Streams) -> int:
        """See Interpreter."""
        self._substituted = None
        words = await expansion.fields(command.words, self)
        self.budget.words(words)
        inner = await self.redirected(command.redirects, streams)
        assigned = {name: await expansion.text(word, self) for name, word in command.assignments}
        if "x" in self.own.options:
            self._trace([*(f"{name}={value}" for name, value in assigned.items()), *words])
        if inner is None:
            return 1
        if not words:
            for name, value in assigned.items():
                self.assign(name, value)
            return self._substituted or 0
        return await self.execute(words, assigned, inner)

    async def execute(self, words: Sequence[str], assigned: dict[str, str], streams: Streams) -> int:
        """Run a builtin or a program, with variables that only it is given."""
        if words[0] in ("break", "continue"):
            return self.leave_loop(words)
        function = self.own.functions.get(words[0])
        if function is not None:
            with self._assigned(assigned):
                return await self.call(function, words[1:], streams)
        builtin = self.terminal.builtins.get(words[0])
        if builtin is not None:
            with self._assigned(assigned):
                return await builtin(self, words, streams)
        code = await self.program(words, assigned, streams)
        if code == BROKEN_PIPE and words[0] in WRITTEN_BY_THE_SHELL and not self.interactive:
            raise ShellExit(code)
        return code

    @contextlib.contextmanager
    def _assigned(self, assigned: Mapping[str, str]) -> Iterator[None]:
        """Within this, variables have the values that stand before a command."""
        before = {name: self.variables.get(name) for name in assigned}
        exported = dict(self.place.exported)
        for name, value in assigned.items():
            self.assign(name, value)
            self.place.exported[name] = None
        try:
            yield
        finally:
            for name in assigned:
                if name not in exported:
                    self.place.exported.pop(name, None)
            for name, old in before.items():
                if old is None:
                    self.forget(name)
                else:
                    self.assign(name, old)

    def _trace(self, words: Sequence[str]) -> None:
        """Say what is run, as `set -x` has it."""
        self.say(f"+ {' '.join(word if PLAIN.fullmatch(word) else quote(word) for word in words)}\n", self.stderr)

    def failed(self, problem: ExpansionFailure, streams: Streams) -> int:
        """See Interpreter."""
        self.complain(str(problem), streams)
        if problem.ends and not self.interactive:
            raise ShellExit(self.unset_code)
        return 1

    async def program(self, words: Sequence[str], assigned: dict[str, str], streams: Streams) -> int:
        """Run a program; return its exit code, NOT_FOUND where there is none of that name."""
        name = words[0].rpartition("/")[2] if words[0].startswith(("/usr/", "/bin/", "/sbin/")) else words[0]
        name = ALIASES.get(name, name)
        program = self.terminal.programs.get(name)
        if program is None and "/" in words[0]:
            return await self._script(words, assigned, streams)
        if program is None:
            self.complain(f"{words[0]}: {self.why_not_found(words[0])}", streams)
            return NOT_FOUND
        if not self.place.is_up:  # the shell has gone with its host
            raise ShellExit(HOST_GONE)
        environment = self.environment | assigned
        argv = [name, *words[1:]]
        return await running.run(
            self.terminal.world,
            self.place.host,
            program,
            argv,
            streams,
            environment=environment,
            directory=self.place.directory,
            files=self.place.root,
            execute=self.called,
        )

    async def _script(self, words: Sequence[str], assigned: dict[str, str], streams: Streams) -> int:
        """Run a file that is called by its path: there are none but scripts."""
        path, files = absolute(words[0], self.place.directory), self.place.files
        if not files.is_file(path):
            self.complain(f"{words[0]}: {self.why_not_found(words[0])}", streams)
            return NOT_FOUND
        if not files.mode(path) & EXECUTABLE:
            self.complain(f"{words[0]}: Permission denied", streams)
            return NOT_EXECUTABLE
        with self._assigned(assigned):
            return await self.terminal.builtins["sh"](self, ["sh", path, *words[1:]], streams)

    def why_not_found(self, word: str) -> str:
        """Say that there is no such program, as this shell does."""
        return "No such file or directory" if "/" in word else "command not found"

    @property
    def environment(self) -> dict[str, str]:
        """What programs are given of the variables."""
        return {name: self.variables[name] for name in self.place.exported if name in self.variables}

    async def called(self, words: Sequence[str], streams: Streams, environment: Mapping[str, str]) -> int:
        """Run a program for another one, as `xargs` and `env` do, in a shell of its own. See Execute."""
        name = words[0].rpartition("/")[2]
        if ALIASES.get(name, name) not in self.terminal.programs and name not in PROGRAMS_IN_REALITY:
            raise FileNotFoundError(2, "No such file or directory", words[0])
        shell = self.copy()
        shell.own = shell.place.own = Own()
        shell.place.exported = dict.fromkeys(environment)
        try:
            with self.budget.deeper():
                self.budget.step()
                self.budget.words(words)
                return await shell.execute([name, *words[1:]], dict(environment), streams)
        except ShellExit as end:
            return end.code
        except (SpentError, TooDeepError, OutOfMemoryError) as bound:
            told = self.cannot_fork if isinstance(bound, TooDeepError) else SPENT
            raise CannotGoOnError(told) from bound
        finally:
            shell.give_back()

    async def group(self, group: Group, streams: Streams) -> int:
        """See Interpreter."""
        if not group.subshell:
            return await self.run(group.body, streams)
        return await self.copy().whole(group.body, streams)

    async def whole(self, script: Script, streams: Streams) -> int:
        """Run a script in a shell that ends with it."""
        try:
            return await self.run(script, streams)
        except ShellExit as end:
            return end.code
        except LoopControl:
            return 0
        finally:
            self.give_back()

    async def pipeline(self, commands: Sequence[Command], streams: Streams) -> int:
        """See Interpreter. The commands run side by side; all of them have ended when this returns."""
        if len(commands) > PIPELINE_LENGTH_MAX:
            self.complain(CANNOT_FORK, streams)
            return CANNOT_FORK_CODE
        pipes = [Pipe() for _ in commands[1:]]
        inputs: list[Pipe | None] = [None, *pipes]
        outputs: list[Pipe | None] = [*pipes, None]
        try:
            async with asyncio.TaskGroup() as group:
                stages = [
                    group.create_task(self._stage(command, streams, source, sink))
                    for command, source, sink in zip(commands, inputs, outputs, strict=True)
                ]
        except ExceptionGroup as problems:  # a bound of the budget ends the whole line; so does a bug of ours
            raise first_of(problems) from problems
        codes = [stage.result() for stage in stages]
        return next((code for code in reversed(codes) if code), 0) if PIPEFAIL in self.own.options else codes[-1]

    async def _stage(self, command: Command, streams: Streams, source: Pipe | None, sink: Pipe | None) -> int:
        """Run one command of a pipeline; return its exit code."""
        shell = self.copy()
        try:
            inner = Streams(source or streams.stdin, sink or streams.stdout, streams.stderr)
            return await shell.command(command, inner)
        except ShellExit as end:
            return end.code
        except LoopControl:
            return 0
        finally:
            shell.give_back()
            if source is not None:
                source.abandon()
            if sink is not None:
                sink.end()

    async def output(self, script: Script) -> str:
        """See expansion.Scope. OutOfMemoryError where a script writes more than a variable may hold."""
        captured = Captured(self.budget.limits.memory_bytes)
        shell = self.copy()
        with self.budget.deeper():
            self._substituted = await shell.whole(script, Streams(Nowhere(), captured, self.stderr))
        if captured.overflowed:
            raise OutOfMemoryError
        return captured.text.replace("\0", "").rstrip("\n")

    async def begin_job(self, item: Item, streams: Streams) -> int:
        """See Interpreter."""
        shell = self.copy()
        inner = Streams(Nowhere(), streams.stdout, streams.stderr)
        job = self.terminal.begin_job(item.text, lambda: shell.whole((replace(item, background=False),), inner), inner)
        if job is None:
            self.complain(CANNOT_FORK, streams)
            return CANNOT_FORK_CODE
        if self.place.root is None and subshells.stays(item):
            process = subshells.begin(self.terminal.world, self.place.host, self.argv, job.task)
            self.terminal.jobs.runs_in(job, process.pid)
        if self.interactive:
            self.say(f"[{job.number}] {job.pid}\n", streams.stderr)
        return 0

    # -- streams -------------------------------------------------------------------------------------------------------

    async def redirected(self, redirects: Sequence[Redirect], streams: Streams) -> Streams | None:
        """See Interpreter."""
        descriptors: list[Any] = [streams.stdin, streams.stdout, streams.stderr]
        for redirect in redirects:
            target = ""
            try:
                target = await expansion.text(redirect.target, self)
                descriptors[redirect.descriptor] = self._opened(redirect, target, descriptors)
            except OSError as error:
                self.complain(f"{target}: {error.strerror}", streams)
                return None
        return Streams(*descriptors)

    def _opened(self, redirect: Redirect, target: str, descriptors: Sequence[Any]) -> Input | Output:
        """Open what one redirection leads to. OSError."""
        match redirect.operator:
            case "<<":
                return Bytes(target.encode("utf-8", "replace"))
            case "<&" | ">&":
                if target == "-":
                    return Nowhere()
                if target not in ("0", "1", "2"):
                    raise OSError(9, "Bad file descriptor" if target.isdigit() else "ambiguous redirect")
                found: Input | Output = descriptors[int(target)]
                return found
        path = absolute(target, self.place.directory) + ("/" if target.endswith("/") and target != "/" else "")
        if path == "/dev/null":
            return Nowhere()
        if path in STANDARD_STREAMS:
            stream: Input | Output = descriptors[STANDARD_STREAMS[path]]
            return stream
        if not target:
            raise FileNotFoundError(2, "No such file or directory")
        if redirect.operator == "<":
            return FileInput(self.place.files, path)
        return FileOutput(self.place.files, path, append=redirect.operator == ">>")

    # -- loops, words --------------------------------------------------------------------------------------------------

    def turn_begins(self) -> float:
        """See Interpreter."""
        return self.terminal.world.loop.time()

    async def turn_ends(self, loop: Loop | For, began: Any) -> None:
        """See Interpreter."""
        rest = began + TURN_SECONDS - self.terminal.world.loop.time()
        if rest > 0:
            await asyncio.sleep(rest)

    def assign(self, name: str, value: str) -> None:
        """See expansion.Scope. $SECONDS goes on from what it is set to."""
        if name == "SECONDS" and self.is_bash:
            self.place.began = self.place.host.seconds_up - (
                int(value[:9]) if value.isascii() and value.isdigit() else 0
            )
        else:
            super().assign(name, value)

    def paths(self, pieces: Sequence[globs.Piece]) -> list[str]:
        """See expansion.Scope."""
        return globs.paths(self.place.files, pieces, self.place.directory)

    def value(self, name: str) -> str | None:
        """See expansion.Scope."""
        match name:
            case "$":
                return str(self.terminal.pid)
            case "!":
                return str(self.terminal.jobs.last_pid or "")
            case "COLUMNS" | "LINES" if name not in self.variables and self.is_bash:
                size = size_of(self.stderr)
                return None if size is None else str(size.columns if name == "COLUMNS" else size.rows)
            case "SECONDS" if self.is_bash:
                return str(int(self.place.host.seconds_up - self.place.began))
        return super().value(name)
