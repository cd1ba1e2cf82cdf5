"""Watches one cluster for any number of predicates, by name, and says when each first holds.

Theory of operation. An entry is looked at as it is appended, by those alone that wait for its kind. Objects are counted
when everything waits and etcd's revision has moved, because only then is an instant over. So a name made of entries
comes to hold in the middle of an instant, at exactly that entry; one with objects, `not` or `passed` at its end. A name
that holds does so for ever. Nothing here moves time, and the same cluster gives the same answers at any pace.

    lookout = Lookout(cluster)
    lookout.watch("hello", read({"entry": {"kind": "tls.client_hello", "from": "workstation/kubectl"}}))
    lookout.watch("sent", read({"entry": {"kind": "http.request", "on": "hello"}}, names=["hello"]))
    lookout.held["hello"]           Held(seq=642, at=0.0031)

`on_held` is called once, on the cluster's thread, in the middle of things: it must not wait. It may watch and forget.
What is watched late looks back at what has been, unless told to begin `since` a later entry.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from cluster_engine.predicates.parts import Held, Interval, Sighting, Tree, plant
from cluster_engine.predicates.predicate import Predicate, names_in
from cluster_engine.predicates.sightings import Journal, Sightings

WATCHED_MAX = 1000
QUESTIONS_MAX = 1000

OnHeld = Callable[[Held], None]


class Clock(Protocol):
    """As much of the clock as is needed."""

    before_waiting: list[Callable[[], bool]]


class Ground(Protocol):
    """A cluster as a lookout sees it."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Whose time it is."""
        ...

    @property
    def clock(self) -> Clock:
        """What tells when everything waits."""
        ...

    @property
    def journal(self) -> Journal | None:
        """What has been seen."""
        ...

    @property
    def revision(self) -> int:
        """The store's revision: objects are the same while it is."""
        ...

    def stored(self, resource: str, group: str | None, namespace: str | None) -> Sequence[dict[str, Any]]:
        """Return the objects of a resource; the very same sequence as before when none has changed. ValueError."""
        ...


class _Watched(msgspec.Struct, eq=False):
    tree: Tree
    needs: frozenset[str]
    since: int
    on_held: OnHeld | None


