"""A dict with a bound: what was not written or found for longest goes first, half of all at a time.

The lens remembers what it saw for a while, never for ever; every index it keeps is one of these. Keys lie in two dicts,
the young and the old. One that is written or found is young; when half of the bound is young, these become the old ones
and the old ones go. So at least the latest half of the bound is there, and nothing is ever searched for the oldest key
(a dict that loses its first key again and again looks through the gaps these leave).

    recent: Recent[str, int] = Recent(4)
    recent["a"] = 1; recent["b"] = 2      half of the bound: both are old now
    recent.get("a")      -> 1             and "a" is young
    recent["c"] = 3                       "a" and "c" become the old ones, and "b" goes
"""

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Holds at most `entries_max` keys, and no fewer than the half of that written or found latest."""

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, entries_max: int) -> None:
        self._half = entries_max // 2
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def __setitem__(self, key: K, value: V) -> None:
        self._young[key] = value
        if len(self._young) >= self._half:
            self.turn()

    def get(self, key: K) -> V | None:
        """Find a value and make its key young; None when it is not (or no longer) there."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self[key] = value
        return value

    def turn(self) -> None:
        """Let the old ones go and the young ones be old: what is called twice forgets what was not used between."""
        self._old, self._young = self._young, {}
