"""One direction of a connection: segments as they arrive to bytes in order (RFC 9293 section 3.4).

A segment that comes before its turn waits, a repeated one is passed over, and one that repeats in part is cut. What
waits is bounded; when the missing bytes do not come, the direction is unreadable from there on. A direction first
heard in the middle (a capture begun late) starts wherever it is.

    stream = Stream(); stream.begin(1)
    stream.receive(3, b"cd", "A")   -> []                             waits for 1 and 2
    stream.receive(1, b"ab", "B")   -> [(b"ab", "B"), (b"cd", "A")]   each with what was said of the segment it came in
"""

from typing import Generic, TypeVar

from cluster_engine.lens.unreadable import Unreadable

WAITING_BYTES_MAX = 1024 * 1024


Of = TypeVar("Of")
"""What is said of a segment, and given out with its bytes."""


class Stream(Generic[Of]):
    """Bytes of one direction, given out once each and in order."""

    __slots__ = ("_expected", "_waiting", "_waiting_bytes")

    def __init__(self) -> None:
        self._expected: int | None = None
        self._waiting: dict[int, tuple[bytes, Of]] = {}
        self._waiting_bytes = 0

    def begin(self, sequence: int) -> None:
        """The first byte will be `sequence`."""
        self._expected = sequence

    def receive(self, sequence: int, payload: bytes, of: Of) -> list[tuple[bytes, Of]]:
        """Take a segment's payload; give what can now be read, in order."""
        if self._expected is None or sequence == self._expected:
            self._expected = sequence + len(payload)
            ready = [(payload, of)]
            return ready if not self._waiting else self._drain(ready)
        if sequence < self._expected:
            fresh = payload[self._expected - sequence :]
            return self.receive(self._expected, fresh, of) if fresh else []
        known = len(self._waiting[sequence][0]) if sequence in self._waiting else 0
        if len(payload) > known:
            self._waiting[sequence] = (payload, of)
            self._waiting_bytes += len(payload) - known
            if self._waiting_bytes > WAITING_BYTES_MAX:
                raise Unreadable("bytes before these never came")
        return []

    def _drain(self, ready: list[tuple[bytes, Of]]) -> list[tuple[bytes, Of]]:
        for sequence in sorted(self._waiting):
            assert self._expected is not None, "something has been received"
            if sequence > self._expected:
                break
            payload, of = self._waiting.pop(sequence)
            self._waiting_bytes -= len(payload)
            fresh = payload[self._expected - sequence :]
            if fresh:
                self._expected += len(fresh)
                ready.append((fresh, of))
        return ready
