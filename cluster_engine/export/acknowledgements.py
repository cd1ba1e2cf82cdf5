"""Which bytes a segment acknowledges: those that had arrived, without a gap, when it was sent (RFC 9293, 3.4).

The tap tells of a segment when it arrives, and that is later than it was sent; what had come to its sender until then
follows from the segments of the other direction.

    server → client  bytes 1 to 100, there at 2 ms          client → server, sent at 1 ms    acknowledges 1
                                                            client → server, sent at 3 ms    acknowledges 101
"""

from collections import deque

from cluster_engine.lens.evidence import StoredSegment


class Arrived:
    """What has arrived of one direction: up to where without a gap, and when that was."""

    __slots__ = ("_beyond", "_steps", "_until")

    def __init__(self) -> None:
        self._until: int | None = None
        self._beyond: dict[int, int] = {}
        self._steps: deque[tuple[float, int]] = deque()

    def take(self, segment: StoredSegment) -> None:
        """Hear of a segment, which has arrived."""
        assert segment.arrived is not None
        begin = segment.sequence
        end = begin + len(segment.payload) + ("S" in segment.flags) + ("F" in segment.flags)
        if self._until is None:
            self._until = begin
        self._beyond[begin] = max(end, self._beyond.get(begin, end))
        before = self._until
        for start in sorted(self._beyond):
            if start > self._until:
                break
            self._until = max(self._until, self._beyond.pop(start))
        if self._until > before:
            self._steps.append((segment.arrived, self._until))

    def at(self, when: float) -> int | None:
        """Return up to where it had arrived at an instant, None where nothing had; asked in the order of time."""
        while len(self._steps) > 1 and self._steps[1][0] <= when:
            self._steps.popleft()
        return self._steps[0][1] if self._steps and self._steps[0][0] <= when else None
