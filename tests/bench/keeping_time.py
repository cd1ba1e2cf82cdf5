"""How far the clock of a cluster drifts from this machine's on a busy machine: two programs burn each of its cores.

An onlooker with a watch looks every second: how far behind the clock was at most, and at the end. A clock that keeps
its promise ends level, though it may have been late in between.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator

from cluster_engine.thread import ClusterSpec, ClusterThread

LOADED_SECONDS = 120
BURNERS_A_CORE = 2


@contextlib.contextmanager
def _burning() -> Iterator[None]:
    """Keep every core busy, at the same priority as everybody."""
    count = BURNERS_A_CORE * (os.cpu_count() or 1)
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def measure(seconds: float = LOADED_SECONDS, pace: float = 1.0) -> dict[str, float]:
    """Run a cluster with captures on beside the burners; give how far behind it was, in real seconds."""
    thread = ClusterThread(ClusterSpec(pace=pace))
    thread.start().result()
    began, at_first = time.monotonic(), thread.clock().result()["now"]

    def behind() -> float:
        before = time.monotonic()
        now = thread.clock().result()["now"]
        return (before + time.monotonic()) / 2 - began - (now - at_first) / pace

    cpu, seen = time.process_time(), []
    with _burning():
        while time.monotonic() < began + seconds:
            time.sleep(1)
            seen.append(behind())
    cpu = (time.process_time() - cpu) / (time.monotonic() - began)
    left_out = sum(thread.clock().result()[key] for key in ("slept", "overrun"))
    thread.stop().result()
    return {
        "clock_behind_at_most_on_a_busy_machine": max(seen) * 1000,
        "clock_behind_at_the_end_on_a_busy_machine": seen[-1] * 1000,
        "clock_left_out_on_a_busy_machine": left_out * 1000,
        "clock_cpu_of_the_cluster_on_a_busy_machine": cpu * 100,
    }
