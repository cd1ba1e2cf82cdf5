"""What it takes to write a run of 10,000 entries down in each format, and the longest that a cluster stands for it.

The entries are of a cluster that lives on: Deployments, and the housekeeping between them.
"""

import time
from typing import Any

from cluster_engine.cluster import Cluster
from cluster_engine.export.formats import FORMATS
from cluster_engine.export.selection import Context, Selection
from cluster_engine.export.slices import Exports
from tests.bench.figures import in_cluster
from visualizer.hosting.messages import Export

ENTRIES = 10_000


def measure() -> dict[str, Any]:
    """Return CPU seconds by format, and the milliseconds of the longest slice."""
    return dict(in_cluster(_written, nodes=2))


async def _written(cluster: Cluster) -> dict[str, float]:
    journal = cluster.journal
    assert journal is not None
    number = 0
    while journal.head < ENTRIES:
        number += 1
        await cluster.command(f"kubectl create deployment web-{number} --image=nginx; sleep 30", lambda *_: None)
    numbers, longest = {}, 0.0
    for form, write in FORMATS.items():
        began = time.process_time()
        size = sum(map(len, write(journal, Selection(last=ENTRIES), Context())))
        numbers[f"{form}_of_10000_entries_cpu"] = time.process_time() - began
        if form == "html":
            numbers["html_of_10000_entries_mib"] = size / (1 << 20)
        exports, slice_number, ended = Exports(journal), 0, False
        while not ended:
            began = time.process_time()
            ended = exports.answer(Export("a", slice_number, form, last=ENTRIES)).ended
            longest = max(longest, time.process_time() - began)
            slice_number += 1
    return {**numbers, "longest_slice_of_an_export": longest * 1000}
