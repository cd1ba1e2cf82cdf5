"""A cluster to break things in, in leaping time."""

import pytest
from faults_sandbox import Sandbox
from recent import EPOCH

from cluster_engine.cluster import ClusterSpec


@pytest.fixture
def broken(copies):
    """Run `story(sandbox)` in a copy of a cluster of two nodes, or of what options of `ClusterSpec` say."""

    def run(story, **options):
        spec = ClusterSpec(**{"pace": None, "epoch": EPOCH, "nodes": 2, **options})
        return copies.tell(lambda cluster: story(Sandbox(cluster)), spec)

    return run
