"""What stood at a position: who may ask, what may be asked, and how often."""

import re

import pytest
from django.test import AsyncClient
from web_until import until

from cluster_engine.state import VIEWS
from visualizer import rate_limits, selectors
from visualizer.cluster_data import STATE_ARGS
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


async def test_the_server_knows_the_views_of_the_engine():
    assert STATE_ARGS.keys() == VIEWS.keys()


async def test_a_view_is_answered_at_a_position_and_beyond_the_end_at_the_head(client, host):
    cluster = await running(client)
    for query, at in (("?at=2", 2), ("", 3), ("?at=9007199254740992", 3), ("?at=0", 0)):
        answer = await client.get(f"/clusters/{cluster}/state/objects/{query}")
        assert answer.status_code == 200
        assert answer.json() == {"view": "objects", "at": at, "first": 1, "complete": True, "kinds": []}


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("nonsense/", 404, "There is no such view"),
        ("objects/?at=x", 400, "must be a whole number"),
        ("objects/?at=-1", 400, "must be a whole number"),
        (f"objects/?at={10**30}", 400, "must be a whole number"),
        (f"objects/?at={'9' * 5000}", 400, "must be a whole number"),
        (f"object/?name={'n' * 600}", 400, "name has at most 512 characters."),
    ],
)
async def test_nonsense_is_refused_in_words(client, host, path, status, words):
    cluster = await running(client)
    response = await client.get(f"/clusters/{cluster}/state/{path}")
    assert (response.status_code, words in response.json()["message"]) == (status, True)


async def test_strangers_are_told_of_no_cluster(client, host):
    cluster = await running(client)
    assert (await AsyncClient().get(f"/clusters/{cluster}/state/objects/")).status_code == 404


async def test_a_cluster_is_asked_at_a_pace(client, host, monkeypatch, stopwatch):
    cluster = await running(client)
    monkeypatch.setattr(rate_limits, "STATES", Pace(every_seconds=60, burst=1))
    answers = [await client.get(f"/clusters/{cluster}/state/objects/") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
