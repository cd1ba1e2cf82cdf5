"""Hosts and the programs on them.

A *host* has a name, addresses, a file system and a table of names (its /etc/hosts). A *process* is one run of a
program on a host: every task that is made below its `main`, whoever makes it (a library too), every connection it opens
and every port it listens on belong to it. A context variable carries that fact along, as the kernel's "current" pointer
does; so a process can be killed as a kernel kills: at one instant, without its consent, its sockets closed behind it.

    async def main(process):                       # an ordinary asyncio program
        process.files.write("/run/hello", b"hi")
        process.ready()                            # as sd_notify READY=1
        await asyncio.sleep(3600)

    process = world.spawn(host, "sleeper", main)
    process.kill()                                 # SIGKILL: its sockets are closed behind it
    await process.wait()

A pod has a network of its own on its machine: a `Namespace` is a host that lends everything but address, ports and
names from the machine, and a process of a container sees the container's files instead of the machine's.

What it leaves out: memory, signals other than what asks to stop (SIGTERM, SIGINT) and what kills (SIGKILL, SIGPIPE).
"""

import asyncio
import contextlib
import contextvars
import functools
import itertools
import random
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from ssl import SSLContext
from types import FrameType
from typing import Any, Protocol
from uuid import UUID

from cluster_engine.metrics.of_process import process_metrics
from cluster_engine.metrics.registry import Registry
from cluster_engine.world.bugs import EXIT_CODE
from cluster_engine.world.files import FileSystem
from cluster_engine.world.packet_filter import PacketFilter
from cluster_engine.world.pids import OF_MACHINES
from cluster_engine.world.sockets import Descriptors, Listener, TimeWaits
from cluster_engine.world.system_log import SystemLog
from cluster_engine.world.tcp import End
from cluster_engine.world.timers import TimedLoop
from cluster_engine.world.udp import DatagramSocket
from cluster_engine.world.users import User
from cluster_engine.world.work import Effort

Main = Callable[["Process"], Awaitable[None]]
STOP_GRACE_SECONDS = 30.0
SIGINT, SIGTERM = 2, 15
DIED_OF = 128
"""What shells add to the number of the signal of which a process has died, for its exit code."""

current_process: contextvars.ContextVar["Process"] = contextvars.ContextVar("current_process")


class Host:
    """A machine of the simulated network: it keeps `files` and `disk` over anything that happens to its processes.

    `boots` counts how often it was switched on, as /proc/sys/kernel/random/boot_id tells one boot from another. `skew`
    is how far its wall clock is ahead; `fsync_seconds` how long its disk takes to have written something for good.
    `machine` is the host itself; of a `Namespace` it is the one that it is on. What its processes and those of its pods
    send, and what comes to it, meets the machine's `packet_filter` (`routing`).
    """

    powered = True
    boots = 1
    skew = timedelta(0)
    fsync_seconds = 0.0
    unprivileged_port_start = 1024
    """net.ipv4.ip_unprivileged_port_start: the first port on which anybody may listen."""
    pids_max = 1024
    """kernel.pid_max: how many processes there may be on a machine; what it takes to start one looks at it."""
    packet_filter: PacketFilter

    def __init__(self, name: str, address: str, seconds: Callable[[], float] = lambda: 0.0) -> None:
        self.name = self.hostname = name
        """As others find it, and as it calls itself (gethostname(2)): a clone calls itself as its model does."""
        self.address = address
        self.addresses = {"127.0.0.1", address}
        self.names: dict[str, str] = {"localhost": "127.0.0.1", name: address}
        self.files = FileSystem(seconds)
        self._seconds = seconds
        self._booted = seconds()
        self.disk: dict[str, Any] = {}
        self.log = SystemLog()
        self.units: dict[str, Any] = {}
        """What is kept running on it, by name (`supervisor.Unit`)."""
        self.slowed: dict[str, float] = {}
        """How many times as long as usual programs of the machine compute, by their name."""
        self.slow_watches: dict[tuple[str, str], float] = {}
        """How many seconds programs of the machine, by name, take over each event of their watch of a resource."""
        self.old_tls: dict[str, Callable[[SSLContext], None]] = {}
        """Programs of the machine, by name, whose TLS is an old one: what it makes of a client's context."""
        self.components: dict[str, Main] = {}
        """What a container of this machine's network runs whose image is a component's, by the program's name."""
        self.processes: dict[int, Process] = {}
        self.listeners: dict[tuple[str, int], Listener] = {}
        self.datagram_sockets: dict[tuple[str, int], DatagramSocket] = {}
        self.time_waits = TimeWaits()
        self._next_port = 32768
        self._next_pid = 100

    @property
    def machine(self) -> "Host":
        """The machine whose power, clock, links and process numbers these are."""
        return self

    @property
    def seconds_up(self) -> float:
        """How long ago it was booted."""
        return self._seconds() - self._booted

    def next_port(self) -> int:
        """Return an ephemeral port, 32768 … 60999 in turn, as Linux's default range."""
        port = self._next_port
        self._next_port = 32768 if port == 60999 else port + 1
        return port

    def next_pid(self) -> int:
        """Return a process number."""
        self._next_pid += 1
        return self._next_pid

    def power_off(self) -> None:
        """Cut the power: every process is gone at this instant, and nobody is told. Files and disk stay."""
        self.powered = False
        self.packet_filter.flush()
        for process in list(self.processes.values()):
            process.kill(power_cut=True)

    def power_on(self) -> None:
        """Boot. What was running is not; whoever starts programs has to start them."""
        self.powered = True
        self.boots += 1
        self._booted = self._seconds()

    def __repr__(self) -> str:
        return f"<Host {self.name} {self.address}>"


