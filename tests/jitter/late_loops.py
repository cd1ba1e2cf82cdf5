"""A plugin of pytest's: every asyncio loop of the tests' own process is late now and then, threads switch at odd times.

Stalls of whole processes (`__main__`) leave the order among the threads of one process as it is; this does not.
"""

import asyncio
import sys
import time
from typing import Any

from tests.jitter.chance import of_process

LATE_SHARE = 0.04
LATE_SECONDS = 0.015
"""On average; exponentially distributed."""
LATE_SECONDS_MAX = 0.3
SWITCH_SECONDS = (1e-5, 1e-4, 0.005, 0.05)


def pytest_configure() -> None:
    """Begin."""
    chance = of_process()
    sys.setswitchinterval(chance.choice(SWITCH_SECONDS))
    loops: Any = asyncio.base_events.BaseEventLoop
    once = loops._run_once

    def late(loop: Any) -> None:
        if chance.random() < LATE_SHARE:
            time.sleep(min(chance.expovariate(1 / LATE_SECONDS), LATE_SECONDS_MAX))
        once(loop)

    loops._run_once = late
