"""The cache of several processes, in Redis: whole numbers and nothing else.

Django's Redis cache unpickles what it finds, so whoever may write to Redis may run code in every web process. Here
nothing is kept but counts (visualizer.rate_limits), and what does not read as a count counts as nothing.

A connection from the pool may be one that a Redis since restarted has closed: a command is tried once more, over a new
connection. A count may then be one too high, which does no harm.
"""

from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.retry import Retry

DIGITS_MAX = 18  # Redis counts in 64 bits


class Counts:
    """Writes and reads whole numbers, as Redis itself counts."""

    def dumps(self, number: Any) -> int:
        """Write a number. Raise TypeError for anything else: it is a bug of ours."""
        if type(number) is not int:
            raise TypeError(f"only whole numbers are kept in the cache, not {number!r}")
        return number

    def loads(self, data: bytes) -> int:
        """Read a number; 0 for what was not written by us."""
        return int(data) if data.isdigit() and len(data) <= DIGITS_MAX else 0


class CountingCache(RedisCache):
    """Django's Redis cache for counts."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"serializer": Counts, "retry": Retry(NoBackoff(), 1), **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