class Namespace(Host):
    """A network of its own on a machine, as a pod has one: an address, ports and names.

    Power, clock, disk and process numbers are the machine's; its processes stand in the machine's table too. `files`
    are those that a process has where it is given none of its own.
    """

    def __init__(self, machine: Host, name: str, address: str) -> None:
        super().__init__(name, address)
        self._machine = machine
        self.disk = machine.disk

    @property
    def machine(self) -> Host:
        """See Host."""
        return self._machine

    @property
    def powered(self) -> bool:  # type: ignore[override]
        """See Host."""
        return self._machine.powered

    @property
    def boots(self) -> int:  # type: ignore[override]
        """See Host."""
        return self._machine.boots

    @property
    def skew(self) -> timedelta:  # type: ignore[override]
        """See Host."""
        return self._machine.skew

    @property
    def fsync_seconds(self) -> float:  # type: ignore[override]
        """See Host."""
        return self._machine.fsync_seconds

    def next_pid(self) -> int:
        """See Host."""
        return self._machine.next_pid()


class World(Protocol):
    """What a process needs of the world that it runs in."""

    seed: int
    effort: float
    """What work costs is multiplied by it; it may change."""

    @property
    def loop(self) -> TimedLoop:
        """The loop on which everything runs."""
        ...

    def now(self) -> datetime:
        """Return the true time, UTC."""
        ...

    def note(self, kind: str, text: str, fields: dict[str, Any], process: "Process | None" = None) -> None:
        """Log something that a process did alone."""
        ...

    def bug(self, error: Exception, doing: str, *, process: "Process") -> str:
        """Called with a bug in a process; returns the sentence for whoever waits for it (`bugs`)."""
        ...


