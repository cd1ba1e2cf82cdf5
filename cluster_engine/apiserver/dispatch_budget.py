"""How long a watch cache waits for watchers that do not take what it has for them: the budget of its dispatching.

A cache that waited for each slow client would hold up all the others. So it has a budget for waiting: MAX_SECONDS at
most, of which it gets back REFRESH of each second that passes. Who cannot take an event takes all that is left of it;
what they did not need is given back, and who still cannot take it then is forgotten.

    budget.take(now)             0.1       the first that is slow has a tenth of a second
    budget.take(now)             0.0       the next, at the same time, none
    budget.take(now + 1.0)       0.05      and a second later a twentieth

Modelled on apiserver/pkg/storage/cacher/time_budget.go, which refreshes once a second. There the whole cache waits;
here only the watcher does, and all others are told meanwhile.
"""

REFRESH = 0.05
MAX_SECONDS = 0.1
WAITING_EVENTS_MAX = 22
"""What may wait for one watcher: ten events each in its two channels (`suggestedWatchChannelSize`, at its least), one
between them, and one that is being written."""


class DispatchBudget:
    """What is left of the time for waiting, in seconds."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left = MAX_SECONDS
        self._at = 0.0

    def take(self, now: float) -> float:
        """Take all that there is."""
        left = min(MAX_SECONDS, self._left + REFRESH * (now - self._at))
        self._left, self._at = 0.0, now
        return left

    def give_back(self, seconds: float) -> None:
        """Give back what was not needed."""
        self._left = min(MAX_SECONDS, self._left + seconds)
