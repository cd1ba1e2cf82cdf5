"""What breaks next, drawn from a seed."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

STOPPED_SECONDS = (1, 3, 8, 15, 17, 22, 30)
PAST_THE_LEASE_SECONDS = (15, 17, 22, 30)
LOCKED_SECONDS = (1, 4, 9)


@dataclass
class Outage:
    """One thing that breaks: which kind of process (or the database), how, and for how long."""

    kind: str
    how: str
    seconds: float = 0.0
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0


def next_outage(rng: random.Random, kinds: Sequence[str]) -> Outage:
    """Draw an outage of one of the kinds that there are."""
    kind = rng.choice(kinds)
    if kind == "database":
        return Outage(kind, "lock", rng.choice(LOCKED_SECONDS))
    if rng.random() < 0.5:
        return Outage(kind, "kill")
    return Outage(kind, "stop", rng.choice(STOPPED_SECONDS))


def next_stop(rng: random.Random) -> Outage:
    """Draw how long a worker stands still, so that it wakes in the belief that it still holds its leases."""
    return Outage("worker", "stop", rng.choice(PAST_THE_LEASE_SECONDS))
