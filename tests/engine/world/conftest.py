"""What the tests of a world share."""

import pytest
from paced_life import FakeMachine, Life


@pytest.fixture
def life():
    lives = []

    def make(pace=1.0, machine=None, every=0.1):
        lives.append(Life(pace, machine or FakeMachine(), every))
        return lives[-1]

    yield make
    for one in lives:
        one.loop.close()
