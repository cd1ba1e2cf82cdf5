"""What a worker's machine has left: told to whoever places clusters, and looked at before one more is taken."""

import os
import time
from pathlib import Path

from visualizer.hosting.messages import Load

ROOM_BYTES = 128 * 1024 * 1024  # a cluster begins with a fifth of it; more must be left for those that run
CROWDED = 2.0  # runnable tasks a core, over a minute


def load_of(worker: str) -> Load:
    """Say how crowded this machine's cores are (runnable tasks a core), and how much memory is left on it."""
    return Load(worker, os.getloadavg()[0] / (os.cpu_count() or 1), free_bytes())


def has_room() -> bool:
    """Whether this machine has the memory for one more cluster."""
    return free_bytes() >= ROOM_BYTES


def is_crowded(load: Load) -> bool:
    """Whether a cluster had better be placed elsewhere, if there is an elsewhere."""
    return load.free_bytes < ROOM_BYTES or load.cores > CROWDED


def free_bytes() -> int:
    """Memory that can be had without swapping; where it is not known, as much as anybody wants."""
    try:
        told = Path("/proc/meminfo").read_text().partition("MemAvailable:")[2].split()
    except OSError:
        told = []
    return int(told[0]) * 1024 if told else 1 << 40


def monotonic_through_sleep() -> float:
    """Seconds that also pass while the machine is suspended, where the operating system counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
