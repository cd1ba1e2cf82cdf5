"""Journals in the database: written once, whoever writes, however often, in whatever order."""

import asyncio
import contextlib
from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from web_until import until

from cluster_engine.deeds import Command, Done
from visualizer import selectors, services
from visualizer.database import in_database
from visualizer.hosting import messages, recorder, revival, web_process
from visualizer.hosting.batches import Batch, decode, encode
from visualizer.hosting.messages import Clock, Create, Rights, State
from visualizer.hosting.placement import create_of
from visualizer.hosting.recorder import suspend
from visualizer.hosting.refused import Refused
from visualizer.hosting.terminals import Terminals
from visualizer.models import Chunk, Cluster
from visualizer.selectors import Owner

ANN, BOB = Owner("ann"), Owner("bob")


def batch(first: int, last: int) -> Batch:
    return encode([{"seq": seq} for seq in range(first, last + 1)])


def recorded(cluster: str, since: int = 0, limit: int = 10_000) -> list[int]:
    return [entry["seq"] for one in selectors.batches(cluster, since, limit) for entry in decode(one)]


@pytest.fixture
def cluster(db) -> Cluster:
    return services.create_cluster(ANN)


def test_a_journal_is_read_back_from_anywhere(cluster):
    assert services.record(cluster.pk, [batch(1, 700), batch(701, 1500)]) == 1500
    assert recorded(cluster.pk) == list(range(1, 1501))
    assert recorded(cluster.pk, since=699, limit=3) == [700, 701, 702]
    assert recorded(cluster.pk, since=1500) == []
    assert recorded("no such cluster") == []


def test_writing_twice_is_writing_once(cluster):
    for _ in range(2):
        assert services.record(cluster.pk, [batch(1, 10), batch(11, 20)]) == 20
    assert services.record(cluster.pk, [batch(15, 25)]) == 25
    assert recorded(cluster.pk) == list(range(1, 26))


def test_a_gap_is_not_written_nor_what_is_behind_it(cluster):
    assert services.record(cluster.pk, [batch(1, 5), batch(7, 9), batch(10, 12)]) == 5
    assert recorded(cluster.pk) == [1, 2, 3, 4, 5]


def test_a_slow_journal_grows_its_last_chunk(cluster):
    for seq in range(1, services.CHUNK_ENTRIES_MAX + 11):
        services.record(cluster.pk, [batch(seq, seq)])
    assert [(chunk.first, chunk.last) for chunk in Chunk.objects.order_by("first")] == [(1, 500), (501, 510)]
    assert recorded(cluster.pk) == list(range(1, 511))


def test_a_journal_of_an_unknown_cluster_is_not_written(db):
    assert services.record("gone", [batch(1, 5)]) == 0


@pytest.mark.parametrize("span", [(1, 3), (1, 9), (0, 5), (7, 6)])
def test_the_database_itself_refuses_chunks_that_overlap_or_end_before_they_start(cluster, span):
    services.record(cluster.pk, [batch(1, 5)])
    with pytest.raises(IntegrityError), transaction.atomic():
        Chunk.objects.create(cluster=cluster, first=span[0], last=span[1], entries=b"")


def test_a_visitor_has_a_bounded_number_of_clusters_at_a_time(db, settings):
    settings.CLUSTERS_PER_VISITOR = 2
    first = services.create_cluster(ANN)
    services.create_cluster(ANN)
    with pytest.raises(services.TooManyClusters):
        services.create_cluster(ANN)
    services.create_cluster(BOB)
    services.mark_ended(first.pk, "stopped")
    services.create_cluster(ANN)


def test_a_cluster_ends_once_and_for_the_first_reason(cluster):
    assert services.mark_ended(cluster.pk, "idle")
    assert not services.mark_ended(cluster.pk, "worker-lost")
    services.mark_running(cluster.pk)
    cluster.refresh_from_db()
    assert (cluster.state, cluster.reason) == ("ended", "idle")


