"""Clusters whose process is gone come back as they were; undo and reset make others in their place."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import AsyncClient
from test_web_consumer import Page
from web_until import PATIENCE, until

from cluster_engine.deeds import Command, Inject, Input, Pause, Step
from visualizer import selectors, services
from visualizer.database import in_database
from visualizer.hosting import messages, recorder, revival
from visualizer.hosting.batches import decode, encode
from visualizer.hosting.messages import State, Stop
from visualizer.hosting.revision import revision
from visualizer.hosting.web_process import WebProcess
from visualizer.models import Cluster
from visualizer.selectors import Owner

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plain_templates")]

POWER_OFF = {"name": "power-off", "target": "worker-1"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(recorder, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(messages, "RENEW_SECONDS", 0.1)


async def row(cluster: str) -> Cluster:
    return await in_database(lambda: Cluster.objects.get(pk=cluster))()


async def in_state(cluster: str, state: str, reason: str = "") -> Cluster:
    async def reached() -> Cluster | None:
        found = await row(cluster)
        return found if (found.state, found.reason) == (state, reason) else None

    return await until(reached)


async def head(cluster: str, last: int) -> None:
    async def reached() -> bool:
        return (await row(cluster)).recorded >= last

    await until(reached)


async def journal(cluster: str) -> list[dict[str, Any]]:
    batches = await in_database(selectors.batches)(cluster, 0, 10_000)
    return [entry for batch in batches for entry in decode(batch)]


async def lived(host: WebProcess, *, seed: int = 1) -> str:
    """A cluster in which something was done, paused at 0.12 s."""
    cluster = await in_database(services.create_cluster)(Owner("ann"), seed=seed)
    host.placement.launch(cluster)
    await in_state(cluster.pk, "running")
    await host.clusters.ask(cluster.pk, Command("k1", "echo hello"))
    await host.clusters.ask(cluster.pk, Pause())
    for _ in range(4):
        await host.clusters.ask(cluster.pk, Step())
    await host.clusters.ask(cluster.pk, Command("k2", "trickle 2"))
    await host.clusters.ask(cluster.pk, Inject(POWER_OFF))
    await host.clusters.ask(cluster.pk, Step())
    await head(cluster.pk, 12)
    return cluster.pk


async def suspended(host: WebProcess, **spec: Any) -> str:
    cluster = await lived(host, **spec)
    await host.clusters.ask(cluster, Stop("idle"))
    await in_state(cluster, "suspended", "idle")
    return cluster


async def test_what_was_done_is_recorded_with_its_time(host):
    cluster = await suspended(host)
    assert await in_database(selectors.inputs)(cluster) == [
        Input(1, 0.03, Command("k1", "echo hello"), 3),
        Input(2, 0.08, Command("k2", "trickle 2"), 8),
        Input(3, 0.1, Inject(POWER_OFF), 10),
    ]
    assert (await row(cluster)).clock == {"now": 0.12, "pace": 1.0, "paused": True}


async def test_a_suspended_cluster_comes_back_as_it_was_and_goes_on(host):
    cluster = await suspended(host)
    before = await journal(cluster)
    woken = await host.revival.wake(await row(cluster))
    assert (woken.state, woken.life) == ("starting", 2)
    await in_state(cluster, "running")
    assert await host.clusters.answer(cluster, Step()) == {"seq": 13}
    await head(cluster, 13)
    after = await journal(cluster)
    assert after[:12] == before
    assert [entry["seq"] for entry in after] == list(range(1, 14))
    answer = await host.clusters.answer(cluster, messages.Inputs())
    assert [one["n"] for one in answer] == [1, 2, 3]
    await host.clusters.ask(cluster, Command("k3", "echo more"))
    await until(lambda: _inputs(cluster, 4))


async def _inputs(cluster: str, count: int) -> bool:
    return await in_database(selectors.inputs_recorded)(cluster) == count


async def test_it_comes_back_again_and_again(host):
    cluster = await suspended(host)
    for life in (2, 3, 4):
        await host.revival.wake(await row(cluster))
        assert (await in_state(cluster, "running")).life == life
        await host.clusters.ask(cluster, Command(f"again {life}", "emit 1"))
        await head(cluster, 11 + life)
        await host.clusters.ask(cluster, Stop("room"))
        await in_state(cluster, "suspended", "room")
    assert [entry["seq"] for entry in await journal(cluster)] == list(range(1, 16))


async def test_of_two_who_want_it_back_one_wins(host, bus):
    cluster = await suspended(host)
    suspended_row = await row(cluster)
    other = WebProcess(bus)
    other.spawn(other.mailbox.run(), "mailbox")
    lives = await asyncio.gather(*(one.revival.wake(suspended_row) for one in (host, other, host)))
    assert {one.life for one in lives} == {2}
    await in_state(cluster, "running")
    assert await bus.leases("cluster:") == {f"cluster:{cluster}": "w1#2"}
    for task in list(other._tasks):
        task.cancel()
    await asyncio.gather(*other._tasks, return_exceptions=True)


async def test_a_page_that_stayed_sees_neither_gap_nor_duplicate(host, worker):
    cluster = await lived(host)
    feed, viewer = await host.hub.join(cluster)
    viewer.watch(10, {})
    states: list[State] = []
    lost = worker.clusters.pop(cluster)  # as if its process were killed
    await host.bus.release(f"cluster:{cluster}", "w1#1")
    await host._gone(cluster)
    seen: list[int] = []
    while 14 not in seen:
        frame = json.loads((await viewer.next_frames(lambda feed: '{"type":"cluster"}'))[-1])
        if frame["type"] == "cluster" and feed.state is not None:
            states.append(feed.state)
            if feed.state.state == "running" and feed.state.life == 2:
                await host.clusters.ask(cluster, Command("k9", "emit 2"))
        if frame["type"] == "entries":
            seen += [entry["seq"] for entry in frame["entries"]]
    assert seen == [11, 12, 13, 14]
    assert [one.state for one in states][-2:] == ["starting", "running"]
    host.hub.leave(feed, viewer)
    await lost.kill_silently()


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"outside": True}, "outside"), ({"clock": {"now": 9999.0, "pace": 1.0, "paused": True}}, "too-long")],
)
async def test_what_cannot_be_brought_back_ends_and_says_why(host, change, reason):
    cluster = await suspended(host)
    await in_database(Cluster.objects.filter(pk=cluster).update)(**change)
    await host.revival.wake(await row(cluster))
    await in_state(cluster, "ended", reason)
    assert len(await journal(cluster)) == 12


@pytest.mark.parametrize(
    ("made_by", "reason"), [(revision(), "differs"), ("another", "other-version"), ("", "other-version")]
)
async def test_what_comes_back_as_another_ends_and_says_whether_another_version_made_it(host, caplog, made_by, reason):
    cluster = await suspended(host, seed=700)
    assert (await row(cluster)).revision == revision()
    await in_database(Cluster.objects.filter(pk=cluster).update)(revision=made_by)
    await host.revival.wake(await row(cluster))
    await in_state(cluster, "ended", reason)
    assert len(await journal(cluster)) == 12


@pytest.mark.parametrize("document", [{"type": "inject", "fault": {}}, {"type": "of another version"}, {}, []])
async def test_a_replay_in_which_an_input_is_refused_or_not_understood_ends(host, document):
    cluster = await suspended(host)
    await in_database(lambda: Cluster.objects.get(pk=cluster).inputs.filter(n=3).update(document=document))()
    await host.revival.wake(await row(cluster))
    await in_state(cluster, "ended", "failed")


async def test_what_comes_back_waits_until_all_workers_of_the_server_are_up(host, bus, monkeypatch):
    looked, leases = [], bus.leases

    async def noted(prefix: str) -> dict[str, str]:
        looked.append(prefix)
        return await leases(prefix)

    monkeypatch.setattr(bus, "leases", noted)
    monkeypatch.setattr(host.placement, "_workers", 2)
    waiting = asyncio.create_task(host.placement.wait_for_own_workers())
    await until(lambda: looked.count("worker:") > 2)
    assert not waiting.done()  # only the one of this test is there
    await bus.hold("worker:w2", "w2", 30)
    await asyncio.wait_for(waiting, PATIENCE)


async def test_without_room_it_stays_suspended_and_says_so(host, worker):
    cluster = await suspended(host)
    worker._clusters_max = 0
    await host.revival.wake(await row(cluster))
    await in_state(cluster, "suspended", "no-room")
    worker._clusters_max = 3
    await host.revival.wake(await row(cluster))
    assert (await in_state(cluster, "running")).life == 3


@pytest.mark.parametrize("reason", ["no-worker", "no-room"])
@pytest.mark.parametrize("watched", [True, False])
async def test_a_cluster_without_a_place_is_tried_again_while_somebody_watches(
    host, bus, worker, monkeypatch, watched, reason
):
    waits, is_over = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:  # the pause before another try is over when this test says so
        if seconds in revival.AGAIN_SECONDS.values():
            waits.set()
            await is_over.wait()
        else:
            await asyncio.sleep(seconds)

    monkeypatch.setattr(revival, "asyncio", SimpleNamespace(sleep=sleep, timeout=asyncio.timeout))
    monkeypatch.setattr("visualizer.hosting.placement.OWN_WORKERS_SECONDS", 0.1)
    cluster = await lived(host)
    feed, viewer = await host.hub.join(cluster)
    leases = bus.leases

    async def no_workers(prefix: str) -> dict[str, str]:
        return {} if prefix == "worker:" else await leases(prefix)

    if reason == "no-worker":
        monkeypatch.setattr(bus, "leases", no_workers)
        monkeypatch.setattr("visualizer.hosting.clusters.PLACE_SECONDS", 0.1)
    else:
        monkeypatch.setattr(worker, "_clusters_max", 0)
    await host.clusters.ask(cluster, Stop("room"))
    life = (await in_state(cluster, "suspended", reason)).life
    await asyncio.wait_for(waits.wait(), PATIENCE)
    if not watched:
        host.hub.leave(feed, viewer)
    monkeypatch.setattr(bus, "leases", leases)
    monkeypatch.setattr(worker, "_clusters_max", 3)
    monkeypatch.setattr("visualizer.hosting.clusters.PLACE_SECONDS", PATIENCE)
    is_over.set()
    await until(lambda: not host.revival._claiming)
    if watched:
        assert (await in_state(cluster, "running")).life > life
        host.hub.leave(feed, viewer)
    else:
        assert (await row(cluster)).state == "suspended"


async def test_a_cluster_that_somebody_spoke_to_from_outside_is_noted(host):
    cluster = await lived(host)
    await host.clusters.ask(cluster, Command("k", "outside"))

    async def noted() -> bool:
        return (await row(cluster)).outside

    await until(noted)


async def test_inputs_that_the_stream_lost_are_asked_for(host):
    cluster = await lived(host)
    followed = host.recorder._journals[cluster]
    await until(lambda: _inputs(cluster, 3))
    followed.following.cancel()
    await asyncio.gather(followed.following, return_exceptions=True)
    for number in range(5):
        await host.clusters.ask(cluster, Command(f"k{number + 10}", "echo x"))
    followed._take(Input(8, 0.16, Command("k14", "echo x")))
    await until(lambda: _inputs(cluster, 8))
    assert not (await row(cluster)).outside


async def deaf(host, cluster: str):
    """The cluster's journal, with nobody following its stream any more."""
    followed = host.recorder._journals[cluster]
    await until(lambda: _inputs(cluster, 3))
    followed.following.cancel()
    await asyncio.gather(followed.following, return_exceptions=True)
    return followed


