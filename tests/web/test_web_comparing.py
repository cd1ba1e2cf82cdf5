"""Two runs side by side: who may see them, what is compared, and how often."""

import pytest
from django.test import AsyncClient
from web_until import until

from cluster_engine.comparing.reporting import LAYERS
from cluster_engine.deeds import Command
from visualizer import compare_pages, rate_limits, selectors
from visualizer.compare_pages import Comparer
from visualizer.database import in_database
from visualizer.hosting.bus import EmbeddedBus
from visualizer.hosting.messages import Stop
from visualizer.rate_limits import Pace

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
JSON = {"accept": "application/json"}


@pytest.fixture
def bus() -> EmbeddedBus:
    return EmbeddedBus()


@pytest.fixture
def client() -> AsyncClient:
    return AsyncClient(raise_request_exception=False)


async def running(client) -> str:
    cluster: str = (await client.post("/clusters/", {}, headers=JSON)).json()["id"]
    await until(lambda: recorded(cluster))
    return cluster


async def recorded(cluster: str) -> bool:
    return await in_database(selectors.recorded)(cluster) >= 3


async def compared(client, one, other, query=""):
    return await client.get(f"/clusters/{one}/compare/{other}/{query}")


async def test_the_server_knows_the_altitudes_of_the_engine():
    assert compare_pages.LAYERS == LAYERS


async def test_two_runs_that_say_the_same_have_no_difference(client, host):
    one, other = await running(client), await running(client)
    answer = await compared(client, one, other)
    assert answer.status_code == 200
    document = answer.json()
    assert document["common"] == {"entries": 3, "seconds": 0.03, "a": 3, "b": 3}
    assert (document["rows"], document["objects"], document["first"]) == ([], [], None)
    assert document["summary"][0] == "Both runs say the same: 3 messages."


async def test_what_one_run_alone_says_is_a_row_in_the_readers_language(client, host):
    one, other = await running(client), await running(client)
    await host.clusters.ask(other, Command("k", "echo more"))
    await until(lambda: has_said(other, 4))
    (row,) = (await compared(client, one, other)).json()["rows"]
    assert (row["is"], row["a"], row["b"]["seq"]) == ("b", None, 4)
    (row,) = (await client.get(f"/clusters/{one}/compare/{other}/", headers={"accept-language": "de"})).json()["rows"]
    assert row["say"].startswith("nur in B: ")
    (row,) = (await compared(client, other, one)).json()["rows"]
    assert row["is"] == "a"


async def has_said(cluster: str, seq: int) -> bool:
    return await in_database(selectors.recorded)(cluster) >= seq


async def test_a_run_that_has_ended_is_compared_by_what_is_recorded(client, host):
    one, other = await running(client), await running(client)
    await host.clusters.ask(other, Stop("stopped"))
    await until(lambda: has_ended(other))
    document = (await compared(client, one, other)).json()
    assert document["common"]["entries"] == 3
    assert any("is not running" in line for line in document["summary"])
    assert document["summary"][-1].startswith("Bodies are not compared: only runs that run still have them.")


async def has_ended(cluster: str) -> bool:
    return not await in_database(selectors.is_active)(cluster)


@pytest.mark.parametrize("path", ["compare", "beside"])
async def test_strangers_are_told_of_neither_run(client, host, path):
    stranger = AsyncClient()
    mine, theirs = await running(client), await running(stranger)
    for one, other in ((mine, theirs), (theirs, mine), (mine, "0" * 32)):
        assert (await client.get(f"/clusters/{one}/{path}/{other}/", headers=JSON)).status_code == 404


@pytest.mark.parametrize("query", ["?layer=ether", "?layer=" + "x" * 5000])
async def test_an_altitude_that_is_none_is_refused_in_words(client, host, query):
    one = await running(client)
    answer = await compared(client, one, one, query)
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "There is no such layer; there are story, http, tls, tcp.",
    )


async def test_runs_are_compared_at_a_pace(client, host, monkeypatch, stopwatch):
    one = await running(client)
    monkeypatch.setattr(rate_limits, "COMPARISONS", Pace(every_seconds=60, burst=1))
    answers = [await compared(client, one, one) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]


async def test_so_many_readers_have_or_await_their_turn(client, host, monkeypatch):
    one = await running(client)
    monkeypatch.setattr(compare_pages, "comparer", few := Comparer(1))
    with few.place():
        answer = await compared(client, one, one)
    assert (answer.status_code, "try again" in answer.json()["message"]) == (503, True)
    assert (await compared(client, one, one)).status_code == 200


async def test_of_a_long_run_the_beginning_is_read_and_that_is_said(client, host, monkeypatch):
    one = await running(client)
    monkeypatch.setattr(compare_pages, "READ_MAX", 2)
    document = (await compared(client, one, one)).json()
    assert (document["a"], document["cut"]["entries"]) == ({"entries": 2, "last": 2}, True)


async def test_the_page_names_both_runs_and_where_they_are_compared(client, host):
    one, other = await running(client), await running(client)
    page = (await client.get(f"/clusters/{one}/beside/{other}/")).content.decode()
    assert (
        f'data-compare="/clusters/{one}/compare/{other}/" data-a="/clusters/{one}/" data-b="/clusters/{other}/"' in page
    )
    assert f'href="/clusters/{other}/beside/{one}/"' in page
    assert "js/pages/beside" in page
