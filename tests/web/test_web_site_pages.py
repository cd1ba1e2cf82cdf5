"""The ways in: what a visitor is shown, and that looking starts nothing."""

import asyncio
import html
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import AsyncClient
from django.utils import timezone

from visualizer import lesson_cards, site_pages
from visualizer.database import in_database
from visualizer.lesson_cards import shelves
from visualizer.lessons.courses import course_of, courses, first, next_of, ordered
from visualizer.lessons.glossary import glossary
from visualizer.lessons.library import library
from visualizer.models import Cluster
from visualizer.people.models import Progress

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

PAGES = [
    "/",
    "/walkthroughs/",
    "/exercises/",
    "/map/",
    "/glossary/",
    "/privacy/",
    "/progress/",
    "/account/sign-in/",
    "/account/sign-up/",
]
LESSONS = [lesson.path for lesson in library().lessons.values()]
COURSES = [f"/courses/{course.id}/" for course in courses()]


@pytest.fixture
def client() -> AsyncClient:
    return AsyncClient()


async def text(client, path: str, language: str = "en") -> str:
    response = await client.get(path, headers={"accept-language": language})
    assert response.status_code == 200, path
    return response.content.decode()


@pytest.mark.parametrize("language", ["en", "de"])
async def test_every_page_is_whole_and_has_nothing_that_the_policy_forbids(client, language):
    for path in [*PAGES, *COURSES, *(f"/{lesson}/" for lesson in LESSONS)]:
        page = await text(client, path, language)
        assert f'<html lang="{language}"' in page
        assert page.count("<h1") == page.count("<main") == 1, path
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page), path
        scripts = re.findall(r"<script[^>]*>", page)
        assert all(" src=" in script or 'type="application/json"' in script for script in scripts), path
        assert "{{" not in page, path
        assert "{%" not in page, path


async def test_looking_at_the_doors_starts_no_cluster_and_makes_no_session(client):
    for path in [*PAGES, *COURSES, *(f"/{lesson}/" for lesson in LESSONS)]:
        await text(client, path)
    assert await in_database(Cluster.objects.count)() == 0
    assert "glassplane_session" not in client.cookies


async def test_a_german_browser_is_spoken_to_in_german_and_may_choose(client):
    assert "Eine Control\xa0Plane aus Glas." in await text(client, "/", "de")
    await client.post("/language/", {"language": "en", "next": "/"})
    assert client.cookies["django_language"]["max-age"]
    assert "A Kubernetes control plane made of glass." in await text(client, "/", "de")


@pytest.mark.parametrize("kind", ["", "walkthroughs", "exercises"])
async def test_a_list_names_its_lessons_in_the_order_of_the_courses_with_what_they_need(client, kind):
    page = await text(client, f"/{kind or 'courses'}/")
    listed = re.findall(r'<a class="card-link" href="([^"]+)"', page)
    assert listed == [lesson.url for lesson in ordered() if lesson.path.startswith(kind) and course_of(lesson.path)]
    for one in (card for shelf in shelves({}) for card in shelf.cards if card.lesson.startswith(kind)):
        assert html.escape(one.title) in page
        assert f"{one.kind_name}, {one.minutes} minutes" in page


async def test_a_course_says_what_each_of_its_lessons_is_about_and_which_course_comes_next(client):
    listed = shelves({})
    for shelf, following in zip(listed, [*listed[1:], None], strict=True):
        page = await text(client, shelf.url)
        assert re.findall(r'<a class="card-link" href="([^"]+)"', page) == [card.url for card in shelf.cards]
        assert all(html.escape(card.summary) in page for card in shelf.cards)
        assert (following is None) or f'<a href="{following.url}">{html.escape(following.title)}</a>' in page
    assert (await client.get("/courses/none/")).status_code == 404


@pytest.mark.parametrize(("language", "words"), [("en", "to come"), ("de", "kommt noch")])
async def test_what_is_planned_is_shown_and_leads_nowhere(client, monkeypatch, language, words):
    course = replace(courses()[-1], coming=({"en": "A lesson of tomorrow", "de": "Eine Lektion von morgen"},))
    monkeypatch.setattr(lesson_cards, "courses", lambda: (course,))
    for path in ("/courses/", f"/courses/{course.id}/"):
        page = await text(client, path, language)
        item = re.search(rf'<li class="to-come">({course.coming[0][language]}.*?)</li>', page)[1]
        assert words in item and "<a" not in item


