"""What a room needs to know of lessons: which there are, what they are called, what cluster they want."""

from functools import lru_cache
from typing import Any

from django.utils.translation import get_language

from visualizer.lessons import cluster_options, courses, library
from visualizer.lessons.lesson import LANGUAGES

SANDBOX = {"nodes": 2, "seed": 1, **cluster_options.DEFAULTS, "lesson": ""}


def choices() -> list[dict[str, str]]:
    """All lessons, for a form, in the active language."""
    return [{"slug": one.path, "title": _title(one.path), "kind": one.kind} for one in courses.ordered()]


def about(slug: str) -> dict[str, str] | None:
    """A lesson's slug and title; None when there is none."""
    return {"slug": slug, "title": _title(slug)} if slug and library.find(slug) is not None else None


def _title(slug: str) -> str:
    lesson = library.find(slug)
    assert lesson is not None
    return library.prose(lesson, _language()).title


def _language() -> str:
    language = (get_language() or "")[:2]
    return language if language in LANGUAGES else "en"


def milestone_titles(slug: str) -> dict[str, str]:
    """What the milestones of a lesson are called, by name, in the active language."""
    lesson = library.find(slug) if slug else None
    if lesson is None:
        return {}
    sections = library.prose(lesson, _language()).sections
    return {one.id: one.title for one in sections if one.kind in {"beat", "check"}}


def cluster_of(slug: str) -> dict[str, Any]:
    """The cluster a learner gets; an empty one when there is no lesson, or none any more."""
    lesson = library.find(slug) if slug else None
    return dict(SANDBOX) if lesson is None else {**lesson.cluster, "lesson": slug}


@lru_cache(maxsize=500)
def milestones(slug: str) -> tuple[str, ...]:
    """What a learner reaches in a lesson, by name: a walkthrough's beats, an exercise's checks."""
    lesson = library.find(slug) if slug else None
    if lesson is None:
        return ()
    return (*(beat.id for beat in lesson.beats), *(check.id for check in lesson.checks))
