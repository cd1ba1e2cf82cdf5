"""The pages about what can break: a card for each fault.

What the templates are given:

`fault_cards.html`      headings: {part: words}; cards: [(fault_cards.Card, the lessons {"url", "title"} that teach it)]
"""

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from visualizer import fault_cards
from visualizer.lessons import library


@require_safe
async def cards(request: HttpRequest) -> HttpResponseBase:
    """All cards, to be read one after the other; each has its fault's name for an anchor."""
    language = (get_language() or "en")[:2]
    shown = [(card, _lessons(card, language)) for card in fault_cards.cards(language)]
    context = {"cards": shown, "headings": fault_cards.headings(language)}
    return await sync_to_async(render)(request, "fault_cards.html", context)


def _lessons(card: fault_cards.Card, language: str) -> list[dict[str, str]]:
    found = [lesson for path in card.lessons if (lesson := library.find(path)) is not None]
    return [{"url": lesson.url, "title": library.prose(lesson, language).title} for lesson in found]
