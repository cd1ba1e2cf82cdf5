"""What types lines on a cluster's workstation, what a line did, and clusters to have a workstation of."""

import asyncio
import contextlib
from dataclasses import dataclass

import copied_clusters
from recent import EPOCH

from cluster_engine.cluster import ClusterSpec


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


def spec_of(**options):
    """The spec of a cluster to have a workstation of: in leaping time and, unless it is said, without a capture."""
    return ClusterSpec(**{"pace": None, "capture": False, "epoch": EPOCH, **options})


@contextlib.contextmanager
def living(**options):
    """Keep a new cluster; give what runs `story(sh)` on its workstation. Its time passes while a story is told only."""
    with copied_clusters.living(spec_of(**options)) as tell:
        yield lambda story: tell(lambda cluster: story(Workstation(cluster)))
