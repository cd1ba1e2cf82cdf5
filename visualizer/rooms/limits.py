"""How often something may be tried: counted by the minute in Django's cache, which is Redis where there is one.

A code is worth guessing, so attempts that fail are counted for the visitor, for the address they come from and for
all together; at the bound nobody of that kind is heard until the minute is over, whether right or wrong. A visitor can
throw their cookie away; an address of IPv6 is a network of 64 bits, which one person may have; and a whole class may
sit behind one address of IPv4, so that bound is wider.
"""

import hashlib
import time

from django.core.cache import cache

MINUTE = 60
OF_VISITOR, OF_ADDRESS, OF_ALL = 10, 30, 1000


class TooOften(Exception):  # noqa: N818
    """Tried too often; `seconds` until it may be tried again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def take(what: str, whose: str, most: int) -> bool:
    """Count one more of this minute; False when that is more than `most`."""
    return _count(_key(what, whose)) <= most


class Attempts:
    """The attempts of one visitor from one address at guessing a code."""

    def __init__(self, visitor: str, address: str) -> None:
        bounds = [("visitor", visitor, OF_VISITOR), ("address", address, OF_ADDRESS), ("all", "all", OF_ALL)]
        self._bounds = [(_key(f"join:{kind}", whose), most) for kind, whose, most in bounds]

    def check(self) -> None:
        """Raise `TooOften` when one more may not be made."""
        made = cache.get_many([key for key, _ in self._bounds])
        if any(made.get(key, 0) >= most for key, most in self._bounds):
            raise TooOften(MINUTE - int(time.time()) % MINUTE)

    def failed(self) -> None:
        """Count one that failed."""
        for key, _ in self._bounds:
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