class Process:
    """One run of a program on a host.

    `exit_code` is None while it runs, 0 when main returned, 137 when killed, 70 when it crashed by a bug of ours: then
    `apology` says so. Bugs of a process that is `part_of_world` are the world's own. Of one that is not `told` the
    journal has neither beginning nor end.
    """

    def __init__(
        self,
        world: World,
        host: Host,
        name: str,
        main: Main,
        incarnation: int,
        *,
        part_of_world: bool = False,
        told: bool = True,
        files: FileSystem | None = None,
    ) -> None:
        self.world = world
        self.host = host
        self._files = files
        self.name = name
        self.id = f"{host.name}/{name}"
        self.pid = host.next_pid()
        self.main = main
        self.told = told
        self.argv: Sequence[str] = (name,)
        self.began = self.now()
        self.terminal = "?"
        """Where it was typed, as ps names it."""
        self.unit = ""
        """What it is kept running as; "" is a program that somebody has started."""
        self.write_log: Callable[..., None] | None = None
        """Where its notes are written to, called as `SystemLog.write`; None: nowhere."""
        self._incarnation = incarnation
        self.effort = Effort(world, f"{world.seed}/{self.id}/{incarnation}/work", host.machine.slowed, name)
        self.exit_code: int | None = None
        self.failure: BaseException | None = None
        self.apology = ""
        self.part_of_world = part_of_world
        self.hangs = False
        """Whether it reads nothing of what comes to it; its kernel takes connections and bytes all the same."""
        self.memory_bytes = 0
        """What it says it holds beside its program."""
        self.out_of_memory = False
        """Whether it was the kernel that killed it, for want of memory."""
        self.handles_sigterm = False
        """Whether it ends by SIGTERM even as process 1 of a container, to which the kernel sends no other."""
        self.on_sigterm: Callable[[], None] | None = None
        """A program's handler of SIGTERM that does not end it: as pid 1 of a container it hears it only by that."""
        self.on_exit: Callable[[Process], None] | None = None
        """Called at the instant at which it has ended, however: what its parent would be told (SIGCHLD)."""
        self.ends: dict[End, None] = {}
        self.descriptors = Descriptors()
        self.listeners: dict[Listener, None] = {}
        self.datagram_sockets: dict[DatagramSocket, None] = {}
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self.task_numbers = itertools.count()
        self._ready = asyncio.Event()
        self._exited = asyncio.Event()
        self._main_task: asyncio.Task[None] | None = None
        self._signal: int | None = None
        """The signal that ended it, or by which it was asked to end: of that it dies unless it ends by itself."""

    # -- what the program may ask ----------------------------------------------------------------------------------

    @functools.cached_property
    def rng(self) -> random.Random:
        """Its chance, seeded by the world's seed, its name and how often that was started."""
        return random.Random(f"{self.world.seed}/{self.id}/{self._incarnation}")

    @property
    def files(self) -> FileSystem:
        """The host's file system, or its container's."""
        return self.host.files if self._files is None else self._files

    def number_of(self, process: "Process") -> int:
        """Return the number of a process as this one sees it: in a container, the first process is 1."""
        return self.files.pids.number(process.pid)

    @property
    def seen(self) -> "list[Process]":
        """The processes that it sees, by number."""
        pids = self.files.pids
        on_machine = self.host.machine.processes
        return [one for pid, one in sorted(on_machine.items()) if pids is OF_MACHINES or one.files.pids is pids]

    @property
    def is_first(self) -> bool:
        """Whether it is number 1 of a container, which hears only signals that it has asked for."""
        return self._files is not None and self.pid == self._files.pids.first

    @property
    def user(self) -> User:
        """As whom it runs."""
        return self.files.user

    def may_listen(self, port: int) -> bool:
        """Return whether it may have a port."""
        first = self.host.unprivileged_port_start
        return port == 0 or port >= first or self.user.can("NET_BIND_SERVICE")

    @property
    def disk(self) -> dict[str, Any]:
        """What lies on the host's disk, kept as Python objects where bytes would only cost time."""
        return self.host.disk

    @property
    def is_alive(self) -> bool:
        """False from the moment of the kill or of main's end."""
        return self.exit_code is None

    @functools.cached_property
    def metrics(self) -> Registry:
        """What the program counts, `process_*` among it."""
        registry = Registry()
        registry.compute(lambda: process_metrics(self))
        return registry

    def now(self) -> datetime:
        """Tell the host's wall clock, UTC."""
        return self.world.now() + self.host.skew

    def uuid(self) -> str:
        """Make a version-4 UUID from the seeded random source."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    async def work(self, *names: str) -> None:
        """Compute for as long as work of these names takes together (`world/work.py`)."""
        if seconds := self.effort.seconds(*names):
            await asyncio.sleep(seconds)

    def note(self, kind: str, text: str, /, **fields: Any) -> None:
        """Log something done alone, that no wire shows."""
        if self.is_alive:
            self.world.note(kind, text, fields, self)
            if self.write_log is not None:
                self._log(kind, text, fields, sys._getframe(1))

    def prints(self, line: str) -> None:
        """Write a line to standard output, as it is: it stands in the log of its unit or container."""
        if self.is_alive and self.write_log is not None:
            self.write_log(
                unit=self.unit, at=self.now(), boot=self.host.boots, by=self.name, pid=self.pid, text=line,
                kind="", fields={}, source="",
            )  # fmt: skip

    def _log(self, kind: str, text: str, fields: dict[str, Any], caller: FrameType) -> None:
        source = f"{'/'.join(caller.f_code.co_filename.split('/')[-2:])}:{caller.f_lineno}"
        assert self.write_log is not None
        self.write_log(
            unit=self.unit,
            at=self.now(),
            boot=self.host.boots,
            by=self.name,
            pid=self.pid,
            text=text,
            kind=kind,
            fields=fields,
            source=source,
        )

    def bug(self, error: Exception, doing: str) -> None:
        """Note a bug of ours in what was done for somebody else, a request's handler, and go on (`bugs`)."""
        self.world.bug(error, doing, process=self)

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Within this, a file that is not there or cannot be used ends the program: a line in its log, exit code 1."""
        try:
            yield
        except (OSError, ValueError) as error:
            self.note("process.failed", f'"command failed" err="{_as_go_says(error)}"')
            raise SystemExit(1) from error

    @contextlib.contextmanager
    def until_stopped(self) -> Iterator[None]:
        """Within this, SIGTERM lets the program clean up and end with exit code 0; else it dies of it: 143 (128 + 15).

        kube-apiserver, kube-scheduler, kubelet and containerd handle the signal so, and etcd where it is pid 1.
        kube-controller-manager and kube-proxy leave it to the Go runtime, which has them die of it.
        """
        with contextlib.suppress(asyncio.CancelledError):
            yield

    def ready(self) -> None:
        """Say that the program serves (sd_notify READY=1)."""
        self._ready.set()

    @property
    def is_ready(self) -> bool:
        """Whether it has said so."""
        return self._ready.is_set()

    # -- what others do to it ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run main. Called once, by World.spawn."""
        context = contextvars.copy_context()
        context.run(current_process.set, self)
        self._main_task = context.run(self.world.loop.create_task, self._run())
        self._main_task.set_name(self.id)

    async def wait(self) -> int:
        """Wait until the process and every task of it has ended; give the exit code."""
        await self._exited.wait()
        assert self.exit_code is not None
        return self.exit_code

    async def wait_ready(self) -> None:
        """Wait until the program has said `ready()`; ChildProcessError when it ends before that."""
        waits = [asyncio.ensure_future(self._ready.wait()), asyncio.ensure_future(self._exited.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not self._ready.is_set():
            raise ChildProcessError(f"{self.id} ended with {self.exit_code} before it was ready") from self.failure

    def kill(self, *, signal: int = 9, power_cut: bool = False) -> None:
        """End the process at this instant, by a signal. Its peers see FIN or RST, or nothing when the power was cut."""
        if not self.is_alive:
            return
        self._signal = None if power_cut else signal
        self._end(DIED_OF + signal, "was killed", power_cut=power_cut, with_main=True)

    def go_on(self) -> None:
        """Hang no longer: read what has come meanwhile."""
        self.hangs = False
        for end in list(self.ends):
            end.read_on()

    def exit(self, code: int) -> None:
        """End the process at this instant, by itself."""
        if self.is_alive:
            self._end(code, "ended", with_main=True)

    def crash(self, bug: Exception) -> None:
        """End the process at this instant by a bug of ours, as Go does when a goroutine panics (`bugs`)."""
        if self.is_alive:
            self._crash(bug)
            self._end(EXIT_CODE, "crashed", with_main=True)

    def terminate(self, signal: int = SIGTERM) -> None:
        """Ask the program to end, as SIGTERM does: its main is cancelled and may clean up."""
        if self._main_task is not None and self.is_alive:
            self._signal = signal
            self._main_task.cancel()

    def hear_sigterm(self) -> None:
        """Hear SIGTERM as process 1 of a container does: only where it has asked for that."""
        if self.on_sigterm is not None:
            self.on_sigterm()
        elif self.handles_sigterm:
            self.terminate()

    async def stop(self, grace_seconds: float = STOP_GRACE_SECONDS, *, signal: int = SIGTERM) -> int:
        """Ask the program to end (its main is cancelled and may clean up); kill it after the grace."""
        if self._main_task is not None and self.is_alive:
            self.terminate(signal)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    return await self.wait()
            self.kill()
        return await self.wait()

    # -- inside ------------------------------------------------------------------------------------------------------

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Count a task as this process's own. Called by the loop's task factory."""
        self._tasks[task] = None
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not self.is_alive and not self._tasks:
            self._exited.set()

    async def _run(self) -> None:
        code = 1
        try:
            await self.main(self)
            code = 0
        except asyncio.CancelledError:
            code = DIED_OF + (self._signal or SIGTERM)
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        except Exception as bug:
            self._crash(bug)
            code = EXIT_CODE
        finally:
            if self.is_alive:
                self._end(code, "crashed" if self.failure else "ended")

    def _crash(self, bug: Exception) -> None:
        self.failure = bug
        self.apology = self.world.bug(bug, self.id, process=self)

    def _end(self, code: int, how: str, *, power_cut: bool = False, with_main: bool = False) -> None:
        if self.told:
            fields: dict[str, Any] = {"exitCode": code, "pid": self.pid}
            if self._signal is not None:
                fields["signal"] = self._signal
            if code == DIED_OF + SIGINT:
                fields["interrupted"] = True
            self.world.note("process.exited", f"{self.name} {how} with code {code}", fields, self)
        self.exit_code = code
        self.host.processes.pop(self.pid, None)
        self.host.machine.processes.pop(self.pid, None)
        for listener in list(self.listeners):
            listener.close()
        for socket in list(self.datagram_sockets):
            socket.close()
        for end in list(self.ends):
            end.process_died(silently=power_cut)
        for task in list(self._tasks):
            if task is not self._main_task or with_main:
                task.cancel()
        if not self._tasks:
            self._exited.set()
        if self.on_exit is not None:
            self.on_exit(self)

    def __repr__(self) -> str:
        return f"<Process {self.id} pid {self.pid}>"


def _as_go_says(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"open {error.filename}: {error.strerror.lower()}"
    return str(error)
