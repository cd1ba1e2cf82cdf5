"""What of a member lies on its disk: term and vote, the entries that a snapshot does not stand for, its snapshot.

    saved.save(ready)      what `Node.ready` wants to have written, in one step
    saved.compact(80)      entries up to 80 are forgotten: the state machine's own file stands for them
    saved.log(80)          the log with which a member begins again that has applied up to 80

A member that forgets what it said breaks Raft: nothing goes out before what it speaks of has been saved. Modelled on
etcd's server/storage/wal (what is in it, not its format).
"""

from cluster_engine.raft.log import Log
from cluster_engine.raft.messages import Entry, HardState, Ready


class Storage:
    """One member's write-ahead log."""

    def __init__(self, *, start: int = 0, start_term: int = 0) -> None:
        self.hard = HardState(term=start_term, commit=start)
        self.start = start
        self.start_term = start_term
        self.entries: list[Entry] = []

    @property
    def last(self) -> int:
        """The index of the last entry."""
        return self.start + len(self.entries)

    def save(self, ready: Ready) -> None:
        """Write what is new; entries replace those of the same index and all behind them."""
        if ready.snapshot is not None:
            self.start, self.start_term = ready.snapshot.index, ready.snapshot.term
            self.entries.clear()
        if ready.entries:
            first = ready.entries[0].index
            assert self.start < first <= self.last + 1, "a gap in the log"
            self.entries[first - self.start - 1 :] = ready.entries
        if ready.hard is not None:
            self.hard = ready.hard

    def compact(self, index: int) -> None:
        """Forget the entries up to one that the state machine's file has."""
        if index > self.start:
            self.start_term = self.entries[index - self.start - 1].term
            del self.entries[: index - self.start]
            self.start = index

    def log(self, applied: int) -> Log:
        """Return the log with which a member begins again."""
        log = Log(self.entries, start=self.start, start_term=self.start_term)
        log.commit(max(applied, self.hard.commit))
        log.applied = applied
        return log
