"""What a cluster that is brought back says again, and whether it is what it said before.

The same specification and the same inputs make the same journal (`cluster_engine.run`). The entries that are
recorded are dropped when they come again: whoever has them needs them once. The last of them is compared with the one
recorded; if it is another, the run has gone another way, and none of what follows may be joined to it.
"""

from collections.abc import Sequence
from typing import Any

from visualizer.hosting.batches import LOST

REPLAY_SECONDS_MAX = 2 * 3600.0
"""Runs longer than this, in virtual seconds, are not brought back: a long lesson's should be, a night's would take too
long to replay."""

COMPARED = ("kind", "from", "to", "label")


class PassedOver:
    """Drops the entries up to `recorded`. `differs` once they are not as recorded: then it drops all."""

    def __init__(self, recorded: int, last: dict[str, Any] | None) -> None:
        self.differs = False
        self._recorded = recorded
        self._last = last
        self._head = 0

    def __call__(self, entries: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        """Return those that are new."""
        if self._head >= self._recorded and not self.differs:
            return entries
        for entry in entries:
            if entry["seq"] == self._recorded and not self._is_last(entry):
                self.differs = True
        self._head = entries[-1]["seq"]
        return [] if self.differs else [entry for entry in entries if entry["seq"] > self._recorded]

    def _is_last(self, entry: dict[str, Any]) -> bool:
        last = self._last
        return last is None or last.get("kind") == LOST or all(entry.get(name) == last.get(name) for name in COMPARED)

    def is_complete(self) -> bool:
        """Whether all that is recorded has come again, and as it was."""
        return self._head >= self._recorded and not self.differs
