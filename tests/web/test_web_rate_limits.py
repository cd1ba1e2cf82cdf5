"""Paces, and what they bound: sessions, clusters and joins of one address and of one visitor."""

import pytest
from django.contrib.sessions.models import Session
from django.test import AsyncClient

from visualizer import rate_limits
from visualizer.database import in_database
from visualizer.models import Cluster
from visualizer.rate_limits import Pace, TooOften

HERE = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plain_templates")]


def pages(test):
    for mark in HERE:
        test = mark(test)
    return test


def test_a_pace_lets_a_burst_through_then_one_after_the_other():
    pace = Pace(every_seconds=5, burst=2, wait_seconds_max=6)
    assert [pace.wait("a", 0), pace.wait("a", 0), pace.wait("a", 0)] == [0, 0, 5]
    with pytest.raises(TooOften) as told:
        pace.wait("a", 0)
    assert told.value.seconds == 4
    assert pace.wait("b", 0) == 0
    assert pace.wait("a", 4) == 6
    assert [pace.wait("a", 100), pace.wait("a", 100)] == [0, 0]


def test_a_pace_never_lets_more_through_than_it_says():
    pace = Pace(every_seconds=2, burst=10)
    through = 0
    for tenth in range(3000):
        try:
            pace.wait("a", tenth / 10)
            through += 1
        except TooOften:
            pass
    assert through == 10 + 299 // 2


def test_a_pace_forgets_whom_it_would_not_slow_down(monkeypatch):
    monkeypatch.setattr(rate_limits, "KEYS_MAX", 100)
    pace = Pace(every_seconds=1)
    for number in range(1000):
        pace.wait(str(number), number)
    assert len(pace._even) <= 101


@pages
async def test_who_throws_cookies_away_has_not_one_cluster_more_for_it(host, monkeypatch, stopwatch):
    monkeypatch.setattr(rate_limits, "CLUSTERS", Pace(every_seconds=5, burst=3))
    answers = [await AsyncClient().get("/sandbox/") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1]["Retry-After"] == "5"
    assert "try again in 5 seconds" in answers[-1].content.decode()
    assert await in_database(Cluster.objects.count)() == 3
    stopwatch.seconds += 5
    assert (await AsyncClient().get("/sandbox/")).status_code == 200


@pages
async def test_one_visitor_begins_clusters_at_a_pace_of_their_own(host, monkeypatch, stopwatch):
    monkeypatch.setattr(rate_limits, "CLUSTERS_OF_VISITOR", Pace(every_seconds=3, burst=2))
    client = AsyncClient()
    json = {"accept": "application/json"}
    first = (await client.post("/clusters/", headers=json)).json()
    assert (await client.post(f"{first['url']}reset/", headers=json)).status_code == 201
    refused = await client.post(f"{first['url']}reset/", headers=json)
    assert (refused.status_code, refused["Retry-After"]) == (429, "3")
    assert "try again in 3 seconds" in refused.json()["message"]
    assert (await AsyncClient().get("/sandbox/")).status_code == 200, "a neighbour has a pace of their own"


@pages
async def test_sessions_of_one_address_have_a_pace(host, monkeypatch, stopwatch, settings):
    settings.PROXIES = 1
    monkeypatch.setattr(rate_limits, "VISITORS", Pace(every_seconds=2, burst=2))
    known = AsyncClient()
    answers = [await visit(known, "2001:db8::1"), *[await visit(AsyncClient(), f"2001:db8::{n}") for n in (2, 3)]]
    assert answers == [200, 200, 429]
    assert await in_database(Session.objects.count)() == 2
    assert await visit(known, "2001:db8::1") == 200, "who has a cookie is not new"
    assert await visit(AsyncClient(), "2001:db8:1::1") == 200


async def visit(client: AsyncClient, address: str) -> int:
    return (await client.get("/sandbox/", headers={"x-forwarded-for": address})).status_code
