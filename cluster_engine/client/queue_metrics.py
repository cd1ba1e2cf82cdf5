"""What is counted of a work queue: `workqueue_*`, labelled with its name (client-go util/workqueue/metrics.go).

workqueue_adds_total{name="deployment"} 12           workqueue_depth{name="deployment"} 0
workqueue_queue_duration_seconds_bucket{name="deployment",le="0.001"} 11   how long keys waited
workqueue_work_duration_seconds_bucket{name="deployment",le="0.1"} 12      how long the work took
workqueue_unfinished_work_seconds, workqueue_longest_running_processor_seconds, workqueue_retries_total
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable

from cluster_engine.metrics.registry import Metric, Registry

BUCKETS = tuple(10.0**power for power in range(-8, 2))


class QueueMetrics:
    """Counts what happens to the keys of one queue. `depth` tells how many could be taken now."""

    def __init__(self, registry: Registry, name: str, depth: Callable[[], int]) -> None:
        self._name, self._depth = name, depth
        self._key = (name,)
        self._time = asyncio.get_running_loop().time
        self._added: dict[Hashable, float] = {}
        self._began: dict[Hashable, float] = {}
        labels = ("name",)
        self._adds = registry.counter(
            "workqueue_adds_total", "[ALPHA] Total number of adds handled by workqueue", labels
        )
        self._retries = registry.counter(
            "workqueue_retries_total", "[ALPHA] Total number of retries handled by workqueue", labels
        )
        self._waited = registry.histogram(
            "workqueue_queue_duration_seconds",
            "[ALPHA] How long in seconds an item stays in workqueue before being requested.",
            BUCKETS,
            labels,
        )
        self._worked = registry.histogram(
            "workqueue_work_duration_seconds",
            "[ALPHA] How long in seconds processing an item from workqueue takes.",
            BUCKETS,
            labels,
        )
        self._adds.values[self._key] += 0
        self._retries.values[self._key] += 0
        registry.compute(self._told)

    def added(self, key: Hashable) -> None:
        """A key was added that was not there."""
        self._adds.values[self._key] += 1
        self._added[key] = self._time()

    def retried(self) -> None:
        """A key is to come again, after a failure."""
        self._retries.values[self._key] += 1

    def taken(self, key: Hashable) -> None:
        """Somebody works on a key."""
        now = self._began[key] = self._time()
        self._waited.observe(now - self._added.pop(key, now), self._name)

    def done(self, key: Hashable) -> None:
        """They have ended."""
        now = self._time()
        self._worked.observe(now - self._began.pop(key, now), self._name)

    def _told(self) -> Iterable[Metric]:
        labels, now = {"name": self._name}, self._time()
        under_way = [now - began for began in self._began.values()]
        for name, text, value in (
            ("depth", "Current depth of workqueue", self._depth()),
            (
                "unfinished_work_seconds",
                "How many seconds of work has done that is in progress and hasn't been observed by work_duration. "
                "Large values indicate stuck threads. One can deduce the number of stuck threads by observing the "
                "rate at which this increases.",
                sum(under_way),
            ),
            (
                "longest_running_processor_seconds",
                "How many seconds has the longest running processor for workqueue been running.",
                max(under_way, default=0.0),
            ),
        ):
            yield f"workqueue_{name}", "gauge", f"[ALPHA] {text}", [(labels, value)]