async def test_one_start_leads_into_the_first_lesson_of_the_first_course(client):
    page = await text(client, "/")
    starts = re.findall(r'<a class="button primary[^>]*href="([^"]+)"', page)
    assert starts == [first().url]
    stops = json.loads(re.search(r'<script id="way-data"[^>]*>(.*?)</script>', page)[1])
    assert [stop["lesson"] for stop in stops] == [path for course in courses() for path in course.lessons]


async def test_the_landing_page_is_small_with_all_that_it_loads(client):
    page = await text(client, "/")
    assert len(page) < 24_000
    loaded: set[Path] = set()
    waiting = {settings.ROOT / "static" / path for path in re.findall(r'(?:src|href)="/static/([^"?]+)', page)}
    while waiting - loaded:
        file = (waiting - loaded).pop()
        loaded.add(file)
        if file.suffix == ".js":
            waiting |= {(file.parent / path).resolve() for path in re.findall(r'from "(\.[^"]+)"', file.read_text())}
    assert len(loaded) > 5
    assert sum(file.stat().st_size for file in loaded) < 50_000


async def test_an_introduction_says_where_its_lesson_stands_and_what_comes_after_it(client):
    for lesson in ordered():
        place, page = lesson_cards.place(lesson), await text(client, lesson.url)
        assert f'<a href="/courses/{course_of(lesson.path).id}/">{place.course.title}</a>' in page
        assert f"<span>{place.number} of {place.of}</span>" in page
        following = next_of(lesson.path)
        assert ("After this:" in page) == (following is not None)
        assert following is None or f'After this: <a href="{following.url}">' in page


async def test_lists_without_lessons_say_so(client, monkeypatch):
    monkeypatch.setattr(site_pages, "shelves", lambda notes: [])
    monkeypatch.setattr(lesson_cards, "shelves", lambda notes: [])
    assert "There is nothing here yet" in await text(client, "/walkthroughs/")
    assert "There is nothing here yet" in await text(client, "/progress/")
    assert "Open the sandbox" in await text(client, "/")


async def test_a_lesson_that_is_not_there_is_a_404(client):
    for path in ("/walkthroughs/none/", "/exercises/mutual-tls/", "/walkthroughs/..%2Fx/"):
        assert (await client.get(path)).status_code == 404


async def test_an_introduction_begins_its_lesson_with_a_form(client):
    page = await text(client, "/walkthroughs/mutual-tls/")
    form = re.search(r'<form[^>]*action="/clusters/".*?</form>', page, re.DOTALL)[0]
    assert 'name="lesson" value="walkthroughs/mutual-tls"' in form
    assert 'name="csrfmiddlewaretoken"' in form
    assert "Go on" not in page


async def test_an_introduction_leads_back_to_the_cluster_in_which_the_lesson_was_begun(client):
    session = await client.asession()
    await session.aset("visitor", "v" * 43)
    await session.asave()
    client.cookies["glassplane_session"] = session.session_key
    begun = await in_database(Cluster.objects.create)(
        visitor="v" * 43, lesson="walkthroughs/mutual-tls", state="running"
    )
    page = await text(client, "/walkthroughs/mutual-tls/")
    assert f'href="/clusters/{begun.pk}/"' in page
    assert f'action="/clusters/{begun.pk}/reset/"' in page
    assert f"/clusters/{begun.pk}/" not in await text(AsyncClient(), "/walkthroughs/mutual-tls/")
    await in_database(Cluster.objects.update)(state="ended")
    assert "Go on" not in await text(client, "/walkthroughs/mutual-tls/")


@pytest.mark.parametrize("language", ["en", "de"])
async def test_no_pointer_into_a_diagram_is_left_where_there_is_none(client, language):
    for lesson in LESSONS:
        page = await text(client, f"/{lesson}/", language)
        assert "data-anchor" not in page
        assert 'popovertarget="term"' not in page


@pytest.mark.parametrize(
    ("language", "words"), [("en", "A machine of the cluster"), ("de", "Eine Maschine des Clusters")]
)
async def test_the_glossary_has_a_place_for_every_word_that_is_linked(client, language, words):
    page = await text(client, "/glossary/", language)
    assert words in page
    places = set(re.findall(r'<div id="([a-z0-9-]+)">', page))
    assert places == set(glossary(language))
    linked = re.findall(
        r'class="term" href="/glossary/#([a-z0-9-]+)"', await text(client, "/exercises/node-down/", language)
    )
    assert linked and set(linked) <= places


