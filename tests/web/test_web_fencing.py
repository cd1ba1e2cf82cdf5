"""Who was stopped for longer than their lease lasts does nothing and says nothing when they wake."""

import asyncio
import contextlib

import pytest
import pytest_asyncio
from web_processes import OwnProcesses
from web_until import PATIENCE, until

from cluster_engine.deeds import Command, Done, Input, Typed
from visualizer import services
from visualizer.database import in_database
from visualizer.hosting import messages
from visualizer.hosting.batches import Batch
from visualizer.hosting.mailbox import Mailbox
from visualizer.hosting.messages import Clock, Create, Lesson, Rights, State
from visualizer.hosting.refused import Refused
from visualizer.hosting.worker import Worker
from visualizer.models import Cluster

pytestmark = pytest.mark.asyncio


class Sleeper:
    """A worker whose clock can be moved: it was stopped, and does not know it."""

    def __init__(self, bus, engine) -> None:
        self.bus = bus
        self.now = 0.0
        self.processes = OwnProcesses(engine)
        self.worker = Worker("w1", bus, self.processes, now=lambda: self.now)
        self.mailbox = Mailbox(bus)

    async def is_given_up(self) -> None:
        """It sleeps, its lease is over, and another has the cluster."""
        await self.bus.release("cluster:c", "w1#1")
        assert await self.bus.hold("cluster:c", "w2#2", messages.LEASE_SECONDS)
        self.now += messages.LEASE_SECONDS


@pytest_asyncio.fixture
async def sleeper(bus, engine, monkeypatch):
    monkeypatch.setattr(messages, "RENEW_SECONDS", 3600)  # it renews when it must, and not by the way
    made = Sleeper(bus, engine)
    tasks = [asyncio.create_task(made.mailbox.run()), asyncio.create_task(made.worker.run())]
    await until(lambda: bus.holder("worker:w1"))
    await made.mailbox.ask("w1", "c", Create(2, 1))
    await heard(bus, lambda one: isinstance(one, State))
    yield made
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def heard(bus, wanted) -> list[messages.Told]:
    told: list[messages.Told] = []
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(bus.follow("cluster:c")) as stream:
        async for frames in stream:
            told += messages.Reader().read(frames)
            if any(map(wanted, told)):
                return told
    raise AssertionError("a stream never ends")


async def test_an_old_question_is_not_put_to_a_cluster_that_was_given_up(sleeper):
    await sleeper.is_given_up()
    with pytest.raises(Refused, match="does not run just now"):
        await sleeper.mailbox.ask("w1", "c", Command("k", "echo late"))
    (thread,) = sleeper.processes.threads
    assert thread._run.inputs == []
    await until(lambda: not sleeper.worker.clusters)


async def test_what_its_process_says_meanwhile_is_not_heard(sleeper):
    await sleeper.mailbox.ask("w1", "c", Command("k1", "wait"))
    await heard(sleeper.bus, lambda one: isinstance(one, Typed))
    await sleeper.is_given_up()
    (thread,) = sleeper.processes.threads
    thread._loop.call_soon_threadsafe(thread.emit, 5)
    thread._loop.call_soon_threadsafe(thread.on_failure, "RuntimeError: it breaks, too")
    await until(lambda: not sleeper.worker.clusters)
    await sleeper.bus.append("cluster:c", messages.say(Done("end", 1, 0), 2))
    told = await heard(sleeper.bus, lambda one: isinstance(one, Done))
    assert [batch.last for batch in told if isinstance(batch, Batch)][-1] == 3
    assert not any(isinstance(one, State) and one.state == "ended" for one in told)


async def test_a_question_for_another_life_is_refused(sleeper):
    with pytest.raises(Refused, match="does not run just now"):
        await sleeper.mailbox.ask("w1", "c", Command("k", "echo hello"), life=2)
    assert sleeper.processes.threads[0]._run.inputs == []


async def test_one_that_was_stopped_and_still_has_its_lease_goes_on(sleeper):
    sleeper.now += messages.LEASE_SECONDS
    assert await sleeper.mailbox.ask("w1", "c", Command("k", "echo hello")) == b"{}"
    assert await sleeper.bus.holder("cluster:c") == "w1#1"


async def test_readers_pass_over_what_an_older_life_says():
    frames = [
        messages.say(Clock(1, 1, False), 1),
        messages.say(State("starting", life=2), 2),
        messages.say(Clock(9, 1, False), 1),
        messages.say(Rights(), 0),
        messages.say(Clock(2, 1, False), 2),
    ]
    assert messages.Reader().read(frames) == [
        Clock(1, 1, False),
        State("starting", life=2),
        Rights(),
        Clock(2, 1, False),
    ]
    assert messages.Reader(2).read(frames[2:3]) == []


@pytest.mark.parametrize(
    ("reads", "missed"),
    [
        (["1.1 1.2", "1.3"], [False, False]),
        (["1.1", "1.4 1.5", "1.6"], [False, True, False]),
        (["1.7"], [True]),  # the stream was trimmed before it was read
        (["1.1 0.0", "2.0 2.1", "1.9 2.2"], [False, False, False]),  # an older life says what it likes
        (["1.1 1.2", "1.1 1.2 1.3"], [False, False]),  # read again from its beginning
        (["1.1", "2.3"], [False, True]),
    ],
)
async def test_whoever_reads_a_stream_sees_what_is_missing_in_it(reads, missed):
    reader = messages.Reader()
    seen = []
    for frames in reads:
        said = [tuple(map(int, one.split("."))) for one in frames.split()]
        reader.read(messages.say(Rights(), life, n) for life, n in said)
        seen.append(reader.has_missed)
    assert seen == missed


@pytest.mark.django_db(transaction=True)
async def test_the_database_takes_nothing_of_a_life_that_is_over():
    cluster = await in_database(Cluster.objects.create)(visitor="v", life=2)
    assert await in_database(services.record)(cluster.pk, [Batch(1, 1, b"{}")], 1) == 0
    assert await in_database(services.record_inputs)(cluster.pk, [Input(1, 0.1, {})], 1) == 1
    await in_database(services.keep_place)(cluster.pk, Clock(9, 1, False), Lesson({"a": 1}), 1)
    await in_database(services.mark_outside)(cluster.pk, 1)
    row = await in_database(Cluster.objects.get)(pk=cluster.pk)
    assert (row.recorded, row.clock, row.progress, row.outside) == (0, None, None, False)
    assert await in_database(row.inputs.count)() == 0
    assert await in_database(services.record)(cluster.pk, [Batch(1, 1, b"{}")], 2) == 1
    assert await in_database(services.record_inputs)(cluster.pk, [Input(1, 0.1, {})], 2) == 1
    assert await in_database(row.inputs.count)() == 1
