"""Bodies are searched by who may see a cluster, with texts that are bounded, at a pace."""

import re

import pytest
from django.test import AsyncClient
from web_until import until

from cluster_engine.lens import searching
from visualizer import cluster_data, rate_limits, selectors
from visualizer.database import in_database
from visualizer.hosting.bus import EmbeddedBus
from visualizer.rate_limits import Pace

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plain_templates")]


@pytest.fixture
def bus() -> EmbeddedBus:
    return EmbeddedBus()


@pytest.fixture
def client() -> AsyncClient:
    return AsyncClient(raise_request_exception=False)


async def running(client) -> str:
    response = await client.get("/sandbox/")
    found = re.search(r'data-cluster="([^"]+)"', response.content.decode())
    assert found
    await until(lambda: recorded(found[1]))
    return found[1]


async def recorded(cluster: str) -> bool:
    return await in_database(selectors.recorded)(cluster) >= 3


async def test_the_server_knows_the_engines_bounds():
    assert cluster_data.SEARCHED_MAX == searching.TEXTS_MAX
    assert cluster_data.SEARCHED_CHARACTERS_MAX == searching.TEXT_CHARACTERS_MAX


async def test_an_answer_says_how_far_was_looked(client, host):
    cluster = await running(client)
    answer = await client.get(f"/clusters/{cluster}/search/?text=a*b&text=c&since=1")
    assert answer.status_code == 200
    assert answer.json() == {"since": 1, "to": 3, "head": 3, "first": 1, "found": [[], []]}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Say what to look for"),
        ("?text=", "Say what to look for"),
        ("?text=x&text=**", "Say what to look for"),
        ("?text=x" + "&text=x" * 8, "Say what to look for"),
        (f"?text={'x' * 101}", "text has at most 100 characters."),
        ("?text=x&since=-1", "must be a whole number"),
    ],
)
async def test_nonsense_is_refused_in_words(client, host, query, words):
    cluster = await running(client)
    response = await client.get(f"/clusters/{cluster}/search/{query}")
    assert (response.status_code, words in response.json()["message"]) == (400, True)


async def test_strangers_are_told_of_no_cluster(client, host):
    cluster = await running(client)
    assert (await AsyncClient().get(f"/clusters/{cluster}/search/?text=x")).status_code == 404


async def test_a_cluster_is_asked_at_a_pace(client, host, monkeypatch, stopwatch):
    cluster = await running(client)
    monkeypatch.setattr(rate_limits, "SEARCHES", Pace(every_seconds=60, burst=1))
    answers = [await client.get(f"/clusters/{cluster}/search/?text=x") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
