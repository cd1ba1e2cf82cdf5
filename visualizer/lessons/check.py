"""Checks lessons, as `manage.py lessons check` and the tests do: files, prose, and every way to play them.

report = check("walkthroughs/mutual-tls")
report.errors          []
str(report)            "walkthroughs/mutual-tls   0.45 s   793 entries   13 beats, 4 questions, 9 marks"
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from visualizer.lessons import check_play, check_prose, library
from visualizer.lessons.lesson import LANGUAGES, WALKTHROUGH, Lesson
from visualizer.lessons.prose import Prose, parse
from visualizer.lessons.source import InvalidLessonError, LessonError, read_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found of one lesson. `seconds` are of CPU."""

    path: str
    errors: tuple[LessonError, ...]
    seconds: float = 0.0
    entries: int = 0
    counts: str = "not played"

    def __str__(self) -> str:
        return f"{self.path:<40} {self.seconds:6.2f} s {self.entries:7} entries   {self.counts}"


def chosen(names: Iterable[str], content: Path = library.CONTENT) -> list[str]:
    """Return the paths of the lessons named, by slug or path, all when none is. LookupError when there is none."""
    known = library.paths(content)
    wanted = []
    for name in names:
        found = [path for path in known if name.strip("/") in (path, path.split("/")[1])]
        if not found:
            raise LookupError(f"there is no lesson {name}; lessons are {', '.join(known)}")
        wanted += found
    return wanted or known


def check(path: str, content: Path = library.CONTENT, journals: Path | None = None) -> Report:
    """Check one lesson. What cannot be read is not played. The journals of plays are written to a folder `journals`."""
    began = time.process_time()
    lesson, errors = _read(path, content)
    if lesson is None or errors:
        return Report(path=path, errors=tuple(errors), seconds=time.process_time() - began)
    trial = check_play.play(lesson, journals)
    seconds = time.process_time() - began
    errors = sorted(set(trial.errors))
    counts = f"{_counts(trial)}{_length(lesson, content / path)}"
    return Report(path=path, errors=tuple(errors), seconds=seconds, entries=trial.entries, counts=counts)


def read(path: str, content: Path = library.CONTENT) -> list[LessonError]:
    """Check a lesson's files without playing it."""
    return _read(path, content)[1]


def _read(path: str, content: Path) -> tuple[Lesson | None, list[LessonError]]:
    errors: list[LessonError] = []
    lesson: Lesson | None = None
    try:
        lesson = library.read(path, content)
    except InvalidLessonError as invalid:
        errors += invalid.errors
    texts: dict[str, Prose] = {}
    for language in LANGUAGES:
        file = content / path / f"{language}.md"
        try:
            texts[language] = parse(read_text(file), str(file))
        except InvalidLessonError as invalid:
            errors += invalid.errors
    if lesson is not None:
        errors += check_prose.compare(lesson, texts, library.paths(content))
    return lesson, sorted(set(errors))


def _length(lesson: Lesson, folder: Path) -> str:
    """Say how long a walkthrough is, by language."""
    if lesson.kind != WALKTHROUGH:
        return ""
    files = {language: folder / f"{language}.md" for language in LANGUAGES}
    lengths = {one: check_prose.measure(lesson, parse(read_text(file), str(file))) for one, file in files.items()}
    return "".join(f"; {one} {length.words} words, {length.minutes} min" for one, length in lengths.items())


def _counts(trial: check_play.Trial) -> str:
    lesson = trial.lesson
    counted = {
        "beat": len(lesson.beats),
        "check": len(lesson.checks),
        "question": len(lesson.questions),
        "event": len(lesson.events),
        "mark": len(lesson.marks),
        "near miss": len(lesson.near_misses),
        "cluster": trial.clusters,
    }
    plural = {"near miss": "near misses"}
    return ", ".join(f"{n} {name if n == 1 else plural.get(name, name + 's')}" for name, n in counted.items() if n)


__all__ = ["Report", "check", "chosen", "read"]
