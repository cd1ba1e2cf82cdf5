"""One position of the journal, as the views ask about it: which objects stood there, and what time it was.

moment.standing(PODS)                  every pod that etcd held
moment.point_of(subject)               since when it has held this version of one
moment.object_at(point)                the object as its clients see it, None when the journal has lost it
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import nsmallest
from operator import itemgetter
from typing import NamedTuple

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.state.apiserver import object_told
from cluster_engine.state.etcd import AS_ASKED, DELETED, is_shown, place_of, stands, value_of
from cluster_engine.state.fold import Fold
from cluster_engine.state.keys import Resource, Subject, key_of
from cluster_engine.state.reading import Reader
from cluster_engine.state.timeline import Point, Timeline


class Standing(NamedTuple):
    """An object that etcd held, and since when it has held this version of it."""

    subject: Subject
    point: Point


class Moment:
    """The state after entry `at`."""

    def __init__(self, fold: Fold, at: int, epoch: datetime) -> None:
        self.fold = fold
        self.at = at
        self.reader: Reader = fold.reader
        self._epoch = epoch
        self._objects: dict[int, Object | None] = {}

    @property
    def now(self) -> datetime:
        """The cluster's time then."""
        entry = self.reader.entry(self.at)
        return self._epoch + timedelta(seconds=0 if entry is None else seconds_of(entry))

    def standing(self, resource: Resource) -> list[Subject]:
        """Return every object of a resource that etcd held."""
        return [subject for subject, _ in self._there(resource)]

    def revisions(self, resource: Resource) -> dict[tuple[str, str], int]:
        """Return, of the same, by namespace and name, the revision of each."""
        return {(one.namespace, one.name): timeline.number(self.at) for one, timeline in self._there(resource)}

    def _there(self, resource: Resource) -> Iterator[tuple[Subject, Timeline]]:
        timelines, at = self.fold.keys.timelines, self.at
        for key, subject in self.fold.keys.of.get(resource, {}).items():
            timeline = timelines[key]
            told = timeline.told(at)
            if told is not None and told & 3 != DELETED:
                yield subject, timeline

    def first(self, subjects: list[Subject], most: int) -> list[Standing]:
        """Return the first of these, by their names, each with its point."""
        first = nsmallest(most, subjects, key=itemgetter(1, 2))
        return [Standing(one, point) for one in first if (point := self.point_of(one)) is not None]

    def point_of(self, subject: Subject) -> Point | None:
        """Return since when etcd held this version of an object, None where it held none."""
        timeline = self.fold.keys.timelines.get(key_of(subject))
        point = None if timeline is None else timeline.at(self.at)
        return point if stands(point) else None

    def object_at(self, point: Point) -> Object | None:
        """Return an object as it was written, with its version; None when that has been forgotten."""
        if point.told not in self._objects:
            self._objects[point.told] = read_object(self.reader, point)
        return self._objects[point.told]


def read_object(reader: Reader, point: Point) -> Object | None:
    """Return an object as it was written, with its version; None when that has been forgotten, or is no object."""
    value = value_of(reader, point.told)
    try:
        obj = object_told(reader, point.told) if value is None else msgspec.json.decode(value)
    except msgspec.DecodeError:
        return None
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        return None
    if point.number and is_shown(point):
        obj["metadata"]["resourceVersion"] = str(point.number)
    return obj


def asked(point: Point) -> Object:
    """Say of an object that it is shown as it was asked for: what was stored nobody says."""
    return {"asked": True} if point.told >= 0 and place_of(point.told)[1] == AS_ASKED else {}


def seconds_of(entry: Object) -> float:
    """When an entry was there, in virtual seconds."""
    seconds: float = entry["at"] if entry["arrived"] is None else entry["arrived"]
    return seconds
