"""Who watches a kind, found by what they select.

Theory of operation. Whether an event concerns a watcher depends on its selection alone, and many watchers select the
same: five hundred clients the same namespace, fifty kubelets each the pods of a node. So watchers stand in *groups* of
equal selections, each asked once an event, and groups lie where an event can find them: under the key prefix they are
below (a kind, a namespace) and the one value that a field of theirs must have (`metadata.name`, `spec.nodeName`).

    event  MODIFIED /registry/pods/default/web-0 on worker-1        asks the groups under
        (/registry/pods/, any)   (/registry/pods/, spec.nodeName=worker-1)   (/registry/pods/, metadata.name=web-0)
        and the same three of /registry/pods/default/

An object that moves, from one node to another, is looked up by what it was and by what it is. Watchers are told in the
order in which they came, whatever their groups.

Modelled on the cacher's indexedWatchers (apiserver/pkg/storage/cacher/cacher.go), which has scopes and value indexes.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, Protocol

from cluster_engine.api.objects import Object
from cluster_engine.api.schema import field_path
from cluster_engine.api.selectors import FieldSelector, LabelSelector
from cluster_engine.apiserver.storage import CachedObject

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"
PINNING = {label: field_path(label) for label in ("metadata.name", "spec.nodeName")}
"""Fields by which many watchers want exactly one value, and how to read them."""

ANY = ("", "")

Place = tuple[str, tuple[str, str]]


class Change(Protocol):
    """What a watcher is told of: one change of one key. `now` is None when it was deleted, `before` when created."""

    key: str
    revision: int
    before: CachedObject | None
    now: CachedObject | None


class Selection:
    """Which objects a list or watch is about: a key prefix, labels, fields."""

    __slots__ = ("everything", "fields", "labels", "prefix")

    def __init__(self, prefix: str, labels: LabelSelector, fields: FieldSelector) -> None:
        self.prefix = prefix
        self.labels = labels
        self.fields = fields
        self.everything = labels.everything and fields.everything

    @property
    def identity(self) -> tuple[Any, ...]:
        """What two selections share that select the same."""
        return self.prefix, self.labels, tuple((one.label, one.value, one.negated) for one in self.fields.requirements)

    @property
    def place(self) -> Place:
        """Where events look for it: its prefix, and a field with the one value that it must have."""
        for label in PINNING:
            value = self.fields.exact(label)
            if value is not None:
                return self.prefix, (label, value)
        return self.prefix, ANY

    def takes(self, obj: Object) -> bool:
        """Return whether an object below the prefix is selected."""
        if self.everything:
            return True
        return self.labels.matches(obj["metadata"].get("labels")) and self.fields.matches(obj)

    def type_of(self, event: Change) -> str | None:
        """Tell what an event is to this selection: entering is ADDED, leaving is DELETED, None when it is nothing."""
        if not event.key.startswith(self.prefix):
            return None
        before = event.before is not None and self.takes(event.before.object)
        if event.now is not None and self.takes(event.now.object):
            return MODIFIED if before else ADDED
        return DELETED if before else None


class Watcher:
    """A client of the cache. `tell` is called at once for each event after `since`; `ended` when the cache drops it."""

    __slots__ = ("ended", "selection", "since", "tell", "turn")

    def __init__(self, selection: Selection, since: int, tell: Callable[[Any, str], None]) -> None:
        self.selection = selection
        self.since = since
        self.tell = tell
        self.turn = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self) -> None:
        """Let the client go; it will come again."""
        if not self.ended.done():
            self.ended.set_result(None)


class Group:
    """Watchers that select the same."""

    __slots__ = ("selection", "watchers")

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self.watchers: dict[Watcher, None] = {}


class Watchers:
    """All watchers of one kind, whose keys begin with `prefix`."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._turns = itertools.count()
        self._places: dict[Place, dict[Any, Group]] = {}

    def __iter__(self) -> Iterator[Watcher]:
        found = [each for groups in self._places.values() for group in groups.values() for each in group.watchers]
        return iter(sorted(found, key=attrgetter("turn")))

    def add(self, watcher: Watcher) -> None:
        """Let a watcher hear of events from now on."""
        watcher.turn = next(self._turns)
        selection = watcher.selection
        groups = self._places.setdefault(selection.place, {})
        group = groups.get(selection.identity)
        if group is None:
            group = groups[selection.identity] = Group(selection)
        group.watchers[watcher] = None

    def remove(self, watcher: Watcher) -> None:
        """Forget a watcher, if it is still known."""
        place, identity = watcher.selection.place, watcher.selection.identity
        groups = self._places.get(place, {})
        group = groups.get(identity)
        if group is None:
            return
        group.watchers.pop(watcher, None)
        if not group.watchers:
            del groups[identity]
            if not groups:
                del self._places[place]

    def clear(self) -> None:
        """Forget all."""
        self._places.clear()

    def tell(self, event: Change) -> None:
        """Tell those whom an event concerns, each what it is to them, in the order in which they came."""
        concerned = [
            (group, event_type)
            for group in self._groups_near(event)
            if (event_type := group.selection.type_of(event)) is not None
        ]
        told = [(each, event_type) for group, event_type in concerned for each in group.watchers]
        if len(concerned) > 1:
            told.sort(key=_turn)
        revision = event.revision
        for watcher, event_type in told:
            if revision > watcher.since:
                watcher.tell(event, event_type)

    def _groups_near(self, event: Change) -> Iterator[Group]:
        places = self._places
        pins = dict.fromkeys((ANY, *_pins(event.before), *_pins(event.now)))
        for prefix in dict.fromkeys((self._prefix, event.key[: event.key.rfind("/") + 1])):
            for pin in pins:
                groups = places.get((prefix, pin))
                if groups:
                    yield from groups.values()


def _turn(told: tuple[Watcher, str]) -> int:
    return told[0].turn


def _pins(found: CachedObject | None) -> Iterator[tuple[str, str]]:
    if found is not None:
        for label, read in PINNING.items():
            yield label, read(found.object)