def test_clusters_nobody_watches_are_idle_after_a_while(cluster, settings):
    assert selectors.idle_clusters() == []
    long_ago = timezone.now() - timedelta(seconds=settings.CLUSTER_UNSEEN_SECONDS + 1)
    Cluster.objects.update(created_at=long_ago)
    assert selectors.idle_clusters() == [cluster.pk]
    services.mark_seen([cluster.pk])
    assert selectors.idle_clusters() == []
    Cluster.objects.update(seen_at=timezone.now() - timedelta(seconds=settings.CLUSTER_IDLE_SECONDS + 1))
    assert selectors.idle_clusters() == [cluster.pk]
    assert selectors.longest_unwatched(for_seconds=60) == cluster.pk
    services.mark_ended(cluster.pk, "idle")
    assert selectors.idle_clusters() == []
    assert selectors.longest_unwatched(for_seconds=0) is None


def test_old_recordings_are_forgotten_journals_and_all(cluster, settings):
    services.record(cluster.pk, [batch(1, 5)])
    services.mark_ended(cluster.pk, "stopped")
    services.forget_what_is_old()
    assert recorded(cluster.pk) == [1, 2, 3, 4, 5]
    Cluster.objects.update(ended_at=timezone.now() - timedelta(days=settings.RECORDINGS_KEPT_DAYS, seconds=1))
    services.forget_what_is_old()
    assert not Cluster.objects.exists()
    assert not Chunk.objects.exists()


# The recorder itself ------------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(recorder, "WRITE_SECONDS", 0.01)
    monkeypatch.setattr(recorder, "SWEEP_SECONDS", 0.02)
    monkeypatch.setattr(messages, "RENEW_SECONDS", 0.05)


async def made(owner: Owner = ANN) -> Cluster:
    return await in_database(services.create_cluster)(owner)


async def row(cluster: Cluster) -> Cluster:
    return await in_database(lambda: Cluster.objects.get(pk=cluster.pk))()


async def has_recorded(cluster: Cluster, last: int) -> None:
    async def whether() -> bool:
        return await in_database(selectors.recorded)(cluster.pk) >= last

    await until(whether)


async def state(cluster: Cluster) -> tuple[str, str]:
    found = await row(cluster)
    return found.state, found.reason


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_what_a_cluster_tells_is_recorded(quick, host):
    cluster = await made()
    await host.clusters.place(cluster.pk, Create(2, 1))
    await host.clusters.ask(cluster.pk, Command("k", "trickle 500"))
    await has_recorded(cluster, 503)
    assert await in_database(recorded)(cluster.pk) == list(range(1, 504))
    await until(lambda: _is(cluster, "running", ""))  # it may be told after what was done as it came up


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_what_people_do_is_written_at_once_lest_it_dies_with_all_processes(quick, bus, worker, monkeypatch):
    monkeypatch.setattr(recorder, "WRITE_SECONDS", 60.0)
    host = web_process.WebProcess(bus)
    web_process.use(host)
    host.start()
    cluster = await made()
    await until(lambda: cluster.pk in host.recorder._journals)  # and has written once, before there was anything
    await host.clusters.place(cluster.pk, Create(2, 1))
    await until(lambda: _runs(host, cluster))
    await host.clusters.ask(cluster.pk, Command("k", "echo hello"))

    async def written() -> bool:
        return [one.act for one in await in_database(selectors.inputs)(cluster.pk)] != []

    await until(written)
    assert await in_database(selectors.recorded)(cluster.pk) == 0, "entries are made again; they may wait"
    await host.stop()
    web_process.use(None)


