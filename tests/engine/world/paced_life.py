"""A clock that walks on a machine made of numbers, and an onlooker with a watch."""

import asyncio

from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.pacing import Drift


class FakeMachine:
    """Real time passes only in waits and by `compute` and `hold`. `late` tells how much too long a wait takes."""

    def __init__(self, late=lambda: 0.0):
        self.seconds, self.used, self.late = 1000.0, 5.0, late

    def real(self):
        return self.seconds

    def processor(self):
        return self.used

    def wait(self, outside, seconds):
        self.seconds += seconds + self.late()
        return outside.select(0)

    def compute(self, seconds, share=1.0):
        """Use the processor, of which this process gets a share."""
        self.used += seconds
        self.seconds += seconds / share

    def hold(self, seconds):
        """Run nothing of this process for a while."""
        self.seconds += seconds


class Life:
    """A clock that walks on a machine, tick by tick of `every` virtual seconds, and what was seen at each."""

    def __init__(self, pace, machine, every=0.1):
        self.clock, self.machine, self.every = Clock(pace, machine), machine, every
        self.loop = ClusterLoop(self.clock)
        self.began = (machine.real(), 0.0)
        self.ticks = []
        self.drifts = []
        self.at_tick = lambda: None

    def run(self, *, real=None, virtual=None):
        """Go on for so many real or virtual seconds."""
        to_real = float("inf") if real is None else self.machine.real() + real
        to_virtual = float("inf") if virtual is None else self.clock.now + virtual - 1e-9
        self.loop.run_until_complete(self._run(to_real, to_virtual))

    async def _run(self, to_real, to_virtual):
        while self.machine.real() < to_real and self.clock.now < to_virtual:
            await asyncio.sleep(self.every)
            self.ticks.append((self.machine.real(), self.clock.now))
            self.at_tick()
            if self.drift != Drift() or self.drifts:
                self.drifts.append(self.drift)

    @property
    def drift(self):
        return self.clock.drift

    def behind(self):
        """Real seconds by which the clock is behind its pace, as an onlooker with a watch sees it."""
        real, now = self.began
        return (self.machine.real() - real) - (self.clock.now - now) / self.clock.pace

    def fastest(self, seconds):
        """Virtual seconds for a real one, at most, over stretches of about so many real seconds."""
        paces, start = [], 0
        for end in range(len(self.ticks)):
            while self.ticks[end][0] - self.ticks[start][0] > seconds:
                start += 1
            real, now = (b - a for a, b in zip(self.ticks[start], self.ticks[end], strict=True))
            if real > seconds / 2:
                paces.append(now / real)
        return max(paces)
