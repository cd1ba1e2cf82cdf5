"""`make simulate SEEDS=n`: n clusters, each with a plan drawn from its seed; every invariant is judged over each.

python -m tests.simulate --seeds 100 --first 1 --jobs 2       a seed that fails prints its plan and what is violated
python -m tests.simulate --first 17 --epoch 2026-11-21T10:00:00.25+00:00 --journal 17.jsonl
                                                              one seed again, with its journal

A run depends on its seed and on the second, and its fraction, at which its world begins: objects are dated. Some plans
are played again (`again`): in one of ten paused and stepped, in one of twenty replayed from inputs and one undone.
"""

import argparse
import functools
import multiprocessing
import sys
import time
import traceback
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cluster_engine.collecting import collect_seldom
from tests.recent import EPOCH
from tests.simulate.again import played_again
from tests.simulate.judge import judge
from tests.simulate.plan import draw
from tests.simulate.play import play


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one seed; `report` is empty when every invariant holds."""

    seed: int
    report: str
    cpu_seconds: float
    virtual_seconds: float
    entries: int


def simulate(seed: int, epoch: datetime, journal: Path | None = None) -> Result:
    """Play one seed in a world that begins at `epoch`, and judge it."""
    began = time.process_time()
    plan = draw(seed)
    with journal.open("wb") if journal else nullcontext() as export:
        story = play(plan, epoch, export)
    violations = [str(one) for one in (*judge(story), *played_again(plan, story))]
    if story.failure is not None:
        violations.append("".join(traceback.format_exception(story.failure)))
    again = f"python -m tests.simulate --first {seed} --epoch {epoch.isoformat()} --journal {seed}.jsonl"
    report = "\n".join([f"seed {seed} fails: {plan}", "", *violations, "", f"again: {again}"]) if violations else ""
    return Result(seed, report, time.process_time() - began, story.seconds, len(story.entries))


def main(arguments: list[str]) -> int:
    """Run what was asked for; exit code 1 when a seed failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulate", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1, help="how many (default 1)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (default 1)")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time (default 1)")
    parser.add_argument("--journal", type=Path, help="write the journal of the one seed to this file, as JSON lines")
    parser.add_argument(
        "--epoch",
        type=_date,
        default=EPOCH,
        help="when the worlds begin: now, recent (default), or a date",
    )
    parser.add_argument("--plan", action="store_true", help="only print the plan")
    options = parser.parse_args(arguments)
    seeds = range(options.first, options.first + options.seeds)
    if options.journal and len(seeds) != 1:
        parser.error("--journal is for one seed")
    if options.plan:
        print("\n\n".join(f"seed {seed}: {draw(seed)}" for seed in seeds))
        return 0
    collect_seldom()
    if options.jobs == 1:
        return _report(simulate(seed, options.epoch, options.journal) for seed in seeds)
    with multiprocessing.Pool(options.jobs) as pool:
        return _report(pool.imap_unordered(functools.partial(simulate, epoch=options.epoch), seeds))


def _date(text: str) -> datetime:
    if text in ("now", "recent"):
        return EPOCH if text == "recent" else datetime.now(UTC)
    date = datetime.fromisoformat(text)
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _report(results: Iterable[Result]) -> int:
    began = time.monotonic()
    done = []
    for result in results:
        done.append(result)
        if result.report:
            print(f"{result.report}\n", flush=True)
    failed = sorted(result.seed for result in done if result.report)
    cpu = [result.cpu_seconds for result in done]
    longest = max(done, key=lambda result: result.entries)
    print(
        f"{len(done)} seeds, {len(failed)} failed{f': {failed}' if failed else ''}; "
        f"{sum(result.virtual_seconds for result in done) / 3600:.1f} virtual hours, "
        f"{sum(result.entries for result in done)} entries (most: {longest.entries} of seed {longest.seed}); "
        f"{time.monotonic() - began:.0f} s, CPU per seed {sum(cpu) / len(cpu):.2f} s (worst {max(cpu):.1f})"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