async def _runs(host, cluster: Cluster) -> bool:
    with contextlib.suppress(Refused):
        return bool(await host.clusters.entries(cluster.pk, 0, 1))
    return False


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_what_the_stream_has_lost_is_fetched_from_the_cluster(quick, host, bus):
    cluster = await made()
    await host.clusters.place(cluster.pk, Create(2, 1))
    await has_recorded(cluster, 3)
    journal = host.recorder._journals[cluster.pk]
    journal.following.cancel()
    await asyncio.gather(journal.following, return_exceptions=True)
    await host.clusters.ask(cluster.pk, Command("k", "emit 2500"))
    journal._take(encode([{"seq": seq} for seq in range(2400, 2504)]))
    await has_recorded(cluster, 2503)
    assert await in_database(recorded)(cluster.pk) == list(range(1, 2504))


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_what_a_journal_has_forgotten_before_it_was_written_is_said_once_and_recording_goes_on(
    quick, host, monkeypatch, caplog
):
    cluster = await made()
    await host.clusters.place(cluster.pk, Create(2, 1))
    await has_recorded(cluster, 3)
    entries = host.clusters.entries

    async def forgetful(name: str, since: int, limit: int) -> list[Batch]:
        return await entries(name, max(since, 2200), limit)

    monkeypatch.setattr(host.clusters, "entries", forgetful)
    journal = host.recorder._journals[cluster.pk]
    journal.following.cancel()
    await asyncio.gather(journal.following, return_exceptions=True)
    await host.clusters.ask(cluster.pk, Command("k", "emit 2500"))
    with pytest.raises(Refused):
        await host.entries(cluster.pk, 3, 10)  # not yet: what stands for them is about to be written
    journal._take(encode([{"seq": seq} for seq in range(2400, 2504)]))
    await has_recorded(cluster, 2503)
    assert await in_database(recorded)(cluster.pk) == list(range(1, 2504))
    [first] = decode((await host.entries(cluster.pk, 3, 1))[0])
    assert (first["kind"], first["layer"], first["fields"]) == ("journal.lost", "story", {"first": 4, "last": 2200})
    assert caplog.text.count("entries 4 to 2200 are lost") == 1


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_cluster_that_gives_no_answer_holds_up_no_other_journal(quick, host, monkeypatch):
    silent, other = await made(), await made()
    await host.clusters.place(silent.pk, Create(2, 1))
    await host.clusters.place(other.pk, Create(2, 1))
    await has_recorded(silent, 3)
    await has_recorded(other, 3)
    ask, asked = host.clusters.ask, asyncio.Event()

    async def hung(name: str, question: object) -> bytes:
        if name == silent.pk:
            asked.set()
            await asyncio.Event().wait()
        return await ask(name, question)

    monkeypatch.setattr(host.clusters, "ask", hung)
    host.recorder._journals[silent.pk]._take(encode([{"seq": seq} for seq in range(50, 104)]))
    await asked.wait()
    await host.clusters.ask(other.pk, Command("k", "trickle 100"))
    await has_recorded(other, 103)


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_what_cannot_be_had_just_now_is_said_once_and_not_called_lost(quick, host, monkeypatch, caplog):
    cluster = await made()
    await host.clusters.place(cluster.pk, Create(2, 1))
    await has_recorded(cluster, 3)
    ask, asked = host.clusters.ask, []

    async def busy(name: str, question: object) -> bytes:
        asked.append(question)
        if len(asked) < 5:
            raise Refused("The cluster is busy and gave no answer in time.")
        return await ask(name, question)

    journal = host.recorder._journals[cluster.pk]
    journal.following.cancel()
    await asyncio.gather(journal.following, return_exceptions=True)
    await host.clusters.ask(cluster.pk, Command("k", "emit 100"))
    monkeypatch.setattr(host.clusters, "ask", busy)
    journal._take(encode([{"seq": seq} for seq in range(50, 104)]))
    await has_recorded(cluster, 103)
    assert caplog.text.count("what follows entry 3 cannot be had just now") == 1
    assert "lost" not in caplog.text


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_what_is_told_once_and_was_missed_is_said_again(quick, host, bus):
    cluster = await made()
    await host.clusters.place(cluster.pk, Create(2, 1))
    await until(lambda: _is(cluster, "running", ""))
    await host.clusters.ask(cluster.pk, Command("k", "echo hello"))
    feed, viewer = await host.hub.join(cluster.pk)
    await until(lambda: any(isinstance(one, Done) for one in feed.terminals.after({})))
    journal, heard = host.recorder._journals[cluster.pk], list(feed.terminals.after({}))
    feed.terminals, feed.state = Terminals(), State("starting")  # as if it had not come through the stream
    await in_database(Cluster.objects.filter(pk=cluster.pk).update)(state="starting", outside=False)
    await host.clusters.ask(cluster.pk, Command("again", "outside"))
    await until(lambda: _outside(cluster))
    await in_database(Cluster.objects.filter(pk=cluster.pk).update)(outside=False)
    await bus.append(messages.cluster_name(cluster.pk), messages.say(Rights(), 1, n=1000))
    await until(lambda: _is(cluster, "running", ""))
    await until(lambda: _outside(cluster))
    await until(lambda: "k" in feed.terminals)
    assert [one for one in feed.terminals.after({}) if one.id == "k"][: len(heard)] == heard
    assert feed.state == State("running")
    assert not journal._has_missed
    host.hub.leave(feed, viewer)


