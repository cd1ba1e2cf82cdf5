"""Faults of hosts: the power goes, and what was in memory with it; the clock is wrong; something runs short."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Choice, Fault, Heal, Host, Range, bounded
from cluster_engine.world.files import DISK_BYTES_MAX, FILE_BYTES_MAX
from cluster_engine.world.hardware import MEMORY_KIB
from cluster_engine.world.process import Host as Machine
from cluster_engine.world.process import Process

SKEW_SECONDS_MAX = 30 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerOff(Fault):
    """Peers see nothing at all: their segments go unanswered. Healing boots the host, its containers dead."""

    name: ClassVar[str] = "power-off"

    target: str = field(metadata=bounded(Host()))

    def claims(self) -> str:
        """Two cannot switch one host."""
        return f"the power of {self.target}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Cut the power."""
        host = ground.world.host(self.target)
        components = [one.id for one in ground.cast.components if one.host.name == host.name]
        others = [one.id for one in ground.supervisor.programs.values() if one.host == host.name]
        components += [one for one in others if one not in components]
        host.powered = False  # before anything dies, so that nothing of it is heard
        for component in components:
            await ground.supervisor.hold(component, id_, power_cut=True)
        host.power_off()

        async def boot() -> None:
            host.power_on()
            for component in components:
                ground.supervisor.release(component, id_)

        return boot


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSkew(Fault):
    """The wall clock jumps by `seconds`, and back when healed, as ntpd steps it. Timers go on: they are monotonic."""

    name: ClassVar[str] = "clock-skew"

    target: str = field(metadata=bounded(Host()))
    seconds: float = field(default=60.0, metadata=bounded(Range(-SKEW_SECONDS_MAX, SKEW_SECONDS_MAX)))

    def claims(self) -> str:
        """Two would not know what to put back."""
        return f"the clock of {self.target}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Set the clock wrong."""
        host = ground.world.host(self.target)
        host.skew = timedelta(seconds=self.seconds)

        async def set_right() -> None:
            host.skew = timedelta(0)

        return set_right


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure(Fault):
    """Something that is no pod takes nearly all memory, disk or process numbers of a node.

    memory      a program on the host holds all but a thirtieth of it
    disk        files below /var/log/filled leave a twentieth
    pids        kernel.pid_max is set to half of what there are
    """

    name: ClassVar[str] = "pressure"

    target: str = field(metadata=bounded(Host(worker=True)))
    resource: str = field(default="memory", metadata=bounded(Choice(("memory", "disk", "pids"))))

    def claims(self) -> str:
        """Taken and given back by one."""
        return f"the {self.resource} of {self.target}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Take it."""
        host = ground.world.host(self.target)
        match self.resource:
            case "memory":
                return _take_memory(ground, host)
            case "disk":
                return _fill_disk(host, id_)
        return _bound_numbers(host)


def _take_memory(ground: Ground, host: Machine) -> Heal:
    async def hold(process: Process) -> None:
        process.memory_bytes = MEMORY_KIB * 1024 * 29 // 30
        process.ready()
        await asyncio.get_running_loop().create_future()

    holder = ground.world.spawn(host, "stress-ng", hold)
    holder.argv = ("stress-ng", "--vm", "1", "--vm-bytes", "97%", "--vm-keep")

    async def give_back() -> None:
        holder.kill()

    return give_back


def _fill_disk(host: Machine, id_: str) -> Heal:
    directory = f"/var/log/filled/{id_}"
    room = DISK_BYTES_MAX * 19 // 20 - host.files.size
    for number in range(room // FILE_BYTES_MAX + 1):
        size = min(FILE_BYTES_MAX, room - number * FILE_BYTES_MAX)
        if size > 0:
            host.files.write(f"{directory}/{number}", bytes(size))

    async def clear() -> None:
        host.files.remove_below(directory)

    return clear


def _bound_numbers(host: Machine) -> Heal:
    before = host.pids_max
    host.pids_max = len(host.processes) // 2

    async def widen() -> None:
        host.pids_max = before

    return widen
