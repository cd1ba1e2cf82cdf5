"""`manage.py lessons check [slug…]`: read and play lessons; every mistake with its file, line and remedy.
`manage.py lessons curriculum`: write docs/curriculum.md, which lesson teaches which subject.

`--folder` is where `walkthroughs/` and `exercises/` lie when it is not the product's own; `--journals` a folder to
which each play's journal is written, for whoever looks for the message to name. `--incidents` plays everything that an
incident of the day can be instead.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from visualizer import curriculum
from visualizer.lessons import library
from visualizer.lessons.check import Report, check, chosen
from visualizer.lessons.incidents import CASES, trial
from visualizer.lessons.source import LessonError

T = TypeVar("T")

CURRICULUM = Path(__file__).parents[3] / "docs" / "curriculum.md"


class Command(BaseCommand):
    """Check lessons."""

    help = "Check lessons: their files, their prose in every language, and every way to play them."
    requires_system_checks = ()  # no database, no pages

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and with which lessons."""
        parser.add_argument("action", choices=["check", "curriculum"])
        parser.add_argument("lesson", nargs="*", help="walkthroughs/mutual-tls, or just mutual-tls; default: all")
        parser.add_argument("--folder", type=Path, default=library.CONTENT, help="where the lessons lie")
        parser.add_argument("--incidents", action="store_true", help="all that an incident can be, instead of lessons")
        parser.add_argument("--journals", type=Path, help="a folder to write the journal of each play to")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, print a line for each, and fail when anything is wrong."""
        if options["action"] == "curriculum":
            CURRICULUM.write_text(curriculum.document())
            return
        if options["journals"] is not None:
            options["journals"].mkdir(parents=True, exist_ok=True)
        if options["incidents"]:
            self._tell(_reports(CASES, partial(trial.check, journals=options["journals"])))
            return
        try:
            paths = chosen(options["lesson"], options["folder"])
        except LookupError as problem:
            raise CommandError(problem.args[0]) from problem
        self._tell(_reports(paths, partial(check, content=options["folder"], journals=options["journals"])))

    def _tell(self, reports: Iterator[Report]) -> None:
        played, seconds, entries, wrong = 0, 0.0, 0, 0
        for report in reports:
            self.stdout.write(str(report))
            for error in report.errors:
                self.stderr.write(_told(error))
            seconds, entries, wrong = seconds + report.seconds, entries + report.entries, wrong + len(report.errors)
            played += 1
        counted = "1 lesson" if played == 1 else f"{played} lessons"
        self.stdout.write(f"{counted}, {seconds:.2f} s of CPU, {entries} entries")
        if wrong:
            raise CommandError(f"{wrong} {'mistake' if wrong == 1 else 'mistakes'}")


def _reports(lessons: Sequence[T], check: Callable[[T], Report]) -> Iterator[Report]:
    """Give a report for each lesson, in order; of several, as many are played at once as there are processors."""
    if len(lessons) == 1:
        yield check(lessons[0])
        return
    workers = min(len(lessons), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(check, lessons)


def _told(error: LessonError) -> str:
    """Say an error with its file as seen from here."""
    here = f"{Path.cwd()}/"
    return str(error).removeprefix(here)
