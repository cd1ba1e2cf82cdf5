"""All timelines of a journal, and how far it has been read into them.

fold.read_on(812)      False while there is more to read, up to 812; a slice each time
"""

from cluster_engine.journal import Journal
from cluster_engine.state.apiserver import Said
from cluster_engine.state.connections import Connections
from cluster_engine.state.etcd import Keys
from cluster_engine.state.reading import Reader
from cluster_engine.state.watches import Watches

SLICE_ENTRIES = 256


class Fold:
    """Reads every entry once, in order. What the journal forgets before it is read is not known here.

    `by_api_servers`: what they say of objects counts too (`apiserver`), for etcd may not be heard.
    """

    def __init__(self, journal: Journal, *, by_api_servers: bool = False) -> None:
        self.reader = Reader(journal)
        self.keys = Keys(self.reader)
        self.connections = Connections(self.reader, journal, from_within=by_api_servers)
        self.watches = Watches(self.reader)
        self.said = Said(self.reader, self.keys) if by_api_servers else None
        self.read = 0
        """The last entry that has been read."""
        self._journal = journal
        self._first = journal.first

    def read_on(self, to: int) -> bool:
        """Read a slice; say whether entry `to`, or all there is, has been read."""
        self._forget()
        to = min(to, self._journal.head)
        for entry in self._journal.since(self.read, min(SLICE_ENTRIES, max(0, to - self.read))):
            self.keys.take(entry)
            self.connections.take(entry)
            self.watches.take(entry)
            if self.said is not None:
                self.said.take(entry)
            self.read = entry["seq"]
        return self.read >= to

    def _forget(self) -> None:
        if self._first != self._journal.first:
            self._first = self._journal.first
            self.keys.forget(self._first)
            self.connections.forget(self._first)
            self.watches.forget(self._first)
            if self.said is not None:
                self.said.forget(self._first)
