"""When time moves: a selector that turns waiting into virtual time.

Theory of operation. An asyncio loop does two things in turn: it runs every callback that is ready, then it asks its
*selector* to wait, at most until the next timer. Real selectors wait by sleeping. This one owns the clock, so it may
decide what waiting means:

    leaping   nobody waits: the clock jumps to the next timer
    paced     the clock walks `pace` virtual seconds for each real one (0.1 … 60), and catches up what it missed
              (`pacing.py`)
    paused    the clock stands; only the outside world (a gateway, a caller in another thread) is listened to
    stepping  paused, but leaping until a condition holds

Time moves nowhere else. So between two waits everything happens "at one instant", in the order in which asyncio queued
it, and that order cannot depend on the pace or on how fast this machine is. (FoundationDB's and TigerBeetle's
simulators and Rust's turmoil rest on the same observation.)

Real sockets (the gateway) are kept in a real selector inside (`outside.py`); when they speak they wake the loop, and
the time that has really passed, times the pace, has passed in the world too.

    clock = Clock(pace=None)                  # leaping
    clock.select(3.5)  ->  []                 # returns at once
    clock.now          ->  3.5

Times are rounded to ten nanoseconds wherever they arise, so that the sum of the parts of a wait equals the whole, and a
timer is never called before its time (asyncio calls those due within the next nanosecond, its clock's resolution).
"""

import selectors
import time
from collections.abc import Callable, Mapping
from typing import IO, Any, Protocol

from msgspec.structs import asdict

from cluster_engine.world.outside import Outside
from cluster_engine.world.pacing import Drift, Pacing

LEAP = None
LEVEL = Drift()

ROUNDS_BETWEEN_POLLS = 16
"""While callbacks are ready, real sockets are looked at only every so many rounds: a system call costs more."""

Events = list[tuple[selectors.SelectorKey, int]]


TICK_SECONDS = 1e-8


def rounded(seconds: float) -> float:
    """Return the time of the clock that is nearest."""
    return round(seconds, 8)


def rounded_up(seconds: float) -> float:
    """Return the first time of the clock that is not before `seconds`: whoever waits for a time finds it come."""
    tick = round(seconds, 8)
    return tick if tick >= seconds else round(tick + TICK_SECONDS, 8)


class Machine(Protocol):
    """What a paced clock needs of the machine it runs on: seconds that pass, and a way to let them."""

    def real(self) -> float:
        """Return real seconds, which go on while the machine is suspended."""
        ...

    def processor(self) -> float:
        """Return the processor seconds that this process has used."""
        ...

    def wait(self, outside: selectors.BaseSelector, seconds: float) -> Events:
        """Let real seconds pass, or fewer if somebody outside speaks."""
        ...


class ThisMachine:
    """The machine we run on."""

    _CLOCK = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
    """On Linux `time.monotonic` stands while the machine is suspended, on macOS too; these do not."""

    def real(self) -> float:
        """See `Machine`."""
        return time.monotonic() if self._CLOCK is None else time.clock_gettime(self._CLOCK)

    def processor(self) -> float:
        """See `Machine`."""
        return time.process_time()

    def wait(self, outside: selectors.BaseSelector, seconds: float) -> Events:
        """See `Machine`."""
        return outside.select(seconds)


class DeadlockError(RuntimeError):
    """Every task waits, no timer is set and nobody outside can speak: this world has come to its end."""


