"""Runs of one seed that went different ways, as their journals have them."""

import asyncio

import pytest
from recent import EPOCH

from cluster_engine.cluster import ClusterSpec
from cluster_engine.comparing import Run
from cluster_engine.state import State


@pytest.fixture(scope="session")
def recorded(copies):
    """Type lines to a copy of a cluster; give the run, with the history of the Deployment web."""
    known, spec = {}, ClusterSpec(nodes=2, pace=None, epoch=EPOCH)

    def run(*lines, fails=None):
        key = (lines, fails)
        if key not in known:
            known[key] = copies.tell(lambda cluster: _run(cluster, lines, fails), spec)
        return known[key]

    return run


async def _run(cluster, lines, fails):
    if fails is not None:
        cluster.fail("stop", target=fails)
    for line in lines:
        await cluster.command(line, lambda *_: None)
    await asyncio.sleep(12.0)
    journal, state = cluster.journal, State(cluster.journal, cluster.world.epoch)
    for _ in state.reading("object", journal.head):
        pass
    web = {"resource": "deployments", "namespace": "default", "name": "web"}
    histories = [state.answer("object", journal.head, web)]
    return Run(journal.since(0, journal.head), state.answer("objects", journal.head, {}), histories=histories)