async def test_no_entry_is_recorded_without_the_inputs_that_led_to_it(host):
    cluster = await lived(host)
    followed = await deaf(host, cluster)
    recorded = await in_database(selectors.recorded)(cluster)
    await host.clusters.ask(cluster, Command("k10", "emit 1"))  # Redis dies: the input is lost, and nothing else
    followed._take(encode([{"seq": recorded + 1}], 4))
    await until(lambda: _inputs(cluster, 4))
    await head(cluster, recorded + 1)


async def test_entries_whose_inputs_are_gone_for_good_are_left_to_the_replay(host, caplog):
    cluster = await lived(host)
    followed = await deaf(host, cluster)
    recorded = await in_database(selectors.recorded)(cluster)
    followed._take(encode([{"seq": recorded + 1}], 99))
    await until(lambda: "cannot be had just now" in caplog.text)
    assert await in_database(selectors.recorded)(cluster) == recorded


# As a browser asks for it -----------------------------------------------------------------------------------------


@pytest.fixture
def ann(host) -> AsyncClient:
    return AsyncClient(raise_request_exception=True)


async def visit(client: AsyncClient, host: WebProcess) -> str:
    """A visitor's own cluster, in which a line was typed."""
    made = await client.post("/clusters/", headers={"accept": "application/json"})
    cluster: str = made.json()["id"]
    await in_state(cluster, "running")
    await host.clusters.ask(cluster, Command("k1", "echo hello"))
    await host.clusters.ask(cluster, Command("k2", "emit 5"))
    await head(cluster, 9)
    return cluster


