"""Faults of hosts: the power goes, and what was in memory with it; the clock is wrong."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Fault, Heal, Host, Range, bounded

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
