"""What it costs to compare two runs of 5,000 entries of one seed, which part in their middle.

Both make Deployments; then one scales to three and the other to five, again and again. CPU of the whole, at the
story's altitude with differences only, and of everything at TCP's.
"""

import time
from typing import Any

from cluster_engine.cluster import Cluster
from cluster_engine.comparing import Run, report
from cluster_engine.journal import Entry
from tests.bench.figures import in_cluster

LENGTH = 5_000
PARTED = LENGTH // 2


def measure() -> dict[str, Any]:
    """Return milliseconds of CPU."""
    runs = [Run(_entries(replicas)) for replicas in (3, 5)]
    return {
        "compare_story": _cost(*runs, layer="story", everything=False),
        "compare_all_at_tcp": _cost(*runs, layer="tcp", everything=True),
    }


def _entries(replicas: int) -> list[Entry]:
    entries: list[Entry] = in_cluster(lambda cluster: _told(cluster, replicas), nodes=2)
    return entries


async def _told(cluster: Cluster, replicas: int) -> list[Entry]:
    journal, number = cluster.journal, 0
    assert journal is not None
    while journal.head < LENGTH:
        number += 1
        made = 2 if journal.head < PARTED else replicas
        line = f"kubectl create deployment web-{number} --image=nginx --replicas={made}; sleep 15"
        await cluster.command(line, lambda *_: None)
    return journal.since(0, LENGTH)


def _cost(a: Run, b: Run, **chosen: Any) -> float:
    began = time.process_time()
    report(a, b, **chosen)
    return (time.process_time() - began) * 1000
