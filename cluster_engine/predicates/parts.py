"""What holds so far: a predicate's tree again, with memory.

Each part says whether it holds and since which entry. An entry, an answer and a name that was reached hold for ever
once they do (`latching`), so what is made of these alone can be judged at any moment. The rest (objects, `not`,
`passed`) is judged when everything waits.

Of `all` the latest part counts, of `any` the earliest: `all: [entry 12, entry 30]` holds since 30.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.predicates import predicate as p
from cluster_engine.predicates.paths import Path, find

CHAIN_LENGTH_MAX = 10_000

Find = Callable[[int], Object | None]
"""Gives an entry by its number, None when history no longer has it."""


class Held(msgspec.Struct, frozen=True):
    """Since when something holds: the number of the entry, and virtual seconds."""

    seq: int
    at: float


class Board(Protocol):
    """What parts know of the world: names that hold, answers, and now."""

    held_names: dict[str, Held]
    answers: dict[str, tuple[bool | None, Held]]

    def now(self) -> Held:
        """Return the journal's head and the time."""
        ...


class Part(Protocol):
    """One node of a predicate's tree."""

    latching: bool

    def held(self) -> Held | None:
        """Tell since when it holds, None when it does not."""
        ...


class Sighting(msgspec.Struct, eq=False):
    """An entry that is waited for. `start` is the first seq that counts, None until the names it refers to hold."""

    entry: p.Entry
    owner: str
    start: int | None = None
    seen: int = 0
    latched: Held | None = None
    latching: bool = True
    _wanted: list[tuple[str, Any]] = msgspec.field(default_factory=list)
    _same: list[tuple[Path, list[Any]]] = msgspec.field(default_factory=list)
    _ancestor: int = 0

    def held(self) -> Held | None:
        """See Part."""
        return self.latched

    def begin(self, names: Mapping[str, Held], entry_at: Find, since: int) -> None:
        """Count from now on: every name it refers to holds. `since`: what came up to that seq never counts."""
        after = [since]
        for relation in p.RELATIONS:
            name = getattr(self.entry, relation)
            if name is None:
                continue
            seq = names[name].seq
            if relation in ("after", "answers", "follows"):
                after.append(seq)
            if relation == "answers":
                self._wanted.append(("replyTo", seq))
            elif relation == "follows":
                self._ancestor = seq
            elif relation in ("on", "stream"):
                self._be_on(relation, entry_at(seq))
        for path, name, theirs in self.entry.same:
            entry = entry_at(names[name].seq)
            self._same.append((path, [] if entry is None else find(entry["fields"], theirs)))
        self.start = max(after) + 1

    def _be_on(self, relation: str, entry: Object | None) -> None:
        connection = None if entry is None else entry["connection"]
        self._wanted.append(("connection", object() if connection is None else connection))  # on none: nothing is too
        if entry is not None and relation == "stream":
            self._wanted.append(("stream", entry["stream"]))  # None in HTTP/1.1, where a connection has no streams

    def fits_kind(self, kind: str) -> bool:
        """Return whether an entry of this kind may be it."""
        return self.entry.kind is None or self.entry.kind.fits((kind,))

    def look(self, entry: Object, entry_at: Find) -> bool:
        """Look at an entry of a fitting kind; tell whether it is the one."""
        if self.start is None or entry["seq"] < self.start or not self._fits(entry, entry_at):
            return False
        self.seen += 1
        if self.seen < self.entry.nth:
            return False
        self.latched = held_at(entry)
        return True

    def _fits(self, entry: Object, entry_at: Find) -> bool:
        for key, value in self._wanted:
            if entry[key] != value:
                return False
        if not is_like(self.entry, entry):
            return False
        for path, values in self._same:
            if not values or find(entry["fields"], path) != values:
                return False
        return not self._ancestor or _descends(entry, self._ancestor, entry_at)


def is_like(wanted: p.Entry, entry: Object) -> bool:
    """Return whether an entry is like this by itself, whatever else it refers to."""
    if wanted.kind is not None and not wanted.kind.fits((entry["kind"],)):
        return False
    for key, matcher in wanted.own:
        value = entry[key]
        if not matcher.fits(() if value is None else (value,)):
            return False
    return all(matcher.fits(find(entry["fields"], path)) for path, matcher in wanted.fields)


def held_at(entry: Object) -> Held:
    """Return the instant of an entry: when it had arrived."""
    return Held(entry["seq"], entry["at"] if entry["arrived"] is None else entry["arrived"])


def _descends(entry: Object, ancestor: int, entry_at: Find) -> bool:
    """Follow the causes back; each is earlier than what it led to."""
    for _ in range(CHAIN_LENGTH_MAX):
        cause = entry["cause"]
        if cause is None or cause <= ancestor:
            return bool(cause == ancestor)
        found = entry_at(cause)
        if found is None:
            return False
        entry = found
    return False


