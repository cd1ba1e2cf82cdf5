"""Exponential back-off by key, counted from events: 10 s, 20 s, 40 s … 300 s, forgotten after 10 quiet minutes.

The kubelet asks before it starts a container anew: has enough time gone by since the last one *ended*? The first
failure costs nothing, since there is no entry for it yet.

    start, ends at 5     in_backoff_since(key, 5) no   next(key, 5)  -> start again      entry: 10 s
    ends at 7            in_backoff_since(key, 7) yes until 17; then next(key, 7)        entry: 20 s

Modelled on client-go `util/flowcontrol/backoff.go` as the kubelet sets it up (constants: kubelet.go:204, :957).
"""

import msgspec

INITIAL_SECONDS = 10.0
SECONDS_MAX = 300.0
FORGET_AFTER_SECONDS = 600.0


class _Entry(msgspec.Struct):
    seconds: float
    updated: float


class Backoff:
    """Waits by key. Times are the loop's, in seconds."""

    def __init__(self, initial: float = INITIAL_SECONDS, maximum: float = SECONDS_MAX) -> None:
        self._initial = initial
        self._maximum = maximum
        self._entries: dict[str, _Entry] = {}

    def seconds(self, key: str) -> float:
        """Return the wait that is in force for a key, 0 without one."""
        entry = self._entries.get(key)
        return entry.seconds if entry else 0.0

    def in_backoff_since(self, key: str, event: float, now: float) -> bool:
        """Return whether the wait after an event at that time is not over yet."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, event):
            return False
        return now - event < entry.seconds

    def in_backoff_since_update(self, key: str, now: float) -> bool:
        """Return whether the wait after the last `next` is not over yet."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, now):
            return False
        return now - entry.updated < entry.seconds

    def next(self, key: str, event: float, now: float) -> None:
        """Count another event: begin with the first wait, or double."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, event):
            self._entries[key] = _Entry(self._initial, now)
        else:
            entry.seconds = min(entry.seconds * 2, self._maximum)
            entry.updated = now

    def forget(self, prefix: str) -> None:
        """Drop all keys that begin so (a pod's)."""
        self._entries = {key: entry for key, entry in self._entries.items() if not key.startswith(prefix)}

    @staticmethod
    def _expired(entry: _Entry, event: float) -> bool:
        return event - entry.updated > FORGET_AFTER_SECONDS
