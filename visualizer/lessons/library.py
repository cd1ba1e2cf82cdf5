"""All lessons, read once: `library()`, `find("walkthroughs/mutual-tls")`, `prose(lesson, "de")`.

A lesson that cannot be read is left out, with its mistakes in the log and in `Library.errors`; `manage.py lessons
check` and the tests refuse it. Prose is read when it is first asked for, so a worker never does.
"""

import logging
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cluster_engine.words.languages import ORIGIN
from visualizer.lessons import incidents
from visualizer.lessons.lesson import INCIDENTS, LANGUAGES, Lesson
from visualizer.lessons.reading import read_lesson
from visualizer.lessons.source import InvalidLessonError, LessonError, read_text

if TYPE_CHECKING:
    from visualizer.lessons.prose import Prose

logger = logging.getLogger(__name__)

CONTENT = Path(__file__).parent
LESSONS_MAX = 500
_PATH = re.compile(r"(walkthroughs|exercises)/[a-z0-9-]{1,60}")


@dataclass(frozen=True, slots=True)
class Library:
    """Lessons by path, in no order that means anything, and what is wrong with those that are left out."""

    lessons: dict[str, Lesson]
    errors: tuple[LessonError, ...]


def paths(content: Path = CONTENT) -> list[str]:
    """Name every lesson's folder."""
    files = [file for kind in ("walkthroughs", "exercises") for file in sorted(content.glob(f"{kind}/*/lesson.yaml"))]
    folders = [file.parent for file in files]
    return [f"{folder.parent.name}/{folder.name}" for folder in folders[:LESSONS_MAX]]


def read(path: str, content: Path = CONTENT) -> Lesson:
    """Read a lesson afresh. InvalidLessonError."""
    lesson = read_lesson(content / path)
    if lesson.path != path:
        kind = path.split("/", maxsplit=1)[0]
        error = LessonError(lesson.file, 1, f"a {lesson.kind} lies in {kind}/", f"move it to {lesson.path}")
        raise InvalidLessonError([error])
    return lesson


@lru_cache(maxsize=LESSONS_MAX)
def find(path: str) -> Lesson | None:
    """Find a lesson by its path, "walkthroughs/mutual-tls"; None when there is none, or when it cannot be read.

    "incidents/2026-11-27" is made.
    """
    if path.startswith(INCIDENTS):
        return incidents.make(path.removeprefix(INCIDENTS))
    if not _PATH.fullmatch(path) or not (CONTENT / path / "lesson.yaml").is_file():
        return None
    try:
        return read(path)
    except InvalidLessonError as invalid:
        logger.error("the lesson %s is left out:\n%s", path, invalid)
        return None


@lru_cache(maxsize=1)
def library() -> Library:
    """Return all lessons."""
    lessons: list[Lesson] = []
    errors: list[LessonError] = []
    for path in paths():
        lesson = find(path)
        if lesson is not None:
            lessons.append(lesson)
        else:
            errors += _errors(path)
    return Library({lesson.path: lesson for lesson in lessons}, tuple(errors))


def _errors(path: str) -> tuple[LessonError, ...]:
    try:
        read(path)
    except InvalidLessonError as invalid:
        return invalid.errors
    return ()


def prose(lesson: Lesson, language: str) -> "Prose":
    """Read a lesson's prose in one language, once; the English one where it is not there yet. InvalidLessonError."""
    return _prose(_file(lesson, language))


def linked_prose(lesson: Lesson, language: str) -> "Prose":
    """Read it as pages show it, with the words of the glossary marked, once. InvalidLessonError."""
    return _linked_prose(_file(lesson, language), tuple(beat.id for beat in lesson.beats), language)


def _file(lesson: Lesson, language: str) -> Path:
    own = lesson.folder / f"{language}.md"
    return own if own.exists() else lesson.folder / f"{ORIGIN}.md"


@lru_cache(maxsize=LESSONS_MAX * len(LANGUAGES))
def _prose(path: Path) -> "Prose":
    from visualizer.lessons.prose import parse  # only here: the worker does without Markdown

    return parse(read_text(path), str(path))


@lru_cache(maxsize=LESSONS_MAX * len(LANGUAGES))
def _linked_prose(path: Path, beats: tuple[str, ...], language: str) -> "Prose":
    from visualizer.lessons.glossary import linked

    return linked(_prose(path), beats, language)


__all__ = ["Library", "find", "library", "linked_prose", "paths", "prose", "read"]
