"""The audit log: what it adds to a write, at level Metadata, with the lens looking on and without.

Clusters of one seed, with and without an audit log of one line a request, in turn, PAIRS times, since the machine may
become slower meanwhile. Each creates OBJECTS ConfigMaps one after the other by one client, ROUNDS times; the least time
of each kind counts.
"""

import time
from typing import Any

from cluster_engine.api.kinds import CONFIG_MAP
from cluster_engine.client import Client
from cluster_engine.cluster import Cluster
from tests.bench.figures import in_cluster

OBJECTS, ROUNDS, PAIRS = 200, 3, 4


def measure() -> dict[str, Any]:
    """Return the percentage that a write costs more."""
    return {
        "audit_metadata_write_extra": _extra(capture=True),
        "audit_metadata_write_extra_without_lens": _extra(capture=False),
    }


def _extra(*, capture: bool) -> float:
    taken: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(PAIRS):
        for audit, times in taken.items():
            times.append(in_cluster(_write, nodes=1, capture=capture, audit=audit))
    plain, audited = (min(times) for times in taken.values())
    return (audited / plain - 1) * 100


async def _write(cluster: Cluster) -> float:
    best: list[float] = []

    async def main(process: Any) -> None:
        client = Client.from_kubeconfig(process, "/root/.kube/config", user_agent="bench")
        for turn in range(ROUNDS):
            began = time.process_time()
            for number in range(OBJECTS):
                metadata = {"name": f"c{turn}-{number}", "namespace": "default"}
                await client.create(CONFIG_MAP, {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata})
            best.append(time.process_time() - began)
        await client.aclose()

    await cluster.world.spawn(cluster.world.host("workstation"), "bench", main).wait()
    return min(best)