async def test_opening_the_page_brings_it_back(ann, host):
    cluster = await visit(ann, host)
    await host.clusters.ask(cluster, Stop("idle"))
    await in_state(cluster, "suspended", "idle")
    assert (await ann.head(f"/clusters/{cluster}/")).status_code == 200
    assert (await row(cluster)).state == "suspended"
    page = await ann.get(f"/clusters/{cluster}/")
    assert 'data-state="starting"' in page.content.decode()
    await in_state(cluster, "running")


async def test_opening_its_socket_or_an_entry_brings_it_back(ann, host):
    cluster = await visit(ann, host)
    for _ in range(2):
        await host.clusters.ask(cluster, Stop("idle"))
        await in_state(cluster, "suspended", "idle")
        page = Page(cluster, ann)
        await page.open()
        await page.say(type="watch", since=8)
        while (await page.hear())["type"] != "hello":
            pass
        await in_state(cluster, "running")
        assert await page.hear_entries(9) == [9]
        await page.close()
    await host.clusters.ask(cluster, Stop("idle"))
    await in_state(cluster, "suspended", "idle")
    answer = await ann.get(f"/clusters/{cluster}/entries/2/")
    assert (answer.status_code, answer.json().get("message")) in {
        (503, "This cluster is still starting; please try again in a moment."),
        (200, None),
    }
    await in_state(cluster, "running")


