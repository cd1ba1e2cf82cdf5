"""The real world as a loop sees it: real sockets, and real seconds for those who are not of this world.

Theory of operation. Clients that come in by the gateway live in real time, whatever the pace: a pause of the cluster
is no silence of theirs, and at pace 60 their second is a minute here. So what bounds *them* is timed here, by the
machine's clock, and comes to the loop as a socket's news does: as one more event of `select`.

    outside.call_later(10, handle)     select() gives `handle` as an event when ten real seconds have passed, also
                                       while the world is paused

A wait below a millisecond is none: the kernel waits whole milliseconds (epoll), and a hop between two hosts, a quarter
of one, would take four times its time. The clock may so be ahead of real time by less than that.
"""

import asyncio
import heapq
import itertools
import selectors
import time
from collections.abc import Callable

Events = list[tuple[selectors.SelectorKey, int]]

MILLISECOND = 0.001
NO_DESCRIPTOR = -1


class Outside(selectors.DefaultSelector):
    """A selector of real sockets with timers in real seconds. `real` tells the machine's monotonic time."""

    def __init__(self, real: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.real = real
        self._timers: list[tuple[float, int, asyncio.Handle]] = []
        self._numbers = itertools.count()

    def call_later(self, seconds: float, handle: asyncio.Handle) -> None:
        """Have a handle run by the loop after so many real seconds, unless it is cancelled before."""
        heapq.heappush(self._timers, (self.real() + seconds, next(self._numbers), handle))

    def select(self, timeout: float | None = None) -> Events:
        """Wait for sockets and timers, at most until `timeout` seconds have passed; see `selectors`."""
        if not self._timers:
            return super().select(_whole(timeout))
        deadline = None if timeout is None else self.real() + timeout
        while True:
            if due := self._due():
                return due + super().select(0)
            rest = None if deadline is None else max(deadline - self.real(), 0.0)
            next_timer = self._timers[0][0] - self.real() if self._timers else None
            is_last = next_timer is None or (rest is not None and rest <= next_timer)
            if (events := super().select(_whole(rest) if is_last else next_timer)) or is_last:
                return events

    def _due(self) -> Events:
        events: Events = []
        timers, now = self._timers, self.real()
        while timers and (timers[0][0] <= now or timers[0][2].cancelled()):
            _, _, handle = heapq.heappop(timers)
            if not handle.cancelled():
                key = selectors.SelectorKey(NO_DESCRIPTOR, NO_DESCRIPTOR, selectors.EVENT_READ, (handle, None))
                events.append((key, selectors.EVENT_READ))  # as asyncio registers its readers
        return events


def _whole(seconds: float | None) -> float | None:
    """Return the whole milliseconds of a wait, a little less: what waits rounds up."""
    return seconds if seconds is None else max((seconds // MILLISECOND - 0.5) * MILLISECOND, 0.0)
