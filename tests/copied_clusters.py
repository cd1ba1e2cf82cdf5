"""Whole clusters in leaping time to tell stories to: one that lives on, or a copy for each story of one that started.

Theory of operation. A cluster takes a second of CPU to start, a copy by fork some hundredths. So `Copies` starts one
cluster of each spec that is asked for and lets its time stand; a story is told to a copy, which then ends as every
cluster ends, in a process of its own. What the story does to it is done to nobody else, so tests do not depend on their
order.

Copies share one thing, the files in which a journal keeps its history: they would write to one place of one file. So a
copy begins by taking what it has of them into its own memory.
"""

import asyncio
import contextlib
import gc
import os
from collections.abc import Callable, Iterator
from typing import Any

from forked_stories import forked

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.journal import Journal
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop

KEPT_MAX = 4
"""How many clusters wait to be copied; the one that waited longest ends for another."""

Story = Callable[[Cluster], Any]


class Living:
    """A cluster that has started, and whose time passes while a story is told to it only. ValueError: paced."""

    def __init__(self, spec: ClusterSpec) -> None:
        if spec.pace is not None:
            raise ValueError(f"pace={spec.pace}: its stories would take as long as they last; pace=None leaps")
        self._loop = ClusterLoop(Clock(None))
        self._started: asyncio.Future[Cluster] = self._loop.create_future()
        self._over = self._loop.create_future()
        self._alive = self._loop.create_task(self._live(spec))
        try:
            self.cluster = self._loop.run_until_complete(self._start())
        except BaseException:
            self._end_loop()
            raise

    async def _live(self, spec: ClusterSpec) -> None:
        async with Cluster(spec, self._loop) as cluster:
            self._started.set_result(cluster)
            await self._over

    async def _start(self) -> Cluster:
        await asyncio.wait([self._started, self._alive], return_when=asyncio.FIRST_COMPLETED)
        if not self._started.done():
            await self._alive
        return self._started.result()

    def tell(self, story: Story) -> Any:
        """Run `story(cluster)`; a bug in the world ends it."""
        return self._loop.run_until_complete(self._told(story))

    async def _told(self, story: Story) -> Any:
        telling, failed = asyncio.ensure_future(story(self.cluster)), self.cluster.world.failed
        await asyncio.wait([telling, failed], return_when=asyncio.FIRST_COMPLETED)
        if not telling.done():
            await failed
        return telling.result()

    def tell_copy(self, story: Story) -> Any:
        """Run `story(cluster)` with a copy of the cluster, in a process of its own; give what it returns."""
        return forked(lambda: self._as_copy(story))

    def _as_copy(self, story: Story) -> Any:
        gc.freeze()  # what is there already is no garbage of this process's
        if self.cluster.journal is not None:
            _take_into_memory(self.cluster.journal)
        with contextlib.closing(self):
            return self.tell(story)

    def close(self) -> None:
        """End the cluster, and raise what it ends with."""
        self._over.set_result(None)
        try:
            self._loop.run_until_complete(self._alive)
        finally:
            self._end_loop()

    def _end_loop(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


class Copies:
    """Stories told to copies of clusters that have started."""

    def __init__(self) -> None:
        self._kept: dict[ClusterSpec, Living] = {}

    def tell(self, story: Story, spec: ClusterSpec) -> Any:
        """Run `story(cluster)` with a copy of a cluster of that spec; give what it returns."""
        living = self._kept.pop(spec, None) or Living(spec)
        self._kept[spec] = living
        while len(self._kept) > KEPT_MAX:
            self._kept.pop(next(iter(self._kept))).close()
        return living.tell_copy(story)

    def close(self) -> None:
        """End all of them."""
        while self._kept:
            self._kept.popitem()[1].close()


@contextlib.contextmanager
def living(spec: ClusterSpec) -> Iterator[Callable[[Story], Any]]:
    """Keep a new cluster; give what runs `story(cluster)` with it."""
    with contextlib.closing(Living(spec)) as kept:
        yield kept.tell


def _take_into_memory(journal: Journal) -> None:
    """Let a journal go on without the files that it has had so far, which are not its alone."""
    spool = journal._spool
    for chunk in spool._chunks:
        if chunk.file is not None:
            chunk.tail[:0] = os.pread(chunk.file.fileno(), chunk.flushed, 0)
            chunk.close()
            chunk.flushed, chunk.file = 0, None
    spool._directory = None
