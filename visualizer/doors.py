"""The ways in: the landing page, the sandbox, the lists of lessons, their introductions, and what is kept of visitors.

What the templates are given:

`landing.html`          walkthroughs, exercises: how many there are
`walkthroughs.html`, `exercises.html`      cards: [Card], in order
`lesson_intro.html`     card; goal, sources {"title", "html"} or None; beats [title]; hosts; list_url, list_name;
                        under_way: the path of the cluster in which this lesson was begun, or ""
`privacy.html`          days: how long journals are kept; session_days; cookies [name]
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from visualizer.database import in_database
from visualizer.people.notes import Note
from visualizer.people.selectors import notes_of

SANDBOX_NODES = 2


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
    note: Note | None = None


def cards(kind: str, notes: Mapping[str, Note]) -> list[Card]:
    """All lessons of a kind ("walkthroughs", "exercises"), in order, with somebody's progress."""
    return []


def shelves(notes: Mapping[str, Note]) -> list[dict[str, Any]]:
    """Both kinds of lessons with their cards."""
    return [
        {"name": gettext("Walkthroughs"), "cards": cards("walkthroughs", notes)},
        {"name": gettext("Exercises"), "cards": cards("exercises", notes)},
    ]


@require_safe
async def landing(request: HttpRequest) -> HttpResponseBase:
    """What this is, and where to go; nothing is started."""
    counts = {kind: len(cards(kind, {})) for kind in ("walkthroughs", "exercises")}
    notice = gettext("The account is deleted, with everything that was kept of it.") if "deleted" in request.GET else ""
    return await _page(request, "landing.html", notice=notice, **counts)


@require_safe
async def walkthroughs(request: HttpRequest) -> HttpResponseBase:
    """The walkthroughs there are."""
    return await _page(request, "walkthroughs.html", cards=cards("walkthroughs", await notes(request)))


@require_safe
async def exercises(request: HttpRequest) -> HttpResponseBase:
    """The exercises there are."""
    return await _page(request, "exercises.html", cards=cards("exercises", await notes(request)))


@require_safe
async def walkthrough(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What a walkthrough will show."""
    return await _introduce(request, "walkthroughs", slug)


@require_safe
async def exercise(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What there is to do in an exercise."""
    return await _introduce(request, "exercises", slug)


async def _introduce(request: HttpRequest, kind: str, slug: str) -> HttpResponseBase:
    raise Http404


@in_database
def notes(request: HttpRequest) -> dict[str, Note]:
    """How far the one who asks is, by lesson; what only their browser knows is not in it."""
    return notes_of(request.user) if request.user.is_authenticated else {}


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
