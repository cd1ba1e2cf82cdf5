"""A workstation with a whole cluster around it, in leaping time."""

import pytest
from engine_workstation import Workstation, living, spec_of


@pytest.fixture
def workstation(copies):
    """Run `story(sh)` on the workstation of a copy of a started cluster; options are those of `ClusterSpec`."""
    return lambda story, **options: copies.tell(lambda cluster: story(Workstation(cluster)), spec_of(**options))


@pytest.fixture(scope="module")
def shared_workstation():
    """Run `story(sh)` on the workstation of a cluster of this module's: for cases that leave nothing behind."""
    with living() as tell:
        yield tell
