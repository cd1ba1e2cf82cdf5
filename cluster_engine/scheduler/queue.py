"""The scheduling queue: which pod is next, which waits, which has no hope until something changes.

Theory of operation. Three places. *Active*: to be scheduled now, highest priority first, then longest waiting.
*Unschedulable*: no node would do; tried again when something happens that might help (a node comes or changes, a bound
pod goes), or after five minutes. *Back-off*: something has happened, but the pod failed so recently that it must wait
first: 1 s after its first failure, then 2, 4, 8, at most 10 s.

    pop web-1 → no node would do → unschedulable      node worker-2 Ready → (1 s not over) back-off → active → pop web-1

Modelled on `pkg/scheduler/backend/queue/scheduling_queue.go`. Left out: queueing hints by plugin (every change of the
cluster that could help any pod wakes all), gates (a gated pod is simply not added).
"""

import asyncio
import heapq

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.client import key_of

BACKOFF_SECONDS, BACKOFF_SECONDS_MAX = 1.0, 10.0
UNSCHEDULABLE_SECONDS_MAX = 300.0
FLUSH_SECONDS = 30.0


class QueuedPod(msgspec.Struct):
    """A pod in the queue. `attempts` counts how often it was taken; `moves` the changes seen when it was."""

    pod: Object
    since: float
    attempts: int = 0
    failed_at: float = 0.0
    moves: int = 0

    def backoff_ends(self) -> float:
        """Say until when it must wait after its last failure."""
        return self.failed_at + min(BACKOFF_SECONDS * 2.0 ** max(0, self.attempts - 1), BACKOFF_SECONDS_MAX)


class SchedulingQueue:
    """Pods that have no node, each in one place only."""

    def __init__(self) -> None:
        self._active: dict[str, QueuedPod] = {}
        self._order: list[tuple[int, float, int, str]] = []
        self._backing_off: dict[str, QueuedPod] = {}
        self._unschedulable: dict[str, QueuedPod] = {}
        self._wake = asyncio.Event()
        self._count = 0
        self._moves = 0
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._flush: asyncio.TimerHandle | None = None

    def pending(self) -> dict[str, int]:
        """Count the pods that wait, by where they do."""
        places = {"active": self._active, "backoff": self._backing_off, "unschedulable": self._unschedulable}
        return {name: len(place) for name, place in places.items()} | {"gated": 0}

    def add(self, pod: Object) -> None:
        """Take a new pod, or a changed one: the change may make it schedulable."""
        key = key_of(pod)
        queued = self._take(key)
        if queued is None:
            queued = QueuedPod(pod, asyncio.get_running_loop().time())
        queued.pod = pod
        self._activate(key, queued)

    def update(self, old: Object, new: Object) -> None:
        """Take a changed pod; only a change of more than its status wakes it."""
        key = key_of(new)
        for place in (self._active, self._backing_off, self._unschedulable):
            if key in place:
                place[key].pod = new
                if place is self._unschedulable and _without_status(old) != _without_status(new):
                    self.move(key)
                return

    def remove(self, pod: Object) -> None:
        """Forget a pod: it is gone, or has a node."""
        self._take(key_of(pod))

    async def pop(self) -> QueuedPod:
        """Wait for the next pod and take it."""
        while True:
            while self._order:
                _, _, _, key = heapq.heappop(self._order)
                if (queued := self._active.pop(key, None)) is not None:
                    queued.attempts += 1
                    queued.moves = self._moves
                    return queued
            self._wake.clear()
            await self._wake.wait()

    def put_back(self, queued: QueuedPod, *, retry: bool = False) -> None:
        """Take back a pod that found no node; `retry`, or a change meanwhile, lets it only wait out its back-off."""
        key = key_of(queued.pod)
        queued.failed_at = asyncio.get_running_loop().time()
        if retry or queued.moves != self._moves:
            self._back_off(key, queued)
            return
        self._unschedulable[key] = queued
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush_old)

    def something_changed(self) -> None:
        """Give every unschedulable pod another chance."""
        self._moves += 1
        for key in list(self._unschedulable):
            self.move(key)

    def move(self, key: str) -> None:
        """Give one unschedulable pod another chance, after its back-off."""
        queued = self._unschedulable.pop(key)
        if queued.backoff_ends() <= asyncio.get_running_loop().time():
            self._activate(key, queued)
        else:
            self._back_off(key, queued)

    def _activate(self, key: str, queued: QueuedPod) -> None:
        self._active[key] = queued
        self._count += 1
        priority = queued.pod["spec"].get("priority") or 0
        heapq.heappush(self._order, (-priority, queued.since, self._count, key))
        self._wake.set()

    def _back_off(self, key: str, queued: QueuedPod) -> None:
        self._backing_off[key] = queued
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_at(queued.backoff_ends(), self._backoff_over, key)

    def _backoff_over(self, key: str) -> None:
        self._timers.pop(key, None)
        if (queued := self._backing_off.pop(key, None)) is not None:
            self._activate(key, queued)

    def _flush_old(self) -> None:
        loop = asyncio.get_running_loop()
        for key, queued in list(self._unschedulable.items()):
            if loop.time() - queued.failed_at > UNSCHEDULABLE_SECONDS_MAX:
                self.move(key)
        self._flush = loop.call_later(FLUSH_SECONDS, self._flush_old) if self._unschedulable else None

    def _take(self, key: str) -> QueuedPod | None:
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()
        for place in (self._active, self._backing_off, self._unschedulable):
            if (queued := place.pop(key, None)) is not None:
                return queued
        return None


def _without_status(pod: Object) -> Object:
    metadata = {key: value for key, value in pod["metadata"].items() if key != "resourceVersion"}
    return {"metadata": metadata, "spec": pod["spec"]}
