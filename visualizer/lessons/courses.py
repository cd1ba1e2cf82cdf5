"""Courses: the way through all lessons, for somebody who knows Docker and not Kubernetes. Read from `courses.yaml`.

A lesson stands in one course, and its place there is its place in every list. What is planned stands there too, so that
a learner sees where the way leads: `planned` are lessons whose folder is not there yet, `coming` only a title.

    next_of("walkthroughs/kubectl-to-running")      the lesson after it, in its course or in the one after
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from visualizer.lessons import library
from visualizer.lessons.lesson import LANGUAGES, Lesson
from visualizer.lessons.source import InvalidLessonError, Source
from visualizer.lessons.yaml_values import Place, Problems

FILE = Path(__file__).parent / "courses.yaml"
COURSES_MAX = 20
LESSONS_OF_ONE_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One course. Titles and what it is about are by language; lessons are paths, in order."""

    id: str
    titles: dict[str, str]
    abouts: dict[str, str]
    listed: tuple[str, ...] = ()
    coming: tuple[dict[str, str], ...] = ()

    @property
    def lessons(self) -> tuple[str, ...]:
        """Return the lessons that are there."""
        return tuple(path for path in self.listed if library.find(path) is not None)

    @property
    def planned(self) -> tuple[str, ...]:
        """Return the lessons that are not there yet."""
        return tuple(path for path in self.listed if library.find(path) is None)


def read(file: Path = FILE) -> tuple[Course, ...]:
    """Read the courses. InvalidLessonError with every mistake, its line and its remedy."""
    problems = Problems(Source.read(file), [])
    nothing: list[Place] = []
    places = problems.attempt(lambda: Place(problems.source.data, ()).items(COURSES_MAX, 1), nothing)
    courses = problems.each(places, _course)
    for path in (path for course in courses for path in course.listed):
        if sum(course.listed.count(path) for course in courses) > 1:
            problems.add((), f"{path} stands in the courses twice", "leave it where it belongs")
    if problems.errors:
        raise InvalidLessonError(sorted(set(problems.errors)))
    return courses


def _course(place: Place) -> Course:
    keys = place.keys(("id", "title", "about", "lessons", "coming"), needed=("id", "title", "about", "lessons"))
    return Course(
        id=keys["id"].identifier(),
        titles=_by_language(keys["title"]),
        abouts=_by_language(keys["about"]),
        listed=tuple(one.text() for one in keys["lessons"].items(LESSONS_OF_ONE_MAX)),
        coming=tuple(_by_language(one) for one in keys["coming"].items(LESSONS_OF_ONE_MAX)) if "coming" in keys else (),
    )


def _by_language(place: Place) -> dict[str, str]:
    keys = place.keys(LANGUAGES, needed=LANGUAGES)
    return {language: keys[language].text() for language in LANGUAGES}


@lru_cache(maxsize=1)
def courses() -> tuple[Course, ...]:
    """Return all courses, in order."""
    return read()


def ordered() -> list[Lesson]:
    """Return all lessons in the order of the courses; last those that stand in none."""
    places = {path: n for n, path in enumerate(path for course in courses() for path in course.lessons)}
    lessons = library.library().lessons
    return [lessons[path] for path in sorted(lessons, key=lambda path: (places.get(path, len(places)), path))]


def course_of(path: str) -> Course | None:
    """Find the course in which a lesson stands."""
    return next((course for course in courses() if path in course.listed), None)


def next_of(path: str) -> Lesson | None:
    """Return the lesson after this one; None after the last, and for one that stands in no course."""
    paths = [one for course in courses() for one in course.lessons]
    return library.find(paths[paths.index(path) + 1]) if path in paths[:-1] else None


def first() -> Lesson | None:
    """Return the lesson to begin with."""
    return next((library.find(path) for course in courses() for path in course.lessons), None)


__all__ = ["Course", "course_of", "courses", "first", "next_of", "ordered", "read"]
