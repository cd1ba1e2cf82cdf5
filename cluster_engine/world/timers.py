"""An asyncio loop whose time is a clock's, and whose timers come in an order that depends on them alone.

`loop.ClusterLoop` adds the simulated network to this one. What needs no more than time (segments under way, a
connection's retransmissions, processes) is written for a `TimedLoop`.
"""

import asyncio
import heapq
from typing import Any, NoReturn

from cluster_engine.world.clock import Clock, rounded_up


class Timer(asyncio.TimerHandle):
    """A timer that comes after those of its time that were set before it.

    asyncio keeps timers in a heap, which is not stable: which of two for one time comes first depends on all the others
    in it, and on when it was last rid of those cancelled. Here it depends on the two.
    """

    __slots__ = ("turn",)

    turn: tuple[float, int]

    def __lt__(self, other: "Timer") -> bool:  # type: ignore[override]
        return self.turn < other.turn


class TimedLoop(asyncio.SelectorEventLoop):
    """An event loop in the virtual time of its `clock`."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.turn = 0
        """How many timers have been set so far."""
        super().__init__(self.clock)

    def time(self) -> float:
        """Virtual seconds since the world began."""
        return self.clock.now

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """See asyncio; the time is the first of the clock's that is not before `when`."""
        self._check_closed()  # type: ignore[attr-defined]
        timer = Timer(when := rounded_up(when), callback, args, self, context)
        self.turn += 1
        timer.turn = (when, self.turn)
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    def run_in_executor(self, *_: Any) -> NoReturn:  # type: ignore[override]
        """Refuse: a thread's work takes real time, and no world with one would be deterministic."""
        raise RuntimeError("there are no threads in a world")
