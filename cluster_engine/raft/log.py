"""The log: numbered entries after a snapshot, how far they are on the disk, agreed upon, and applied.

    snapshot       entries
    up to 4        5  6  7  8  9
                      │     │  └ last        in memory
                      │     └ stable         on the disk
                      └ applied ≤ committed

Two logs that have an entry of the same index and term are equal up to there (log matching, section 5.3 of the paper).
`append` keeps that true: it takes entries only after one that it has, and cuts off what contradicts them; what is
committed never does, else Raft is broken and the assertion says so.

Modelled on etcd/raft's log.go and log_unstable.go. Left out: limits on what is applied at a time.
"""

from collections.abc import Sequence

from cluster_engine.raft.messages import Entry, Snapshot


class Log:
    """One member's log. `start` and `start_term` are the last entry that the snapshot stands for."""

    def __init__(self, entries: Sequence[Entry] = (), *, start: int = 0, start_term: int = 0) -> None:
        self.start = start
        self.start_term = start_term
        self._entries = list(entries)
        self.stable = self.last
        self.committed = start
        self.applied = start

    @property
    def last(self) -> int:
        """The index of the last entry."""
        return self.start + len(self._entries)

    @property
    def last_term(self) -> int:
        """Its term."""
        return self._entries[-1].term if self._entries else self.start_term

    def term(self, index: int) -> int | None:
        """Return the term of an entry; None when it is not known: not there yet, or no longer."""
        if index == self.start:
            return self.start_term
        if self.start < index <= self.last:
            return self._entries[index - self.start - 1].term
        return None

    def slice(self, after: int, upto: int | None = None, *, bytes_max: int | None = None) -> tuple[Entry, ...]:
        """Return the entries behind `after`, up to `upto`; one at least, and no more than `bytes_max` if there are."""
        found = self._entries[after - self.start : None if upto is None else upto - self.start]
        if bytes_max is not None:
            size = 0
            for number, entry in enumerate(found):
                size += len(entry.data)
                if number and size > bytes_max:
                    return tuple(found[:number])
        return tuple(found)

    def is_up_to_date(self, index: int, term: int) -> bool:
        """Return whether a log that ends so has all that this one has (section 5.4.1)."""
        return (term, index) >= (self.last_term, self.last)

    def extend(self, term: int, data: Sequence[bytes]) -> None:
        """Add a leader's own entries."""
        self._entries.extend(Entry(index, term, one) for index, one in enumerate(data, self.last + 1))

    def append(self, index: int, term: int, entries: Sequence[Entry]) -> int | None:
        """Take entries that come after entry `index` of `term`; give the last one's index, None if that is not ours."""
        if self.term(index) != term:
            return None
        for number, entry in enumerate(entries):
            if self.term(entry.index) != entry.term:
                assert entry.index > self.committed, f"entry {entry.index} is agreed upon and contradicted"
                del self._entries[entry.index - self.start - 1 :]
                self._entries.extend(entries[number:])
                self.stable = min(self.stable, entry.index - 1)
                break
        return index + len(entries)

    def conflict(self, index: int, term: int) -> tuple[int, int]:
        """Return the last entry up to `index` that may be in a log which has `term` there: its index, and its term.

        A whole term is passed over at a time, so that two logs find where they agree in few steps (section 5.3).
        """
        while index > self.start and (self.term(index) or 0) > term:
            index -= 1
        return index, self.term(index) or 0

    def commit(self, index: int) -> bool:
        """All up to `index` is agreed upon; say whether that is news."""
        index = min(index, self.last)
        is_new = index > self.committed
        self.committed = max(self.committed, index)
        return is_new

    def stabilized(self, index: int, term: int) -> None:
        """The entries up to this one are on the disk, unless it has been replaced meanwhile."""
        if self.term(index) == term:
            self.stable = max(self.stable, index)

    def restore(self, snapshot: Snapshot) -> None:
        """Stand for a snapshot, whatever was there."""
        self.start, self.start_term = snapshot.index, snapshot.term
        self._entries.clear()
        self.stable = self.committed = snapshot.index

    def compact(self, index: int) -> None:
        """Forget the entries up to an applied one: from now on a snapshot stands for them."""
        assert index <= self.applied, "what is not applied is not in a snapshot"
        if index > self.start:
            term = self.term(index)
            assert term is not None
            del self._entries[: index - self.start]
            self.start, self.start_term = index, term
