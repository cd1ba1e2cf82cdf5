"""What the scheduler counts: `scheduler_*` (pkg/scheduler/metrics/metrics.go).

    scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"} 3
    scheduler_pending_pods{queue="unschedulable"} 1

Left out: the times of plugins and extension points, preemption. Pods with scheduling gates are not counted as such.
"""

import asyncio
from collections.abc import Iterable

from cluster_engine.metrics.registry import Metric, Registry
from cluster_engine.scheduler.queue import SchedulingQueue

PROFILE = "default-scheduler"
BUCKETS = tuple(0.001 * 2**power for power in range(15))


class SchedulerMetrics:
    """Counts attempts; what waits it looks up in the queue."""

    def __init__(self, registry: Registry, queue: SchedulingQueue) -> None:
        self._queue = queue
        labels = ("profile", "result")
        self._attempts = registry.counter(
            "scheduler_schedule_attempts_total",
            "[STABLE] Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be "
            "scheduled, while 'error' means an internal scheduler problem.",
            labels,
        )
        self._seconds = registry.histogram(
            "scheduler_scheduling_attempt_duration_seconds",
            "[STABLE] Scheduling attempt latency in seconds (scheduling algorithm + binding)",
            BUCKETS,
            labels,
        )
        registry.compute(self._pending)

    def attempted(self, began: float, *, unschedulable: bool) -> None:
        """A node was looked for, and found or not."""
        result = "unschedulable" if unschedulable else "scheduled"
        self._attempts.values[PROFILE, result] += 1
        self._seconds.observe(asyncio.get_running_loop().time() - began, PROFILE, result)

    def _pending(self) -> Iterable[Metric]:
        text = (
            "[STABLE] Number of pending pods, by the queue type. 'active' means number of pods in activeQ; 'backoff' "
            "means number of pods in backoffQ; 'unschedulable' means number of pods in unschedulablePods that the "
            "scheduler attempted to schedule and failed; 'gated' is the number of unschedulable pods that the "
            "scheduler never attempted to schedule because they are gated."
        )
        samples = [({"queue": name}, count) for name, count in self._queue.pending().items()]
        yield "scheduler_pending_pods", "gauge", text, [*samples]
