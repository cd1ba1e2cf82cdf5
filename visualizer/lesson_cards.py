"""Lessons and courses as lists show them: in the reader's language, in the order of the way, with somebody's progress.

A `Shelf` is a course with the cards of its lessons. What is planned and not there yet stands on it as a title, or as a
number where a lesson has no title yet; it never is a link.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils.translation import get_language, gettext

from visualizer import subjects
from visualizer.lessons.courses import Course, course_of, courses, next_of
from visualizer.lessons.lesson import EXERCISE, LANGUAGES, Lesson
from visualizer.lessons.library import find, prose
from visualizer.lessons.prose import Prose
from visualizer.lessons.source import InvalidLessonError
from visualizer.people.notes import Note

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A lesson."""

    lesson: str  # "walkthroughs/<slug>"
    kind: str
    kind_name: str
    url: str
    title: str
    summary: str
    minutes: int
    level: int
    level_name: str
    subject_name: str
    mark: str  # "", "begun" or "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A course."""

    id: str
    url: str
    title: str
    about: str
    cards: tuple[Card, ...]
    coming: tuple[str, ...]  # titles
    planned: int  # lessons without a title yet

    @property
    def minutes(self) -> int:
        """How long its lessons take together."""
        return sum(card.minutes for card in self.cards)

    @property
    def done(self) -> int:
        """How many of its lessons are done."""
        return sum(card.mark == "done" for card in self.cards)

    def only(self, kind: str) -> "Shelf":
        """The lessons of one kind ("walkthrough", "exercise")."""
        return replace(self, cards=tuple(card for card in self.cards if card.kind == kind), coming=(), planned=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a lesson stands: in which course, as the how manieth of how many, and which one comes after it."""

    course: Shelf
    number: int
    of: int
    following: Card | None


def language() -> str:
    """The language of the request, if lessons speak it."""
    code = (get_language() or "")[:2]
    return code if code in LANGUAGES else LANGUAGES[0]


def text_of(lesson: Lesson) -> Prose | None:
    """A lesson's prose; None when it cannot be read (`manage.py lessons check` says why)."""
    try:
        return prose(lesson, language())
    except InvalidLessonError as invalid:
        logger.error("the lesson %s is left out:\n%s", lesson.path, invalid)
        return None


def card(lesson: Lesson, note: Note | None = None) -> Card | None:
    """A lesson's card; None when its prose cannot be read."""
    text = text_of(lesson)
    if text is None:
        return None
    return Card(
        lesson=lesson.path,
        kind=lesson.kind,
        kind_name=gettext("Exercise") if lesson.kind == EXERCISE else gettext("Walkthrough"),
        url=lesson.url,
        title=text.title,
        summary=text.summary,
        minutes=lesson.minutes,
        level=lesson.level,
        level_name=subjects.level(lesson.level),
        subject_name=", ".join(subjects.subject(one) for one in lesson.subjects),
        mark=note.mark if note is not None else "",
    )


def shelves(notes: Mapping[str, Note]) -> list[Shelf]:
    """All courses in order."""
    return [shelf(course, notes) for course in courses()]


def shelf(course: Course, notes: Mapping[str, Note]) -> Shelf:
    """One course."""
    lessons = [lesson for path in course.lessons if (lesson := find(path)) is not None]
    made = [card(lesson, notes.get(lesson.path)) for lesson in lessons]
    return Shelf(
        id=course.id,
        url=reverse("course", args=[course.id]),
        title=course.titles[language()],
        about=course.abouts[language()],
        cards=tuple(one for one in made if one is not None),
        coming=tuple(titles[language()] for titles in course.coming),
        planned=len(course.planned),
    )


def place(lesson: Lesson) -> Place | None:
    """Where a lesson stands; None for one that stands in no course."""
    course, following = course_of(lesson.path), next_of(lesson.path)
    if course is None:
        return None
    return Place(
        course=shelf(course, {}),
        number=course.listed.index(lesson.path) + 1,
        of=len(course.listed),
        following=card(following) if following is not None else None,
    )


def way(listed: list[Shelf]) -> list[dict[str, str]]:
    """All lessons in order, as a page's script reads them to find where somebody goes on (`static/js/pages/way.js`)."""
    return [
        {"course": one.id, "lesson": each.lesson, "title": each.title, "url": each.url}
        for one in listed
        for each in one.cards
    ]
