"""A second numbered line beside the entries: what was kept in the spool, where it lies, and after which entry it came.

Most packets complete no entry and some complete three, so packets have numbers of their own. Each is kept before the
entries that it completes, when `after` of them there were:

    packet 0, after 0                     entry 1   tcp.syn
    packet 1, after 1                     entry 2   tcp.syn
    packet 2, after 2                               the first half of a ClientHello
    packet 3, after 2                     entry 3   tls.client_hello

    kept.between(3, 3)   -> range(2, 4)   what was kept from entry 2 until entry 3 was there

Sixteen bytes for each; what the spool has dropped is forgotten.
"""

from array import array
from bisect import bisect_left


class Kept:
    """Positions in a spool, numbered from 0 in the order in which they were kept."""

    __slots__ = ("_after", "_positions", "first")

    def __init__(self) -> None:
        self.first = 0
        """The oldest that is still here."""
        self._positions = array("Q")
        self._after = array("Q")

    @property
    def end(self) -> int:
        """The number that the next one will get."""
        return self.first + len(self._positions)

    def append(self, position: int, after: int) -> None:
        """Add one that was kept at `position` when there were `after` entries."""
        self._positions.append(position)
        self._after.append(after)

    def position(self, number: int) -> int | None:
        """Return where a number lies; None when it has been forgotten."""
        return self._positions[number - self.first] if self.first <= number < self.end else None

    def between(self, first: int, last: int) -> range:
        """Return the numbers of those that led to the entries from `first` to `last`."""
        begin, end = (bisect_left(self._after, max(bound, 0)) for bound in (first - 1, last))
        return range(self.first + begin, self.first + max(begin, end))

    def saved(self) -> tuple[int, bytes, bytes]:
        """Return what `of` makes another of."""
        return self.first, self._positions.tobytes(), self._after.tobytes()

    @classmethod
    def of(cls, first: int, positions: bytes, after: bytes) -> "Kept":
        """Return one as it was saved."""
        kept = cls()
        kept.first = first
        kept._positions.frombytes(positions)
        kept._after.frombytes(after)
        return kept

    def forget(self, below: int) -> None:
        """Forget what lies below a position."""
        gone = bisect_left(self._positions, below)
        self._positions, self._after = self._positions[gone:], self._after[gone:]
        self.first += gone
