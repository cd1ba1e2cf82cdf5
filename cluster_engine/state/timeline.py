"""Points in order of seq: since when something is so, in two numbers whose meaning is their owner's.

    timeline.append(12, told, revision)
    timeline.at(11)    -> None           nothing was known of it yet
    timeline.at(500)   -> Point(12, …)   that is how it stands at 500, if nothing came after 12

Twenty-four bytes a point.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple


class Point(NamedTuple):
    """Since `seq` it is so; `told` says where that is told, or how it is, `number` is e.g. a revision."""

    seq: int
    told: int
    number: int


class Timeline:
    """Append-only, in order of seq. Of several points at one seq the last counts."""

    __slots__ = ("_numbers", "_seqs", "_told")

    def __init__(self) -> None:
        self._seqs = array("q")
        self._told = array("q")
        self._numbers = array("q")

    def __len__(self) -> int:
        return len(self._seqs)

    def __iter__(self) -> Iterator[Point]:
        return map(Point, self._seqs, self._told, self._numbers)

    def __reversed__(self) -> Iterator[Point]:
        return map(self._point, range(len(self) - 1, -1, -1))

    @property
    def last(self) -> Point | None:
        """How it stands at the end."""
        return self._point(-1) if self._seqs else None

    def append(self, seq: int, told: int, number: int) -> None:
        """Add a point, not before the last one."""
        self._seqs.append(seq)
        self._told.append(told)
        self._numbers.append(number)

    def at(self, seq: int) -> Point | None:
        """Return the last point at or before `seq`."""
        after = bisect_right(self._seqs, seq)
        return self._point(after - 1) if after else None

    def told(self, seq: int) -> int | None:
        """Return `at(seq).told`, at once: of tens of thousands of timelines a view asks no more than this."""
        after = bisect_right(self._seqs, seq)
        return self._told[after - 1] if after else None

    def number(self, seq: int) -> int:
        """Return `at(seq).number`, where there is one."""
        return self._numbers[bisect_right(self._seqs, seq) - 1]

    def between(self, after: int, to: int) -> Iterator[Point]:
        """Give the points after `after`, up to `to`."""
        return map(self._point, range(bisect_right(self._seqs, after), bisect_right(self._seqs, to)))

    def forget(self, first: int) -> None:
        """Forget what no longer stood at `first`, nor after it."""
        gone = bisect_right(self._seqs, first) - 1
        if gone > 0:
            self._seqs, self._told, self._numbers = (
                column[gone:] for column in (self._seqs, self._told, self._numbers)
            )

    def _point(self, index: int) -> Point:
        return Point(self._seqs[index], self._told[index], self._numbers[index])
