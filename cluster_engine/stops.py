"""Where time is to stand still of itself: entries that somebody waits for, as predicates, and states of objects.

When an entry that one describes is appended, the clock pauses in the middle of that instant: what is ready at it still
runs, and no time passes. It is a drive as pause is, not an input, so a replay does not stop there again. Whoever lets
time go on waits for the next such entry. A step that is under way is left alone: it ends by itself.

An entry may be described by its body too: texts that are in it (`lens.searching`), whatever else it is to be like.
Several pages may look at one cluster: time stops at what any of them wants.

    stops = Stops(cluster)
    stops.want(deeds.Stops([{"kind": "http.request", "fields": {"subresource": "binding"}}], page="p1"))
    stops.want(deeds.Stops(bodies=[BodyStop(["nginx"], {"kind": "etcd.event"})], page="p2"))      at either
    stops.want(deeds.Stops(page="p2"))             nothing of p2's any more
    stops.arm()                                    again, when time goes on
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from cluster_engine import deeds, predicates
from cluster_engine.cluster import Cluster
from cluster_engine.lens.searching import Finder

if TYPE_CHECKING:
    from cluster_engine.journal import Journal
    from cluster_engine.state.conditions import Wanted as State
    from cluster_engine.state.turns import Turns

NAME = "stop"
PAGES_MAX = 8
"""Of more pages, what the one that spoke longest ago wants is forgotten."""


class Bodied(NamedTuple):
    """An entry with these texts in its body; `like`: and like that."""

    texts: tuple[str, ...]
    like: predicates.Entry | None


class Wanted(NamedTuple):
    """What a page wants time to stop at."""

    entries: tuple[predicates.Entry, ...]
    bodies: tuple[Bodied, ...]
    states: "tuple[State, ...]"


class Bodies:
    """Looks at every entry once it is in the journal."""

    def __init__(self, journal: "Journal", wanted: Sequence[Bodied]) -> None:
        texts = sorted({text for one in wanted for text in one.texts})
        self._finder = Finder(journal, texts)
        self._wanted = [(one.like, {texts.index(text) for text in one.texts}) for one in wanted]

    def look(self, entry: dict[str, Any]) -> bool:
        """Say whether an entry is one of them. Into its body it looks where the rest holds."""
        needed = [texts for like, texts in self._wanted if like is None or predicates.is_like(like, entry)]
        found = set(self._finder.texts_in(entry["seq"])) if needed else set()
        return any(texts <= found for texts in needed)


class Stops:
    """Those of one cluster, on its loop."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._pages: dict[str, Wanted] = {}
        self._lookout: predicates.Lookout | None = None
        self._bodies: Bodies | None = None
        self._turns: Turns | None = None
        self._look_no_more: Callable[[], None] = lambda: None

    def want(self, stops: deeds.Stops) -> None:
        """Stop at these, for their page, and at no others that it wanted before; none: go on.

        PredicateError; LookupError where something is no state: then at what it wanted before.
        """
        wanted = _read(stops)
        self._pages.pop(stops.page, None)
        if any(wanted):
            self._pages[stops.page] = wanted
        if len(self._pages) > PAGES_MAX:
            del self._pages[next(iter(self._pages))]
        self.arm()
        self._look_at_all()

    def arm(self) -> None:
        """Look out for the next of them."""
        journal = self._cluster.journal
        if self._lookout is not None:
            self._lookout.forget(NAME)
        entries = tuple(entry for page in self._pages.values() for entry in page.entries)
        if not entries or journal is None:
            return
        if self._lookout is None:
            self._lookout = predicates.Lookout(self._cluster)
        self._lookout.watch(NAME, predicates.Any(entries), lambda _: self._stop(), since=journal.head)

    def _look_at_all(self) -> None:
        """Look at every entry from now on, also while time stands: what held before must be known then."""
        journal = self._cluster.journal
        self._look_no_more()
        self._bodies, self._turns, self._look_no_more = None, None, lambda: None
        bodies = [one for page in self._pages.values() for one in page.bodies]
        states = [one for page in self._pages.values() for one in page.states]
        if journal is None or not (bodies or states):
            return
        if bodies:
            self._bodies = Bodies(journal, bodies)
        if states:
            from cluster_engine.state.turns import Turns  # here, so that a cluster starts without it

            self._turns = Turns(journal, states, self._cluster)
        self._look_no_more = journal.subscribe(self._look)

    def _look(self, entry: dict[str, Any]) -> None:
        turned = self._turns is not None and self._turns.look(entry)
        if turned or (self._bodies is not None and self._bodies.look(entry)):
            self._stop()

    def _stop(self) -> None:
        if not self._cluster.clock.stepping:
            self._cluster.clock.pause()


def _read(stops: deeds.Stops) -> Wanted:
    entries = tuple(predicates.read_entry(one) for one in stops.entries)
    likes = [predicates.read_entry(one.entry) if one.entry else None for one in stops.bodies]
    bodies = tuple(Bodied(tuple(one.texts), like) for one, like in zip(stops.bodies, likes, strict=True))
    if not stops.states:
        return Wanted(entries, bodies, ())
    from cluster_engine.state.conditions import read  # here, so that a cluster starts without it

    return Wanted(entries, bodies, tuple(read(text) for text in stops.states))


__all__ = ["Stops"]
