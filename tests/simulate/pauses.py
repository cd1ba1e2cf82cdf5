"""Pauses and steps in the middle of a play, which must not change it: time stands, is stepped entry by entry, goes on.

A pause begins at the first rest after its time. What a person does next is done here at once by whoever is asked when
the world is at rest: so many steps, each to the next entry of the journal, then on.
"""

from collections import deque
from collections.abc import Iterable
from random import Random

from cluster_engine.cluster import Cluster

PAUSES_EACH = 12
STEPS_MAX = 5


class Pauses:
    """When a play is paused, and how many steps are made each time."""

    def __init__(self, pauses: Iterable[tuple[float, int]]) -> None:
        self._due = deque(sorted(pauses))
        self._steps = 0
        self._head = 0
        self.made = 0

    @classmethod
    def drawn(cls, seed: int, seconds: float) -> "Pauses":
        """Draw some within the first seconds of a play."""
        rng = Random(f"pauses {seed}")
        return cls((rng.uniform(0.0, seconds), rng.randint(0, STEPS_MAX)) for _ in range(PAUSES_EACH))

    def begin(self, cluster: Cluster) -> None:
        """Be asked whenever the cluster's world is at rest."""
        assert cluster.journal is not None
        clock, journal = cluster.clock, cluster.journal

        def at_rest() -> bool:
            if clock.stepping:
                return False
            if clock.paused and self._steps:
                self._steps -= 1
                self._head = journal.head
                clock.step(lambda: journal.head > self._head)
                return True
            if clock.paused:
                clock.resume()
                return True
            if self._due and self._due[0][0] <= clock.now:
                self._steps = self._due.popleft()[1]
                self.made += 1
                clock.pause()
                return True
            return False

        clock.at_rest = at_rest
