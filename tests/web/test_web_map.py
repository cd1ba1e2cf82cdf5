"""The learner's map: everything is on it once, everything leads somewhere, and it is filled in by what was done."""

import re

import pytest
from django.test import AsyncClient
from django.utils import timezone

from cluster_engine.faults import FAULTS
from visualizer import fault_cards, subject_map
from visualizer.database import in_database
from visualizer.lessons.courses import courses, ordered
from visualizer.lessons.library import find
from visualizer.people.models import Progress
from visualizer.subjects import EXERCISES, SUBJECTS

pytestmark = [pytest.mark.django_db(transaction=True)]


def rows():
    return [subject for region in subject_map.regions({}) for subject in region.subjects]


def test_every_subject_is_taught_and_every_exercise_of_the_curriculum_is_there():
    assert {row.number for row in rows() if not row.walkthroughs} == set()
    assert set(EXERCISES) - {lesson.catalogue for lesson in ordered()} == set()


def test_every_subject_stands_on_the_map_once_with_all_its_lessons():
    assert sorted(row.number for row in rows()) == sorted(SUBJECTS)
    for row in rows():
        of_it = {lesson.path for lesson in ordered() if row.number in lesson.subjects}
        assert {card.lesson for card in row.cards} == of_it
        assert {card.kind for card in row.walkthroughs} <= {"walkthrough"}


def test_every_fault_stands_with_the_subjects_of_its_lessons_or_among_the_others():
    by_name = {fault.name for row in rows() for fault in row.faults}
    others = {fault.name for fault in subject_map.other_faults()}
    assert by_name | others == set(FAULTS)
    assert by_name & others == set()
    for row in rows():
        for fault in row.faults:
            taught = [find(path) for path in fault_cards.facts()[fault.name]["lessons"]]
            assert any(row.number in lesson.subjects for lesson in taught if lesson is not None)


@pytest.mark.asyncio
async def test_what_an_account_has_done_fills_it_in_and_every_link_leads_to_a_lesson_or_a_card(client_of, language):
    done = {"walkthroughs/mutual-tls", "exercises/order-the-handshake"}
    client = await client_of(*done)
    response = await client.get("/map/", headers={"accept-language": language})
    page = response.content.decode()
    assert re.search(r'data-chip="5" data-state="done"', page), "the handshake has these two lessons"
    assert re.search(r'data-chip="6" data-state=""', page)
    assert page.count('data-mark="done"') == sum(card.lesson in done for row in rows() for card in row.cards)
    links = set(re.findall(r'href="/((?:walkthroughs|exercises)/[^/"]+)/"', page))
    assert links == {lesson.path for lesson in ordered()}
    assert set(re.findall(r'href="/faults/cards/#([^"]+)"', page)) == set(FAULTS)


@pytest.mark.asyncio
async def test_the_server_itself_counts_the_subjects_and_says_what_comes_next(client_of):
    async def shown(*done):
        page = (await (await client_of(*done)).get("/map/")).content.decode()
        counts = {state: int(n) for state, n in re.findall(r'<b data-count="(\w*)">(\d+)</b>', page)}
        return counts, re.search(r'id="try-next" href="([^"]+)"[^>]*>([^<]*?):', page)

    way = [lesson.path for course in courses() for path in course.lessons if (lesson := find(path)) is not None]
    counts, button = await shown()
    assert counts == {"done": 0, "begun": 0, "": len(SUBJECTS)}
    assert button.groups() == (f"/{way[0]}/", "Start")
    counts, button = await shown("walkthroughs/mutual-tls", "exercises/order-the-handshake", way[0])
    assert counts["done"] >= 1, "the handshake"
    assert sum(counts.values()) == len(SUBJECTS)
    assert button.groups() == (f"/{way[1]}/", "Try next")
    counts, button = await shown(*way)
    assert counts == {"done": len(SUBJECTS), "begun": 0, "": 0}
    assert button is None


@pytest.fixture(params=["en", "de"])
def language(request):
    return request.param


@pytest.fixture
def client_of(django_user_model):
    """A client of somebody who has done these lessons."""

    async def made(*lessons):
        ann = await in_database(django_user_model.objects.create_user)(f"ann-{len(lessons)}")
        for lesson in lessons:
            await in_database(Progress.objects.create)(user=ann, lesson=lesson, solved_at=timezone.now())
        client = AsyncClient()
        await in_database(client.force_login)(ann)
        return client

    return made
