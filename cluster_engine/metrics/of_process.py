"""What every program tells of itself: when it began, what it has worked, how many descriptors it has open, its version.

    process_start_time_seconds 1.7672616e+09
    process_cpu_seconds_total 0.31

Modelled on prometheus' process collector and component-base/version. Left out: memory, and what the kernel bounds.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from cluster_engine.metrics.registry import Metric
from cluster_engine.version import VERSION

BUILD = {"git_version": VERSION, "major": "1", "minor": "32", "platform": "linux/amd64"}


class Effort(Protocol):
    """What a program has worked so far, in seconds of a processor."""

    @property
    def spent(self) -> float:
        """Return the seconds."""
        ...


class Process(Protocol):
    """What is told of a program."""

    @property
    def effort(self) -> Effort:
        """Return what it has worked."""
        ...

    @property
    def began(self) -> datetime:
        """Return when it began."""
        ...


def process_metrics(process: Process) -> Iterable[Metric]:
    """Return `process_*`, which every program of Go's has."""
    yield (
        "process_cpu_seconds_total",
        "counter",
        "Total user and system CPU time spent in seconds.",
        [({}, process.effort.spent)],
    )
    yield (
        "process_start_time_seconds",
        "gauge",
        "Start time of the process since unix epoch in seconds.",
        [({}, process.began.timestamp())],
    )


def build_info() -> Iterable[Metric]:
    """Return what Kubernetes' own programs say of their version."""
    text = (
        "[ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, "
        "build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running."
    )
    yield "kubernetes_build_info", "gauge", text, [(BUILD, 1)]
