"""Somebody who works in another cluster while an attack goes on, and must not notice.

What is looked at: how long a typed line takes to come back, whether the journal comes without a gap, and whether the
cluster lives the same life all the time.
"""

import threading
import time

from tests.visitor import Visitor

PAUSE_SECONDS = 0.1


class Bystander(threading.Thread):
    """Types a line again and again, in a thread; `times` are its round trips in seconds."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.visitor = Visitor(address)
        self.times: list[float] = []
        self.problem: str | None = None
        self._over = threading.Event()

    def run(self) -> None:
        """See Thread."""
        number = 0
        try:
            while not self._over.is_set():
                number += 1
                printed = self.visitor.type(f"echo {number}")
                if printed.text != f"{number}\n":
                    self.problem = f"echo {number} printed {printed.text!r} and exited with {printed.code}"
                    return
                self.times.append(printed.seconds)
                time.sleep(PAUSE_SECONDS)
        except Exception as problem:
            self.problem = f"{type(problem).__name__}: {problem}"

    def judge(self) -> list[str]:
        """Stop, and say what was noticed."""
        self._over.set()
        self.join(30)
        found = [self.problem] if self.problem else []
        seen = self.visitor.seen
        if seen != list(range(1, len(seen) + 1)):
            found.append("its journal has a gap")
        if self.visitor.life != 1 or self.visitor.ends:
            found.append(f"its cluster was ended: {self.visitor.ends}")
        self.visitor.leave()
        return found

    def percentile(self, share: float) -> float:
        """Give the round trip that `share` of all do not exceed."""
        return sorted(self.times)[min(int(len(self.times) * share), len(self.times) - 1)]
