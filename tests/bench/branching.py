"""A branch at entry 5,000 of a run that lives: how long until it stands there.

The run is lived in leaping time: Deployments come and go, with housekeeping between them. Its inputs taken before the
entry are then replayed by a cluster of its own thread, as a worker does it; from its start to its standing still, in
real seconds and in CPU.
"""

import time
from typing import Any

from cluster_engine.deeds import Command, Input, taken_before
from cluster_engine.run import Run
from cluster_engine.thread import ClusterSpec, ClusterThread
from cluster_engine.world.work import REAL_EFFORT

POSITION = 5_000


def measure() -> dict[str, Any]:
    """Return seconds until a branch stands at the position, the CPU of that, and the virtual time it has come to."""
    entries: list[dict[str, Any]] = []
    told: list[Any] = []
    parent = _thread(Run(told.append), entries)
    parent.start().result(60)
    number = 0
    while len(entries) < POSITION + 500:
        number += 1
        lines = f"kubectl create deployment web-{number} --image=nginx --replicas=3; sleep 20"
        parent.put(Command(f"k{number}", lines)).result(60)
        while sum(getattr(one, "code", None) is not None for one in told) < number:
            time.sleep(0.01)
    parent.stop().result(60)
    at = entries[POSITION - 1]
    inputs = taken_before([one for one in told if isinstance(one, Input)], POSITION, at["arrived"])
    again: list[dict[str, Any]] = []
    began, cpu = time.monotonic(), time.process_time()
    branch = _thread(Run(past=inputs, until=at["arrived"], paused=True), again)
    branch.start().result(120)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    branch.stop().result(60)
    assert len(again) >= POSITION
    assert [one["label"] for one in again] == [one["label"] for one in entries[: len(again)]]
    return {"branch_at_5000": seconds, "branch_at_5000_cpu": cpu, "branch_at_5000_virtual": at["arrived"]}


def _thread(run: Run, entries: list[dict[str, Any]]) -> ClusterThread:
    spec = ClusterSpec(nodes=2, seed=1, pace=1000.0, effort=REAL_EFFORT)
    return ClusterThread(spec, on_entries=entries.extend, run=run)
