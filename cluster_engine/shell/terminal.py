"""A terminal: lines are typed into it, and what they change stays until it is closed.

Theory of operation. A terminal stands on a host and has a stack of places, each a host one has gone to by `ssh`, with a
directory and variables of its own (`shell.Place`). Each line is read, and run by a shell in the topmost place. Several
lines may run at the same time, as several people or a lesson may type; they share the place. Jobs outlive their line,
and go on printing where it did.

    terminal = Terminal(world, world.host("workstation"), begin)
    await terminal.run("cd /etc; ssh worker-1", write)      0, and terminal.prompt is "worker-1:~$"

A terminal is part of a cluster's run: the same lines at the same times make the same terminal.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from cluster_engine.programs.invocation import HOME
from cluster_engine.programs.keyboard import Unattended
from cluster_engine.programs.streams import Input, Streams, Write, screens
from cluster_engine.programs.table import PROGRAMS
from cluster_engine.programs.window import window_of
from cluster_engine.shell import examples, remote
from cluster_engine.shell.budget import OutOfMemoryError, SpentError, TooDeepError
from cluster_engine.shell.builtins import BUILTINS
from cluster_engine.shell.completion import Completion, complete
from cluster_engine.shell.interpreter import LoopControl, ShellExit
from cluster_engine.shell.jobs import Job, Jobs
from cluster_engine.shell.shell import CANNOT_FORK, LIMITS, SPENT, Shell, login
from cluster_engine.shell.syntax import SyntaxFailure, parse
from cluster_engine.world import bugs

if TYPE_CHECKING:
    from cluster_engine.world.process import Host
    from cluster_engine.world.world import World

Begin = Callable[[Coroutine[Any, Any, int], str], "asyncio.Task[int]"]
"""Makes a task of a job, which ends with the cluster at the latest."""
PLACES_MAX = 16
_printing: ContextVar[Write] = ContextVar("printing")
"""Where the line prints that is being run, also by the jobs that it began."""


class Terminal:
    """One terminal. Programs read what is typed while their line runs, where its caller has somebody at the keys."""

    def __init__(self, world: "World", host: "Host", begin: Begin) -> None:
        self.world = world
        self.jobs = Jobs()
        self.builtins = BUILTINS
        self.programs = PROGRAMS
        self.pid = host.next_pid()
        self.is_seen = True
        """Whether the journal tells what runs on other hosts from here."""
        self.is_closed = False
        """Whether `exit` was typed where there was no host to go back to. The next line is the first of a new one."""
        self._host = host
        self._begin = begin
        self._places = [login(host)]

    @property
    def host(self) -> "Host":
        """The host one is on."""
        return self._places[-1].host

    @property
    def prompt(self) -> str:
        """What stands before a line: where one is."""
        place = self._places[-1]
        where = place.directory
        if where == HOME or where.startswith(f"{HOME}/"):
            where = f"~{where[len(HOME) :]}"
        return f"{place.host.name}:{where}$"

    # -- lines ---------------------------------------------------------------------------------------------------------

    async def run(self, line: str, write: Write, *, stdin: Input | None = None) -> int:
        """Run a line; return the exit code of its last command. Cancel for Ctrl-C.

        `write` gets output as it comes, afterwards too where the line began jobs (`jobs.printing`).
        """
        examples.provide(self._host.files)
        self.is_closed = False
        stdout, stderr = screens(write, window_of(stdin))
        streams = Streams(stdin or Unattended(), stdout, stderr)
        if not self._is_connected(streams):
            return remote.FAILED
        before = _printing.set(write)
        try:
            place = self._places[-1]
            place.status = await self._bounded(lambda: self._run(line, streams), streams)
        finally:
            _printing.reset(before)
        for job in self.jobs.ended():
            Shell.say(f"{job.told()}\n", stderr)
        return place.status

    async def complete(self, line: str) -> Completion:
        """Find what may stand at the end of a line that is being typed; nothing where the host is out of reach."""
        place = self._places[-1]
        if not place.is_up:
            return Completion(len(line))
        return await complete(self, place, line)

    async def _run(self, line: str, streams: Streams) -> int:
        shell = Shell(self, self._places[-1], streams.stderr, interactive=True)
        try:
            return await shell.run(parse(line), streams)
        except ShellExit as end:
            self._leave(streams)
            return end.code
        except LoopControl:
            return 0

    async def _bounded(self, work: Callable[[], Awaitable[int]], streams: Streams) -> int:
        """Do what a line or a job does; where it comes upon a bound or makes no sense, say so as sh does."""
        try:
            return await work()
        except SyntaxFailure as failure:
            Shell.say(f"sh: {failure}\n", streams.stderr)
            return 2
        except TooDeepError:
            Shell.say(f"sh: {CANNOT_FORK}\n", streams.stderr)
        except OutOfMemoryError:
            Shell.say(f"sh: cannot allocate more than {LIMITS.memory_bytes} bytes\n", streams.stderr)
        except SpentError:
            Shell.say(f"sh: {SPENT}\n", streams.stderr)
        return 2

    async def run_at(self, host: "Host", line: str, streams: Streams, caller: Shell) -> int:
        """Run a line on another host, after logging in there; return its exit code. It counts as the caller's."""
        shell = Shell(self, login(host), streams.stderr)
        shell.budget, shell.argv = caller.budget, ("bash", "-c", line)
        said = {"line": line, "host": host.name}
        self._note("command.started", line, said)
        code = 130
        try:
            with caller.budget.deeper():
                code = await shell.whole(parse(line), streams)
        finally:
            self._note("command.finished", f"exit code {code}", {**said, "exitCode": code})
        return code

    def _note(self, kind: str, label: str, said: dict[str, Any]) -> None:
        if self.is_seen:
            self.world.note(kind, label, said)

    # -- places --------------------------------------------------------------------------------------------------------

    def enter(self, host: "Host", streams: Streams) -> int:
        """Go to a host; return the exit code of having gone."""
        if len(self._places) >= PLACES_MAX:
            Shell.say(f"sh: {CANNOT_FORK}\n", streams.stderr)
            return remote.FAILED
        self._places.append(login(host))
        return 0

    def _leave(self, streams: Streams) -> None:
        """Go back to where one came from; where that is nowhere, begin anew."""
        left = self._places.pop()
        if self._places:
            Shell.say(f"logout\nConnection to {left.host.name} closed.\n", streams.stderr)
        else:
            self._places = [login(self._host)]
            self.is_closed = True

    def _is_connected(self, streams: Streams) -> bool:
        """Leave the places that are out of reach by now; return whether the topmost one still is the same."""
        for number, (here, there) in enumerate(zip(self._places, self._places[1:], strict=False), start=1):
            if not there.is_up or not remote.is_reachable(self.world, here.host, there.host):
                Shell.say(f"Connection to {there.host.name} closed by remote host.\n", streams.stderr)
                del self._places[number:]
                return False
        return True

    # -- jobs ----------------------------------------------------------------------------------------------------------

    def begin_job(self, text: str, work: Callable[[], Awaitable[int]], streams: Streams) -> Job | None:
        """Run something in the background; None where too much runs there already."""
        if self.jobs.is_full:
            return None
        write = _printing.get()
        task = self._begin(self._job(work, streams, write), f"job {text[:60]}")
        return self.jobs.add(self.host.next_pid(), text, task, write)

    async def _job(self, work: Callable[[], Awaitable[int]], streams: Streams, write: Write) -> int:
        _printing.set(write)
        try:
            return await self._bounded(work, streams)
        except Exception as bug:
            Shell.say(f"sh: {self.world.bug(bug, 'a job', host=self.host.name)}\n", streams.stderr)
            return bugs.EXIT_CODE
