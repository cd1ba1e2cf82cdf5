"""What a predicate is: a small tree of frozen records. `reading` makes one of a document, `parts` asks if it holds.

Names are those of other predicates that the same lookout watches; what they refer to is the entry, or the instant, at
which those came to hold.
"""

from collections.abc import Iterator
from typing import Union

import msgspec

from cluster_engine.predicates.matching import Between, Matcher
from cluster_engine.predicates.paths import Path

RELATIONS = ("after", "on", "stream", "answers", "follows")

Where = tuple[tuple[Path, Matcher], ...]
Same = tuple[tuple[Path, str, Path], ...]
"""A field, and a name with a field of its entry: both have the same value."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Some entry of the journal, the `nth` that fits; once seen it holds for ever.

    `own` are an entry's own keys (from, to, label, layer, trigger, heartbeat), `fields` lead into its fields.
    """

    kind: Matcher | None = None
    own: tuple[tuple[str, Matcher], ...] = ()
    fields: Where = ()
    same: Same = ()
    nth: int = 1
    after: str | None = None
    on: str | None = None
    stream: str | None = None
    answers: str | None = None
    follows: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names it refers to."""
        related = tuple(name for relation in RELATIONS if (name := getattr(self, relation)) is not None)
        return (*related, *(name for _, name, _ in self.same))


class Objects(msgspec.Struct, frozen=True, kw_only=True):
    """How many objects of a resource lie in etcd now."""

    resource: str
    group: str | None = None
    namespace: str | None = None
    name: Matcher | None = None
    where: Where = ()
    count: Between = Between(least=1)


class Answered(msgspec.Struct, frozen=True):
    """A question has been answered, and rightly or not when `right` says so."""

    question: str
    right: bool | None = None


class Reached(msgspec.Struct, frozen=True):
    """A name holds."""

    name: str


class Passed(msgspec.Struct, frozen=True):
    """So many virtual seconds have passed since a name came to hold."""

    since: str
    seconds: float


class All(msgspec.Struct, frozen=True):
    """Every part holds."""

    parts: tuple["Predicate", ...]


class Any(msgspec.Struct, frozen=True):
    """One part holds."""

    parts: tuple["Predicate", ...]


class Not(msgspec.Struct, frozen=True):
    """The part does not hold, now."""

    part: "Predicate"


Predicate = Union[Entry, Objects, Answered, Reached, Passed, All, Any, Not]  # noqa: UP007  it names itself


def leaves(predicate: Predicate) -> Iterator[Entry | Objects | Answered | Reached | Passed]:
    """Yield what a predicate is made of, from left to right."""
    match predicate:
        case All(parts) | Any(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield predicate


def names_in(predicate: Predicate) -> frozenset[str]:
    """Return the names that a predicate refers to."""
    found: set[str] = set()
    for leaf in leaves(predicate):
        match leaf:
            case Entry():
                found.update(leaf.names)
            case Reached(name) | Passed(name, _):
                found.add(name)
    return frozenset(found)


def questions_in(predicate: Predicate) -> frozenset[str]:
    """Return the questions whose answers a predicate waits for."""
    return frozenset(leaf.question for leaf in leaves(predicate) if isinstance(leaf, Answered))


__all__ = [
    "RELATIONS",
    "All",
    "Answered",
    "Any",
    "Entry",
    "Not",
    "Objects",
    "Passed",
    "Predicate",
    "Reached",
    "Where",
    "leaves",
    "names_in",
    "questions_in",
]
