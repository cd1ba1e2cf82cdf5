"""Matchers: what the values found at a place must be.

    Running            that string; `*` stands for any characters, `?` for one
    3, true            that number, that truth value
    [get, list]        one of these
    {least: 1, most: 2}    a number within these bounds, both included; one may be left out
    {not: Running}     anything else, absent too
    null               absent

A matcher is asked of all values found at once: it holds when one of them fits.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from cluster_engine.predicates import globs


class Matcher(Protocol):
    """Says whether one of some values fits."""

    def fits(self, values: Sequence[Any]) -> bool:
        """Tell; no values means absent."""
        ...


class Equal(msgspec.Struct, frozen=True):
    """A scalar as it is. A truth value is no number."""

    value: Any

    def fits(self, values: Sequence[Any]) -> bool:
        """See Matcher."""
        wanted = self.value
        return any(one == wanted and isinstance(one, bool) == isinstance(wanted, bool) for one in values)


class Glob(msgspec.Struct, frozen=True):
    """A string in which `*` and `?` stand for others."""

    pattern: str

    def fits(self, values: Sequence[Any]) -> bool:
        """See Matcher."""
        return any(isinstance(one, str) and globs.fits(self.pattern, one) for one in values)


class Between(msgspec.Struct, frozen=True):
    """A number within bounds; None is no bound."""

    least: float | None = None
    most: float | None = None

    def fits(self, values: Sequence[Any]) -> bool:
        """See Matcher."""
        return any(isinstance(one, int | float) and not isinstance(one, bool) and self.has(one) for one in values)

    def has(self, number: float) -> bool:
        """Return whether `number` is within the bounds."""
        return (self.least is None or number >= self.least) and (self.most is None or number <= self.most)


class OneOf(msgspec.Struct, frozen=True):
    """One of several matchers."""

    matchers: tuple[Matcher, ...]

    def fits(self, values: Sequence[Any]) -> bool:
        """See Matcher."""
        return any(matcher.fits(values) for matcher in self.matchers)


class Absent(msgspec.Struct, frozen=True):
    """Nothing is there."""

    def fits(self, values: Sequence[Any]) -> bool:
        """See Matcher."""
        return not values


class Differs(msgspec.Struct, frozen=True):
    """Anything that does not fit a matcher."""

    matcher: Matcher

    def fits(self, values: Sequence[Any]) -> bool:
        """See Matcher."""
        return not self.matcher.fits(values)


__all__ = ["Absent", "Between", "Differs", "Equal", "Glob", "Matcher", "OneOf"]
