"""The pages of the site that show no cluster: landing page, courses, map, lessons' introductions, glossary, privacy.

What the templates are given:

`landing.html`          shelves: [Shelf]; first: the Card to begin with, or None; way: see `lesson_cards.way`
`courses.html`          title, lead; shelves: [Shelf]; way
`course.html`           shelf; following: the Shelf after it, or None; way
`map.html`              regions: [subject_map.Region]; standing: subject_map.Standing; following: the first Card that is
                        not done, or None; other_faults: [subject_map.Fault]; way
`lesson_intro.html`     card; place: Place or None; goal {"title", "html"} or None; sources [Citation]; steps,
                        predictions: how many; hosts; under_way: the path of the cluster in which this lesson was
                        begun, or ""
`glossary.html`         terms: [Term], by name
`privacy.html`          days: how long journals are kept; session_days; cookies [name]
"""

import re
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from cluster_engine.cast import cast
from visualizer import lesson_cards, subject_map
from visualizer.database import in_database
from visualizer.lesson_cards import Card, Shelf, card, language, shelves, text_of
from visualizer.lessons.glossary import MARKED
from visualizer.lessons.glossary import glossary as terms
from visualizer.lessons.lesson import EXERCISE, WALKTHROUGH
from visualizer.lessons.library import find, linked_prose
from visualizer.lessons.prose import Section
from visualizer.people.notes import Note
from visualizer.people.selectors import notes_of, under_way
from visualizer.selectors import Owner

POINTER = re.compile(r'<a href="#" data-anchor="[^"]*">(.*?)</a>', re.DOTALL)


@require_safe
async def landing(request: HttpRequest) -> HttpResponseBase:
    """What this is, and where to go; nothing is started."""
    listed = await _shelves()
    notice = gettext("The account is deleted, with everything that was kept of it.") if "deleted" in request.GET else ""
    return await _page(
        request, "landing.html", notice=notice, shelves=listed, first=_first(listed), way=lesson_cards.way(listed)
    )


def _first(listed: list[Shelf]) -> Card | None:
    return next((one for shelf in listed for one in shelf.cards), None)


@require_safe
async def courses(request: HttpRequest) -> HttpResponseBase:
    """All courses with their lessons."""
    lead = gettext(
        "Lessons in an order in which each needs only what came before. Begin at the top, or where you like."
    )
    return await _courses(request, gettext("Courses"), lead, await _shelves(request))


@require_safe
async def walkthroughs(request: HttpRequest) -> HttpResponseBase:
    """The walkthroughs there are."""
    lead = gettext(
        "Each leads through a real run of a real cluster. Time stands still at every message that matters: read what "
        "it says and why it was sent."
    )
    return await _courses(request, gettext("Walkthroughs"), lead, await _only(request, WALKTHROUGH))


@require_safe
async def exercises(request: HttpRequest) -> HttpResponseBase:
    """The exercises there are."""
    lead = gettext(
        "Each gives a cluster and something to find out or to repair in it. First a prediction, then the attempt; "
        "whether it is solved is read from the wire."
    )
    return await _courses(request, gettext("Exercises"), lead, await _only(request, EXERCISE))


async def _shelves(request: HttpRequest | None = None) -> list[Shelf]:
    """All courses, with the progress of who asks; in a thread, for the first time in a language takes a while."""
    return await sync_to_async(shelves)(await notes(request) if request is not None else {})


async def _only(request: HttpRequest, kind: str) -> list[Shelf]:
    listed = [shelf.only(kind) for shelf in await _shelves(request)]
    return [shelf for shelf in listed if shelf.cards]


async def _courses(request: HttpRequest, title: str, lead: str, listed: list[Shelf]) -> HttpResponse:
    return await _page(
        request, "courses.html", title=title, lead=lead, shelves=listed, way=lesson_cards.way(await _shelves())
    )


@require_safe
async def course(request: HttpRequest, slug: str) -> HttpResponseBase:
    """One course with what each of its lessons is about."""
    listed = await _shelves(request)
    at = next((n for n, shelf in enumerate(listed) if shelf.id == slug), None)
    if at is None:
        raise Http404
    following = listed[at + 1] if at + 1 < len(listed) else None
    return await _page(request, "course.html", shelf=listed[at], following=following, way=lesson_cards.way(listed))


@require_safe
async def map_of_subjects(request: HttpRequest) -> HttpResponseBase:
    """All subjects, with what teaches them, what can break in them, and what of it is done."""
    known = await notes(request)
    listed = await sync_to_async(shelves)(known)
    regions = await sync_to_async(subject_map.regions)(known)
    return await _page(
        request,
        "map.html",
        regions=regions,
        standing=subject_map.standing(regions),
        other_faults=subject_map.other_faults(),
        following=next((one for shelf in listed for one in shelf.cards if one.mark != "done"), None),
        way=lesson_cards.way(listed),
    )


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
    if lesson is None or text_of(lesson) is None:
        raise Http404
    return await _page(
        request,
        "lesson_intro.html",
        card=card(lesson, (await notes(request)).get(lesson.path)),
        place=lesson_cards.place(lesson),
        goal=_shown(linked_prose(lesson, language()).section("goal")),
        sources=lesson.sources,
        steps=len(lesson.beats),
        predictions=len(lesson.questions),
        hosts=len(
            cast(lesson.nodes, system_pods=lesson.system_pods, etcd_members=lesson.etcd_members).describe()["hosts"]
        ),
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
    listed = sorted(terms(language()).values(), key=lambda term: term.term.casefold())
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