class Clock(selectors.BaseSelector):
    """A selector that is also the world's clock. Belongs to one loop and one thread."""

    def __init__(self, pace: float | None = LEAP, machine: Machine | None = None) -> None:
        self.now = 0.0
        self.pace = pace
        self.paused = False
        self.outside_may_speak = False
        """True when a caller in another thread may wake the loop: then having nothing to do is no deadlock."""
        self.before_waiting: list[Callable[[], bool]] = []
        """Asked whenever everything waits and time is about to move; True: "I made something ready, do not wait"."""
        self.at_rest: Callable[[], bool] = lambda: False
        """Asked when nobody of `before_waiting` has made anything ready: the instant is over. True: "not yet"."""
        self.leap_until: float | None = None
        """Leap, whatever pace and pause say, and no further than this; whoever sets it ends it, by `at_rest`."""
        self.on_deadlock: Callable[[], bool] = lambda: False
        """Asked when nothing is ready, no timer is set and nobody outside may speak; True: "I made something ready"."""
        self._step_is_done: Callable[[], bool] | None = None
        self.outside = self._outside = Outside()
        self._rounds = 0
        self._machine = machine or ThisMachine()
        self._pacing: Pacing | None = None
        """Since when it has walked at this pace without a stop; whoever turns the clock ends it, and what it owes."""

    # -- what a person turns -------------------------------------------------------------------------------------

    def set_pace(self, pace: float | None) -> None:
        """Let `pace` virtual seconds pass in a real one; `LEAP` for no waiting at all."""
        if pace is not None and not 0 < pace <= 1000:
            raise ValueError(f"a pace of {pace} is outside 0 … 1000")
        if pace != self.pace:
            self._pacing = None
        self.pace = pace

    def pause(self) -> None:
        """Stand still from the next wait on. What is ready at this instant still runs."""
        self.paused = True
        self._step_is_done = self._pacing = None

    def resume(self) -> None:
        """Go on at the pace set."""
        self.paused = False
        self._step_is_done = None

    def step(self, is_done: Callable[[], bool]) -> None:
        """Pause, and leap from wait to wait until `is_done()`."""
        self.paused = True
        self._step_is_done, self._pacing = is_done, None

    @property
    def stepping(self) -> bool:
        """Whether it leaps to where a condition holds."""
        return self._step_is_done is not None

    @property
    def drift(self) -> Drift:
        """How it stands to real time since it was last turned: an object of its own whenever there is news."""
        return LEVEL if self._pacing is None else self._pacing.drift

    def told(self) -> dict[str, Any]:
        """Tell everything about it as JSON: `now`, `pace`, `paused`, and the fields of its `drift`."""
        return {"now": self.now, "pace": self.pace, "paused": self.paused, **asdict(self.drift)}

    # -- what asyncio asks ---------------------------------------------------------------------------------------

    def select(self, timeout: float | None = None) -> Events:
        """Wait for at most `timeout` virtual seconds (None: for ever), as the state above says."""
        if timeout is not None and timeout <= 0:
            self._rounds += 1
            return self._outside.select(0) if self._rounds % ROUNDS_BETWEEN_POLLS == 0 else []
        made_ready = [hook() for hook in self.before_waiting]
        if any(made_ready):
            return []
        if self._step_is_done is not None and self._step_is_done():
            self._step_is_done = None
            return []  # whoever waits for the step may have been made ready by asking
        if self.at_rest():
            return []
        if self.leap_until is not None:
            rest = max(self.leap_until - self.now, 0.0)
            return self._leap(rest if timeout is None else min(timeout, rest))
        if self.paused and self._step_is_done is None:
            return self._wait_outside()
        if timeout is None:
            if not self.outside_may_speak and len(self._outside.get_map()) <= 1:
                if self.on_deadlock():
                    return []
                raise DeadlockError("nothing is ready and no timer is set")
            return self._wait_outside()
        if self.paused or self.pace is None:
            return self._leap(timeout)
        return self._walk(timeout, self.pace)

    def _wait_outside(self) -> Events:
        events = self._outside.select(None)
        self._pacing = None
        return events

    def _leap(self, timeout: float) -> Events:
        self._rounds += 1
        if self._rounds % ROUNDS_BETWEEN_POLLS == 0 and (events := self._outside.select(0)):
            return events
        self.now, self._pacing = rounded(self.now + timeout), None
        return []

    def _walk(self, timeout: float, pace: float) -> Events:
        real = self._machine.real()
        pacing = self._pacing
        if pacing is None:
            pacing = self._pacing = Pacing(pace, self.now, real, self._machine.processor())
        pacing.observe(self.now, real, self._machine.processor)
        until = rounded(self.now + timeout)
        wait = pacing.wait(self.now, until, real)
        if events := self._machine.wait(self._outside, max(wait, 0)):
            self.now = max(self.now, min(until, rounded(pacing.reading(self._machine.real()))))
            return events
        self.now = until
        return []

    # -- real sockets, passed on ---------------------------------------------------------------------------------

    def register(self, fileobj: int | IO[str], events: int, data: object = None) -> selectors.SelectorKey:  # type: ignore[override]
        """See `selectors`."""
        return self._outside.register(fileobj, events, data)

    def unregister(self, fileobj: int | IO[str]) -> selectors.SelectorKey:  # type: ignore[override]
        """See `selectors`."""
        return self._outside.unregister(fileobj)

    def modify(self, fileobj: int | IO[str], events: int, data: object = None) -> selectors.SelectorKey:  # type: ignore[override]
        """See `selectors`."""
        return self._outside.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """See `selectors`."""
        return self._outside.get_map()

    def get_key(self, fileobj: int | IO[str]) -> selectors.SelectorKey:  # type: ignore[override]
        """See `selectors`."""
        return self._outside.get_key(fileobj)

    def close(self) -> None:
        """See `selectors`."""
        self._outside.close()
