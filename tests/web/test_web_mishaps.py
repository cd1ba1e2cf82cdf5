"""A cluster whose process was ended over something comes back with it once, and then goes on without it."""

import pytest
from test_web_revival import in_state, lived, row
from web_until import until

from cluster_engine.deeds import Command
from visualizer import mishaps, selectors
from visualizer.database import in_database
from visualizer.hosting.messages import State
from visualizer.models import Cluster

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def ended_over_it(worker, cluster: str, reason: str) -> None:
    """Its process is ended, as the watchdog does."""
    await until(lambda: cluster in worker.clusters and worker.clusters[cluster].up.is_set())
    await worker.clusters[cluster]._kill(reason)
    await in_state(cluster, "suspended", reason)


async def test_it_comes_back_with_everything_and_then_in_another_without_it(host, worker):
    cluster = await lived(host)
    await host.clusters.ask(cluster, Command("k3", "echo poison"))
    await until(lambda: _has_inputs(cluster, 4))
    await ended_over_it(worker, cluster, "hung")
    suspended = await row(cluster)
    poison = {"reason": "hung", "n": 4, "text": "echo poison", "deaths": 1, "leftOut": False}
    assert suspended.mishap == poison
    await host.revival.wake(suspended)
    await in_state(cluster, "running")
    assert len(await in_database(selectors.inputs)(cluster)) == 4
    await ended_over_it(worker, cluster, "hung")
    await host.revival.wake(await row(cluster))
    old = await in_state(cluster, "ended", "hung")
    new = await in_state(old.successor_id, "running")
    assert [one.n for one in await in_database(selectors.inputs)(new.pk)] == [1, 2, 3]
    assert new.mishap == poison | {"deaths": 2, "leftOut": True}


async def _has_inputs(cluster: str, count: int) -> bool:
    return len(await in_database(selectors.inputs)(cluster)) == count


async def test_something_else_is_counted_afresh(host, worker):
    cluster = await lived(host)
    for line in ("echo one", "echo two", "echo three"):
        await host.clusters.ask(cluster, Command(f"k{line}", line))
        await ended_over_it(worker, cluster, "crashed")
        suspended = await row(cluster)
        assert (suspended.mishap["text"], suspended.mishap["deaths"]) == (line, 1)
        await host.revival.wake(suspended)
        await in_state(cluster, "running")
    assert await in_database(Cluster.objects.count)() == 1


async def test_a_cluster_that_is_ended_over_how_it_begins_does_not_begin_for_ever(host, worker):
    cluster = Cluster(visitor="v")
    await in_database(cluster.save)()
    host.placement.launch(cluster)
    await in_state(cluster.pk, "running")
    await ended_over_it(worker, cluster.pk, "memory")
    await host.revival.wake(await row(cluster.pk))
    await in_state(cluster.pk, "running")
    await ended_over_it(worker, cluster.pk, "memory")
    await host.revival.wake(await row(cluster.pk))
    await in_state(cluster.pk, "ended", "failed")


@pytest.mark.parametrize("reason", ["hung", "memory", "crashed"])
async def test_owners_read_what_happened_and_over_what(reason):
    known = mishaps.after(None, State("suspended", reason, 1, n=3, doing="kubectl apply -f big.yaml"))
    assert mishaps.in_words(known, is_over=False).endswith("The last thing done was: kubectl apply -f big.yaml")
    assert mishaps.in_words(known, is_over=True).endswith("The cluster was brought back.")
    left_out = mishaps.in_words({**known, "leftOut": True}, is_over=True)
    assert left_out.endswith("Since this was the second time, that was left out.")
    assert mishaps.in_words(None, is_over=True) == ""


async def test_a_process_that_is_gone_for_another_reason_blames_nothing():
    assert mishaps.after(None, State("suspended", "worker-lost", 1, n=3, doing="echo")) is None
