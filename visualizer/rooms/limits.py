"""How often something may be tried: counted by the minute in Django's cache, which is Redis where there is one.

A code is worth guessing, so attempts that fail are counted for the visitor, for the address they come from and for
all together. Beyond the bound of a minute every attempt of that kind waits its turn (visualizer.rate_limits), and then
a right code opens its room: what somebody behind the same address tries shuts nobody out. At two and a half tries a
second from one address, and fifty from all, one of 23^7 codes is not found. A visitor can throw their cookie away; a
whole class may sit behind one address, so that bound is wider.
"""

import hashlib
import time

from django.core.cache import cache

from visualizer import rate_limits
from visualizer.rate_limits import Pace

MINUTE = 60
OF_VISITOR, OF_ADDRESS, OF_ALL = 10, 30, 1000


PACES = {
    "visitor": Pace(every_seconds=3, wait_seconds_max=6),
    "address": Pace(every_seconds=0.4, wait_seconds_max=15),
    "all": Pace(every_seconds=0.02, wait_seconds_max=5),
}


def take(what: str, whose: str, most: int) -> bool:
    """Count one more of this minute; False when that is more than `most`."""
    return _count(_key(what, whose)) <= most


class Attempts:
    """The attempts of one visitor from one address at guessing a code."""

    def __init__(self, visitor: str, address: str) -> None:
        bounds = [("address", address, OF_ADDRESS), ("all", "all", OF_ALL)]
        if visitor:
            bounds.append(("visitor", visitor, OF_VISITOR))
        self._bounds = [(kind, _key(f"join:{kind}", whose), most) for kind, whose, most in bounds]

    def wait(self) -> float:
        """Give the seconds after which one more may be made. Raise `TooOften` when that is too long to wait for."""
        made = cache.get_many([key for _, key, _ in self._bounds])
        reached = [(kind, key) for kind, key, most in self._bounds if made.get(key, 0) >= most]
        return max((PACES[kind].wait(key, rate_limits.now()) for kind, key in reached), default=0.0)

    def failed(self) -> None:
        """Count one that failed."""
        for _, key, _ in self._bounds:
            _count(key)


def _key(what: str, whose: str) -> str:
    digest = hashlib.sha256(whose.encode()).hexdigest()[:24]  # no address and no visitor lies in the cache
    return f"limit:{what}:{digest}:{int(time.time()) // MINUTE}"


def _count(key: str) -> int:
    cache.add(key, 0, timeout=2 * MINUTE)
    try:
        return cache.incr(key)
    except ValueError:  # it was thrown out in between: the cache is full of others' attempts
        return 1
