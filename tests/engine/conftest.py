"""A workstation with a whole cluster around it, in leaping time."""

import pytest
from engine_workstation import copied, living


@pytest.fixture(scope="session")
def copied_workstation():
    """Run `story(sh)` on the workstation of a copy of one cluster that has started."""
    with copied() as tell:
        yield tell


@pytest.fixture
def workstation(request):
    """Run `story(sh)` on the workstation of a new cluster; one as most are made has been started, and is copied."""

    def start(story, **spec):
        if not spec:
            return request.getfixturevalue("copied_workstation")(story)
        with living(**spec) as tell:
            return tell(story)

    return start


@pytest.fixture(scope="module")
def shared_workstation():
    """Run `story(sh)` on the workstation of a cluster of this module's: for cases that leave nothing behind."""
    with living() as tell:
        yield tell
