"""How often a sign-in may fail, and how many accounts one address may open.

Counted in Django's cache, in windows that begin with the first count. The counts of an address are generous, because a
whole class may sit behind one; the count of a name at an address is what stops guessing.
"""

import hashlib
from collections.abc import Mapping

from django.core.cache import cache

FAILED_SECONDS = 15 * 60
FAILED_MAX: Mapping[str, int] = {"name at address": 8, "name": 50, "address": 100}
OPENED_SECONDS = 60 * 60
OPENED_MAX = 60


class TooMany(Exception):  # noqa: N818
    """A limit is reached; wait a while."""


def check_sign_in(address: str, name: str) -> None:
    """Raise `TooMany` where too much has failed already."""
    for limit, key in _keys(address, name).items():
        if int(cache.get(key) or 0) >= FAILED_MAX[limit]:
            raise TooMany


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
