"""What a cluster holds after a while of steady work, it holds after twice as long: all that grows has a bound."""

import asyncio
import gc

import pytest
from weighing import containers

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.journal import Journal
from cluster_engine.journal.kept import Kept
from cluster_engine.journal.recent import Recent
from cluster_engine.journal.spool import Chunk
from cluster_engine.rpc.http2 import CLOSED_STREAMS_MAX
from cluster_engine.world.loop import ClusterLoop

COMPACTION_MINUTES = 5
"""The API server has etcd forget what is older, so what etcd holds is the same every five minutes."""

ITEMS_MIN = CLOSED_STREAMS_MAX + 1


@pytest.mark.timeout(240)  # quarter of an hour of work, and every object looked at
@pytest.mark.long
def test_nothing_grows_with_the_hours_but_what_has_a_bound():
    gc.unfreeze()  # what was set aside is looked at too
    gc.collect()
    imported = [id(one) for one in containers(items_min=ITEMS_MIN).values()]
    loop = ClusterLoop()

    async def work(cluster: Cluster, minutes: int) -> None:
        for minute in range(minutes):
            assert await cluster.command(f"kubectl annotate node worker-1 --overwrite a={minute}", print) == 0
            await asyncio.sleep(60)

    async def story() -> None:
        async with Cluster(ClusterSpec(nodes=1, pace=None), loop) as cluster:
            await work(cluster, 2 * COMPACTION_MINUTES)
            gc.collect()
            before = {place: len(one) for place, one in containers(besides=imported, items_min=ITEMS_MIN // 2).items()}
            await work(cluster, COMPACTION_MINUTES)
            gc.collect()
            grown = [
                one
                for place, one in containers(besides=imported, items_min=ITEMS_MIN).items()
                if len(one) > 1.2 * before.get(place, 0)
            ]
            bounded = (Recent, Journal, Kept, Chunk)  # by entries, by what their spool holds, by TAIL_BYTES_MAX
            unbounded = [
                one for one in grown if not any(isinstance(holder, bounded) for holder in gc.get_referrers(one))
            ]
            assert grown, "the journal, at least"
            assert not unbounded, [(type(one), len(one), str(one)[:200]) for one in unbounded]

    try:
        loop.run_until_complete(story())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
