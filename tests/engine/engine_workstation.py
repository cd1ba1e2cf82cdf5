"""What types lines on a cluster's workstation, what a line did, and clusters to have a workstation of."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime

from forked_stories import forked

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop

EPOCH = datetime(2026, 1, 1, 10, 0, tzinfo=UTC)


@dataclass
class Done:
    """What a line did."""

    code: int
    out: str
    err: str

    @property
    def lines(self):
        return self.out.splitlines()


class Workstation:
    def __init__(self, cluster):
        self.cluster = cluster
        self.host = cluster.world.host("workstation")

    async def __call__(self, line, *, interrupt_after=None, stdin=None):
        out, err = [], []

        def write(stream, text):
            (out if stream == "stdout" else err).append(text)

        running = asyncio.ensure_future(self.cluster.command(line, write, stdin=stdin))
        try:
            code = await asyncio.wait_for(asyncio.shield(running), interrupt_after)
        except TimeoutError:
            running.cancel()
            await asyncio.wait([running])
            code = 130
        return Done(code, "".join(out), "".join(err))

    async def ok(self, line):
        done = await self(line)
        assert done.code == 0, f"{line}: {done.err}"
        return done.out

    async def wait_for(self, line, text, within_seconds=60):
        """Type a line again and again, each second, until its output has the text."""
        for _ in range(within_seconds):
            done = await self(line)
            if text in done.out + done.err:
                return done
            await asyncio.sleep(1)
        raise AssertionError(f"{line} never said {text!r}; at the end: {done.out}{done.err}")


@contextlib.contextmanager
def living(**spec):
    """Keep a new cluster; give what runs `story(sh)` on its workstation. Its time passes while a story is told only."""
    loop = ClusterLoop(Clock(None))
    options = {"pace": None, "capture": False, "epoch": EPOCH, **spec}
    opened, over = loop.create_future(), loop.create_future()

    async def live():
        async with Cluster(ClusterSpec(**options), loop) as cluster:
            opened.set_result(cluster)
            await over

    alive = loop.create_task(live())

    async def told(story):
        await asyncio.wait([opened, alive], return_when=asyncio.FIRST_COMPLETED)
        cluster = opened.result() if opened.done() else alive.result()
        telling = asyncio.ensure_future(story(Workstation(cluster)))
        await asyncio.wait([telling, cluster.world.failed], return_when=asyncio.FIRST_COMPLETED)
        if not telling.done():
            await cluster.world.failed
        return telling.result()

    try:
        yield lambda story: loop.run_until_complete(told(story))
    finally:
        over.set_result(None)
        try:
            loop.run_until_complete(alive)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


@contextlib.contextmanager
def copied(**spec):
    """Start a cluster; give what runs `story(sh)` on the workstation of a copy of it, in a process of its own."""
    with living(**spec) as tell:
        tell(_nothing)
        yield lambda story: forked(lambda: tell(story))


async def _nothing(sh):
    """Have the cluster started."""
