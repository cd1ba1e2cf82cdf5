"""What keeps a host's programs running, as systemd and the kubelet's static pods do.

A program that ended by itself is started again RESTART_SECONDS later. One that was stopped or killed on purpose stays
down. Whoever wants it down for a while *holds* it, under a name of their own; it starts again, at once, when the last
one who held it has let go, or when somebody starts it (`Unit.start`).

    supervisor = Supervisor(world)
    process = supervisor.start(Program("worker-1", "kubelet", main), group)
    await supervisor.hold("worker-1/kubelet", "fault-1")
    supervisor.release("worker-1/kubelet", "fault-1")

A program that runs in a pod (`install`) is not started here but by whoever runs its container. What holds it is that
its static pod's manifest is taken away, to be put back by the last one who lets go; a program without a manifest, of a
DaemonSet's pod, ends as soon as it is started.

To who is on the machine each program is a *unit* (`Host.units`): it can be looked at, stopped and started, and what it
notes and what becomes of it stands in the machine's log, in systemd's words.

    await host.units["kubelet"].stop()         host.log: Stopping kubelet.service - …  … Stopped kubelet.service - …
"""

import asyncio
import contextvars
import functools
import signal
from datetime import datetime
from typing import Literal

import msgspec

from cluster_engine.world import unit_files
from cluster_engine.world.process import Host, Main, Process
from cluster_engine.world.system_log import INIT
from cluster_engine.world.world import World

RESTART_SECONDS = 10.0
SIGKILL, SIGTERM = 9, 15
CLEAN_CODES = frozenset({0, 128 + SIGTERM})
"""Of a service that was asked to end (systemd.service, SuccessExitStatus)."""
HELD_CODE = 1
"""With what a program of a pod ends that somebody wants down, or that runs already."""
BY_HAND = "systemctl"
"""Who holds what was stopped on the machine itself."""
State = Literal["active", "activating", "failed", "inactive"]


class Program(msgspec.Struct, frozen=True):
    """Something that runs on a host for as long as the cluster does: as what it is known, and how it was called."""

    host: str
    name: str
    main: Main
    description: str = ""
    argv: tuple[str, ...] = ()
    is_static_pod: bool = False
    """Whether in a real cluster the kubelet, not systemd, keeps it running."""

    @property
    def id(self) -> str:
        """The participant it is: "worker-1/kubelet"."""
        return f"{self.host}/{self.name}"


class Unit:
    """A program as those see it who are on its machine. `changed` is when it last began or ended, by its clock."""

    def __init__(self, supervisor: "Supervisor", program: Program, host: Host, changed: datetime) -> None:
        self._supervisor = supervisor
        self._host = host
        self.program = program
        self.changed = changed
        self.began = changed
        self.restarts = 0

    @property
    def process(self) -> Process | None:
        """The run of it that is, or was the last."""
        return self._supervisor.processes.get(self.program.id)

    @property
    def state(self) -> State:
        """How it is, as systemd calls it."""
        process = self.process
        if process is not None and process.is_alive:
            return "active"
        if not self._supervisor.is_held(self.program.id):
            return "activating"
        return "inactive" if process is None or process.exit_code in CLEAN_CODES else "failed"

    def start(self) -> None:
        """Start it, whoever wants it down."""
        self._supervisor.start_by_hand(self.program.id)

    async def stop(self) -> None:
        """Stop it, until somebody starts it."""
        await self._supervisor.hold(self.program.id, BY_HAND)

    def signal(self, number: int) -> None:
        """Send its process a signal. What dies of it is started again, as everything that is not stopped."""
        self._supervisor.signal(self.program.id, number)

    def write(self, text: str) -> None:
        """Say something of it in the machine's log."""
        host, at = self._host, self._supervisor.world.now() + self._host.skew
        host.log.write(unit=self.program.name, at=at, boot=host.boots, by=INIT, pid=1, text=text)

    def has_begun(self) -> None:
        """Called when it was started."""
        self.changed = self.began = self._supervisor.world.now() + self._host.skew
        self.write(f"Started {self.title}.")

    def has_ended(self, code: int, *, asked: bool) -> None:
        """Called when its process has ended with a code."""
        self.changed = self._supervisor.world.now() + self._host.skew
        if not self._host.powered:
            return
        name = f"{self.program.name}.service"
        if asked:
            self.write(f"{name}: Deactivated successfully.")
            self.write(f"Stopped {self.title}.")
        elif code:
            self.write(f"{name}: Main process exited, {how_it_ended(code)}")
            self.write(f"{name}: Failed with result '{'signal' if code > 128 else 'exit-code'}'.")

    @property
    def title(self) -> str:
        """Its name, and what it is."""
        return f"{self.program.name}.service - {self.program.description or self.program.name}"


