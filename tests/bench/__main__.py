"""`make bench`: measure speed and size, print the figures. Nothing here judges them; what cannot be measured says why,
and the rest goes on.

Each figure is measured in a process of its own, several times; the median is printed beside the best and the worst,
with the target it is held against. Figures worth keeping go to docs/benchmarks.md with the date and the machine.

    python -m tests.bench                 all figures
    python -m tests.bench cold_start      one of them
"""

import json
import os
import platform
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figures import FIGURES


def main(names: list[str]) -> None:
    """Measure what was asked for and print a table."""
    print(f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}, Python {platform.python_version()}\n")
    print(f"{'figure':<58} {'median':>10} {'best':>10} {'worst':>10} {'target':>12}")
    broken: list[str] = []
    for name, figure in FIGURES.items():
        if names and name not in names:
            continue
        try:
            results = [_measure(name) for _ in range(figure.runs)]
        except NotMeasuredError as why:
            broken.append(name)
            print(f"{name:<58} broke:\n{why}", flush=True)
            continue
        for key, unit, target in figure.rows:
            values = [result[key] for result in results if key in result]
            if not values:
                print(f"{figure.title(key):<58} {'not measured: ' + results[0].get('why', '?')}")
                continue
            row = [f"{value:.3g} {unit}" for value in (statistics.median(values), min(values), max(values))]
            print(f"{figure.title(key):<58} {row[0]:>10} {row[1]:>10} {row[2]:>10} {target:>12}", flush=True)
    if broken:
        sys.exit(f"not measured: {', '.join(broken)}")


class NotMeasuredError(Exception):
    """A figure's process has ended with an error, which is the text."""


def _measure(name: str) -> dict[str, float]:
    compiled = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }  # as users have it
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.figures", name], capture_output=True, text=True, check=False, env=compiled
    )
    if done.returncode != 0:
        raise NotMeasuredError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def _machine() -> str:
    with Path("/proc/cpuinfo").open() as file:
        model = next(
            (line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown processor"
        )
    return f"{model}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main(sys.argv[1:])
