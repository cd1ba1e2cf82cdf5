"""The pages of the site that show no cluster: landing page, lists of lessons, their introductions, privacy.

What the templates are given:

`landing.html`          walkthroughs, exercises: how many there are
`walkthroughs.html`, `exercises.html`      cards: [Card], in order
`lesson_intro.html`     card; goal {"title", "html"} or None; sources [Citation]; beats [title]; hosts; list_url,
                        list_name; under_way: the path of the cluster in which this lesson was begun, or ""
`glossary.html`         terms: [Term], by name
`privacy.html`          days: how long journals are kept; session_days; cookies [name]
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_safe

from cluster_engine.cast import cast
from visualizer import subjects
from visualizer.database import in_database
from visualizer.lessons.courses import ordered
from visualizer.lessons.glossary import MARKED
from visualizer.lessons.glossary import glossary as terms
from visualizer.lessons.lesson import EXERCISE, WALKTHROUGH, Lesson
from visualizer.lessons.library import find, linked_prose, prose
from visualizer.lessons.prose import Prose, Section
from visualizer.lessons.source import InvalidLessonError
from visualizer.people.notes import Note
from visualizer.people.selectors import notes_of, under_way
from visualizer.selectors import Owner

logger = logging.getLogger(__name__)

POINTER = re.compile(r'<a href="#" data-anchor="[^"]*">(.*?)</a>', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A lesson as lists show it, in the reader's language."""

    lesson: str  # "walkthroughs/<slug>"
    url: str
    title: str
    summary: str
    minutes: int
    level: int
    level_name: str
    subject_name: str
    mark: str  # "", "begun" or "done"


def cards(kind: str, notes: Mapping[str, Note]) -> list[Card]:
    """All lessons of a kind ("walkthrough", "exercise"), in order, with somebody's progress."""
    made = [card(lesson, notes.get(lesson.path)) for lesson in ordered() if lesson.kind == kind]
    return [one for one in made if one is not None]


def card(lesson: Lesson, note: Note | None) -> Card | None:
    """A lesson's card; None when its prose cannot be read (`manage.py lessons check` says why)."""
    text = _prose(lesson)
    if text is None:
        return None
    return Card(
        lesson=lesson.path,
        url=lesson.url,
        title=text.title,
        summary=text.summary,
        minutes=lesson.minutes,
        level=lesson.level,
        level_name=subjects.level(lesson.level),
        subject_name=", ".join(subjects.subject(one) for one in lesson.subjects),
        mark=note.mark if note is not None else "",
    )


def _prose(lesson: Lesson) -> Prose | None:
    try:
        return prose(lesson, _language())
    except InvalidLessonError as invalid:
        logger.error("the lesson %s is left out:\n%s", lesson.path, invalid)
        return None


def _language() -> str:
    return (get_language() or "en")[:2]


def shelves(notes: Mapping[str, Note]) -> list[dict[str, Any]]:
    """Both kinds of lessons with their cards."""
    return [
        {"name": gettext("Walkthroughs"), "cards": cards(WALKTHROUGH, notes)},
        {"name": gettext("Exercises"), "cards": cards(EXERCISE, notes)},
    ]


@require_safe
async def landing(request: HttpRequest) -> HttpResponseBase:
    """What this is, and where to go; nothing is started."""
    counts = {f"{kind}s": len(cards(kind, {})) for kind in (WALKTHROUGH, EXERCISE)}
    notice = gettext("The account is deleted, with everything that was kept of it.") if "deleted" in request.GET else ""
    return await _page(request, "landing.html", notice=notice, **counts)


@require_safe
async def walkthroughs(request: HttpRequest) -> HttpResponseBase:
    """The walkthroughs there are."""
    return await _page(request, "walkthroughs.html", cards=cards(WALKTHROUGH, await notes(request)))


@require_safe
async def exercises(request: HttpRequest) -> HttpResponseBase:
    """The exercises there are."""
    return await _page(request, "exercises.html", cards=cards(EXERCISE, await notes(request)))


@require_safe
async def walkthrough(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What a walkthrough will show."""
    return await _introduce(request, "walkthroughs", slug)


@require_safe
async def exercise(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What there is to do in an exercise."""
    return await _introduce(request, "exercises", slug)


async def _introduce(request: HttpRequest, kind: str, slug: str) -> HttpResponseBase:
    lesson = find(f"{kind}/{slug}")
    text = _prose(lesson) if lesson is not None else None
    if lesson is None or text is None:
        raise Http404
    return await _page(
        request,
        "lesson_intro.html",
        card=card(lesson, (await notes(request)).get(lesson.path)),
        goal=_shown(linked_prose(lesson, _language()).section("goal")),
        beats=[section.title for beat in lesson.beats if (section := text.section("beat", beat.id))],
        sources=lesson.sources,
        hosts=len(cast(lesson.nodes).describe()["hosts"]),
        list_url=reverse(kind),
        list_name=gettext("Walkthroughs") if kind == "walkthroughs" else gettext("Exercises"),
        under_way=await _under_way(request, lesson.path),
    )


def _shown(section: Section | None) -> dict[str, str] | None:
    """A section as a page without a diagram shows it: there is no entry to point to, and no card beside a word."""
    if section is None:
        return None
    html = MARKED.sub(r'<a class="term" href="/glossary/#\1">\2</a>', POINTER.sub(r"\1", section.html))
    return {"title": section.title, "html": mark_safe(html)}  # made by prose.py


@in_database
def _under_way(request: HttpRequest, lesson: str) -> str:
    cluster = under_way(Owner.of(request.session, request.user), lesson)
    return reverse("cluster", args=[cluster]) if cluster is not None else ""


@in_database
def notes(request: HttpRequest) -> dict[str, Note]:
    """How far the one who asks is, by lesson; what only their browser knows is not in it."""
    return notes_of(request.user) if request.user.is_authenticated else {}


@require_safe
async def glossary(request: HttpRequest) -> HttpResponseBase:
    """What words mean."""
    listed = sorted(terms(_language()).values(), key=lambda term: term.term.casefold())
    return await _page(request, "glossary.html", terms=listed)


@require_safe
async def privacy(request: HttpRequest) -> HttpResponseBase:
    """What is kept of visitors, and for how long."""
    return await _page(
        request,
        "privacy.html",
        days=settings.RECORDINGS_KEPT_DAYS,
        session_days=settings.SESSION_COOKIE_AGE // (60 * 60 * 24),
        session_cookie=settings.SESSION_COOKIE_NAME,
        csrf_cookie=settings.CSRF_COOKIE_NAME,
        language_cookie=settings.LANGUAGE_COOKIE_NAME,
    )


async def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    return await sync_to_async(render)(request, template, context)
