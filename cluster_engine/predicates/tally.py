"""Counts the entries of a journal that fit a pattern, from now on; for what is judged by how often, not by whether.

requests = Tally(journal, pattern)      pattern: an `Entry` that refers to no names
requests.count
requests.close()                        what comes later does not count
"""

import sys

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.predicates.parts import Sighting
from cluster_engine.predicates.predicate import Entry
from cluster_engine.predicates.sightings import Journal


class Tally:
    """Belongs to the cluster's thread."""

    def __init__(self, journal: Journal, pattern: Entry) -> None:
        self._sighting = Sighting(msgspec.structs.replace(pattern, nth=sys.maxsize), "tally")
        self._sighting.begin({}, lambda _: None, journal.head)
        self.close = journal.subscribe(self._see)

    @property
    def count(self) -> int:
        """How many have fitted."""
        return self._sighting.seen

    def _see(self, entry: Object) -> None:
        if self._sighting.fits_kind(entry["kind"]):
            self._sighting.look(entry, lambda _: None)


__all__ = ["Tally"]
