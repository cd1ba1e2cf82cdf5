"""How long tests wait in real time for what must come: longer than any machine stalls, so that none fails by that."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 60.0


def until(condition: Callable[[], T]) -> T:
    """Wait until another thread or process has brought something about; return what the condition then gives."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, f"nothing came of this for {PATIENCE_SECONDS:.0f} s: {condition}"
        time.sleep(0.001)
    return found
