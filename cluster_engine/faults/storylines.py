"""Storylines: several faults in sequence, let happen and healed as one.

A storyline is a fault whose parts are faults, each with its own start and end within it. All of them are injected
together; each is noted when it begins and when it is over. The storyline is over once it is healed, with all its parts,
or once none of them is left.

    Storyline(target="a-node-fails-slowly", worker="worker-1", start=10.0)
        10 s  loss on the link of worker-1      40 s  its kubelet is slow      100 s  its power goes
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from cluster_engine.faults.components import ApiServerDown, Slow
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.hosts import PowerOff
from cluster_engine.faults.links import Loss
from cluster_engine.faults.record import Choice, Fault, Heal, Host, bounded
from cluster_engine.faults.requests import AnswerLost, RequestRefused
from cluster_engine.faults.storage import EtcdNoSpace, EtcdSlowDisk

Parts = tuple[Fault, ...]


def _node_fails(worker: str) -> Parts:
    return (
        Loss(target=worker, lost=0.3),
        Slow(target=f"{worker}/kubelet", times=200.0, start=30.0),
        PowerOff(target=worker, start=90.0),
    )


def _etcd_fills(_: str) -> Parts:
    return EtcdSlowDisk(seconds=0.3), EtcdNoSpace(start=30.0)


def _api_server_gives_way(_: str) -> Parts:
    return (
        RequestRefused(verb="list", resource="pods", code=429, times=3, retry_after_seconds=5),
        AnswerLost(verb="update", resource="leases", start=20.0, end=40.0),
        ApiServerDown(start=60.0, end=120.0),
    )


STORYLINES: dict[str, Callable[[str], Parts]] = {
    "a-node-fails-slowly": _node_fails,
    "etcd-fills-up": _etcd_fills,
    "the-api-server-gives-way": _api_server_gives_way,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Storyline(Fault):
    """What happens to a cluster on a bad day, by its name; to `worker` where it is about one."""

    name: ClassVar[str] = "storyline"

    target: str = field(default="a-node-fails-slowly", metadata=bounded(Choice(tuple(STORYLINES))))
    worker: str = field(default="worker-1", metadata=bounded(Host(worker=True)))

    def parts(self) -> Parts:
        """Return the faults that it is made of, from the injection on."""
        return tuple(self._shifted(one) for one in STORYLINES[self.target](self.worker))

    def _shifted(self, part: Fault) -> Fault:
        end = None if part.end is None else part.end + self.start
        return replace(part, start=part.start + self.start, end=end, seed=self.seed)

    def check(self, ground: Ground) -> None:
        """Raise FaultError also when one of its parts does not fit this cluster."""
        Fault.check(self, ground)
        for part in self.parts():
            part.check(ground)

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Do nothing of its own: its parts are injected beside it."""

        async def nothing() -> None:
            pass

        return nothing
