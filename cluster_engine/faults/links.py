"""Faults of the network between two hosts: cut, slow, bad, or cutting connections off."""

import random
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from cluster_engine.cast import CONTROL_PLANE
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Choice, Fault, FaultError, Heal, Host, Range, bounded
from cluster_engine.world.network import LATENCY_SECONDS
from cluster_engine.world.noise import SHARE_MAX, Noise

LINK_LATENCY_SECONDS_MAX = 10.0
KILOBITS_MIN, KILOBITS_MAX = 8.0, 1_000_000.0
BYTES_PER_KILOBIT = 125.0
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

    def connections(self, ground: Ground) -> list[int]:
        """List the connections over the link that are open now."""
        link = {self.target, self.peer}
        ends = ground.world.network.ends.items()
        return [number for number, both in ends if {end.process.host.machine.name for end in both} == link]

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
        numbers = self.connections(ground)
        if self.which == "one" and numbers:
            numbers = [random.Random(self.seed).choice(numbers)]
        for number in numbers:
            network.reset(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfOpen(LinkFault):
    """`target` forgets its connections with `peer` without a word, as after a crash; `peer` takes them for open."""

    name: ClassVar[str] = "half-open"

    target: str = field(default=CONTROL_PLANE, metadata=bounded(Host()))
    peer: str = field(default="worker-1", metadata=bounded(Host()))

    async def begin(self, ground: Ground, id_: str) -> None:
        """Forget what is open now."""
        for number in self.connections(ground):
            ground.world.network.forget(number, self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisyLink(LinkFault):
    """What may happen to each segment of the link (`world/noise.py`)."""

    def claims(self) -> str:
        """Made bad and good again by one."""
        return f"how bad the link between {self.link()} is"

    @abstractmethod
    def noise(self, rng: random.Random) -> Noise:
        """Say how bad it is."""

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Make it bad."""
        ground.world.network.set_noise(self.target, self.peer, self.noise(random.Random(self.seed)))

        async def mend() -> None:
            ground.world.network.set_noise(self.target, self.peer, None)

        return mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss(NoisyLink):
    """A share of all segments is lost, and sent again by TCP after 0.2, 0.4 … s."""

    name: ClassVar[str] = "loss"

    lost: float = field(default=0.1, metadata=SHARE)

    def noise(self, rng: random.Random) -> Noise:
        """Lose segments."""
        return Noise(rng, lost=self.lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter(NoisyLink):
    """Every segment takes longer by anything up to `seconds`, each by another time."""

    name: ClassVar[str] = "jitter"

    seconds: float = field(default=0.5, metadata=bounded(Range(0.001, LINK_LATENCY_SECONDS_MAX)))

    def noise(self, rng: random.Random) -> Noise:
        """Make segments late."""
        return Noise(rng, late=1.0, late_seconds=self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLink(NoisyLink):
    """Each segment may be lost, late, repeated or damaged; each share is a probability."""

    name: ClassVar[str] = "bad-link"

    lost: float = field(default=0.05, metadata=SHARE)
    late: float = field(default=0.05, metadata=SHARE)
    repeated: float = field(default=0.05, metadata=SHARE)
    damaged: float = field(default=0.0, metadata=SHARE)

    def noise(self, rng: random.Random) -> Noise:
        """Do all of it."""
        return Noise(rng, lost=self.lost, late=self.late, repeated=self.repeated, damaged=self.damaged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth(LinkFault):
    """The link takes so many kilobits a second each way; segments wait for those before them."""

    name: ClassVar[str] = "bandwidth"

    kilobits: float = field(default=64.0, metadata=bounded(Range(KILOBITS_MIN, KILOBITS_MAX)))

    def claims(self) -> str:
        """One width at a time."""
        return f"the bandwidth of the link between {self.link()}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Make it narrow."""
        ground.world.network.set_rate(self.target, self.peer, self.kilobits * BYTES_PER_KILOBIT)

        async def widen() -> None:
            ground.world.network.set_rate(self.target, self.peer, None)

        return widen