async def undone(client: AsyncClient, cluster: str, what: str = "undo") -> Any:
    return await client.post(f"/clusters/{cluster}/{what}/", headers={"accept": "application/json"})


@pytest.mark.parametrize("running", [True, False])
async def test_undo_leads_to_a_cluster_without_the_last_thing_done(ann, host, running):
    cluster = await visit(ann, host)
    before = await journal(cluster)
    if not running:
        await host.clusters.ask(cluster, Stop("idle"))
        await in_state(cluster, "suspended", "idle")
    answer = await undone(ann, cluster)
    assert answer.status_code == 201
    new = answer.json()["id"]
    assert answer.json()["url"] == f"/clusters/{new}/"
    old = await in_state(cluster, "ended", "replaced")
    assert old.successor_id == new
    await in_state(new, "running")
    await head(new, 4)
    assert [one.act.id for one in await in_database(selectors.inputs)(new)] == ["k1"]
    assert await journal(new) == before[:4]
    assert (await undone(ann, cluster)).json()["id"] == new  # whoever comes late goes there too
    await host.clusters.ask(new, Command("k3", "echo other"))


async def test_reset_leads_to_a_cluster_to_which_nothing_was_done(ann, host, settings):
    settings.CLUSTERS_PER_VISITOR = 1
    cluster = await visit(ann, host)
    page = Page(cluster, ann)
    await page.open()
    response = await ann.post(f"/clusters/{cluster}/reset/")
    assert response.status_code == 303
    new = response["Location"].split("/")[2]
    while (told := await page.hear("cluster"))["cluster"]["state"] != "ended":
        pass
    assert (told["cluster"]["reason"], told["cluster"]["successor"]) == ("replaced", new)
    await page.close()
    await in_state(new, "running")
    await head(new, 3)
    assert await in_database(selectors.inputs)(new) == []
    assert (await row(new)).epoch == (await row(cluster)).epoch


async def test_an_undo_that_cannot_be_is_refused_in_words(ann, host, monkeypatch):
    cluster = await visit(ann, host)
    monkeypatch.setattr("visualizer.branches.REPLAY_SECONDS_MAX", 0.01)
    refused = await undone(ann, cluster)
    assert (refused.status_code, refused.json()["message"][:32]) == (409, "This cluster has run for too lon")
    monkeypatch.setattr("visualizer.branches.REPLAY_SECONDS_MAX", 7200)
    await in_database(Cluster.objects.update)(whole_until=1)
    assert "from outside" in (await undone(ann, cluster)).json()["message"]
    fresh = (await undone(ann, cluster, "reset")).json()["id"]
    await in_state(fresh, "running")
    assert (await undone(ann, fresh)).json()["message"] == "There is nothing to undo."


async def test_an_undo_is_for_those_who_may(ann, host):
    cluster = await visit(ann, host)
    assert (await undone(AsyncClient(), cluster)).status_code == 404


async def test_what_can_be_broken_is_described(ann, host):
    listed = (await ann.get("/faults/")).json()
    assert {"name", "fields"} == listed[0].keys()
    assert "power-off" in {one["name"] for one in listed}


async def test_a_lesson_that_does_not_exist_is_refused_in_words(ann, host):
    answer = await ann.post("/clusters/", {"lesson": "walkthroughs/nonsense"}, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["message"]) == (400, "There is no such lesson.")