async def test_what_an_account_has_done_is_marked(client, django_user_model):
    ann = await in_database(django_user_model.objects.create_user)("ann")
    await in_database(Progress.objects.create)(
        user=ann, lesson="walkthroughs/mutual-tls", beat="client-hello", reached=2
    )
    await in_database(client.force_login)(ann)
    await in_database(Progress.objects.create)(
        user=ann, lesson="exercises/order-the-handshake", solved_at=timezone.now()
    )
    page = await text(client, "/courses/")
    assert page.count('data-mark="begun"') == 1
    assert page.count('data-mark="done"') == 1
    of = len(next(course for course in courses() if course.id == "handshake-and-identity").lessons)
    assert f"<span>1 of {of} done</span>" in page
    assert f"<span>1 of {of} done</span>" in await text(client, "/progress/")


async def test_the_privacy_page_names_every_cookie_that_is_set(client, settings):
    page = await text(client, "/privacy/")
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME):
        assert name in page
    assert f"{settings.RECORDINGS_KEPT_DAYS} days after the cluster stopped" in page


DOORS = [
    "/",
    "/courses/",
    "/courses/the-watch/",
    "/walkthroughs/",
    "/exercises/",
    "/rooms/",
    "/join/",
    "/glossary/",
    "/privacy/",
    "/exercises/node-down/",
]


async def test_a_link_to_each_page_says_what_is_behind_it(client):
    told = {}
    for path in DOORS:
        page = await text(client, path)
        title = re.search(r"<title>(.+)</title>", page)[1]
        description = re.search(r'<meta name="description" content="([^"]+)">', page)[1]
        assert f'<meta property="og:title" content="{title}">' in page
        assert f'<meta property="og:description" content="{description}">' in page
        told[path] = (title, description)
    for words in zip(*told.values(), strict=True):
        assert len(set(words)) == len(DOORS)


async def test_search_engines_list_the_doors_and_nothing_that_is_somebodys(client):
    for path in DOORS:
        assert "X-Robots-Tag" not in (await client.get(path)).headers, path
    for path in ("/join/ABC234/", "/rooms/1/", "/rooms/1/console/", "/clusters/x/", "/account/sign-in/", "/nowhere/"):
        assert (await client.get(path)).headers["X-Robots-Tag"] == "noindex", path
    asked = await text(client, "/robots.txt")
    assert "Disallow: /sandbox/" in asked  # it would start a cluster
    assert "Disallow: /clusters/" in asked
    assert "/join/" not in asked  # who may not fetch it cannot read that it is not to be listed


@pytest.mark.parametrize(("language", "words"), [("en", "There is nothing here."), ("de", "Hier ist nichts.")])
async def test_what_is_not_there_is_said_in_the_frame_of_all_pages(client, language, words):
    response = await client.get("/nowhere/", headers={"accept-language": language})
    page = response.content.decode()
    assert response.status_code == 404
    assert words in page
    assert '<nav class="doors-bar"' in page
    assert 'name="next" value="/nowhere/"' in page


async def test_who_was_refused_a_form_and_switches_the_language_is_not_sent_to_the_forms_address(client):
    response = await client.post("/clusters/", {"nodes": "99"})
    assert response.status_code == 400
    assert 'name="next" value="/"' in response.content.decode()


@pytest.mark.parametrize(("language", "words"), [("en", "That was our mistake."), ("de", "Das war unser Fehler.")])
async def test_a_bug_is_said_in_both_languages_without_what_may_have_broken(client, monkeypatch, language, words):
    def broken(*_):
        raise RuntimeError("broken for this test")

    monkeypatch.setattr(site_pages, "shelves", broken)
    client.raise_request_exception = False
    response = await client.get("/", headers={"accept-language": language})
    page = response.content.decode()
    assert response.status_code == 500
    assert words in page
    assert "glass.css" in page
    assert "broken for this test" not in page
    assert "doors-bar" not in page


@pytest.mark.parametrize("path", ["/nowhere/", "/walkthroughs/none/"])
async def test_a_page_that_is_not_there_leaves_no_connection_to_the_database_open(client, path):
    client.cookies["glassplane_session"] = "k" * 32  # so that the page's bar asks who is signed in
    with ThreadPoolExecutor(1) as pool:  # Django makes error pages in a thread of the loop's pool, which lives on
        asyncio.get_running_loop().set_default_executor(pool)
        assert (await client.get(path)).status_code == 404
        assert await asyncio.to_thread(lambda: connection.connection) is None
