"""A whole cluster, in leaping time."""

import pytest
from recent import EPOCH

from cluster_engine.cluster import ClusterSpec


@pytest.fixture
def in_copy(copies):
    """Run `story(cluster)` in a copy of a cluster that has started; options are those of `ClusterSpec`."""
    return lambda story, **options: copies.tell(story, ClusterSpec(**{"pace": None, "epoch": EPOCH, **options}))
