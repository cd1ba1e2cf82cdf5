"""What only a whole cluster shows: real kubelets and kube-proxies, faults, and all caches agreeing in the end."""

import asyncio
import contextlib
import functools
import random

import pytest
from control_plane import deployment, service

from cluster_engine.api.kinds import DEPLOYMENT, ENDPOINT_SLICE, NODE, POD, SERVICE
from cluster_engine.api.status import Refusal
from cluster_engine.client import Client
from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.controllers.pods import condition
from cluster_engine.world.clock import LEAP, Clock
from cluster_engine.world.loop import ClusterLoop


def told(story, *, seed=1):
    """Run `story(cluster, client)` on a cluster of two nodes; the client is the administrator's, on the workstation."""

    async def whole(loop):
        async with Cluster(ClusterSpec(pace=None, capture=False, seed=seed), loop) as cluster:
            outcome = loop.create_future()

            async def main(process):
                client = Client.from_kubeconfig(process, "/root/.kube/config", user_agent="test")
                try:
                    outcome.set_result(await story(cluster, client))
                except Exception as error:
                    outcome.set_exception(error)

            cluster.world.spawn(cluster.world.host("workstation"), "story", main)
            await asyncio.wait({outcome, cluster.world.failed}, return_when=asyncio.FIRST_COMPLETED)
            if cluster.world.failed.done():
                await cluster.world.failed
            return await outcome

    loop = ClusterLoop(Clock(LEAP))
    try:
        return loop.run_until_complete(whole(loop))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def agrees(cluster, client):
    """Tell whether Deployment, pods, endpoints and both nodes' rules say the same number."""
    web = await client.get(DEPLOYMENT, "web", "default")
    replicas, status = web["spec"].get("replicas", 0), web.get("status", {})
    pods = (await client.list(POD, "default"))["items"]
    slices = (await client.list(ENDPOINT_SLICE, "default", labelSelector="kubernetes.io/service-name=web"))["items"]
    numbers = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    numbers += [len(pods), sum(len(one.get("endpoints") or ()) for one in slices)]
    nat = [cluster.world.host(f"worker-{n}").packet_filter.tables["nat"].text for n in (1, 2)]
    numbers += [text.count("--to-destination 10.244") for text in nat]
    return all(number == replicas for number in numbers), (replicas, numbers)


async def converges(cluster, client, within_seconds):
    deadline = cluster.loop.time() + within_seconds
    while True:
        try:
            agreed, seen = await agrees(cluster, client)
        except (Refusal, ConnectionError, TimeoutError) as error:
            agreed, seen = False, error
        if agreed:
            return
        assert cluster.loop.time() < deadline, seen
        await asyncio.sleep(5)


async def with_web(cluster, client, replicas=4):
    await client.create(DEPLOYMENT, deployment(replicas=replicas))
    await client.create(SERVICE, service())
    await converges(cluster, client, 60)


def test_pods_of_a_node_that_was_cut_off_are_ready_again_once_it_is_heard():
    async def story(cluster, client):
        await with_web(cluster, client)
        cluster.world.network.partition("control-plane", "worker-1")
        await asyncio.sleep(80)
        pods = (await client.list(POD, "default", fieldSelector="spec.nodeName=worker-1"))["items"]
        assert {condition(pod, "Ready")["status"] for pod in pods} == {"False"}
        assert condition(await client.get(NODE, "worker-1"), "Ready")["status"] == "Unknown"
        cluster.world.network.heal("control-plane", "worker-1")
        await converges(cluster, client, 120)
        names = {pod["metadata"]["name"] for pod in pods}
        again = (await client.list(POD, "default", fieldSelector="spec.nodeName=worker-1"))["items"]
        assert names == {pod["metadata"]["name"] for pod in again}

    told(story)


def test_everyone_lists_again_after_the_api_server_was_away():
    async def story(cluster, client):
        await with_web(cluster, client)
        program = cluster.supervisor.programs["control-plane/kube-apiserver"]
        cluster.processes["control-plane/kube-apiserver"].kill()
        await asyncio.sleep(5)
        cluster.processes["control-plane/kube-apiserver"] = cluster.supervisor.spawn(program)
        await asyncio.sleep(20)
        await client.patch(DEPLOYMENT, "web", {"spec": {"replicas": 2}}, "default")
        await converges(cluster, client, 15)

    told(story)


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_after_random_faults_everything_agrees_again(seed):
    async def story(cluster, client):
        await with_web(cluster, client)
        rng = random.Random(seed)
        programs = cluster.supervisor.programs

        async def later(seconds, act):
            await asyncio.sleep(seconds)
            act()

        def revive():
            for name, process in list(cluster.processes.items()):
                if not process.is_alive:
                    cluster.processes[name] = cluster.supervisor.spawn(programs[name])

        async with asyncio.TaskGroup() as healing:
            for _ in range(8):
                await asyncio.sleep(rng.uniform(1, 30))
                match rng.choice(["kill", "kill", "partition", "change"]):
                    case "kill":
                        cluster.processes[rng.choice(sorted(programs))].kill()
                        healing.create_task(later(rng.uniform(0.1, 40), revive))
                    case "partition":
                        ends = ("control-plane", rng.choice(["worker-1", "worker-2"]))
                        cluster.world.network.partition(*ends)
                        heal = functools.partial(cluster.world.network.heal, *ends)
                        healing.create_task(later(rng.uniform(1, 90), heal))
                    case _:
                        container = {"name": "nginx", "image": f"nginx:1.{rng.randint(20, 27)}"}
                        spec = {"replicas": rng.randint(1, 8), "template": {"spec": {"containers": [container]}}}
                        with contextlib.suppress(Refusal, ConnectionError, TimeoutError):  # the server may be down
                            await client.patch(DEPLOYMENT, "web", {"spec": spec}, "default")
        await converges(cluster, client, 400)

    told(story, seed=seed)


def test_a_controller_creates_twenty_pods_a_second_after_the_first_thirty(cluster):
    async def story(cluster):
        await cluster.client.create(DEPLOYMENT, deployment(replicas=70))
        begun = cluster.world.loop.time()

        async def created():
            return len(await cluster.items(POD, "default")) == 70

        await cluster.until(created)
        return cluster.world.loop.time() - begun

    # a POST for each pod, and some more for the Events of the first of them
    assert 2 <= cluster(story) <= 4
