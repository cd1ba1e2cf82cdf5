"""What the state at a position costs, of journals of 1,000, 10,000 and 100,000 entries.

The cluster lives on: Deployments come and go, with housekeeping between them. For each length: the first fold, what it
keeps in memory an entry, and the CPU of a question of each view, at positions that go on through the journal and back.
"""

import statistics
import time
from pathlib import Path
from typing import Any

from cluster_engine.cluster import Cluster
from cluster_engine.journal import Journal
from cluster_engine.state import VIEWS, State
from tests.bench.figures import in_cluster

LENGTHS = (1_000, 10_000, 100_000)
POSITIONS = 20
ARGS = {"object": {"resource": "nodes", "name": "worker-1"}, "rules": {"host": "worker-1"}}
STATM = Path("/proc/self/statm")
PAGE_BYTES = 4096


def measure() -> dict[str, Any]:
    """Return milliseconds of CPU by length and direction, the dearest view's, and what the fold takes."""
    return dict(in_cluster(_asked, nodes=2))


async def _asked(cluster: Cluster) -> dict[str, float]:
    journal = cluster.journal
    assert journal is not None
    number, numbers = 0, {}
    for length in LENGTHS:
        while journal.head < length:
            number += 1
            line = f"kubectl create deployment web-{number} --image=nginx --replicas=3; sleep 30"
            await cluster.command(line, lambda *_: None)
            if number > 20:
                await cluster.command(f"kubectl delete deployment web-{number - 20}", lambda *_: None)
        numbers |= {f"{key}_of_{length}": value for key, value in _of(cluster, journal).items()}
    return numbers


def _of(cluster: Cluster, journal: Journal) -> dict[str, float]:
    state = State(journal, cluster.world.epoch)
    before, began, longest = _resident(), time.process_time(), 0.0
    slice_began = began
    for _ in state.reading("object", journal.head):
        now = time.process_time()
        longest, slice_began = max(longest, now - slice_began), now
    fold = time.process_time() - began
    numbers = {
        "first_fold": fold,
        "longest_slice": longest * 1000,
        "bytes_an_entry": (_resident() - before) / (journal.head - journal.first + 1),
    }
    step = (journal.head - journal.first) // POSITIONS
    onwards = [journal.first + step * place for place in range(1, POSITIONS + 1)]
    for direction, positions in (("forwards", onwards), ("backwards", onwards[::-1])):
        for view in VIEWS:
            numbers[f"{view}_{direction}"] = statistics.median(_cost(state, view, at) for at in positions) * 1000
        numbers[f"dearest_{direction}"] = max(numbers[f"{view}_{direction}"] for view in VIEWS)
    return numbers


def _cost(state: State, view: str, at: int) -> float:
    began = time.process_time()
    state.answer(view, at, ARGS.get(view, {}))
    return time.process_time() - began


def _resident() -> int:
    return int(STATM.read_text().split()[1]) * PAGE_BYTES
