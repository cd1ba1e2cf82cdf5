"""What keeps a host's programs running, as systemd and the kubelet's static pods do.

A program that ended by itself is started again RESTART_SECONDS later. One that was stopped or killed on purpose stays
down. Whoever wants it down for a while *holds* it, under a name of their own; it starts again, at once, when the last
one who held it has let go.

    supervisor = Supervisor(world)
    process = supervisor.start(Program("worker-1", "kubelet", main), group)
    await supervisor.hold("worker-1/kubelet", "fault-1")
    supervisor.release("worker-1/kubelet", "fault-1")
"""

import asyncio
from dataclasses import dataclass

from cluster_engine.world.process import Main, Process
from cluster_engine.world.world import World

RESTART_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Program:
    """Something that runs on a host for as long as the cluster does."""

    host: str
    name: str
    main: Main

    @property
    def id(self) -> str:
        """The participant it is: "worker-1/kubelet"."""
        return f"{self.host}/{self.name}"


class Supervisor:
    """The programs of one world by id, and the process that each runs as now."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.programs: dict[str, Program] = {}
        self.processes: dict[str, Process] = {}
        self._held: dict[str, dict[str, None]] = {}
        self._group: asyncio.TaskGroup | None = None

    def start(self, program: Program, group: asyncio.TaskGroup) -> Process:
        """Run a program, and again whenever it has ended by itself; `group` has the task that does so."""
        self._group = group
        self.programs[program.id] = program
        return self._run(program)

    def spawn(self, program: Program) -> Process:
        """Run a program once."""
        return self.world.spawn(self.world.host(program.host), program.name, program.main)

    def is_held(self, name: str) -> bool:
        """Return whether somebody wants the program down."""
        return bool(self._held.get(name))

    async def hold(self, name: str, who: str, *, kill: bool = False, power_cut: bool = False) -> None:
        """Stop the program (SIGTERM, and SIGKILL after the grace; or SIGKILL at once) until `who` releases it."""
        self._held.setdefault(name, {})[who] = None
        process = self.processes.get(name)
        if process is None:
            return
        if kill or power_cut:
            process.kill(power_cut=power_cut)
        else:
            await process.stop()

    def release(self, name: str, who: str) -> None:
        """Want the program down no longer; it starts when nobody else does."""
        if self._held.get(name, {}).pop(who, name) is name or self.is_held(name):
            return
        process = self.processes.get(name)
        if process is not None and not process.is_alive:
            self._run(self.programs[name])

    async def restart(self, name: str, who: str, *, kill: bool = False) -> None:
        """Stop the program and start it, unless others want it down."""
        await self.hold(name, who, kill=kill)
        self.release(name, who)

    def _run(self, program: Program) -> Process:
        assert self._group is not None
        process = self.processes[program.id] = self.spawn(program)
        self._group.create_task(self._keep(program, process), name=f"keeper of {process.id}")
        return process

    async def _keep(self, program: Program, process: Process) -> None:
        code = await process.wait()
        if code not in (137, 143) and not self._is_over(program):
            await asyncio.sleep(RESTART_SECONDS)
            if self.processes.get(program.id) is process and not self.is_held(program.id):
                self._run(program)

    def _is_over(self, program: Program) -> bool:
        return self.world.failed.done() or program.id not in self.processes


__all__ = ["RESTART_SECONDS", "Program", "Supervisor"]
