"""Every fault has a card in every language; its lines can be typed, its lessons exist, and all are one page."""

import asyncio
import re

import pytest
from django.test import AsyncClient

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.faults import FAULTS
from cluster_engine.words.languages import languages
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop
from visualizer import fault_cards
from visualizer.lessons import courses, library

WORDS_MAX = 230
SOURCE = re.compile(r"https://\S+|kubernetes v1\.32 [\w./-]+\.go(: .+)?")


@pytest.fixture(params=languages())
def cards(request: pytest.FixtureRequest) -> list[fault_cards.Card]:
    return fault_cards.cards(request.param)


def test_every_fault_that_is_offered_has_a_card_and_no_other(cards: list[fault_cards.Card]) -> None:
    assert sorted(card.name for card in cards) == sorted(FAULTS)


def test_a_card_says_all_its_parts_in_few_words_and_its_question_ends_with_a_question_mark(
    cards: list[fault_cards.Card],
) -> None:
    for card in cards:
        texts = [card.breaks, *card.look, card.heals, card.question, card.answer]
        assert all(text.strip() == text and text for text in texts), card.name
        assert 2 <= len(card.look) <= 3, card.name
        assert bool(card.sandbox) != bool(card.lessons), f"{card.name}: a lesson, or what to try without one"
        assert card.question.endswith("?"), card.name
        assert sum(len(text.split()) for text in texts) <= WORDS_MAX, card.name
        assert all(text.count("`") % 2 == 0 for text in texts), card.name


def test_what_is_set_as_code_in_one_language_is_in_the_others_too() -> None:
    def codes(language: str) -> list[tuple[str, list[str]]]:
        told = [
            (card.name, " ".join([card.breaks, *card.look, card.heals, card.sandbox, card.question, card.answer]))
            for card in fault_cards.cards(language)
        ]
        return [
            (name, re.sub(r"<.*?>|\b[A-Z]{4,}\b", "", " ".join(sorted(re.findall(r"`(.*?)`", text)))))
            for name, text in told
        ]

    first, *others = languages()
    assert [codes(one) for one in others] == [codes(first)] * len(others)


def test_every_card_names_sources_and_those_of_kubernetes_say_where() -> None:
    for name, shared in fault_cards.facts().items():
        assert shared["sources"], name
        for source in shared["sources"]:
            assert SOURCE.fullmatch(source["at"]), source
            assert ("title" in source) == source["at"].startswith("https://"), source


def test_every_lesson_that_a_card_leads_to_is_there_or_hoped_for() -> None:
    lessons = {path for shared in fault_cards.facts().values() for path in shared["lessons"]}
    assert [path for path in lessons if not re.fullmatch(r"(walkthroughs|exercises)/[a-z0-9-]+", path)] == []
    shown = [lesson["url"].strip("/") for card in fault_cards.cards("en") for lesson in card.lessons]
    assert [path for path in shown if library.find(path) is None] == []
    assert [path for path in lessons if path not in shown and courses.course_of(path) is None] == []
    titled = {lesson["title"] for card in fault_cards.cards("de") for lesson in card.lessons}
    assert titled == {library.prose(lesson, "de").title for path in set(shown) if (lesson := library.find(path))}


def test_every_line_that_a_card_names_can_be_typed() -> None:
    lines = sorted({line for shared in fault_cards.facts().values() for line in shared["type"]})
    said: dict[str, tuple[int, str]] = {}

    async def type_them(loop: ClusterLoop) -> None:
        async with Cluster(ClusterSpec(nodes=1, seed=1, pace=None), loop) as cluster:
            await cluster.command("kubectl create deployment web --image=nginx", lambda *_: None)
            await asyncio.sleep(10)
            for line in lines:
                printed: list[str] = []
                code = await cluster.command(line, lambda _, text, to=printed: to.append(text))
                said[line] = (code, "".join(printed))

    loop = ClusterLoop(Clock())
    try:
        loop.run_until_complete(type_them(loop))
    finally:
        loop.close()
    refused = {line: text for line, (code, text) in said.items() if code and text.strip() != "no"}
    assert refused == {}


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", languages())
async def test_the_page_of_cards_has_an_anchor_for_each_and_answers_folded(language: str) -> None:
    response = await AsyncClient().get("/faults/cards/", headers={"accept-language": language})
    page = response.content.decode()
    assert response.status_code == 200
    assert page.count("<h1") == page.count("<main") == 1
    for name in FAULTS:
        assert page.count(f'id="{name}"') == 1
        assert f'href="#{name}"' in page
    assert page.count("<details>") == len(FAULTS)
    assert "<details open" not in page
    assert "`" not in page