class Census(msgspec.Struct, eq=False):
    """Objects that are counted whenever the store has changed."""

    objects: p.Objects
    owner: str
    board: Board
    holds: bool = False
    latching: bool = False
    counted: Any = None
    _known: dict[int, tuple[Object, bool]] = msgspec.field(default_factory=dict)

    def held(self) -> Held | None:
        """See Part."""
        return self.board.now() if self.holds else None

    def count(self, found: Any) -> bool:
        """Count what lies in the store; tell whether this changed anything."""
        if found is self.counted:
            return False
        self.counted, before = found, self.holds
        now: dict[int, tuple[Object, bool]] = {}  # an object that has not changed is the very same: look at it once
        for one in found:
            known = self._known.get(id(one))
            now[id(one)] = known if known is not None and known[0] is one else (one, self._fits(one))
        self._known = now
        self.holds = self.objects.count.has(sum(fits for _, fits in now.values()))
        return self.holds != before

    def _fits(self, one: Object) -> bool:
        objects = self.objects
        if objects.name is not None and not objects.name.fits((one["metadata"]["name"],)):
            return False
        return all(matcher.fits(find(one, path)) for path, matcher in objects.where)


@dataclass(slots=True, eq=False)
class Answer:
    """A learner's answer."""

    answered: p.Answered
    board: Board
    latching: bool = True

    def held(self) -> Held | None:
        """See Part."""
        right, held = self.board.answers.get(self.answered.question, (None, None))
        return held if self.answered.right is None or right is self.answered.right else None


class Name(msgspec.Struct, eq=False):
    """Another name that holds."""

    name: str
    board: Board
    latching: bool = True

    def held(self) -> Held | None:
        """See Part."""
        return self.board.held_names.get(self.name)


class Interval(msgspec.Struct, eq=False):
    """Time since a name came to hold."""

    passed: p.Passed
    owner: str
    board: Board
    latching: bool = False

    @property
    def due(self) -> float | None:
        """When it will hold, None while the name does not."""
        since = self.board.held_names.get(self.passed.since)
        return None if since is None else since.at + self.passed.seconds

    def held(self) -> Held | None:
        """See Part."""
        due, now = self.due, self.board.now()
        return now if due is not None and now.at >= due - 1e-6 else None


class Both(msgspec.Struct, eq=False):
    """All of several parts."""

    parts: tuple[Part, ...]
    latching: bool

    def held(self) -> Held | None:
        """See Part."""
        latest: Held | None = None
        for part in self.parts:
            held = part.held()
            if held is None:
                return None
            latest = held if latest is None or held.seq > latest.seq else latest
        return latest


class Either(msgspec.Struct, eq=False):
    """One of several parts."""

    parts: tuple[Part, ...]
    latching: bool

    def held(self) -> Held | None:
        """See Part."""
        return min((held for part in self.parts if (held := part.held())), key=lambda held: held.seq, default=None)


class Opposite(msgspec.Struct, eq=False):
    """A part that does not hold."""

    part: Part
    board: Board
    latching: bool = False

    def held(self) -> Held | None:
        """See Part."""
        return self.board.now() if self.part.held() is None else None


class Tree(msgspec.Struct):
    """A predicate with its memory, and its leaves by what moves them."""

    root: Part
    sightings: list[Sighting]
    censuses: list[Census]
    intervals: list[Interval]


def plant(predicate: p.Predicate, owner: str, board: Board) -> Tree:
    """Make the tree of a predicate that `owner` waits for."""
    sightings: list[Sighting] = []
    censuses: list[Census] = []
    intervals: list[Interval] = []

    def keep(leaves: list[Any], leaf: Any) -> Any:
        leaves.append(leaf)
        return leaf

    def grow(node: p.Predicate) -> Part:
        match node:
            case p.Entry():
                return keep(sightings, Sighting(node, owner))  # type: ignore[no-any-return]
            case p.Objects():
                return keep(censuses, Census(node, owner, board))  # type: ignore[no-any-return]
            case p.Answered():
                return Answer(node, board)
            case p.Reached(name):
                return Name(name, board)
            case p.Passed():
                return keep(intervals, Interval(node, owner, board))  # type: ignore[no-any-return]
            case p.All(nodes):
                parts = tuple(map(grow, nodes))
                return Both(parts, all(part.latching for part in parts))
            case p.Any(nodes):
                parts = tuple(map(grow, nodes))
                return Either(parts, all(part.latching for part in parts))
            case p.Not(inner):
                return Opposite(grow(inner), board)

    return Tree(grow(predicate), sightings, censuses, intervals)


__all__ = ["Census", "Held", "Interval", "Sighting", "Tree", "held_at", "plant"]
