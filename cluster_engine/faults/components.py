"""Faults of components: a program that ends, and stays away until it is healed. Its disk and files stay as they are."""

import functools
from dataclasses import dataclass, field
from typing import ClassVar

from cluster_engine.cast import CONTROL_PLANE
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Component, Fault, Heal, Range, bounded

SLOWNESS_MAX = 10_000.0


async def _down(ground: Ground, component: str, id_: str, *, kill: bool) -> Heal:
    await ground.supervisor.hold(component, id_, kill=kill)
    return functools.partial(_up, ground, component, id_)


async def _up(ground: Ground, component: str, id_: str) -> None:
    ground.supervisor.release(component, id_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Fault):
    """SIGTERM: the program may say goodbye."""

    name: ClassVar[str] = "stop"

    target: str = field(metadata=bounded(Component()))

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Stop it."""
        return await _down(ground, self.target, id_, kill=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill(Fault):
    """SIGKILL: the kernel closes what it held open."""

    name: ClassVar[str] = "kill"

    target: str = field(metadata=bounded(Component()))

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Kill it."""
        return await _down(ground, self.target, id_, kill=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart(Fault):
    """SIGTERM and a new start."""

    name: ClassVar[str] = "restart"

    target: str = field(metadata=bounded(Component()))

    async def begin(self, ground: Ground, id_: str) -> None:
        """Restart it."""
        await ground.supervisor.restart(self.target, id_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow(Fault):
    """Whatever it computes takes so many times as long (`world/work.py`), as without free processors."""

    name: ClassVar[str] = "slow"

    target: str = field(metadata=bounded(Component()))
    times: float = field(default=100.0, metadata=bounded(Range(2.0, SLOWNESS_MAX)))

    def claims(self) -> str:
        """One slowness at a time."""
        return f"how fast {self.target} computes"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Make it slow."""
        host, _, program = self.target.partition("/")
        slowed = ground.world.host(host).slowed
        slowed[program] = self.times

        async def quicken() -> None:
            slowed.pop(program, None)

        return quicken


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdDown(Fault):
    """The cluster's memory is away: reads from watch caches go on, nothing can be written."""

    name: ClassVar[str] = "etcd-down"

    target: str = field(default=f"{CONTROL_PLANE}/etcd", metadata=bounded(Component(("etcd",))))

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Kill etcd."""
        return await _down(ground, self.target, id_, kill=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServerDown(Fault):
    """Everybody is alone: what runs goes on running, nothing changes."""

    name: ClassVar[str] = "api-server-down"

    target: str = field(default=f"{CONTROL_PLANE}/kube-apiserver", metadata=bounded(Component(("kube-apiserver",))))

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Kill the API server."""
        return await _down(ground, self.target, id_, kill=True)
