"""A work queue: keys in, each worked on by one worker at a time, failures retried ever more slowly.

Theory of operation. client-go `util/workqueue`. A controller's handlers add keys (`default/web`), its workers take
them. A key added twice before it is taken is taken once. A key added while a worker has it is put back when that
worker says `done`: so no two workers ever have the same key, and no change is missed.

    queue.add("a"); queue.add("a"); queue.add("b")
    await queue.get() -> "a"          queue.add("a")            # changed again meanwhile
    await queue.get() -> "b"          queue.done("a")
    await queue.get() -> "a"

Retries: `add_rate_limited` waits 5 ms × 2ⁿ for the n-th failure of the key, at most 1000 s, and at least as long as a
bucket of 100 refilled with 10 a second says for all keys together; `forget` sets a key's count back.
What it counts, `workqueue_*`, bears its name. Left out: shutting down with drain (a process that ends is cancelled).
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from cluster_engine.api.status import Refusal
from cluster_engine.client.queue_metrics import QueueMetrics
from cluster_engine.client.rate_limits import Limit, TokenBucket
from cluster_engine.metrics.registry import Registry
from cluster_engine.world.process import current_process

Key = TypeVar("Key", bound=Hashable)

BASE_DELAY_SECONDS = 0.005
DELAY_SECONDS_MAX = 1000.0
OVERALL = Limit(10, 100)


class WorkQueue(Generic[Key]):
    """Keys in order of their first addition, each once. Delayed keys keep the earliest of their times."""

    def __init__(
        self,
        name: str = "",
        *,
        base_delay_seconds: float = BASE_DELAY_SECONDS,
        delay_seconds_max: float = DELAY_SECONDS_MAX,
    ) -> None:
        self._base, self._max = base_delay_seconds, delay_seconds_max
        self._queue: deque[Key] = deque()
        self._dirty: set[Key] = set()
        self._processing: set[Key] = set()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._delayed: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._overall = TokenBucket(OVERALL)
        process = current_process.get(None)
        registry = Registry() if process is None else process.metrics
        self._metrics = QueueMetrics(registry, name, self.__len__)

    def __len__(self) -> int:
        """Count the keys that could be taken now."""
        return len(self._queue)

    def add(self, key: Key) -> None:
        """Ask for the key to be worked on."""
        if key in self._dirty:
            return
        self._dirty.add(key)
        self._metrics.added(key)
        if key not in self._processing:
            self._put(key)

    def _put(self, key: Key) -> None:
        self._queue.append(key)
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break

    async def get(self) -> Key:
        """Wait for a key and take it; `done(key)` must follow."""
        while not self._queue:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled() and self._queue:
                    self._wake_another()
                raise
        key = self._queue.popleft()
        self._processing.add(key)
        self._dirty.discard(key)
        self._metrics.taken(key)
        return key

    def _wake_another(self) -> None:
        with contextlib.suppress(IndexError):
            self._waiters.popleft().set_result(None)

    def done(self, key: Key) -> None:
        """Say that the work on a key has ended, well or badly."""
        self._processing.discard(key)
        self._metrics.done(key)
        if key in self._dirty:
            self._put(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Add the key later, unless it is already to be added sooner."""
        if seconds <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        waiting = self._delayed.get(key)
        if waiting is not None:
            if waiting.when() <= loop.time() + seconds:
                return
            waiting.cancel()
        self._delayed[key] = loop.call_later(seconds, self._add_delayed, key)

    def _add_delayed(self, key: Key) -> None:
        del self._delayed[key]
        self.add(key)

    def add_rate_limited(self, key: Key) -> None:
        """Add the key after its back-off."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self._metrics.retried()
        own = min(self._base * 2 ** min(failures, 40), self._max)
        self.add_after(key, max(own, self._overall.reserve()))

    def forget(self, key: Key) -> None:
        """Let the key's next failure count as its first."""
        self._failures.pop(key, None)

    def failures(self, key: Key) -> int:
        """Count `add_rate_limited` since the last `forget`."""
        return self._failures.get(key, 0)

    async def run(
        self,
        sync: Callable[[Key], Awaitable[None]],
        *,
        workers: int = 1,
        retries_max: int | None = None,
        on_error: Callable[[Key, Exception], None] | None = None,
    ) -> None:
        """Run so many workers, for ever."""
        if workers == 1:
            await self.work(sync, retries_max=retries_max, on_error=on_error)
            return
        async with asyncio.TaskGroup() as tasks:
            for _ in range(workers):
                tasks.create_task(self.work(sync, retries_max=retries_max, on_error=on_error))

    async def work(
        self,
        sync: Callable[[Key], Awaitable[None]],
        *,
        retries_max: int | None = None,
        on_error: Callable[[Key, Exception], None] | None = None,
    ) -> None:
        """Be one worker, for ever: refusals and network trouble put the key back with its back-off."""
        while True:
            key = await self.get()
            try:
                if (process := current_process.get(None)) is not None:
                    await process.work("controller.reconcile")
                await sync(key)
            except (Refusal, ConnectionError, TimeoutError) as error:
                if on_error is not None:
                    on_error(key, error)
                if retries_max is None or self.failures(key) < retries_max:
                    self.add_rate_limited(key)
                else:
                    self.forget(key)
            else:
                self.forget(key)
            finally:
                self.done(key)
