"""`make fuzz`: hostile input at everything that reads what a visitor has written.

python -m tests.fuzz --seconds 120                 every target for two minutes, with a seed drawn now and printed
python -m tests.fuzz yaml shell --seed 7           these two, with that seed
python -m tests.fuzz yaml --seed 7 --case 4711     one case again, in this process, and what it is
"""

import argparse
import random
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.fuzz.judge import Verdict, judge, take
from tests.fuzz.targets import TARGETS

SHOWN_CHARACTERS_MAX = 2000


def main(arguments: list[str]) -> int:
    """Run what was asked for; exit code 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", help=f"some of {', '.join(TARGETS)} (default all)")
    parser.add_argument("--seconds", type=float, default=120, help="for each target (default 120)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--jobs", type=int, default=1, help="how many targets at a time (default 1)")
    parser.add_argument("--case", type=int, help="take this one case of one target, in this process")
    options = parser.parse_args(arguments)
    names = options.targets or list(TARGETS)
    if unknown := [name for name in names if name not in TARGETS]:
        parser.error(f"there is no target {unknown[0]}; there are {', '.join(TARGETS)}")
    if options.case is not None:
        return _again(names[0], options.seed, options.case)
    print(f"seed {options.seed}, {options.seconds:g} s each", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        running = {name: pool.submit(judge, name, seed=options.seed, seconds=options.seconds) for name in names}
        return max([_report(name, options.seed, told.result()) for name, told in running.items()])


def _report(name: str, seed: int, verdict: Verdict) -> int:
    print(f"{name}: {verdict.cases} cases, {len(verdict.findings)} findings", flush=True)
    for finding in verdict.findings:
        print(f"\n{name} case {finding.case}: {finding.what}")
        print(f"again: python -m tests.fuzz {name} --seed {seed} --case {finding.case}\n", flush=True)
    return int(bool(verdict.findings))


def _again(name: str, seed: int, case: int) -> int:
    target = TARGETS[name]
    made = repr(target.make(random.Random(f"{name}:{seed}:{case}")))
    print(
        made if len(made) <= SHOWN_CHARACTERS_MAX else f"{made[:SHOWN_CHARACTERS_MAX]}… ({len(made)} characters)",
        flush=True,
    )
    found = take(target, name, seed, case)
    print(found or "nothing is wrong with it")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
