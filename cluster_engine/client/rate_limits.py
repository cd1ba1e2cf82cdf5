"""How many requests a client sends: a bucket of tokens, one a request, and a place in the queue for who finds none.

Theory of operation. Every client of client-go has a limiter of its own (rest.Config's QPS and Burst): a bucket that is
full at first, holds `burst` tokens and gets `per_second`. Who finds none takes one that is still to come, and waits
until it is there; so they go in order of coming. Watches take no token, nor do upgrades; each try of a request does.
Whoever waited for more than LONG_SECONDS says so in the component's log, at most once in LOG_SECONDS a process.

    bucket = TokenBucket(Limit(20, 30))        # kube-controller-manager
    bucket.reserve() -> 0.0                    # thirty times at once, then 0.05, 0.1, 0.15 …

Modelled on golang.org/x/time/rate as client-go's `util/flowcontrol/throttle.go` uses it, and on `rest/request.go`,
tryThrottleWithInfo. Left out: a wait that would outlast the request's deadline fails there at once; here it does when
the deadline has come.
"""

import asyncio
from collections.abc import Callable

import msgspec

from cluster_engine.api.durations import go_duration

SHORT_SECONDS, LONG_SECONDS = 0.05, 1.0
LOG_SECONDS = 10.0


class Limit(msgspec.Struct, frozen=True):
    """So many in a second, so many at once."""

    per_second: float
    burst: int


DEFAULT = Limit(5, 10)
"""client-go's, where a program says nothing (rest.DefaultQPS and DefaultBurst)."""


class TokenBucket:
    """Full at first; counts by the running loop's time."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._tokens = float(limit.burst)
        self._at = 0.0
        self._last_due = 0.0

    def take(self) -> bool:
        """Take a token if there is one; say whether (rate.Limiter, Allow)."""
        self._fill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def reserve(self) -> float:
        """Take a token that may still be to come; return after how many seconds it will be there (Reserve)."""
        self._fill()
        self._tokens -= 1
        seconds = max(0.0, -self._tokens / self._limit.per_second)
        self._last_due = self._at + seconds
        return seconds

    async def wait(self) -> float:
        """Take a token and wait until it is there; return for how many seconds (Wait). Who gives up may free it."""
        seconds = self.reserve()
        if seconds:
            due = self._last_due
            try:
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                self._tokens += max(0.0, 1 - (self._last_due - due) * self._limit.per_second)
                raise
        return seconds

    def _fill(self) -> None:
        now = asyncio.get_running_loop().time()
        self._tokens = min(self._limit.burst, self._tokens + (now - self._at) * self._limit.per_second)
        self._at = now


class ThrottleLog:
    """Says that requests waited: one for all clients of a process, as klog is; a `verbose` one says it each time."""

    def __init__(self, write: Callable[[str], None], *, verbose: bool = False) -> None:
        self._write = write
        self._verbose = verbose
        self._said_at = -LOG_SECONDS

    def waited(self, seconds: float, request: str) -> None:
        """Tell of a request, "GET:https://…", that has waited; not of short waits, and not each time."""
        reason = "due to client-side throttling, not priority and fairness"
        message = f"Waited for {go_duration(seconds)} {reason}, request: {request}"
        if self._verbose and seconds > SHORT_SECONDS:
            self._write(message)
        now = asyncio.get_running_loop().time()
        if seconds > LONG_SECONDS and now - self._said_at >= LOG_SECONDS:
            self._said_at = now
            self._write(message)
