"""Memory of a cluster in which somebody works steadily for hours: does it come to rest?

Two nodes, the lens on, in leaping time: a Deployment is scaled each minute, its pods and events are looked at. What
etcd holds grows for an hour, until the first Events expire, and the journal's index until its oldest entries go, at
about 50,000. *Private* is what the process has written to and has for itself; *blocks* are what Python has allocated.
"""

import asyncio
import gc
import sys
import time
from pathlib import Path
from typing import Any

from cluster_engine.cluster import Cluster

MINUTES = (10, 60, 90, 120)
LOOK = "kubectl get pods; kubectl get events"
KIBIBYTES_A_MEBIBYTE = 1024


def private_mib() -> float:
    """Read how much of this process's memory is its own."""
    text = Path("/proc/self/smaps_rollup").read_text()
    return int(text.partition("\nPrivate_Dirty:")[2].split()[0]) / KIBIBYTES_A_MEBIBYTE


async def growing(cluster: Cluster) -> dict[str, Any]:
    """Work for two hours; give memory at some of the minutes, and what an entry adds in the last of them."""
    assert cluster.journal is not None
    numbers: dict[str, Any] = {}
    seen: list[tuple[int, int]] = []
    began = time.process_time()
    await cluster.command("kubectl create deployment web --image=nginx", _nowhere)
    for minute in range(1, MINUTES[-1] + 1):
        await cluster.command(f"kubectl scale deployment web --replicas={2 + minute % 2 * 2}", _nowhere)
        await asyncio.sleep(30)
        await cluster.command(LOOK, _nowhere)
        await asyncio.sleep(30)
        if minute in MINUTES:
            gc.collect()
            numbers[f"private_after_{minute}_minutes"] = private_mib()
            seen.append((cluster.journal.head, sys.getallocatedblocks()))
    (entries, blocks), (entries_later, blocks_later) = seen[-2:]
    numbers["entries_in_two_hours"] = entries_later
    numbers["blocks_an_entry_in_the_last_half_hour"] = (blocks_later - blocks) / (entries_later - entries)
    numbers["two_busy_hours_cpu"] = time.process_time() - began
    return numbers


def _nowhere(_stream: str, _text: str) -> None:
    """Nobody reads what is printed."""
