"""Run tests on a machine that seems to stall. `python -m tests.jitter [--seed N] [--order-only] [arguments of pytest]`

What runs in real time (servers, sockets, browsers, processes of clusters) must come out the same on a busy machine. A
busy machine is many of these: a process that is not run for a while, at any moment. So a random process of the run is
stopped (SIGSTOP) for some random time, then another, until the tests end; within the tests' own processes, loops are
late and threads switch at odd times (`late_loops.py`). What fails only here has a race, its own or the product's.

The order of the tests is another with each seed (`out_of_order.py`); with `--order-only` nothing is stopped or late.
What fails only there leaves something behind, or cannot be set up twice.
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.jitter import late_loops, out_of_order
from tests.jitter.chance import SEED

STALL_SECONDS = 0.15
"""How long a process is stopped, on average; exponentially distributed, as waiting for a turn is."""
STALL_SECONDS_MAX = 2.0
BETWEEN_SECONDS = 0.02


def main() -> int:
    """Run the tests, and stall their processes until they end."""
    parser = argparse.ArgumentParser(prog="python -m tests.jitter", description="Run tests on a stalling machine.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--order-only", action="store_true", help="another order of the tests, and nothing else")
    options, arguments = parser.parse_known_args()
    chance = random.Random(options.seed)
    plugins = [out_of_order] if options.order_only else [out_of_order, late_loops]
    tests = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *(f"-p{plugin.__name__}" for plugin in plugins), *arguments],
        env={**os.environ, SEED: str(options.seed)},
    )
    if options.order_only:
        return tests.wait()
    while tests.poll() is None:
        stall(chance.choice([tests.pid, *descendants(tests.pid)]), chance)
        time.sleep(chance.expovariate(1 / BETWEEN_SECONDS))
    return tests.returncode


def stall(process: int, chance: random.Random) -> None:
    """Stop a process for a while, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGSTOP)
        try:
            time.sleep(min(chance.expovariate(1 / STALL_SECONDS), STALL_SECONDS_MAX))
        finally:
            os.kill(process, signal.SIGCONT)


def descendants(process: int) -> Iterator[int]:
    """Yield the processes that a process has begun, and those that they have."""
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                yield child
                yield from descendants(child)


if __name__ == "__main__":
    sys.exit(main())
