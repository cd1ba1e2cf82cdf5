"""What a program has been told of a resource, and when: nobody can be blamed for what had not reached it yet.

    told = Told(entries)
    told.floor("control-plane/kube-scheduler", "nodes", 12.0)   -> 57    by 12.0 it knew nodes as they were at 57
    believed(history, "nodes//worker-1", 57, 12.0)              what it may have held for true, at 57 or later

Answers to a program's own writes are not counted: they could only make it know more.
"""

from bisect import bisect_right
from collections.abc import Iterable

from tests.simulate.story import Entry, History, Object


class Told:
    """Versions by program and resource, by watch or by list; a program that starts has been told nothing."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._told: dict[tuple[str, str], tuple[list[float], list[int]]] = {}
        for entry in entries:
            kind, fields = entry["kind"], entry["fields"]
            if kind == "process.started":
                for who, resource in self._told:
                    if who == entry["from"]:
                        self._add(who, resource, entry["at"], 0)
            elif kind == "watch.event" and fields.get("resourceVersion"):
                self._hear(entry["to"], fields["resource"], entry["arrived"], int(fields["resourceVersion"]))
            elif kind == "http.response" and fields["verb"] == "list" and fields.get("resourceVersion"):
                self._hear(entry["to"], fields.get("resource", ""), entry["arrived"], int(fields["resourceVersion"]))

    def _hear(self, who: str, resource: str, at: float, version: int) -> None:
        _, versions = self._told.get((who, resource), ([], []))
        self._add(who, resource, at, max(version, versions[-1] if versions else 0))

    def _add(self, who: str, resource: str, at: float, version: int) -> None:
        times, versions = self._told.setdefault((who, resource), ([], []))
        times.append(at)
        versions.append(version)

    def floor(self, who: str, resource: str, at: float) -> int:
        """Give the latest version of a resource that a program had been told of; 0 when of none."""
        times, versions = self._told.get((who, resource), ([], []))
        place = bisect_right(times, at)
        return versions[place - 1] if place else 0


def believed(history: History, token: str, floor: int, until: float) -> list[Object]:
    """Give the states of one object that somebody may hold for true who was told of everything up to `floor`."""
    states: list[Object | None] = [None]
    for write in history.about(token):
        if write.at > until:
            break
        if write.revision <= floor:
            states = [write.now]
        else:
            states.append(write.now)
    return [state for state in states if state is not None]
