"""How far a leader knows each member's log to agree with its own, and what it may send there.

    PROBE       where the logs agree is not known: one message, then silence until it is answered or a heartbeat is
    REPLICATE   it is: entries are sent as they come, without waiting, up to IN_FLIGHT_MAX messages
    SNAPSHOT    what the member lacks has been forgotten: nothing, until it has the snapshot or that has failed

    PROBE ──answer──► REPLICATE ──reject, lost──► PROBE        PROBE ──entries are gone──► SNAPSHOT ──done──► PROBE

Modelled on etcd/raft's tracker/progress.go.
"""

import enum
from collections import deque

IN_FLIGHT_MAX = 256


class State(enum.Enum):
    """What is known of a member's log."""

    PROBE = enum.auto()
    REPLICATE = enum.auto()
    SNAPSHOT = enum.auto()


class Progress:
    """One member as its leader sees it: it has all up to `match`, and `next` is what is sent to it next."""

    def __init__(self, following: int) -> None:
        self.match = 0
        self.next = following
        self.state = State.PROBE
        self.is_active = False
        """It has been heard of since the leader last counted."""
        self.probed = False
        self.snapshot = 0
        self._in_flight: deque[int] = deque()

    @property
    def is_paused(self) -> bool:
        """Whether nothing more may be sent now."""
        if self.state is State.REPLICATE:
            return len(self._in_flight) >= IN_FLIGHT_MAX
        return self.state is State.SNAPSHOT or self.probed

    def sent(self, last: int, entries: int) -> None:
        """Entries up to `last` are on their way."""
        if self.state is State.REPLICATE:
            if entries:
                self.next = last + 1
                self._in_flight.append(last)
        else:
            self.probed = True

    def has(self, index: int) -> bool:
        """It has all up to `index`; say whether that is news."""
        is_new = index > self.match
        if is_new:
            self.match = index
            self.probed = False
        self.next = max(self.next, index + 1)
        while self._in_flight and self._in_flight[0] <= index:
            self._in_flight.popleft()
        if self.state is State.PROBE or (self.state is State.SNAPSHOT and self.match >= self.snapshot):
            self.replicate()
        return is_new

    def rejects(self, index: int, hint: int) -> bool:
        """It does not have entry `index`, and perhaps `hint`; say whether the answer is one to the last message."""
        if self.state is State.REPLICATE:
            if index <= self.match:
                return False
            self.probe()
            return True
        if self.next - 1 != index:
            return False
        self.next = max(min(index, hint + 1), self.match + 1)
        self.probed = False
        return True

    def heartbeat_answered(self) -> None:
        """It is there: what was sent and not answered may be sent again."""
        self.probed = False
        if self.state is State.REPLICATE and len(self._in_flight) >= IN_FLIGHT_MAX:
            self._in_flight.popleft()

    def probe(self) -> None:
        """Ask again where the logs agree."""
        self.next = max(self.match, self.snapshot if self.state is State.SNAPSHOT else 0) + 1
        self._become(State.PROBE)

    def replicate(self) -> None:
        """Send entries as they come."""
        self.next = self.match + 1
        self._become(State.REPLICATE)

    def send_snapshot(self, index: int) -> None:
        """Send nothing until the snapshot of `index` has arrived."""
        self._become(State.SNAPSHOT)
        self.snapshot = index

    def _become(self, state: State) -> None:
        self.state = state
        self.probed = False
        self.snapshot = 0
        self._in_flight.clear()
