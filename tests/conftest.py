"""What every test may use."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from cluster_engine.world.story import run_story

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so a shell leaves it to what runs in its background, for ever:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # programs that tests start and interrupt inherit that


@pytest.fixture
def run() -> Callable[..., Any]:
    """Run a story in a world of its own, in leaping virtual time: `run(story, seed=1, tap=None)`."""
    return run_story
