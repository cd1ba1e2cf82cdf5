"""Faults that people let happen: at once, or once a predicate holds; and whose they are.

A fault of an instructor's *incident* is not healed by who is to find out what it is: `heal` and `heal_all` leave it,
`heal_incident` ends it, also before it has come. An incident comes to a cluster once, however often it is asked for.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from cluster_engine import faults, predicates
from cluster_engine.cluster import Cluster
from cluster_engine.deeds import Applied, GoneError, RefusedDeedError, Told
from cluster_engine.faults import Fault

WAITING_MAX = 50


class Injections:
    """The faults of one cluster. All is done on the cluster's loop; what is refused is a RefusedDeedError."""

    def __init__(self, tell: Callable[[Told], None]) -> None:
        self._tell = tell
        self._waiting: dict[str, int | None] = {}  # faults that wait for their predicate, and their incidents
        self._waited = 0
        self._incidents: dict[int, list[str]] = {}  # the faults of each
        self._healed: set[int] = set()  # incidents that were, perhaps before they came
        self._lookout: predicates.Lookout | None = None

    def inject(
        self,
        cluster: Cluster,
        record: dict[str, Any],
        when: dict[str, Any] | None,
        *,
        incident: int | None = None,
        sealed: bool,
    ) -> str | None:
        """Let a fault happen; its id, or None while it waits for the predicate `when`."""
        fault = faults.read(record)
        if when is None:
            return self._let_happen(cluster, fault, incident, sealed)
        fault.check(cluster)
        if len(self._waiting) >= WAITING_MAX:
            raise RefusedDeedError("Too many faults wait for their moment in this cluster; heal some first.")
        self._waited += 1
        name = f"fault waiting {self._waited}"
        self._look_out(cluster, name, when, lambda: self._moment_has_come(cluster, name, fault, sealed))
        self._waiting[name] = incident
        return None

    def refuse_again(self, incident: int) -> None:
        """Refuse an incident that is here already, or was healed before it came: who asks may ask twice."""
        if incident in self._incidents or incident in self._waiting.values() or incident in self._healed:
            raise RefusedDeedError("This incident is in this cluster already, or is healed.")

    def _look_out(self, cluster: Cluster, name: str, when: dict[str, Any], then: Callable[[], None]) -> None:
        predicate = predicates.read(when)
        if cluster.journal is None:
            raise RefusedDeedError("Nothing is captured in this cluster that a fault could wait for.")
        if self._lookout is None:
            self._lookout = predicates.Lookout(cluster)
        self._lookout.watch(name, predicate, lambda _: then(), since=cluster.journal.head)

    def _moment_has_come(self, cluster: Cluster, name: str, fault: Fault, sealed: bool) -> None:
        incident = self._waiting.pop(name)
        try:
            self._let_happen(cluster, fault, incident, sealed)
        except RefusedDeedError as problem:
            self._tell(Applied(incident, None, cluster.clock.now, str(problem)))

    def _let_happen(self, cluster: Cluster, fault: Fault, incident: int | None, sealed: bool) -> str:
        identifier = cluster.inject(fault, sealed=sealed)
        if incident is not None:
            self._incidents.setdefault(incident, []).append(identifier)
        self._tell(Applied(incident, identifier, cluster.clock.now))
        return identifier

    def heal(self, cluster: Cluster, fault: str) -> Coroutine[Any, Any, None]:
        """Put right what one fault did. GoneError when it is over."""
        if fault in self._riddles():
            raise RefusedDeedError("Whoever let this happen heals it; find out first what it is.")
        if fault not in _active(cluster):
            raise GoneError("This fault is over already.")
        return _heal(cluster, [fault])

    def heal_all(self, cluster: Cluster) -> Coroutine[Any, Any, None]:
        """Put right what all faults did but those of incidents, and let none happen that waits."""
        self._forget(lambda incident: incident is None)
        return _heal(cluster, [one for one in _active(cluster) if one not in self._riddles()])

    def heal_incident(self, cluster: Cluster, incident: int) -> Coroutine[Any, Any, None]:
        """Put right what an incident did, and keep it from happening."""
        self._healed.add(incident)
        self._forget(lambda waiting: waiting == incident)
        mine = self._incidents.pop(incident, [])
        return _heal(cluster, [one for one in mine if one in _active(cluster)])

    def _riddles(self) -> set[str]:
        return {one for mine in self._incidents.values() for one in mine}

    def _forget(self, which: Callable[[int | None], bool]) -> None:
        """Keep faults that wait from happening."""
        for name in [name for name, incident in self._waiting.items() if which(incident)]:
            del self._waiting[name]
            assert self._lookout is not None
            self._lookout.forget(name)


def _active(cluster: Cluster) -> list[str]:
    return [one.id for one in cluster.faults]


async def _heal(cluster: Cluster, ids: list[str]) -> None:
    await asyncio.gather(*(cluster.heal(one) for one in ids))


__all__ = ["WAITING_MAX", "Injections"]
