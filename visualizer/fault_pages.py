"""The pages about what can break: a card for each fault, and the incident of the day.

What the templates are given:

`fault_cards.html`      headings: {part: words}; cards: [fault_cards.Card]
`incident.html`         lesson: its path; slug, is_today; title, summary; goal {"title", "html"};
                        under_way: the path of the cluster in which it was begun, or ""; another: a seed for one more
"""

import random

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from visualizer import fault_cards
from visualizer.database import in_database
from visualizer.lessons import library
from visualizer.lessons.lesson import INCIDENTS
from visualizer.lessons.prose import Prose
from visualizer.people.selectors import under_way
from visualizer.selectors import Owner

ANOTHER_MAX = 999_999


@require_safe
async def cards(request: HttpRequest) -> HttpResponseBase:
    """All cards, to be read one after the other; each has its fault's name for an anchor."""
    language = (get_language() or "en")[:2]
    context = {"cards": fault_cards.cards(language), "headings": fault_cards.headings(language)}
    return await sync_to_async(render)(request, "fault_cards.html", context)


@require_safe
async def incident(request: HttpRequest, slug: str = "") -> HttpResponseBase:
    """The incident of today, in UTC, or of the seed that is asked for; nothing is started."""
    today = timezone.now().date().isoformat()
    slug = slug or request.GET.get("seed", "") or today
    lesson = library.find(f"{INCIDENTS}{slug}")
    if lesson is None:
        raise Http404
    text = library.prose(lesson, (get_language() or "en")[:2])
    context = {
        "lesson": lesson.path,
        "slug": slug,
        "is_today": slug == today,
        "title": text.title,
        "summary": text.summary,
        "goal": _goal(text),
        "under_way": await _under_way(request, lesson.path),
        "another": random.randint(1, ANOTHER_MAX),
    }
    return await sync_to_async(render)(request, "incident.html", context)


def _goal(text: Prose) -> dict[str, str]:
    section = text.section("goal")
    assert section is not None
    return {"title": section.title, "html": mark_safe(section.html)}  # made by lessons/prose.py


@in_database
def _under_way(request: HttpRequest, lesson: str) -> str:
    cluster = under_way(Owner.of(request.session, request.user), lesson)
    return reverse("cluster", args=[cluster]) if cluster is not None else ""
