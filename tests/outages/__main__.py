"""Learners at work while everything under them is killed and stopped at random: `make simulate-hosting`.

    python -m tests.outages [--minutes 30] [--learners 20] [--seed 1] [--redis] [--stops]

What is killed (SIGKILL) and stopped (SIGSTOP for a while, then SIGCONT): web servers, workers, fork servers, processes
of clusters and, with `--redis`, the redis-server; the database is locked for a while. With `--stops` it is only
workers, each time for longer than their leases last. The plan is drawn from the seed; what comes of it is not, since
these are real processes. In the end everything is left in peace, and then must agree:

- a journal in the database has no gap, and what pages last saw under a number is what it has there;
- inputs are numbered without a gap;
- a command whose end a page was told is among the inputs, unless the outage came within two seconds: nothing is done
  twice, nothing that was acknowledged is lost, and nobody is told the end of what never was;
- whoever can be brought back works again, and whoever cannot has been told why.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.outages.judge import judge
from tests.outages.learner import Learner
from tests.outages.plan import Outage, next_outage, next_stop
from tests.outages.servers import Servers

SETTLE_SECONDS = 120.0
SETTLE_SECONDS_MAX = 900.0  # twenty clusters replay half an hour each, beside whatever else this machine does
QUIET_SECONDS = (2.0, 12.0)  # between outages


def disturb(servers: Servers, rng: random.Random, until: float, *, stops: bool = False) -> list[Outage]:
    """Break one thing after the other; give what was broken, and when."""
    broken: list[Outage] = []
    while time.monotonic() < until:
        time.sleep(rng.uniform(*QUIET_SECONDS))
        outage = next_stop(rng) if stops else next_outage(rng, servers.kinds())
        broken.append(outage)
        print(f"{outage.began:9.1f} {outage.kind} {outage.how} {outage.seconds:.0f} s", flush=True)
        servers.suffer(outage, rng)
        outage.ended = time.monotonic()
    return broken


def _settle(learners: list[Learner]) -> None:
    """Leave everything in peace, until all clusters are back or will not come any more."""
    began = time.monotonic()
    time.sleep(SETTLE_SECONDS)
    while time.monotonic() < began + SETTLE_SECONDS_MAX and any(one.state == "starting" for one in learners):
        time.sleep(1)


def main() -> None:
    """Serve, learn, break, and judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.outages")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--learners", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--redis", action="store_true")
    parser.add_argument("--stops", action="store_true", help="only stop workers, for 15 to 30 seconds")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder, Servers(Path(folder), redis=options.redis) as servers:
        learners = [Learner(servers.addresses, random.Random(rng.random())) for _ in range(options.learners)]
        threads = [threading.Thread(target=one.work, daemon=True) for one in learners]
        for thread in threads:
            thread.start()
        broken = disturb(servers, rng, time.monotonic() + options.minutes * 60, stops=options.stops)
        _settle(learners)
        for one in learners:
            one.over.set()
        for thread in threads:
            thread.join(60)
        time.sleep(3)  # what was said last is written
        problems = judge(Path(folder), learners, broken)
    done = sum(len(one.done) for one in learners)
    lives = sum(one.life for one in learners)
    print(
        f"{len(broken)} outages, {done} commands done, {lives} lives of {len(learners)} clusters", *problems, sep="\n  "
    )
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
