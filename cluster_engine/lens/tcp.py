"""One direction of a connection: segments as they arrive to bytes in order (RFC 9293 section 3.4).

A segment that comes before its turn waits, a repeated one is passed over, and one that repeats in part is cut. What
waits is bounded; when the missing bytes do not come, the direction is unreadable from there on. A direction first
heard in the middle (a capture begun late) starts wherever it is.

    stream = Stream(); stream.begin(1)
    stream.receive(3, b"cd", 1)   -> []                       waits for 1 and 2
    stream.receive(1, b"ab", 2)   -> [(b"ab", 2), (b"cd", 1)]   each with the position it was kept at
"""

from cluster_engine.lens.unreadable import Unreadable

WAITING_BYTES_MAX = 1024 * 1024


class Stream:
    """Bytes of one direction, given out once each and in order."""

    __slots__ = ("_expected", "_waiting", "_waiting_bytes")

    def __init__(self) -> None:
        self._expected: int | None = None
        self._waiting: dict[int, tuple[bytes, int]] = {}
        self._waiting_bytes = 0

    def begin(self, sequence: int) -> None:
        """The first byte will be `sequence`."""
        self._expected = sequence

    def receive(self, sequence: int, payload: bytes, position: int) -> list[tuple[bytes, int]]:
        """Take a segment's payload; give what can now be read, in order."""
        if self._expected is None or sequence == self._expected:
            self._expected = sequence + len(payload)
            ready = [(payload, position)]
            return ready if not self._waiting else self._drain(ready)
        if sequence < self._expected:
            fresh = payload[self._expected - sequence :]
            return self.receive(self._expected, fresh, position) if fresh else []
        known = len(self._waiting[sequence][0]) if sequence in self._waiting else 0
        if len(payload) > known:
            self._waiting[sequence] = (payload, position)
            self._waiting_bytes += len(payload) - known
            if self._waiting_bytes > WAITING_BYTES_MAX:
                raise Unreadable("bytes before these never came")
        return []

    def _drain(self, ready: list[tuple[bytes, int]]) -> list[tuple[bytes, int]]:
        for sequence in sorted(self._waiting):
            assert self._expected is not None, "something has been received"
            if sequence > self._expected:
                break
            payload, position = self._waiting.pop(sequence)
            self._waiting_bytes -= len(payload)
            fresh = payload[self._expected - sequence :]
            if fresh:
                self._expected += len(fresh)
                ready.append((fresh, position))
        return ready
