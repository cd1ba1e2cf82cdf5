"""The shell in a container: the one that people type into (`shell/shell.py`), with nobody logged in.

It has no host to go to and no history; what it cannot find it says as BusyBox's does. It runs as a program like any
other: as the container's first process, or beside it (`kubectl exec`). As the first process it hears SIGTERM only where
a `trap` waits for it, as Linux has it.

    sh -c 'trap "exit 3" TERM; while true; do date; sleep 5; done'
    sh                                      reads its lines from standard input: none, and it ends

What it may compute is throttled (`throttle.py`), and what its values hold is bounded: beyond that it is killed for want
of memory. Left out: aliases.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cluster_engine.containerd.throttle import Quota, ThrottledBudget
from cluster_engine.containerd.workloads import SHELLS
from cluster_engine.programs.invocation import Invocation, absolute
from cluster_engine.programs.running import Program
from cluster_engine.programs.streams import Input, Streams
from cluster_engine.shell import scripting
from cluster_engine.shell.budget import OutOfMemoryError, TooDeepError
from cluster_engine.shell.builtins import BUILTINS, OF_SCRIPTS
from cluster_engine.shell.interpreter import LoopControl, ShellExit
from cluster_engine.shell.jobs import Job, Jobs
from cluster_engine.shell.reading import read_and_run
from cluster_engine.shell.scripting import UsageError
from cluster_engine.shell.shell import Builtin, Place, Shell
from cluster_engine.shell.syntax import SyntaxFailure, parse
from cluster_engine.shell.syntax_tree import For, Loop, Script, Simple
from cluster_engine.world.files import FileSystem
from cluster_engine.world.world import World

if TYPE_CHECKING:
    from cluster_engine.world.process import Host

CANNOT_FORK = "can't fork: Resource temporarily unavailable"
PIDS_MAX = 64
"""How many processes may run in a container."""
SIGNALS = {"TERM": "TERM", "SIGTERM": "TERM", "15": "TERM", "EXIT": "EXIT", "0": "EXIT"}


def shell_program(name: str, quota: Quota, programs: Callable[[], Mapping[str, Program]]) -> Program:
    """Return the shell of a container: all of its shells draw on one quota."""

    async def main(invocation: Invocation) -> int:
        return await ContainerSession(invocation, quota, programs()).run(invocation.argv[1:])

    return Program(name, main)


class ContainerSession:
    """One run of a shell in a container: shell.Session for it. `traps` are what is run when a signal has come."""

    def __init__(self, invocation: Invocation, quota: Quota, programs: Mapping[str, Program]) -> None:
        process = invocation.process
        assert isinstance(process.world, World)
        self.world: World = process.world
        self.jobs = Jobs()
        self.pid = process.number_of(process)
        self.keyboard: Input = invocation.streams.stdin
        self.builtins = BUILTINS_IN_CONTAINERS
        self.programs = programs
        self.traps: dict[str, str] = {}
        self.signalled = asyncio.Event()
        self.has_execed = False
        """Whether what it runs is in its place: then that is the first process, and hears SIGTERM."""
        self._process = process
        self._streams = invocation.streams
        environment = dict(invocation.environment)
        size = sum(len(name) + len(value) + 8 for name, value in environment.items())
        place = Place(
            process.host,
            process.host.boots,
            invocation.directory,
            {**environment, "PWD": invocation.directory},
            dict.fromkeys([*environment, "PWD"]),
            root=process.files,
            began=process.host.seconds_up,
        )
        self._shell = ContainerShell(self, place, self._streams.stderr, budget=ThrottledBudget(quota, size + 64))
        self._shell.is_bash = invocation.argv[0].rpartition("/")[2] == "bash"
        process.on_sigterm = self._sigterm

    def _sigterm(self) -> None:
        """Hear SIGTERM: a trap may wait for it, or a program that is in the shell's place."""
        if self.has_execed:
            for process in list(self._process.host.processes.values()):
                program = self.programs.get(process.name)
                if process.files is self._process.files and program is not None and program.handles_sigterm:
                    process.terminate()
        elif "TERM" in self.traps:
            self.signalled.set()

    async def run(self, arguments: Sequence[str]) -> int:
        """Run `-c SCRIPT`, a file, or standard input. MemoryError where its values are too large."""
        words = list(arguments)
        shell, streams = self._shell, self._streams
        try:
            with contextlib.suppress(LoopControl):
                code = await self._run(shell, words, streams)
                await self._at_exit()
                return code
        except ShellExit as end:
            await self._at_exit()
            return end.code
        except SyntaxFailure as failure:
            shell.complain(str(failure), streams)
        except TooDeepError:
            shell.complain(CANNOT_FORK, streams)
        except OutOfMemoryError as error:
            raise MemoryError from error
        return 2

    async def _run(self, shell: "ContainerShell", words: list[str], streams: Streams) -> int:
        try:
            start = scripting.started(words)
        except UsageError as problem:
            shell.complain(str(problem), streams)
            return 2
        shell.own = shell.place.own = start.own
        if start.script is not None:
            shell.budget.work(8 * len(start.script))
            parsed = parse(start.script)
            self.has_execed = _is_one_program(parsed)
            return await shell.run(parsed, streams)
        if start.file is not None:
            return await _run_file(shell, start.file, streams)
        mark = "$" if self._process.user.uid else "#"
        prompt = (lambda: f"{shell.place.directory} {mark} ") if "TERM" in shell.variables else None
        return await read_and_run(shell, streams, prompt)

    async def trapped(self) -> None:
        """Run what waits for a signal that has come."""
        if self.signalled.is_set():
            self.signalled.clear()
            await self._shell.run(parse(self.traps.get("TERM", "")), self._streams)

    async def _at_exit(self) -> None:
        if "EXIT" in self.traps:
            with contextlib.suppress(ShellExit, LoopControl):
                await self._shell.run(parse(self.traps.pop("EXIT")), self._streams)

    def begin_job(self, text: str, work: Callable[[], Awaitable[int]], streams: Streams) -> Job | None:
        """See shell.Session."""
        if self.jobs.is_full:
            return None

        async def job() -> int:
            return await work()

        task = asyncio.get_running_loop().create_task(job())
        return self.jobs.add(self._process.files.pids.number(self._shell.place.host.next_pid()), text, task)

    def enter(self, host: "Host", streams: Streams) -> int:
        """See shell.Session: there is no other host."""
        return 1

    async def run_at(self, host: "Host", line: str, streams: Streams, caller: Shell) -> int:
        """See shell.Session: there is no other host."""
        return 1


