"""Segments under way, those that arrive together under one timer.

Theory of operation. A server that tells five hundred watchers of an event sends five hundred segments at one instant,
which arrive at one instant. A timer for each would cost more than the segments do. So a segment joins the one sent
before it if both arrive at the same time and no other timer was set in between: then nothing can come between the two,
and the order of events is the one that a timer for each would give.

    sent at 1.0 to a, b, c; latency 0.25 ms    one timer for 1.00025: a, b, c
    sent at 1.0 to a, a timer set, sent to b   three timers
"""

import contextvars
from collections.abc import Callable

from cluster_engine.world.clock import rounded_up
from cluster_engine.world.timers import TimedLoop

Arrival = tuple[contextvars.Context, Callable[[], None]]


class Arrivals:
    """What is under way in one network."""

    def __init__(self, loop: TimedLoop) -> None:
        self._loop = loop
        self._asked = self._when = -1.0
        self._turn = -1
        self._batch: list[Arrival] = []

    def add(self, when: float, context: contextvars.Context, arrive: Callable[[], None]) -> None:
        """Have `arrive` called at a time, in a context, after all that was added for that time before."""
        loop = self._loop
        if when != self._asked or loop.turn != self._turn:
            self._join(when)
        self._batch.append((context, arrive))

    def _join(self, when: float) -> None:
        """Go on with the batch, if it is for this time too, or begin another."""
        self._asked, when = when, rounded_up(when)
        if when != self._when or self._loop.turn != self._turn:
            self._batch = []
            self._loop.call_at(when, self._arrive, self._batch)
            self._when, self._turn = when, self._loop.turn

    def _arrive(self, batch: list[Arrival]) -> None:
        if batch is self._batch:
            self._asked = self._when = -1.0  # it is being read: nothing joins it any more
        for context, arrive in batch:
            try:
                context.run(arrive)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # as asyncio does with a timer's: the others arrive all the same
                said = {"message": "Exception in a segment's arrival", "exception": error, "context": context}
                self._loop.call_exception_handler(said)
