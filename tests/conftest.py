"""What every test may use."""

from collections.abc import Callable
from typing import Any

import pytest

from cluster_engine.world.story import run_story


@pytest.fixture
def run() -> Callable[..., Any]:
    """Run a story in a world of its own, in leaping virtual time: `run(story, seed=1, tap=None)`."""
    return run_story