async def _outside(cluster: Cluster) -> bool:
    return (await row(cluster)).outside


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_another_process_takes_over_recording_without_a_gap_or_a_duplicate(quick, bus, worker):
    first, second = web_process.WebProcess(bus), web_process.WebProcess(bus)
    web_process.use(second)
    first.start()
    cluster = await made()
    await first.clusters.place(cluster.pk, Create(2, 1))
    await first.clusters.ask(cluster.pk, Command("k1", "trickle 100"))
    await has_recorded(cluster, 50)
    second.start()
    killed = list(first._tasks)  # as if its process were killed: nothing is given back
    for task in killed:
        task.cancel()
    await asyncio.gather(*killed, return_exceptions=True)
    await bus.release("recorder", first.recorder.name)  # its time is up
    await second.clusters.ask(cluster.pk, Command("k2", "trickle 100"))
    await has_recorded(cluster, 203)
    assert await in_database(recorded)(cluster.pk) == list(range(1, 204))
    assert await bus.holder("recorder") == second.recorder.name
    await second.supervisor.stop()
    for task in list(second._tasks):
        task.cancel()
    await asyncio.gather(*second._tasks, return_exceptions=True)
    web_process.use(None)


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_database_that_fails_for_a_while_loses_nothing(quick, host, monkeypatch, caplog):
    monkeypatch.setattr(recorder, "RETRY_SECONDS", 0.01)
    failures = iter([OperationalError("database is locked")] * 3)
    record = services.record

    def failing(*args):
        if (failure := next(failures, None)) is not None:
            raise failure
        return record(*args)

    monkeypatch.setattr(services, "record", failing)
    cluster = await made()
    await host.clusters.place(cluster.pk, Create(2, 1))
    await host.clusters.ask(cluster.pk, Command("k", "trickle 100"))
    await has_recorded(cluster, 103)
    assert "database is locked" in caplog.text


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_cluster_whose_worker_is_gone_is_suspended_and_its_pages_are_told(
    quick, host, bus, worker, monkeypatch
):
    host.revival.stop()  # else it would come back at once
    cluster = await made()
    await host.clusters.place(cluster.pk, Create(2, 1))
    await has_recorded(cluster, 3)
    await until(lambda: _is(cluster, "running", ""))
    feed, _ = await host.hub.join(cluster.pk)
    worker.clusters.pop(cluster.pk)  # as if its process were killed: the lease is not renewed any more
    monkeypatch.setattr(messages, "LEASE_SECONDS", 0.2)  # only now that no stall can lose the cluster earlier
    await bus.release(f"cluster:{cluster.pk}", "w1#1")  # its time is up
    await until(lambda: feed.state == State("suspended", "worker-lost"))
    await until(lambda: _is(cluster, "suspended", "worker-lost"))
    assert await bus.holder(f"cluster:{cluster.pk}") == messages.ENDED
    assert await in_database(recorded)(cluster.pk) == [1, 2, 3]


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_cluster_that_was_lost_while_it_started_is_begun_again_but_not_for_ever(quick, host, bus):
    cluster = await made()
    for lost in range(1, revival.STARTS_LOST_MAX + 1):
        await suspend(bus, cluster.pk, "process-lost", (await row(cluster)).life)
        await until(lambda: _is(cluster, "suspended", "process-lost"))
        assert (await row(cluster)).starts_lost == lost
        await in_database(services.claim_revival)(cluster.pk)
    await host.revival._bring_back(await row(cluster))
    assert await state(cluster) == ("ended", "failed")


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("reason", ["no-worker", "no-room"])
async def test_that_there_was_no_place_is_not_held_against_a_cluster(quick, host, bus, reason):
    cluster = await made()
    for _ in range(revival.STARTS_LOST_MAX + 1):
        await suspend(bus, cluster.pk, reason, (await row(cluster)).life)
        await until(lambda: _is(cluster, "suspended", reason))
        assert (await row(cluster)).starts_lost == 0
        await in_database(services.claim_revival)(cluster.pk)


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_start_that_was_lost_with_its_worker_is_not_held_against_a_cluster(quick, host, bus):
    cluster = await made()
    for _ in range(revival.STARTS_LOST_MAX + 1):
        await host._gone(cluster.pk)
        await until(lambda: _is(cluster, "suspended", "worker-lost"))
        assert (await row(cluster)).starts_lost == 0
        await in_database(services.claim_revival)(cluster.pk)


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("paused", "later"), [(False, 2 * web_process.UNHEARD_SECONDS), (True, 0.0)])
@pytest.mark.parametrize("last", [{"at": 7.4, "arrived": 7.5}, {"at": 7.5, "arrived": None}], ids=["arrived", "lost"])
async def test_clusters_left_over_from_a_server_that_was_killed_are_suspended(quick, bus, paused, later, last):
    cluster = await made()
    await in_database(services.mark_running)(cluster.pk)
    await in_database(services.record)(cluster.pk, [encode([{"seq": 1, **last}])])
    await in_database(services.keep_place)(cluster.pk, Clock(6.0 if later else 7.5, 2.0, paused), None)
    host = web_process.WebProcess(bus, alone=True)
    web_process.use(host)
    host.supervisor._count = 0
    host.start()
    await until(lambda: _is(cluster, "suspended", "server-stopped"))
    left = await row(cluster)
    assert left.clock["now"] == 7.5 + later, "beyond all that a page may have heard"
    assert (await in_database(create_of)(left)).until == 7.5 + later
    await host.stop()
    web_process.use(None)


