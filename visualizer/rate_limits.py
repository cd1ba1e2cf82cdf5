"""How often something may be done from one place: so many at once, then one at a time, never "not at all".

A whole class sits behind one address, so a bound that shuts an address out shuts the class out with whoever reached it.
A `Pace` slows down instead. It is GCRA, the leaky bucket of ATM networks (ITU-T I.371, annex A): for each key it keeps
one number, the time at which all that was let through so far would have come evenly spaced.

    pace = Pace(every_seconds=5, burst=2, wait_seconds_max=6)
    pace.wait("a", now=0)   0      pace.wait("a", now=0)   0      the burst
    pace.wait("a", now=0)   5      its turn is in five seconds: the caller waits, and goes on
    pace.wait("a", now=0)          TooOften(4): ten seconds are more than anybody waits here; in four there is a place

What is guessed at (passwords, codes) has counts as well (`visualizer.attempt_limits`). Paces are kept in this process:
several web processes let as many times more through.
"""

import asyncio
import math
import time
from weakref import WeakSet

from django.conf import settings

KEYS_MAX = 10_000

sleep = asyncio.sleep
now = time.monotonic

_all: "WeakSet[Pace]" = WeakSet()


class TooOften(Exception):  # noqa: N818
    """There is no turn soon; `seconds` until it is worth trying again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = max(1, math.ceil(seconds))


class Pace:
    """So many at once for each key, then one every so often; whose turn is too far off is sent away."""

    def __init__(self, every_seconds: float, burst: int = 1, wait_seconds_max: float = 0.0) -> None:
        self._every, self._burst, self._wait_max = every_seconds, burst, wait_seconds_max
        self._even: dict[str, float] = {}  # by key: when the next would come, were they evenly spaced
        _all.add(self)

    def wait(self, key: str, now: float) -> float:
        """Count one more and give the seconds until its turn. Raise `TooOften`, and count nothing."""
        even = max(self._even.get(key, now), now)
        seconds = max(0.0, even - (self._burst - 1) * self._every - now)
        if seconds > self._wait_max:
            raise TooOften(seconds - self._wait_max)
        self._even[key] = even + self._every
        if len(self._even) > KEYS_MAX:
            self._even = {one: at for one, at in self._even.items() if at > now}
        return seconds

    def take(self, key: str) -> None:
        """Count one more, now. Raise `TooOften` when it would have to wait."""
        self.wait(key, now())

    def forget(self) -> None:
        """Begin afresh."""
        self._even.clear()


def forget_all() -> None:
    """Have nobody done anything yet (tests)."""
    for pace in _all:
        pace.forget()


VISITORS = Pace(every_seconds=2, burst=300)  # of one address: new sessions
JOINS = Pace(every_seconds=1, burst=250)  # of one address: learners that come into rooms
CLUSTERS = Pace(every_seconds=5, burst=settings.CLUSTERS_PER_ADDRESS)  # of one address: clusters that are begun
CLUSTERS_OF_VISITOR = Pace(every_seconds=3, burst=20)  # of one cookie: those, and those that replace one
EXPORTS = Pace(every_seconds=2, burst=20)  # of one cluster: downloads of its journal
SEARCHES = Pace(every_seconds=0.2, burst=40)  # of one cluster: questions about what its bodies say
COMPARISONS = Pace(every_seconds=2, burst=20)  # of one cluster: comparing it with another
STATES = Pace(every_seconds=0.1, burst=100)  # of one cluster: questions about what stood at some position
IMPORTS = Pace(every_seconds=30, burst=10)  # of one cookie: files that are brought
IMPORTS_OF_ADDRESS = Pace(every_seconds=5, burst=40)  # of one address: the same
SHARES = Pace(every_seconds=2, burst=30)  # of one cookie: links that are made
READ = Pace(every_seconds=0.05, burst=200)  # by one link: questions that a running cluster answers
WAKES = Pace(every_seconds=60, burst=5)  # of one cluster: by readers who look at what it alone knows
