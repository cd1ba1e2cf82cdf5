"""How often a sign-in may fail, and how many accounts one address may open.

Failures are counted in Django's cache, in windows that begin with the first. The counts of an address are generous,
because a whole class may sit behind one; the count of a name at an address is what stops guessing. Beyond a count every
attempt waits its turn (visualizer.rate_limits), and then the right password signs in: what a classmate tries at a
teacher's name locks nobody out, and nobody tries faster than one password every ten seconds at one name.
"""

import hashlib
from collections.abc import Mapping

from django.core.cache import cache

from visualizer import rate_limits
from visualizer.rate_limits import Pace

FAILED_SECONDS = 15 * 60
FAILED_MAX: Mapping[str, int] = {"name at address": 8, "name": 50, "address": 100}
OPENED_SECONDS = 60 * 60
OPENED_MAX = 60


PACES: Mapping[str, Pace] = {
    "name at address": Pace(every_seconds=5, wait_seconds_max=15),
    "name": Pace(every_seconds=10, wait_seconds_max=20),
    "address": Pace(every_seconds=1, wait_seconds_max=15),
}


class TooMany(Exception):  # noqa: N818
    """A limit is reached; wait a while."""


def wait(address: str, name: str) -> float:
    """Give the seconds after which a password may be tried. Raise `TooOften` when that is too long to wait for."""
    reached = {one: key for one, key in _keys(address, name).items() if int(cache.get(key) or 0) >= FAILED_MAX[one]}
    return max((PACES[one].wait(key, rate_limits.now()) for one, key in reached.items()), default=0.0)


def count_failure(address: str, name: str) -> None:
    """One more sign-in has failed."""
    for key in _keys(address, name).values():
        _count(key, FAILED_SECONDS)


def forget_failures(address: str, name: str) -> None:
    """It was them after all: what failed at this address under this name is forgiven."""
    cache.delete(_keys(address, name)["name at address"])


def count_opened(address: str) -> None:
    """One more account is opened. Raise `TooMany` when that is one too many."""
    if _count(_key("opened", address), OPENED_SECONDS) > OPENED_MAX:
        raise TooMany


def _keys(address: str, name: str) -> dict[str, str]:
    name = name.casefold()
    return {
        "name at address": _key("failed", "both", address, name),
        "name": _key("failed", "name", name),
        "address": _key("failed", "address", address),
    }


def _key(*parts: str) -> str:
    """A key of fixed length that tells nobody what was typed."""
    return "people:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _count(key: str, seconds: int) -> int:
    cache.add(key, 0, seconds)
    try:
        return int(cache.incr(key))
    except ValueError:  # the window ended in between
        cache.set(key, 1, seconds)
        return 1