async def _is(cluster: Cluster, *wanted: str) -> bool:
    return await state(cluster) == wanted


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_idle_and_full_clusters_are_stopped(quick, host, settings):
    idle, full = await made(), await made(BOB)
    for cluster in (idle, full):
        await in_database(services.mark_seen)([cluster.pk])
        await host.clusters.place(cluster.pk, Create(2, 1))
    long_ago = timezone.now() - timedelta(days=1)
    await in_database(Cluster.objects.filter(pk=idle.pk).update)(seen_at=long_ago)
    settings.JOURNAL_ENTRIES_MAX = 100
    await host.clusters.ask(full.pk, Command("k", "emit 200"))
    await until(lambda: _is(idle, "suspended", "idle"))
    await until(lambda: _is(full, "ended", "full"))
    with pytest.raises(Refused):
        await host.clusters.ask(full.pk, Command("k", "emit 200"))


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_full_house_makes_room_by_ending_what_nobody_watches(quick, host, worker):
    old = [await made(Owner(f"visitor {number}")) for number in range(3)]
    for cluster in old:
        await host.clusters.place(cluster.pk, Create(2, 1))
    await in_database(Cluster.objects.filter(pk=old[1].pk).update)(seen_at=timezone.now() - timedelta(minutes=5))
    new = await made()
    host.placement.launch(new)
    await until(lambda: _is(new, "running", ""))
    await until(lambda: _is(old[1], "suspended", "room"))  # each cluster's row follows its own stream


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_cluster_for_which_there_is_no_room_ends_with_that_reason(quick, host):
    for number in range(3):
        await host.clusters.place((await made(Owner(f"visitor {number}"))).pk, Create(2, 1))
    new = await made()
    feed, _ = await host.hub.join(new.pk)
    host.placement.launch(new)
    await until(lambda: feed.state == State("ended", "no-room"))
    assert await state(new) == ("ended", "no-room")


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_the_stream_of_an_ended_cluster_is_dropped_after_a_while(quick, host, bus, monkeypatch):
    monkeypatch.setattr(recorder, "LINGER_SECONDS", 0.01)
    dropped, drop = [], bus.drop

    async def noted(stream: str) -> None:
        await drop(stream)
        dropped.append(stream)

    monkeypatch.setattr(bus, "drop", noted)
    cluster = await made()
    await host.clusters.place(cluster.pk, Create(2, 1))
    await host.clusters.ask(cluster.pk, messages.Stop("stopped"))
    await until(lambda: f"cluster:{cluster.pk}" in dropped)
    assert await in_database(recorded)(cluster.pk) == [1, 2, 3]
    await bus.append(f"cluster:{cluster.pk}", b"new")
    async with contextlib.aclosing(bus.follow(f"cluster:{cluster.pk}")) as stream:
        assert await anext(stream) == [b"new"]