class ContainerShell(Shell):
    """A shell in a container, throttled before each command and in each turn of a loop."""

    unset, unset_code = "parameter not set", 2
    cannot_fork = CANNOT_FORK

    terminal: ContainerSession
    budget: ThrottledBudget

    async def simple(self, command: Simple, streams: Streams) -> int:
        """See Shell."""
        await self.budget.quota.pay()
        code = await super().simple(command, streams)
        await self.terminal.trapped()
        return code

    async def program(self, words: Sequence[str], assigned: dict[str, str], streams: Streams) -> int:
        """See Shell."""
        if is_full(self.place.host, self.place.root):
            self.complain(CANNOT_FORK, streams)
            return 2
        return await super().program(words, assigned, streams)

    def why_not_found(self, word: str) -> str:
        """See Shell."""
        return "not found"

    async def turn_ends(self, loop: Loop | For, began: Any) -> None:
        """See Shell."""
        await super().turn_ends(loop, began)
        await self.budget.quota.pay()


def is_full(host: "Host", files: FileSystem | None) -> bool:
    """Return whether a container with these files, or its machine, has as many processes as it may."""
    inside = sum(process.files is files for process in host.processes.values())
    return inside > PIDS_MAX or len(host.machine.processes) >= host.machine.pids_max


def _is_one_program(script: Script) -> bool:
    """Return whether a script is one command: then the shell runs it in its own place."""
    if len(script) != 1 or script[0].background or len(script[0].and_or.pipelines) != 1:
        return False
    commands = script[0].and_or.pipelines[0].commands
    return len(commands) == 1 and isinstance(commands[0], Simple)


async def _run_file(shell: Shell, path: str, streams: Streams) -> int:
    try:
        data = shell.place.files.read(absolute(path, shell.place.directory))
    except FileNotFoundError:
        shell.complain(f"can't open '{path}': No such file or directory", streams)
        return 2
    return await shell.run(parse(data.decode("utf-8", "replace")), streams)


# -- builtins ----------------------------------------------------------------------------------------------------------


async def _exec(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Run a program in the shell's place, of which nothing is left then."""
    assert isinstance(shell, ContainerShell)
    if len(words) < 2:
        return 0
    shell.terminal.has_execed = True
    with shell.budget.deeper():
        raise ShellExit(await shell.execute(words[1:], {}, streams))


async def _busybox(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    if len(words) < 2:
        return 0
    with shell.budget.deeper():
        return await shell.execute(words[1:], {}, streams)


async def _trap(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    assert isinstance(shell, ContainerShell)
    if len(words) < 3:
        return 0
    for word in words[2:]:
        signal = SIGNALS.get(word.upper())
        if signal is None:
            continue
        if words[1] == "-":
            shell.terminal.traps.pop(signal, None)
        else:
            parse(words[1])
            shell.terminal.traps[signal] = words[1]
    return 0


async def _wait(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Wait for jobs, or for a signal that a trap waits for."""
    assert isinstance(shell, ContainerShell)
    waits = [
        asyncio.ensure_future(BUILTINS["wait"](shell, words, streams)),
        asyncio.ensure_future(shell.terminal.signalled.wait()),
    ]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return int(waits[0].result()) if waits[0].done() else 143
    finally:
        for wait in waits:
            wait.cancel()


BUILTINS_IN_CONTAINERS: Mapping[str, Builtin] = {
    **OF_SCRIPTS,
    **{name: BUILTINS[name] for name in ("cd", "pwd", "export", "unset", "exit", "jobs", "kill", "type", "command")},
    **dict.fromkeys([*SHELLS, *(f"/bin/{name}" for name in SHELLS)], BUILTINS["sh"]),
    "exec": _exec,
    "busybox": _busybox,
    "trap": _trap,
    "wait": _wait,
}
