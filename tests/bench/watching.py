"""What a watch event costs: many writes to one ConfigMap, with watchers and without; one write before a thousand."""

import asyncio
import functools
import time

from cluster_engine.api.kinds import CONFIG_MAP
from cluster_engine.client.rest import Client
from cluster_engine.cluster import Cluster
from cluster_engine.world.process import Process

EVENTS = 500
WATCHERS = 10
MANY, UPDATES = 1000, 5
SECONDS, SETTLED_SECONDS = 30, 10.0


async def _watch(process: Process) -> None:
    client = Client.from_kubeconfig(process, "/root/.kube/config", user_agent="bench")
    listed = await client.list(CONFIG_MAP, "default")
    process.ready()
    seen = 0
    async with client.watch(CONFIG_MAP, "default", resource_version=listed["metadata"]["resourceVersion"]) as events:
        async for _ in events:
            seen += 1
            if seen == EVENTS:
                return


async def _write(process: Process, *, name: str) -> None:
    client = Client.from_kubeconfig(process, "/root/.kube/config", user_agent="bench")
    await client.create(CONFIG_MAP, {"metadata": {"name": name}, "data": {}}, "default")
    for number in range(EVENTS - 1):
        await client.patch(CONFIG_MAP, name, {"data": {"n": str(number)}}, "default", type="merge")


async def _spent(cluster: Cluster, watchers: int) -> float:
    world, host = cluster.world, cluster.world.host("workstation")
    watching = [world.spawn(host, f"watcher-{number}", _watch) for number in range(watchers)]
    for process in watching:
        await process.wait_ready()
    before = time.process_time()
    writer = world.spawn(host, "writer", functools.partial(_write, name=f"bench-{watchers}"))
    await asyncio.gather(writer.wait(), *(process.wait() for process in watching))
    return time.process_time() - before


async def cost_of_an_event(cluster: Cluster) -> float:
    """Give the CPU seconds that one more watcher costs for each event, server and client together."""
    without = await _spent(cluster, 0)
    return (await _spent(cluster, WATCHERS) - without) / (WATCHERS * EVENTS)


async def update_to_a_thousand(cluster: Cluster) -> float:
    """Give the CPU seconds of one update that a thousand watches hear of, server and clients together."""
    await cluster.command("kubectl create configmap watched", lambda *_: None)
    line = f"watchers --seconds {SECONDS} {MANY} /api/v1/namespaces/default/configmaps"
    watching = cluster.accompany(cluster.command(line, lambda *_: None), "watchers")
    await asyncio.sleep(SETTLED_SECONDS)
    before = time.process_time()
    for number in range(UPDATES):
        await cluster.command(f"kubectl label --overwrite configmap watched n={number}", lambda *_: None)
        await asyncio.sleep(1.0)
    spent = (time.process_time() - before) / UPDATES
    await watching
    return spent
