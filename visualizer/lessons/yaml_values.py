"""Values of a YAML document with the place of each in it, checked for what they must be: all that reads a lesson uses.

place = Place(source.data, ())
keys = place.keys(("id", "when"), needed=("id",))      unknown and missing keys raise Wrong
keys["id"].identifier()                                "client-hello"
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from visualizer.lessons.source import LessonError, Source, Where

T = TypeVar("T")

TEXT_LENGTH_MAX = 1000
ID_LENGTH_MAX = 60
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Wrong(Exception):  # noqa: N818  it never leaves this package
    """What lies at a place is not what it must be."""

    def __init__(self, where: Where, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.where, self.problem, self.remedy = where, problem, remedy


@dataclass(slots=True)
class Problems:
    """Gathers what is wrong with one file, so that all of it is told at once."""

    source: Source
    errors: list[LessonError]

    def add(self, where: Where, problem: str, remedy: str) -> None:
        """Note a mistake."""
        self.errors.append(LessonError(self.source.file, self.source.line(where), problem, remedy))

    def attempt(self, read: Callable[[], T], otherwise: T) -> T:
        """Read something; when it is wrong, note that and go on with something else."""
        try:
            return read()
        except Wrong as wrong:
            self.add(wrong.where, wrong.problem, wrong.remedy)
            return otherwise

    def each(self, places: Iterable["Place"], read: Callable[["Place"], T]) -> tuple[T, ...]:
        """Read each of several; leave out those that are wrong."""
        found = (self.attempt(lambda place=place: read(place), None) for place in places)  # type: ignore[misc]
        return tuple(one for one in found if one is not None)


@dataclass(frozen=True, slots=True)
class Place:
    """A value and the way to it."""

    value: Any
    where: Where

    def wrong(self, problem: str, remedy: str) -> Wrong:
        """Make the error of this place."""
        return Wrong(self.where, problem, remedy)

    def keys(self, known: tuple[str, ...], needed: tuple[str, ...] = ()) -> dict[str, "Place"]:
        """Return the values of a mapping by key."""
        if not isinstance(self.value, dict):
            raise self.wrong(f"this is a mapping, not {shown(self.value)}", f"keys are {', '.join(known)}")
        for key in self.value:
            if key not in known:
                raise Wrong((*self.where, key), f"there is no key {key}", f"keys are {', '.join(known)}")
        for key in needed:
            if key not in self.value:
                raise self.wrong(f"{key} is missing", f"add {key}")
        return {key: Place(one, (*self.where, key)) for key, one in self.value.items()}

    def items(self, most: int, least: int = 0) -> list["Place"]:
        """Return the elements of a list."""
        if not isinstance(self.value, list):
            raise self.wrong(f"this is a list, not {shown(self.value)}", "write [ … ] or lines that begin with -")
        if not least <= len(self.value) <= most:
            raise self.wrong(f"there are {len(self.value)} of these", f"give {least} to {most}")
        return [Place(one, (*self.where, n)) for n, one in enumerate(self.value)]

    def text(self) -> str:
        """Return a text that is not empty."""
        if not isinstance(self.value, str) or not 0 < len(self.value) <= TEXT_LENGTH_MAX:
            raise self.wrong(f"this is a text, not {shown(self.value)}", f"write 1 to {TEXT_LENGTH_MAX} characters")
        return self.value

    def identifier(self) -> str:
        """Return a name in kebab-case."""
        if not isinstance(self.value, str) or not _ID.fullmatch(self.value) or len(self.value) > ID_LENGTH_MAX:
            raise self.wrong(f"{shown(self.value)} is no id", "write small letters, digits and single hyphens")
        return self.value

    def one_of(self, known: Iterable[str], what: str) -> str:
        """Return one of some words."""
        possible = list(known)
        if not isinstance(self.value, str) or self.value not in possible:
            remedy = f"possible are {', '.join(possible)}" if possible else f"there is no {what} here at all"
            raise self.wrong(f"there is no {what} {shown(self.value)}", remedy)
        return self.value

    def whole(self, least: int, most: int) -> int:
        """Return a whole number."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or not least <= self.value <= most:
            raise self.wrong(f"{shown(self.value)} cannot be this", f"give a whole number from {least} to {most}")
        return self.value

    def number(self, least: float, most: float) -> float:
        """Return a number."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.wrong(f"{shown(value)} is no number", f"give {least:g} to {most:g}")
        if not least <= value <= most:
            raise self.wrong(f"{value:g} is out of bounds", f"give {least:g} to {most:g}")
        return float(value)

    def flag(self) -> bool:
        """Return a truth value."""
        if not isinstance(self.value, bool):
            raise self.wrong(f"{shown(self.value)} is neither true nor false", "write true or false")
        return self.value


def shown(value: Any) -> str:
    """Say a value in an error."""
    said = "nothing" if value is None else repr(value)
    return said if len(said) <= 60 else f"{said[:59]}…"


__all__ = ["Place", "Problems", "Wrong", "shown"]
