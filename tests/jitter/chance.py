"""Random numbers of a run of tests, which its seed decides."""

import os
from random import Random

SEED = "JITTER_SEED"
"""The environment variable by which the run's processes know its seed."""


def of_run() -> Random:
    """Draw numbers that are alike in every process of a run."""
    return Random(os.environ.get(SEED))


def of_process() -> Random:
    """Draw numbers that are this process' own."""
    return Random(f"{os.environ.get(SEED)} {os.environ.get('PYTEST_XDIST_WORKER')}")
