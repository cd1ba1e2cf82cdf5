"""How a paced clock keeps level with real time: how long to wait, what to catch up, what to give up.

Theory of operation. At a pace of 2 the clock should stand at `now + 2 * t` once `t` real seconds have passed. That is
a line, `_level`. Whoever is late is below it, and by how much is known at any moment; nothing is added up. A clock that
is behind goes on without waiting, though no faster than a second line allows, `_limit`, which is twice as steep: a
token bucket that holds `SLACK_SECONDS`. So a hiccup is made up at once, and an hour that was missed takes an hour.

    pace 1    real    0    1    2    12    13    14  …  22    23
              level   0    1    2    12    13    14     22    23
              clock   0    1    2     2     4.5   6.5   22    23     the process did not run from 2 to 12

What is behind is given up, which moves `_level` to the right, in two cases only:

    overrun   for `JUDGED_SECONDS` the process had the processor nearly all the time and still fell further behind: it
              cannot do the work of one second in one second, so it never will catch up. All that is behind is given up.
    slept     more than `SLEEP_SECONDS` were lost at once, and not by computing: a suspended laptop, SIGSTOP.

In every other case others had the processor, and will have had enough of it some day. Nothing here reads a clock: real
time and processor time are handed in, so tests need none. What follows from them decides only *when* the next instant
comes, never what happens in it. Modelled on audio players (a media clock that slews) and adjtime(3); the limit is the
token bucket of rate limiters.
"""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

CATCH_UP = 2.0
"""How many times faster than its pace a clock goes that is behind."""
SLACK_SECONDS = 0.25
"""Real time that may be made up at once."""
NOTABLE_SECONDS = 1.0
"""Who is less behind is called level."""
MEASURED_SECONDS = 2.0
"""Over how much real time the pace reached is measured."""
JUDGED_SECONDS = 10.0
"""Over how much real time it is judged whether the cluster can keep up."""
BUSY = 0.9
"""The share of real time for which the process computes when nothing but itself holds it up."""
SLEEP_SECONDS = 60.0
"""More than this lost at once was no busy machine."""


class Drift(msgspec.Struct, frozen=True):
    """How a clock stands to real time since it has gone at its pace. Level: `Drift()`."""

    reached: float | None = None
    """The pace it has really gone at, where that is another; None: at its pace, or nobody knows yet."""
    behind: float = 0.0
    """Real seconds that are still to be caught up."""
    slept: float = 0.0
    """Real seconds given up in all because the machine slept."""
    overrun: float = 0.0
    """Real seconds given up in all because the cluster itself cannot keep up."""


class _Line(msgspec.Struct):
    """Virtual time as real time passes."""

    real: float
    now: float
    slope: float

    def due(self, now: float) -> float:
        """Return the real time at which the clock shows `now`."""
        return self.real + (now - self.now) / self.slope

    def reading(self, real: float) -> float:
        """Return what the clock shows at a real time."""
        return self.now + (real - self.real) * self.slope


class _Mark(msgspec.Struct, frozen=True):
    """How things stood at a moment."""

    real: float
    now: float
    processor: float
    behind: float


class Pacing:
    """One stretch of time that goes at one pace. Times are seconds: real, virtual (`now`) or of the processor."""

    def __init__(self, pace: float, now: float, real: float, processor: float) -> None:
        self.drift = Drift()
        self._pace = pace
        self._level = _Line(real, now, pace)
        self._limit = _Line(real - SLACK_SECONDS, now, pace * CATCH_UP)
        self._measured = self._judged = _Mark(real, now, processor, 0.0)
        self._overruns = False
        self._slept = self._overrun = 0.0

    def wait(self, now: float, until: float, real: float) -> float:
        """Return how many real seconds are to pass before the clock, at `now`, may show `until`; none if negative."""
        self._limit.real += max(0.0, real - SLACK_SECONDS - self._limit.due(now))
        return max(self._level.due(until), self._limit.due(until)) - real

    def reading(self, real: float) -> float:
        """Return what the clock may show at a real time."""
        return min(self._level.reading(real), self._limit.reading(real))

    def observe(self, now: float, real: float, processor: Callable[[], float]) -> None:
        """Look how things go, if it is time to. Called at the end of every instant; asks the processor seldom."""
        if real - self._measured.real < MEASURED_SECONDS:
            return
        mark = _Mark(real, now, processor(), max(0.0, real - self._level.due(now)))
        mark = self._judge(self._notice_sleep(mark))
        late = self._overruns or mark.behind >= NOTABLE_SECONDS
        reached = (now - self._measured.now) / (real - self._measured.real)
        self.drift = Drift(
            reached=round(reached, 3) if late else None,
            behind=round(mark.behind, 1) if mark.behind >= NOTABLE_SECONDS else 0.0,
            slept=round(self._slept, 1),
            overrun=round(self._overrun, 1),
        )
        self._measured = mark

    def _notice_sleep(self, mark: _Mark) -> _Mark:
        lost = mark.behind - self._measured.behind
        if lost - (mark.processor - self._measured.processor) <= SLEEP_SECONDS:
            return mark
        self._slept += lost
        self._level.real += lost
        return replace(mark, behind=self._measured.behind)

    def _judge(self, mark: _Mark) -> _Mark:
        seconds = mark.real - self._judged.real
        if seconds < JUDGED_SECONDS:
            return mark
        busy = mark.processor - self._judged.processor >= BUSY * seconds
        self._overruns = busy and mark.behind >= NOTABLE_SECONDS and mark.behind > self._judged.behind
        if self._overruns:
            self._overrun += mark.behind
            self._level.real += mark.behind
            mark = replace(mark, behind=0.0)
        self._judged = mark
        return mark
