"""With effort 1 things happen in the order and at about the times of a real cluster."""

from statistics import median
from typing import NamedTuple

import pytest
from recent import EPOCH

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop

SEEDS = range(1, 5)


class Run(NamedTuple):
    """Seconds since the command; where an entry of the journal is meant, its number too."""

    printed: float
    answered: tuple[float, int]
    bound: list[tuple[float, int]]
    cold: float
    warm: float


def in_cluster(story, **spec):
    loop = ClusterLoop(Clock())

    async def tell():
        async with Cluster(ClusterSpec(**{"pace": None, "epoch": EPOCH, "effort": 1.0, **spec}), loop) as cluster:
            return await story(cluster)

    try:
        return loop.run_until_complete(tell())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def phases(cluster):
    return [pod.get("status", {}).get("phase") for pod in cluster.objects("/registry/pods/default/")]


def deployment(replicas):
    async def story(cluster):
        """Create a Deployment, then a pod whose image is there; give entries and times, seconds since the command."""
        head, began = cluster.journal.head, cluster.loop.time()
        printed = []
        line = f"kubectl create deployment web --image=nginx --replicas={replicas}"
        assert await cluster.command(line, lambda _, text: printed.append(cluster.loop.time() - began)) == 0
        await cluster.world.until(lambda: phases(cluster) == ["Running"] * replicas)
        cold, again = cluster.loop.time() - began, cluster.loop.time()
        assert await cluster.command("kubectl run again --image=nginx", lambda *_: None) == 0
        await cluster.world.until(lambda: phases(cluster) == ["Running"] * (replicas + 1))
        warm = cluster.loop.time() - again
        entries = cluster.journal.since(head, 10**6)
        bound = [
            (entry["at"] - began, entry["seq"])
            for entry in entries
            if entry["kind"] == "http.request" and entry["label"].startswith("POST pods/web-")
        ]
        answered = next(
            (entry["at"] - began, entry["seq"])
            for entry in entries
            if entry["kind"] == "http.response" and entry["to"] == "workstation/kubectl"
        )
        return Run(printed[0], answered, bound, cold, warm)

    return story


@pytest.fixture(scope="module")
def runs():
    return {seed: in_cluster(deployment(1), seed=seed, nodes=1) for seed in SEEDS}


def test_kubectl_prints_created_before_the_binding_leaves_the_scheduler(runs):
    for seed, run in runs.items():
        assert run.answered < min(run.bound), f"seed {seed}"
        assert run.printed < min(run.bound)[0], f"seed {seed}"


def test_a_pod_is_bound_within_milliseconds_to_tens_of_them(runs):
    times = [min(run.bound)[0] - run.answered[0] for run in runs.values()]
    assert min(times) > 0.004
    assert median(times) < 0.05
    assert max(times) < 0.2


def test_it_runs_within_about_a_second_on_a_warm_node_and_three_where_the_image_is_pulled(runs):
    assert 1.5 < median(run.cold for run in runs.values()) < 3.5
    assert 0.5 < median(run.warm for run in runs.values()) < 2.0


def test_three_pods_are_bound_in_about_the_time_that_a_real_control_plane_takes():
    run = in_cluster(deployment(3), nodes=1)
    assert len(run.bound) == 3
    assert 0.01 < max(run.bound)[0] < 0.15  # a real one: 0.0876


def test_a_run_with_effort_can_be_run_again():
    def told(pace):
        async def story(cluster):
            await cluster.command("kubectl create deployment web --image=nginx", lambda *_: None)
            await cluster.world.until(lambda: phases(cluster) == ["Running"])
            return [(entry["at"], entry["label"], entry["cause"]) for entry in cluster.journal.since(0, 10**6)]

        return in_cluster(story, pace=pace)

    assert told(None) == told(60.0)


def test_an_effort_beyond_all_bounds_is_refused():
    for effort in (-1.0, 1000.0):
        with pytest.raises(ValueError, match="effort"):
            ClusterSpec(effort=effort)
