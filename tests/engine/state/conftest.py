"""One story for all of this folder's tests that only read it."""

import pytest
from state_story import recorded, with_faults


@pytest.fixture(scope="session")
def told():
    with recorded(with_faults) as recording:
        yield recording
