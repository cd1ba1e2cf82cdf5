"""Container events: what GetContainerEvents streams to whoever asked, from the moment they asked.

A subscriber that does not keep up is cut off (its stream ends with RESOURCE_EXHAUSTED) and must list again: the same
rule as for a slow watcher of the API server. Modelled on containerd's `internal/cri/server/container_events.go`.
"""

import asyncio

from cluster_engine.rpc import cri_pb2 as cri

BACKLOG_EVENTS_MAX = 1000


class Subscriber:
    """One stream's backlog."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[cri.ContainerEventResponse] = asyncio.Queue(BACKLOG_EVENTS_MAX)
        self.overflowed = False


class Events:
    """All streams."""

    def __init__(self) -> None:
        self._subscribers: dict[int, Subscriber] = {}
        self._next = 0

    def subscribe(self) -> tuple[int, Subscriber]:
        """Open a backlog; give the number to close it by."""
        self._next += 1
        self._subscribers[self._next] = Subscriber()
        return self._next, self._subscribers[self._next]

    def unsubscribe(self, number: int) -> None:
        """Close it."""
        self._subscribers.pop(number, None)

    def publish(self, event: cri.ContainerEventResponse) -> None:
        """Tell everyone."""
        for subscriber in self._subscribers.values():
            try:
                subscriber.queue.put_nowait(event)
            except asyncio.QueueFull:
                subscriber.overflowed = True
