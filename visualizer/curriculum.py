"""The curriculum as a table: which lesson teaches which subject, and which exercise of the curriculum there is.

`manage.py lessons curriculum` writes it to docs/curriculum.md; a test holds that file to the content.
"""

from collections.abc import Iterable, Iterator

from visualizer.lessons import courses
from visualizer.lessons.lesson import EXERCISE, WALKTHROUGH, Lesson
from visualizer.subjects import EXERCISES, SUBJECTS

_HEAD = """\
# The curriculum, and what teaches it

Made from the lessons by `manage.py lessons curriculum`; a test holds it to them. What has no lesson is to come.

## Subjects

| | subject | walkthroughs | exercises |
|---|---|---|---|
"""
_EXERCISES = """
## Exercises

| | exercise | where |
|---|---|---|
"""


def document() -> str:
    """Return docs/curriculum.md."""
    lessons = courses.ordered()
    return "".join((_HEAD, *_subjects(lessons), _EXERCISES, *_exercises(lessons)))


def _subjects(lessons: list[Lesson]) -> Iterator[str]:
    for number, name in SUBJECTS.items():
        of_it = [one for one in lessons if number in one.subjects]
        kinds = (_slugs(one for one in of_it if one.kind == kind) for kind in (WALKTHROUGH, EXERCISE))
        yield f"| {number} | {name} | {' | '.join(kinds)} |\n"


def _exercises(lessons: list[Lesson]) -> Iterator[str]:
    for number, name in EXERCISES.items():
        yield f"| {number} | {name} | {_slugs(one for one in lessons if one.catalogue == number)} |\n"


def _slugs(lessons: Iterable[Lesson]) -> str:
    return ", ".join(f"`{one.slug}`" for one in lessons)


__all__ = ["document"]
