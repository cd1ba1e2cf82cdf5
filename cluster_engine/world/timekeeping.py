"""What there is to say, in words, about a clock that does not keep level with real time.

    before  Drift()                             after  Drift(reached=39, behind=7)  at a pace of 60
    ->      "this machine cannot keep up: the cluster's time goes at 39 of a pace of 60, and is 7 s behind"

A sentence is said when something begins or is over, not while it lasts: a busy machine costs a log two lines, not one
every other second.
"""

from collections.abc import Callable, Iterator

from cluster_engine.world.clock import Clock
from cluster_engine.world.pacing import JUDGED_SECONDS, Drift

WORTH_A_LINE_SECONDS = JUDGED_SECONDS / 2
"""Who is less behind is not spoken of in a log."""


class Timekeeping:
    """Tells what happens to a clock's time. One of `Clock.before_waiting`."""

    def __init__(self, clock: Clock, tell: Callable[[str], None]) -> None:
        self._clock, self._tell = clock, tell
        self._drift = clock.drift
        self._behind = self._overruns = False

    def __call__(self) -> bool:
        """Tell what is new; never hold the clock up."""
        drift = self._clock.drift
        if drift is not self._drift:
            before, self._drift = self._drift, drift
            for sentence in self._sentences(before, drift):
                self._tell(sentence)
        return False

    def _sentences(self, before: Drift, after: Drift) -> Iterator[str]:
        if after.slept > before.slept:
            yield f"this machine slept: {length(after.slept - before.slept)} are left out of the cluster's time"
        if after.behind >= WORTH_A_LINE_SECONDS and not self._behind:
            self._behind = True
            yield self._slow(after)
        if after.overrun > before.overrun and not self._overruns:
            self._overruns = self._behind = True
            yield f"this machine cannot keep up: {self._reached(after)}, and what it misses is left out"
        if after.reached is None and self._behind:
            yield "the cluster's time is level again" + (
                f"; {length(after.overrun)} in all are left out of it" if self._overruns else ""
            )
            self._behind = self._overruns = False

    def _slow(self, drift: Drift) -> str:
        if (drift.reached or 0) >= (self._clock.pace or 0):
            return f"the cluster's time is {length(drift.behind)} behind and catches up"
        return f"this machine cannot keep up: {self._reached(drift)}, and is {length(drift.behind)} behind"

    def _reached(self, drift: Drift) -> str:
        return f"the cluster's time goes at {drift.reached or 0:.3g} of a pace of {self._clock.pace or 0:g}"


def length(seconds: float) -> str:
    """Say how long something took."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
