"""How long work takes: virtual seconds for what costs a real program computing time, a disk or a poll.

Theory of operation. In a world where only waiting takes time, everything that follows from a message happens at the
instant it arrives, and the order of messages teaches falsehoods: the scheduler has bound a pod before kubectl has read
that its Deployment was created. So a program says where it works, by a name, and waits for as long as that takes:

    await process.work("scheduler.cycle")          # 2 ms, give or take, in a world of effort 1

`durations.toml` has the median and the 99th percentile of each name, and where they come from; a draw is log-normal:

    median 0.8 ms, p99 2.4 ms    sigma = ln(2.4 / 0.8) / 2.326 = 0.472    draws 0.5, 0.9, 0.7, 1.6 ms …

The world's `effort` multiplies every draw. With effort 0 nothing is drawn and nobody waits: so tests and library users
have exact times. Each process draws from a source of its own, made from the seed, so that what one works does not move
what another draws. A program that is slowed (`Host.slowed`) works that many times as long, with effort 0 too. Left out:
processors. However many tasks of a process work at once, none waits for another; what is serial in reality (etcd's log)
is made serial where it happens (`etcd/disk.py`).
"""

import functools
import math
import random
import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Protocol

import msgspec

REAL_EFFORT = 1.0
"""Of clusters that somebody learns from: work takes about as long as in reality."""
Z99 = 2.3263478740408408
"""The standard normal distribution's 99th percentile."""


class Duration(msgspec.Struct, frozen=True):
    """A log-normal distribution of seconds: half of the draws are below `median`, 99 of 100 below `p99`."""

    median: float
    p99: float
    source: str

    def draw(self, rng: random.Random) -> float:
        """Return seconds."""
        return rng.lognormvariate(math.log(self.median), math.log(self.p99 / self.median) / Z99)


@functools.cache
def durations() -> dict[str, Duration]:
    """Read `durations.toml`; "etcd.fsync" and the like lead to their distributions."""
    text = resources.files("cluster_engine.world").joinpath("durations.toml").read_text(encoding="utf-8")
    return {
        f"{program}.{name}": Duration(found["median_ms"] / 1000, found["p99_ms"] / 1000, found["source"])
        for program, works in tomllib.loads(text).items()
        for name, found in works.items()
    }


class World(Protocol):
    """What sets how long work takes: its `effort` multiplies all durations, now; 0: nothing is drawn."""

    effort: float


NOBODY: Mapping[str, float] = MappingProxyType({})


class Effort:
    """What work costs one process of a world; `slowed` says of programs how many times as much, at present."""

    __slots__ = ("_name", "_rng", "_seed", "_slowed", "_world", "spent")

    def __init__(self, world: World, seed: str, slowed: Mapping[str, float] = NOBODY, name: str = "") -> None:
        self._world = world
        self._slowed = slowed
        self._name = name
        self._seed = seed
        self._rng: random.Random | None = None
        self.spent = 0.0
        """All seconds that were drawn."""

    def seconds(self, *names: str) -> float:
        """Draw how long work of these names takes together. KeyError for a name that `durations.toml` does not have."""
        scale = self._world.effort
        if self._slowed and (times := self._slowed.get(self._name)):
            scale = (scale or REAL_EFFORT) * times
        if not scale:
            return 0.0
        rng = self._rng = self._rng or random.Random(self._seed)
        seconds = scale * sum(durations()[name].draw(rng) for name in names)
        self.spent += seconds
        return seconds
