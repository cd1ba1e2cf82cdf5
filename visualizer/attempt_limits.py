"""How often somebody may fail at what is worth guessing (a password, a code), and how often something may be done.

Counted in Django's cache (Redis where there is one), in windows that begin with the first. Below a `Bound` nobody
waits; beyond it each attempt waits its turn (visualizer.rate_limits), and a right one is right. So guessing goes on at
the bound's pace and no faster, and what one person tries shuts nobody else out who sits behind the same address.

    bounds = {"address": Bound(30, MINUTE, Pace(every_seconds=0.4, wait_seconds_max=15))}
    attempts = Attempts("join", bounds, {"address": "192.0.2.7"})
    attempts.wait()      0.0; after thirty that `failed()` within a minute: the seconds until its turn
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.cache import cache

from visualizer import rate_limits
from visualizer.rate_limits import Pace

MINUTE = 60


@dataclass(frozen=True, slots=True)
class Bound:
    """So many failures in so many seconds; beyond them attempts come at the pace."""

    failures_max: int
    seconds: int
    pace: Pace


class Attempts:
    """Somebody's attempts at guessing something: each of the bounds counts for one of `whose`, by its name."""

    def __init__(self, what: str, bounds: Mapping[str, Bound], whose: Mapping[str, str]) -> None:
        self._keys = {name: _key(what, name, whom) for name, whom in whose.items()}
        self._bounds = {name: bounds[name] for name in whose}

    def wait(self) -> float:
        """Return the seconds after which one more may be made. Raise `TooOften` when that is too long to wait for."""
        made = cache.get_many(self._keys.values())
        reached = [
            self._bounds[name].pace.wait(key, rate_limits.now())
            for name, key in self._keys.items()
            if made.get(key, 0) >= self._bounds[name].failures_max
        ]
        return max(reached, default=0.0)

    def failed(self) -> None:
        """Count one that failed."""
        for name, key in self._keys.items():
            _count(key, self._bounds[name].seconds)

    def forgive(self, name: str) -> None:
        """Forget what failed by one of the bounds."""
        cache.delete(self._keys[name])


def take(what: str, whose: str, most: int, seconds: int) -> bool:
    """Count something that is done; False when that makes more than `most` in so many seconds."""
    return _count(_key(what, whose), seconds) <= most


def _key(*parts: str) -> str:
    """Make a key of fixed length that tells nobody what was typed, by whom, or from where."""
    return "attempts:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _count(key: str, seconds: int) -> int:
    cache.add(key, 0, seconds)
    try:
        return int(cache.incr(key))
    except ValueError:  # the window has ended in between, or the cache is full of others' attempts
        cache.set(key, 1, seconds)
        return 1
