"""What a process that runs one cluster may take of its machine, as the operating system is told.

`apply` is called by the process itself, just after it was forked. The kernel then refuses what is beyond: an allocation
over the limit fails (Python raises MemoryError, and the cluster ends), and when memory runs out on the machine these
processes are ended before any other. They yield the processor to the server that serves pages, and end with their
parent, however they hang. Where an operating system knows one of these not, the rest holds.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

BEYOND_BYTES = 128 * 1024 * 1024  # between the watchdog's limit and the kernel's
NICENESS = 5
OUT_OF_MEMORY_SCORE = 800  # of -1000 … 1000: who goes first
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def apply(memory_bytes_max: int) -> None:
    """Bound this process: `memory_bytes_max` more than it has now, and a little."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if (held := _data_bytes()) is not None:
        limit = held + memory_bytes_max + BEYOND_BYTES
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OUT_OF_MEMORY_SCORE))
    if sys.platform == "linux":
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _data_bytes() -> int | None:
    """What counts towards RLIMIT_DATA; None where that is not known."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    found = status.partition("VmData:")[2].split()
    return int(found[0]) * 1024 if found else None
