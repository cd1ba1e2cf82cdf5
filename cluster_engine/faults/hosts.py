"""Faults of hosts: the power goes, nobody says goodbye, and what was in memory is gone when it returns."""

from dataclasses import dataclass, field
from typing import ClassVar

from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Fault, Heal, Host, bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerOff(Fault):
    """Peers see nothing at all: their segments go unanswered. Healing boots the host, its containers dead."""

    name: ClassVar[str] = "power-off"
    description: ClassVar[str] = "A host loses its power: silence. Healed, it boots, and starts its containers anew."

    target: str = field(metadata=bounded(Host()))

    def claims(self) -> str:
        """Two cannot switch one host."""
        return f"the power of {self.target}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Cut the power."""
        host = ground.world.host(self.target)
        components = [one for one in ground.components() if one.startswith(f"{host.name}/")]
        host.powered = False  # before anything dies, so that nothing of it is heard
        for component in components:
            await ground.supervisor.hold(component, id_, power_cut=True)
        host.power_off()

        async def boot() -> None:
            host.power_on()
            for component in components:
                ground.supervisor.release(component, id_)

        return boot