class Supervisor:
    """The programs of one world by id, and the process that each runs as now."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.programs: dict[str, Program] = {}
        self.processes: dict[str, Process] = {}
        self._units: dict[str, Unit] = {}
        self._held: dict[str, dict[str, None]] = {}
        self._asked: dict[Process, None] = {}
        """Those that were told to stop and have not ended."""
        self._signalled: dict[Process, None] = {}
        self._manifests: dict[str, str] = {}
        """Of the programs that run in pods, the file of their static pod; "" where they have none."""
        self._taken: dict[str, bytes] = {}
        """The manifests that were taken away, by the program's id."""
        self._group: asyncio.TaskGroup | None = None

    def install(self, program: Program, manifest: str = "") -> None:
        """Put a program on its machine for whoever runs its container; `manifest` is the file of its static pod."""
        self.programs[program.id] = program
        self._manifests[program.id] = manifest
        components = self.world.host(program.host).components
        components[program.name] = functools.partial(self._run_in_pod, program)

    async def _run_in_pod(self, program: Program, process: Process) -> None:
        before = self.processes.get(program.id)
        if self.is_held(program.id) or (before is not None and before.is_alive):
            process.note("process.failed", '"command failed" err="listen tcp: bind: address already in use"')
            raise SystemExit(HELD_CODE)
        self.processes[program.id] = process
        await program.main(process)

    def start(self, program: Program, group: asyncio.TaskGroup) -> Process:
        """Run a program, and again whenever it has ended by itself; `group` has the task that does so."""
        self._group = group
        self.programs[program.id] = program
        host = self.world.host(program.host)
        unit = self._units[program.id] = host.units[program.name] = Unit(self, program, host, self.world.now())
        unit.changed += host.skew
        return self._run(program)

    def place(self, program: Program, group: asyncio.TaskGroup) -> None:
        """Have a program on its machine that nobody has started yet; from then on it is as one that was stopped."""
        self._group = group
        self.programs[program.id] = program
        host = self.world.host(program.host)
        self._held[program.id] = {BY_HAND: None}
        self._units[program.id] = host.units[program.name] = Unit(self, program, host, self.world.now() + host.skew)

    def spawn(self, program: Program) -> Process:
        """Run a program once."""
        process = self.world.spawn(self.world.host(program.host), program.name, program.main)
        process.argv = unit_files.command_line(process.host.files, program.name, program.argv or (program.name,))
        return process

    def is_held(self, name: str) -> bool:
        """Return whether somebody wants the program down."""
        return bool(self._held.get(name))

    async def hold(self, name: str, who: str, *, kill: bool = False, power_cut: bool = False) -> None:
        """Stop the program (SIGTERM, and SIGKILL after the grace; or SIGKILL at once) until `who` releases it."""
        self._held.setdefault(name, {})[who] = None
        self._take_manifest(name)
        process = self.processes.get(name)
        if process is None:
            return
        if kill or power_cut:
            process.kill(power_cut=power_cut)
        elif process.is_alive:
            if (unit := self._units.get(name)) is not None:
                self._asked[process] = None
                unit.write(f"Stopping {unit.title}...")
            await process.stop()

    def release(self, name: str, who: str) -> None:
        """Want the program down no longer; it starts when nobody else does."""
        if self._held.get(name, {}).pop(who, name) is name or self.is_held(name):
            return
        self._run_if_down(name)

    def start_by_hand(self, name: str) -> None:
        """Start the program, whoever wanted it down."""
        self._held.pop(name, None)
        self._run_if_down(name)

    def signal(self, name: str, number: int) -> None:
        """Send the program's process a signal, and let it be started again if it ends of it."""
        process = self.processes.get(name)
        if process is None or not process.is_alive:
            return
        self._signalled[process] = None
        if number == SIGTERM:
            process.terminate()
        else:
            process.kill(signal=number)

    async def restart(self, name: str, who: str, *, kill: bool = False) -> None:
        """Stop the program and start it, unless others want it down.

        What runs in a pod is stopped only: its kubelet starts it again, later each time (CrashLoopBackOff).
        """
        process = self.processes.get(name)
        if name in self._manifests and process is not None and process.is_alive:
            if kill:
                process.kill()
            else:
                await process.stop()
            return
        await self.hold(name, who, kill=kill)
        self.release(name, who)

    def _take_manifest(self, name: str) -> None:
        path, files = self._manifests.get(name), self.world.host(self.programs[name].host).files
        if path and files.exists(path):
            self._taken[name] = files.read(path)
            files.remove(path)

    def _run_if_down(self, name: str) -> None:
        if name in self._manifests:
            if (text := self._taken.pop(name, None)) is not None:
                self.world.host(self.programs[name].host).files.write(self._manifests[name], text)
            return
        process = self.processes.get(name)
        if process is None or not process.is_alive:
            self._run(self.programs[name])

    def _run(self, program: Program) -> Process:
        assert self._group is not None
        process = self.processes[program.id] = self.spawn(program)
        if (unit := self._units.get(program.id)) is not None:
            process.unit = program.name
            process.write_log = process.host.log.write
            unit.has_begun()
        # in no process's context: whoever starts it, on the machine or from above, may end before it does
        keeping = self._keep(program, process)
        self._group.create_task(keeping, name=f"keeper of {process.id}", context=contextvars.Context())
        return process

    async def _keep(self, program: Program, process: Process) -> None:
        code = await process.wait()
        unit = self._units[program.id]
        asked = self._asked.pop(process, process) is None
        signalled = self._signalled.pop(process, process) is None
        unit.has_ended(code, asked=asked)
        if (signalled or code not in (137, 143)) and not self._is_over(program):
            await asyncio.sleep(RESTART_SECONDS)
            if self.processes.get(program.id) is process and not self.is_held(program.id):
                unit.restarts += 1
                unit.write(f"{program.name}.service: Scheduled restart job, restart counter is at {unit.restarts}.")
                self._run(program)

    def _is_over(self, program: Program) -> bool:
        return self.world.failed.done() or program.id not in self.processes


def how_it_ended(code: int) -> str:
    """Say with what a process ended, as systemd does: "code=exited, status=1/FAILURE"."""
    if code <= 128:
        return f"code=exited, status={code}/{'SUCCESS' if code == 0 else 'FAILURE' if code == 1 else 'n/a'}"
    number = code - 128
    name = signal.Signals(number).name.removeprefix("SIG") if number in set(signal.Signals) else str(number)
    return f"code=killed, status={number}/{name}"


__all__ = ["RESTART_SECONDS", "Program", "Supervisor", "Unit", "how_it_ended"]
