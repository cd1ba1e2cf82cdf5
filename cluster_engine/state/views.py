"""The questions, by name: each is answered by a module of its own, from the timelines and what the journal still has.

state.answer("objects", 812, {})   -> {"view": "objects", "at": 812, "first": 1, "complete": True, "kinds": […]}
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from cluster_engine.api.objects import Object
from cluster_engine.journal import Journal
from cluster_engine.state import beliefs, board, history, identities, objects, reached, rules, topology
from cluster_engine.state.fold import Fold
from cluster_engine.state.moment import Moment

View = Callable[[Moment, Mapping[str, str]], Object]
VIEWS: Mapping[str, View] = {
    "objects": objects.view,
    "object": history.view,
    "board": board.view,
    "topology": topology.view,
    "beliefs": beliefs.view,
    "identities": identities.view,
    "rules": rules.view,
    "reached": reached.view,
}
WHOLE = frozenset({"object"})
"""Whose answers look ahead, to the journal's end."""


class State:
    """What stood at any position of a journal; `epoch` is the date at its beginning.

    `by_api_servers`: in a recording of another cluster, whose etcd may not be heard (`apiserver`).
    """

    def __init__(self, journal: Journal, epoch: datetime, *, by_api_servers: bool = False) -> None:
        self._journal = journal
        self._epoch = epoch
        self._fold = Fold(journal, by_api_servers=by_api_servers)

    def reading(self, view: str, at: int) -> Iterator[None]:
        """Read what the answer needs; pause between two slices."""
        while not self._fold.read_on(self._journal.head if view in WHOLE else at):
            yield

    def keep_up(self) -> None:
        """Read a slice of the older half, which the journal is about to forget, if nobody has asked for it yet."""
        first, head = self._journal.first, self._journal.head
        if self._fold.read < first + (head - first) // 2:
            self._fold.read_on(head)

    def answer(self, view: str, at: int, args: Mapping[str, str]) -> Object:
        """Answer a question about the moment after entry `at`, or after the last one. LookupError: no such view.

        Of what has been read; `reading` first.
        """
        if view not in VIEWS:
            raise LookupError("There is no such view.")
        at = max(0, min(at, self._journal.head))
        first = self._journal.first
        moment = Moment(self._fold, at, self._epoch)
        told = {"view": view, "at": at, "first": first, "complete": first == 1}
        return {**told, **VIEWS[view](moment, args)}