class Lookout:
    """Belongs to the cluster's thread. `held`: since when each name holds."""

    def __init__(self, cluster: Ground) -> None:
        assert cluster.journal is not None, "a cluster without capture has nothing to look at"
        self._cluster = cluster
        self._journal = cluster.journal
        self._sightings = Sightings(self._journal, self._seen)
        self._watched: dict[str, _Watched] = {}
        self._dirty: dict[str, None] = {}
        self._due: list[tuple[OnHeld, Held]] = []
        self._timers: dict[Interval, asyncio.TimerHandle] = {}
        self._revision = -1
        self.held_names: dict[str, Held] = {}
        self.answers: dict[str, tuple[bool | None, Held]] = {}
        self._unsubscribe = self._journal.subscribe(self._see)
        cluster.clock.before_waiting.append(self._rest)

    @property
    def held(self) -> dict[str, Held]:
        """Since when each name holds that does."""
        self._sightings.catch_up()
        return self.held_names

    def now(self) -> Held:
        """Return the journal's head and the time."""
        return Held(self._journal.head, self._cluster.loop.time())

    def watch(self, name: str, predicate: Predicate, on_held: OnHeld | None = None, since: int = 0) -> None:
        """Look out for `predicate`, in entries after `since`. ValueError when there is no such resource.

        A name is watched once; to look for something else under it, forget it first.
        """
        assert name not in self._watched and name not in self.held_names, f"{name} is watched already"
        if len(self._watched) >= WATCHED_MAX:
            raise ValueError(f"{WATCHED_MAX} predicates are watched already; forget some first")
        tree = plant(predicate, name, self)
        for census in tree.censuses:
            objects = census.objects
            self._cluster.stored(objects.resource, objects.group, objects.namespace)
        self._watched[name] = _Watched(tree, names_in(predicate), since, on_held)
        for sighting in tree.sightings:
            self._begin(sighting)
        self._revision = -1 if tree.censuses else self._revision
        self._set_timers(tree)
        self._dirty[name] = None

    def forget(self, name: str) -> None:
        """Look out for it no longer; that it held is forgotten too."""
        watched = self._watched.pop(name, None)
        if watched is not None:
            self._stop(watched)
        self.held_names.pop(name, None)
        self._dirty.pop(name, None)

    def answer(self, question: str, right: bool | None) -> None:
        """Take note of an answer; `right` None while that cannot be told."""
        assert len(self.answers) < QUESTIONS_MAX
        self.answers[question] = (right, self.now())
        self._dirty.update(dict.fromkeys(self._watched))

    def close(self) -> None:
        """Look at nothing any more."""
        self._unsubscribe()
        self._cluster.clock.before_waiting.remove(self._rest)
        for timer in self._timers.values():
            timer.cancel()
        self._watched.clear()

    # -- entries -------------------------------------------------------------------------------------------------------

    def _see(self, entry: dict[str, Any]) -> None:
        self._sightings.see(entry)
        if self._due:
            self._announce()

    def _begin(self, sighting: Sighting) -> None:
        """Let a sighting count as soon as all names that it refers to hold."""
        if sighting.start is None and all(name in self.held_names for name in sighting.entry.names):
            since = self._watched[sighting.owner].since
            sighting.begin(self.held_names, self._sightings.entry_at, since)
            self._sightings.add(sighting)

    def _seen(self, sighting: Sighting) -> None:
        self._changed(sighting.owner)

    def _changed(self, name: str) -> None:
        """Judge a name now when that is possible in the middle of an instant, else when everything waits."""
        watched = self._watched.get(name)
        if watched is None:
            return
        if watched.tree.root.latching:
            self._judge(name, watched)
        else:
            self._dirty[name] = None

    # -- names ---------------------------------------------------------------------------------------------------------

    def _judge(self, name: str, watched: _Watched) -> None:
        held = watched.tree.root.held()
        if held is None:
            return
        del self._watched[name]
        self._stop(watched)
        self.held_names[name] = held
        if watched.on_held is not None:
            self._due.append((watched.on_held, held))
        for other, dependent in list(self._watched.items()):
            if name in dependent.needs:
                for sighting in dependent.tree.sightings:
                    self._begin(sighting)
                self._set_timers(dependent.tree)
                self._changed(other)

    def _stop(self, watched: _Watched) -> None:
        self._sightings.drop([one for one in watched.tree.sightings if one.latched is None])
        for interval in watched.tree.intervals:
            if interval in self._timers:
                self._timers.pop(interval).cancel()

    def _set_timers(self, tree: Tree) -> None:
        """Make sure that time does not leap over the end of an interval."""
        for interval in tree.intervals:
            due = interval.due
            if due is not None and interval not in self._timers and due > self.now().at:
                self._timers[interval] = self._cluster.loop.call_at(due, self._elapsed, interval)

    def _elapsed(self, interval: Interval) -> None:
        self._timers.pop(interval, None)
        self._dirty[interval.owner] = None

    # -- when everything waits -----------------------------------------------------------------------------------------

    def _rest(self) -> bool:
        self._sightings.catch_up()
        if self._cluster.revision != self._revision:
            self._revision = self._cluster.revision
            self._count()
        while self._dirty:
            dirty, self._dirty = self._dirty, {}
            for name in dirty:
                if name in self._watched:
                    self._judge(name, self._watched[name])
            self._sightings.catch_up()
        return self._announce()

    def _count(self) -> None:
        for name, watched in self._watched.items():
            for census in watched.tree.censuses:
                objects = census.objects
                if census.count(self._cluster.stored(objects.resource, objects.group, objects.namespace)):
                    self._dirty[name] = None

    def _announce(self) -> bool:
        """Tell who wanted to know; tell whether there was somebody."""
        told = False
        while self._due:
            on_held, held = self._due.pop(0)
            on_held(held)
            told = True
        return told


__all__ = ["Lookout"]
