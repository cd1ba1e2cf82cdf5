"""A long journal as a page gets it: of a cluster in which Deployments come and go, with housekeeping between them."""

import json

from cluster_engine.cluster import Cluster
from tests.bench.figures import in_cluster

BATCH_ENTRIES = 2_000
DEPLOYMENTS_MAX = 20


def batches(count: int) -> list[bytes]:
    """Return at least so many entries, as JSON arrays. Takes a minute of CPU for 50,000."""
    return list(in_cluster(lambda cluster: _grown(cluster, count), nodes=2))


async def _grown(cluster: Cluster, count: int) -> list[bytes]:
    journal = cluster.journal
    assert journal is not None
    number, told, grown = 0, 0, []
    while told < count:
        number += 1
        line = f"kubectl create deployment web-{number} --image=nginx --replicas=3; sleep 30"
        await cluster.command(line, lambda *_: None)
        if number > DEPLOYMENTS_MAX:
            await cluster.command(f"kubectl delete deployment web-{number - DEPLOYMENTS_MAX}", lambda *_: None)
        while told < journal.head:
            batch = journal.since(told, BATCH_ENTRIES)
            grown.append(json.dumps(batch, separators=(",", ":")).encode())
            told += len(batch)
    return grown
