"""When the process of a cluster is to be ended: three bounds, and what is looked at to judge them.

- It is *hung* when it has not come to a ping for `HUNG_CPU_SECONDS` of its own processor time: one callback then has
  run for that long. Real time says nothing: on a busy machine everybody waits.
- It has taken too much *memory* when what it holds beyond what it was forked with passes the limit. (The limit the
  kernel keeps for it, `process_limits.py`, is higher: most are ended here, with their owner told, before an allocation
  fails.)
- It *stands still* when it takes no processor time because somebody has stopped it (SIGSTOP). Those who asked it
  something are told that it gives no answer before it could wake and do it after all.

What is looked at is in /proc; where there is none (macOS) real time stands for processor time, at six times the bound.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from visualizer import environment

HUNG_CPU_SECONDS = 10.0
HUNG_SECONDS_ELSEWHERE = 60.0
STOPPED_SECONDS = 15.0
MEMORY_BYTES_MAX = environment.CLUSTER_MEMORY_MIB.default * 1024 * 1024
KIBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process has taken: processor seconds, bytes of private memory; whether it is stopped."""

    cpu_seconds: float
    memory_bytes: int
    stopped: bool


def sample(pid: int) -> Sample | None:
    """Look at a process; None when that cannot be done here, or it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    anonymous = status.partition("RssAnon:")[2].split()
    return Sample(
        cpu_seconds=(int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"),
        memory_bytes=int(anonymous[0]) * KIBIBYTE if anonymous else 0,
        stopped=stat[0] in {"T", "t"},
    )


class Watchdog:
    """Judges one process by the samples it is shown. `now` counts real seconds."""

    def __init__(self, *, memory_bytes_max: int = MEMORY_BYTES_MAX) -> None:
        self._memory_bytes_max = memory_bytes_max
        self._base_bytes: int | None = None
        self._silent_since: tuple[float, float] | None = None  # real and processor seconds
        self._stopped_since: float | None = None

    def answered(self) -> None:
        """It has come to the last ping."""
        self._silent_since = None

    def judge(self, seen: Sample | None, now: float, *, waiting: bool) -> str | None:
        """Say why it is to be ended, if it is. `waiting`: a ping has been sent that it has not come to."""
        if seen is None:
            return self._judge_by_the_clock(now, waiting)
        if self._base_bytes is None:
            self._base_bytes = seen.memory_bytes
        if seen.memory_bytes - self._base_bytes > self._memory_bytes_max:
            return "memory"
        if not seen.stopped:
            self._stopped_since = None
        elif self._stopped_since is None:
            self._stopped_since = now
        elif now - self._stopped_since > STOPPED_SECONDS:
            return "process-lost"
        if not waiting:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = (now, seen.cpu_seconds)
        elif seen.cpu_seconds - self._silent_since[1] > HUNG_CPU_SECONDS:
            return "hung"
        return None

    def _judge_by_the_clock(self, now: float, waiting: bool) -> str | None:
        if not waiting:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = (now, 0.0)
        elif now - self._silent_since[0] > HUNG_SECONDS_ELSEWHERE:
            return "hung"
        return None


__all__ = ["Sample", "Watchdog", "sample"]
