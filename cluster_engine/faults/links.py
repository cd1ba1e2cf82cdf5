"""Faults of the network between two hosts: cut, slow, bad, or cutting connections off."""

import random
from dataclasses import dataclass, field
from typing import ClassVar

from cluster_engine.cast import CONTROL_PLANE
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Choice, Fault, FaultError, Heal, Host, Range, bounded
from cluster_engine.world.network import LATENCY_SECONDS
from cluster_engine.world.noise import SHARE_MAX, Noise

LINK_LATENCY_SECONDS_MAX = 10.0
SHARE = bounded(Range(0.0, SHARE_MAX))


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFault(Fault):
    """The link of two hosts, `target` and `peer`."""

    target: str = field(metadata=bounded(Host()))
    peer: str = field(default=CONTROL_PLANE, metadata=bounded(Host()))

    def check(self, ground: Ground) -> None:
        """Raise FaultError also when it is no link."""
        Fault.check(self, ground)
        if self.target == self.peer:
            raise FaultError(f"a link joins two hosts, and {self.target} is one")

    def link(self) -> str:
        """Name the link, whichever end is said first."""
        return " and ".join(sorted((self.target, self.peer)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition(LinkFault):
    """Segments are lost, and sent again by TCP until it gives up."""

    name: ClassVar[str] = "partition"

    direction: str = field(default="both", metadata=bounded(Choice(("both", "out", "in"))))
    """"out": what `target` sends is lost; "in": what `peer` sends to it."""

    def claims(self) -> str:
        """Cut and mended by one."""
        return f"whether the link between {self.link()} passes anything"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Cut the link."""
        network = ground.world.network
        source, target = (self.peer, self.target) if self.direction == "in" else (self.target, self.peer)
        network.partition(source, target, both_ways=self.direction == "both")

        async def mend() -> None:
            network.heal(source, target)

        return mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency(LinkFault):
    """Every segment takes longer, either way."""

    name: ClassVar[str] = "latency"

    seconds: float = field(default=0.2, metadata=bounded(Range(LATENCY_SECONDS, LINK_LATENCY_SECONDS_MAX)))

    def claims(self) -> str:
        """One latency at a time."""
        return f"the latency of the link between {self.link()}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Make it slow."""
        ground.world.network.set_latency(self.target, self.peer, self.seconds)

        async def mend() -> None:
            ground.world.network.set_latency(self.target, self.peer, LATENCY_SECONDS)

        return mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(LinkFault):
    """A RST to both ends, as from a firewall that has forgotten its connections."""

    name: ClassVar[str] = "reset"

    which: str = field(default="all", metadata=bounded(Choice(("all", "one"))))

    async def begin(self, ground: Ground, id_: str) -> None:
        """Reset what is open now."""
        network = ground.world.network
        link = {self.target, self.peer}
        numbers = [n for n, ends in network.ends.items() if {end.process.host.name for end in ends} == link]
        if self.which == "one" and numbers:
            numbers = [random.Random(self.seed).choice(numbers)]
        for number in numbers:
            network.reset(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLink(LinkFault):
    """Each segment may be lost, late, repeated or damaged (`world/noise.py`); each share is a probability."""

    name: ClassVar[str] = "bad-link"

    lost: float = field(default=0.05, metadata=SHARE)
    late: float = field(default=0.05, metadata=SHARE)
    repeated: float = field(default=0.05, metadata=SHARE)
    damaged: float = field(default=0.0, metadata=SHARE)

    def claims(self) -> str:
        """Made bad and good again by one."""
        return f"how bad the link between {self.link()} is"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Make it bad."""
        rng = random.Random(self.seed)
        noise = Noise(rng, lost=self.lost, late=self.late, repeated=self.repeated, damaged=self.damaged)
        ground.world.network.set_noise(self.target, self.peer, noise)

        async def mend() -> None:
            ground.world.network.set_noise(self.target, self.peer, None)

        return mend
