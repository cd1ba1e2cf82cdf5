"""Which entries are waited for: every entry is shown only to those that wait for its kind.

A sighting that is begun late looks at what has been already. Those that lag behind do so together, in one walk through
the journal by pages, before the next entry is looked at; a name that comes to hold on that walk lets others join it.
"""

from collections.abc import Callable
from typing import Protocol

from cluster_engine.api.objects import Object
from cluster_engine.predicates.parts import Sighting

PAGE_ENTRIES = 512
KINDS_MAX = 1024


class Journal(Protocol):
    """As much of a journal as is looked at."""

    @property
    def head(self) -> int:
        """The latest seq."""
        ...

    def since(self, seq: int, limit: int) -> list[Object]:
        """Return up to `limit` entries after `seq`, oldest first."""
        ...

    def subscribe(self, subscriber: Callable[[Object], None]) -> Callable[[], None]:
        """Call `subscriber` with each entry from now on; give the function that ends this."""
        ...


class Sightings:
    """All sightings of one lookout; `on_seen` is told of each that has found its entry."""

    def __init__(self, journal: Journal, on_seen: Callable[[Sighting], None]) -> None:
        self._journal = journal
        self._on_seen = on_seen
        self._waiting: list[Sighting] = []
        self._behind: list[Sighting] = []
        self._by_kind: dict[str, list[Sighting]] = {}
        self._position = journal.head
        self._walk: list[Sighting] | None = None
        self._walked = 0

    @property
    def behind(self) -> bool:
        """True when some have not looked at what has been."""
        return bool(self._behind)

    def entry_at(self, seq: int) -> Object | None:
        """Return an entry, None when it is gone."""
        found = self._journal.since(seq - 1, 1)
        return found[0] if found and found[0]["seq"] == seq else None

    def add(self, sighting: Sighting) -> None:
        """Let one wait whose names all hold."""
        assert sighting.start is not None
        if self._walk is not None and sighting.start > self._walked:
            self._walk.append(sighting)
            self._by_kind.clear()
        elif sighting.start <= self._position:
            self._behind.append(sighting)
        else:
            self._waiting.append(sighting)
            self._by_kind.clear()

    def drop(self, sightings: list[Sighting]) -> None:
        """Let these wait no longer."""
        self._waiting = [one for one in self._waiting if one not in sightings]
        self._behind = [one for one in self._behind if one not in sightings]
        self._by_kind.clear()

    def see(self, entry: Object) -> None:
        """Look at a new entry."""
        self.catch_up()
        self._position = entry["seq"]
        for sighting in self._of_kind(entry["kind"], self._waiting):
            if sighting.look(entry, self.entry_at):
                self._waiting = [one for one in self._waiting if one is not sighting]
                self._by_kind.clear()
                self._on_seen(sighting)

    def _of_kind(self, kind: str, waiting: list[Sighting]) -> list[Sighting]:
        found = self._by_kind.get(kind)
        if found is None:
            if len(self._by_kind) >= KINDS_MAX:
                self._by_kind.clear()
            found = self._by_kind[kind] = [one for one in waiting if one.fits_kind(kind)]
        return found

    def catch_up(self) -> None:
        """Look at what has been, up to where the others are, for all that have not."""
        while self._behind:
            walk = self._walk = self._behind
            self._behind = []
            self._by_kind.clear()
            self._walked = min(one.start or 1 for one in walk) - 1
            while page := self._journal.since(self._walked, min(PAGE_ENTRIES, self._position - self._walked)):
                for entry in page:
                    self._walk_past(entry, walk)
            self._waiting += [one for one in walk if one.latched is None]
            self._walk = None
            self._by_kind.clear()

    def _walk_past(self, entry: Object, walk: list[Sighting]) -> None:
        self._walked = entry["seq"]
        for sighting in self._of_kind(entry["kind"], walk):
            if sighting.latched is None and sighting.look(entry, self.entry_at):
                self._by_kind.clear()
                self._on_seen(sighting)


__all__ = ["Journal", "Sightings"]
