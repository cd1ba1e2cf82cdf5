"""A dict with a bound: the key not written or found for longest goes first.

The lens remembers what it saw for a while, never for ever; every index it keeps is one of these.

    recent: Recent[str, int] = Recent(2)
    recent["a"] = 1; recent["b"] = 2
    recent.get("a")      -> 1         and "a" is now younger than "b"
    recent["c"] = 3                   so "b" goes
"""

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Holds at most `entries_max` keys. A key that is found or written again is young again."""

    __slots__ = ("_entries", "_entries_max")

    def __init__(self, entries_max: int) -> None:
        self._entries: dict[K, V] = {}
        self._entries_max = entries_max

    def __len__(self) -> int:
        return len(self._entries)

    def __setitem__(self, key: K, value: V) -> None:
        entries = self._entries
        entries.pop(key, None)
        entries[key] = value
        if len(entries) > self._entries_max:
            del entries[next(iter(entries))]

    def get(self, key: K) -> V | None:
        """Find a value and make its key young; None when it is not (or no longer) there."""
        entries = self._entries
        value = entries.pop(key, None)
        if value is not None:
            entries[key] = value
        return value
