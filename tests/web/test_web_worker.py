"""A worker, asked over the bus as a web process asks it."""

import asyncio
import contextlib
from collections import Counter
from concurrent.futures import Future
from dataclasses import replace

import pytest
import pytest_asyncio
from msgspec import structs
from web_processes import OwnProcesses
from web_until import PATIENCE, until

from cluster_engine.commands import COMMANDS_MAX
from cluster_engine.deeds import (
    Advance,
    Applied,
    Command,
    Done,
    Heal,
    HealIncident,
    Incident,
    Inject,
    Input,
    Interrupt,
    Output,
    Pace,
    Pause,
    Resume,
    Step,
    Typed,
)
from cluster_engine.journal import Journal
from visualizer.hosting import messages
from visualizer.hosting.batches import Batch, decode
from visualizer.hosting.bus import EmbeddedBus
from visualizer.hosting.clusters import Clusters, NoRoom, NotRunning
from visualizer.hosting.hosted_cluster import coalesce
from visualizer.hosting.mailbox import Mailbox
from visualizer.hosting.messages import Clock, Create, Detail, Inputs, Kubeconfig, Outside, State, Stop
from visualizer.hosting.refused import Missing, Refused
from visualizer.hosting.worker import Worker

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def clusters(bus):
    mailbox = Mailbox(bus)
    running = asyncio.create_task(mailbox.run())
    yield Clusters(bus, mailbox)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch):
    """Workers on one machine are told it is crowded at different moments; that is another test's affair."""
    monkeypatch.setattr("visualizer.hosting.clusters.is_crowded", lambda load: False)


async def heard(bus, cluster, enough):
    """What a cluster's stream says, from its start, until `enough(messages)`."""
    told = []
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(bus.follow(f"cluster:{cluster}")) as stream:
        async for frames in stream:
            told += messages.Reader().read(frames)
            if enough(told):
                return told
    raise AssertionError("a stream never ends")


def seqs(told):
    return [entry["seq"] for batch in told if isinstance(batch, Batch) for entry in decode(batch)]


def has(kind, **fields):
    return lambda told: any(
        isinstance(one, kind) and all(getattr(one, name) == value for name, value in fields.items()) for one in told
    )


async def test_a_cluster_that_is_placed_runs_and_tells_its_journal(bus, worker, clusters):
    assert await clusters.place("c", Create(nodes=2, seed=1)) == "w1"
    assert await bus.holder("cluster:c") == "w1#1"
    clock, up = has(Clock, pace=1.0, paused=False), has(State, state="running")
    told = await heard(bus, "c", lambda told: clock(told) and up(told))  # only the newest clock is told, in its place
    assert seqs(told) == [1, 2, 3]


async def test_what_a_command_prints_at_once_is_told_in_pieces(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    text = "0123456789" * 10_000
    await clusters.answer("c", Command("k1", f"echo {text}"))
    said = [one.text for one in await heard(bus, "c", has(Done)) if isinstance(one, Output)]
    assert "".join(said) == f"{text}\n"
    assert max(map(len, said)) <= 64 * 1024


async def test_a_command_is_accepted_at_once_and_its_output_and_end_are_told(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    assert await clusters.answer("c", Command("k1", "echo hello")) == {}
    told = await heard(bus, "c", has(Done))
    said = [one for one in told if isinstance(one, Typed | Output | Done)]
    assert [structs.replace(one, after=0) for one in said] == [
        Typed("k1", "echo hello", prompt="fake:~$"),
        Output("k1", 1, "stdout", "hello\n"),
        Done("k1", 2, 0, "fake:~$"),
    ]


async def test_an_interrupt_ends_a_command_that_waits(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    await clusters.ask("c", Command("k1", "wait"))
    await heard(bus, "c", has(Output, text="waiting\n"))
    await clusters.ask("c", Interrupt("k1"))
    assert has(Done, id="k1", code=130)(await heard(bus, "c", has(Done)))
    await clusters.ask("c", Interrupt("k1"))


async def test_commands_of_a_cluster_are_bounded_and_their_ids_unique(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    for number in range(COMMANDS_MAX):
        await clusters.ask("c", Command(f"k{number}", "wait"))
    assert await clusters.answer("c", Command("k0", "wait")) == {"again": True}
    with pytest.raises(Refused, match="Too many commands"):
        await clusters.ask("c", Command("one more", "wait"))


async def test_time_is_paused_paced_and_stepped(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    with pytest.raises(Refused, match="not paused"):
        await clusters.ask("c", Step())
    await clusters.ask("c", Pause())
    assert await clusters.answer("c", Step()) == {"seq": 4}
    await clusters.ask("c", Pace(10))
    await clusters.ask("c", Resume())
    told = await heard(bus, "c", has(Clock, pace=10.0, paused=False))
    assert seqs(told) == [1, 2, 3, 4]


async def test_questions_reach_a_cluster_in_the_order_in_which_they_were_asked(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    asked = [Pause(), Step(), Step(), Resume(), Pause(), Step()]
    answers = [await clusters.put("c", question) for question in asked]
    assert await asyncio.gather(*answers) == [b"{}", b'{"seq":4}', b'{"seq":5}', b"{}", b"{}", b'{"seq":6}']


async def test_details_and_kubeconfig_are_answered_by_the_cluster(bus, worker, clusters):
    await clusters.place("c", Create(2, 7))
    await heard(bus, "c", has(State))
    assert (await clusters.answer("c", Detail(2)))["seq"] == 2
    with pytest.raises(Missing, match="There is no such entry any more"):
        await clusters.ask("c", Detail(99))
    assert "# seed 7 at 127.0.0.1" in await clusters.answer("c", Kubeconfig())


async def test_a_cluster_is_made_for_the_names_by_which_its_kubeconfigs_lead_to_it(bus, worker, clusters):
    await clusters.place("c", Create(2, 7, gateway_names=["class.example", "other.example"]))
    await heard(bus, "c", has(State))
    said = await clusters.answer("c", Kubeconfig("class.example"))
    assert "at class.example of class.example, other.example" in said


async def test_clusters_come_back_a_few_at_a_time_and_new_ones_do_not_wait(bus, engine, clusters, monkeypatch):
    monkeypatch.setattr("visualizer.hosting.worker.REPLAYS_AT_ONCE", 2)  # however many cores there are
    monkeypatch.setattr("visualizer.hosting.worker.REPLAY_TURN_SECONDS", 2 * PATIENCE)
    begun: list[int] = []
    let_go = {seed: asyncio.Event() for seed in (1, 2, 3, 4, 5, 9)}

    def held(**fields):
        thread, seed, loop = engine(**fields), fields["seed"], asyncio.get_running_loop()
        start = thread.start

        async def once_let_go():
            begun.append(seed)
            await let_go[seed].wait()
            return await asyncio.wrap_future(start())

        thread.start = lambda: asyncio.run_coroutine_threadsafe(once_let_go(), loop)
        return thread

    worker = Worker("w9", bus, OwnProcesses(held))
    running = asyncio.create_task(worker.run())
    for seed in range(1, 6):
        await clusters.place(f"c{seed}", Create(2, seed, until=0.05))
    await clusters.place("new", Create(2, 9))
    await until(lambda: len(begun) == 3)
    assert sorted(begun) == [1, 2, 9]
    with pytest.raises(Refused, match="still starting"):
        await clusters.ask("c3", Pause())
    await clusters.ask("c3", Stop("idle"))  # before its turn
    let_go[2].set()
    await heard(bus, "c2", has(State, state="running"))
    await until(lambda: len(begun) == 4)
    assert begun[3:] == [4]
    for event in let_go.values():
        event.set()
    await heard(bus, "c5", has(State, state="running"))
    assert 3 not in begun
    await worker.stop("server-stopped")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_worker_on_another_machine_says_its_own_name(bus, engine, clusters):
    worker = Worker("far", bus, OwnProcesses(engine), gateway_host="far.example")
    running = asyncio.create_task(worker.run())
    await clusters.place("c", Create(2, 7, gateway_names=["class.example"]))
    await heard(bus, "c", has(State))
    assert "at far.example of far.example\n" in await clusters.answer("c", Kubeconfig("class.example"))
    await worker.stop("server-stopped")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_entries_that_a_stream_lost_are_listed_by_the_cluster_itself(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    await clusters.ask("c", Command("k", "emit 10"))
    await heard(bus, "c", has(Done))
    batches = await clusters.entries("c", 4, 5)
    assert [entry["seq"] for batch in batches for entry in decode(batch)] == [5, 6, 7, 8, 9]
    assert await clusters.entries("c", 13, 5) == []
    assert await clusters.entries("unknown", 0, 5) == []


async def test_entries_that_the_cluster_has_forgotten_are_lost_and_the_later_ones_say_where_they_begin(
    bus, worker, clusters
):
    await clusters.place("c", Create(2, 1))
    await heard(bus, "c", has(State, state="running"))
    fake = worker._processes.threads[0].cluster
    kept, fake.journal = fake.journal, Journal(bytes_max=64 * 1024)
    for entry in kept.since(0, 10):
        fake.journal.append(entry)
    await clusters.ask("c", Command("k", "emit 1000"))
    await heard(bus, "c", has(Done))
    first = fake.journal.first
    assert 1 < first < 1000
    batches = await clusters.entries("c", first - 1, 5)
    assert [entry["seq"] for batch in batches for entry in decode(batch)] == list(range(first, first + 5))
    for since in (first - 2, 0):
        (batch,) = await clusters.entries("c", since, 5)
        assert (batch.first, batch.last) == (first, first + 4)


async def test_a_message_that_nobody_understands_is_passed_over(bus, worker, clusters, caplog):
    await bus.append("worker:w1", b"\xc1 of another version")
    assert await clusters.place("c", Create(2, 1)) == "w1"
    assert "not understood" in caplog.text


async def test_a_stopped_cluster_says_why_and_its_lease_is_free(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    await clusters.ask("c", Stop("stopped"))
    assert has(State, state="ended", reason="stopped")(await heard(bus, "c", has(State, state="ended")))
    await until(lambda: not worker.clusters)
    assert await bus.holder("cluster:c") is None
    with pytest.raises(NotRunning):
        await clusters.ask("c", Pause())


async def test_a_cluster_that_does_not_stop_in_time_is_logged_in_one_sentence(
    bus, worker, clusters, monkeypatch, caplog
):
    await clusters.place("c", Create(2, 1))
    await heard(bus, "c", has(State, state="running"))
    thread = worker._processes.threads[0]
    stop, stopped = thread.stop, Future()
    monkeypatch.setattr(thread, "stop", lambda: stopped)
    monkeypatch.setattr("visualizer.hosting.hosted_cluster.STOP_SECONDS", 0.0)
    await clusters.ask("c", Stop("stopped"))
    assert has(State, state="ended", reason="stopped")(await heard(bus, "c", has(State, state="ended")))
    (record,) = [one for one in caplog.records if one.name == "visualizer.hosting.hosted_cluster"]
    assert (record.getMessage()[:28], record.exc_info) == ("cluster c has not stopped wi", None)
    assert not stopped.cancelled()  # the thread still has it to end
    stop()


async def test_a_cluster_that_does_not_start_ends_and_the_worker_goes_on(bus, worker, clusters, caplog):
    await clusters.place("bad", Create(2, 666))
    assert has(State, state="ended", reason="failed")(await heard(bus, "bad", has(State)))
    assert "this seed does not start" in caplog.text
    await clusters.place("good", Create(2, 1))
    assert has(State, state="running")(await heard(bus, "good", has(State)))


async def test_a_cluster_that_breaks_ends_with_an_apology_and_what_it_said_is_kept(bus, worker, clusters, caplog):
    await clusters.place("c", Create(2, 1))
    await heard(bus, "c", has(State, state="running"))
    await clusters.ask("c", Command("k", "emit 5"))
    await clusters.ask("c", Command("k2", "crash"))
    told = await heard(bus, "c", has(State, state="ended"))
    assert has(State, state="ended", reason="broken")(told)
    assert seqs(told) == list(range(1, 9))
    assert "a bug in the cluster itself" in caplog.text
    await until(lambda: _nobody(bus, "cluster:c"))


async def test_the_clock_is_told_again_now_and_then(bus, worker, clusters, monkeypatch):
    monkeypatch.setattr(messages, "RENEW_SECONDS", 0.01)
    await clusters.place("c", Create(2, 1))
    await heard(bus, "c", lambda told: sum(isinstance(one, Clock) for one in told) > 2)


async def test_a_worker_takes_no_more_clusters_than_it_may(bus, worker, clusters):
    for name in "abc":
        await clusters.place(name, Create(2, 1))
    with pytest.raises(NoRoom) as refused:
        await clusters.place("d", Create(2, 1))
    assert refused.value.reason == "no-room"


async def test_clusters_go_to_the_worker_that_runs_fewest(bus, worker, engine, clusters):
    other = Worker("w2", bus, OwnProcesses(engine))
    running = asyncio.create_task(other.run())
    await until(lambda: bus.holder("worker:w2"))
    placed = [await clusters.place(name, Create(2, 1)) for name in "abcd"]
    assert sorted(placed) == ["w1", "w1", "w2", "w2"]
    await other.stop("server-stopped")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_clusters_that_are_placed_at_once_are_spread(bus, worker, engine, clusters):
    other = Worker("w2", bus, OwnProcesses(engine))
    running = asyncio.create_task(other.run())
    await until(lambda: bus.holder("worker:w2"))
    placed = await asyncio.gather(*(clusters.place(name, Create(2, 1)) for name in "abcdef"))
    assert sorted(placed) == ["w1"] * 3 + ["w2"] * 3
    await other.stop("server-stopped")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_worker_that_says_nothing_is_busy_and_not_full(bus, engine, clusters, monkeypatch):
    monkeypatch.setattr("visualizer.hosting.clusters.CREATE_SECONDS", 0.1)
    await bus.hold("worker:w1", "w1", 30)  # it lives, and does not come to its inbox yet
    placing = asyncio.create_task(clusters.place("c", Create(2, 1)))
    asked = 0
    async with contextlib.aclosing(bus.follow("worker:w1")) as inbox:
        async for frames in inbox:
            asked += len(frames)
            if asked >= 3:
                break
    worker = Worker("w1", bus, OwnProcesses(engine))
    running = asyncio.create_task(worker.run())
    assert await placing == "w1"
    assert list(worker.clusters) == ["c"]
    await worker.stop("server-stopped")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_one_that_is_not_busy_is_asked_next(bus, worker, clusters, monkeypatch):
    monkeypatch.setattr("visualizer.hosting.clusters.CREATE_SECONDS", 0.1)
    await bus.hold("worker:w0", "w0", 30)  # it hangs
    assert await clusters.place("c", Create(2, 1)) == "w1"


async def test_a_cluster_is_run_by_one_worker_only(bus, worker, clusters):
    assert await bus.hold("cluster:c", "another worker", 30)
    with pytest.raises(NoRoom):
        await clusters.place("c", Create(2, 1))
    assert not worker.clusters


async def test_a_cluster_that_was_given_up_meanwhile_is_stopped_without_a_word(bus, worker, clusters, monkeypatch):
    monkeypatch.setattr(messages, "RENEW_SECONDS", 0.01)
    await clusters.place("c", Create(2, 1))
    await heard(bus, "c", has(State, state="running"))

    async def given_up():  # in two steps, between which the worker may renew
        await bus.release("cluster:c", "w1#1")
        return await bus.hold("cluster:c", messages.ENDED, 30)

    await until(given_up)
    await until(lambda: not worker.clusters)
    assert await bus.holder("cluster:c") == messages.ENDED


async def test_leases_are_renewed_while_a_cluster_runs(bus, engine, clusters, monkeypatch):
    monkeypatch.setattr(messages, "RENEW_SECONDS", 0.02)
    renewed, hold = Counter(), bus.hold

    async def noted(lease, holder, seconds):
        held = await hold(lease, holder, seconds)
        renewed[lease, holder, seconds] += held
        return held

    monkeypatch.setattr(bus, "hold", noted)
    worker = Worker("w3", bus, OwnProcesses(engine))
    running = asyncio.create_task(worker.run())
    await clusters.place("c", Create(2, 1))
    for lease, holder in (("cluster:c", "w3#1"), ("worker:w3", "w3")):
        await until(lambda key=(lease, holder, messages.LEASE_SECONDS): renewed[key] > 3)
        assert await bus.holder(lease) == holder
    monkeypatch.setattr(messages, "LEASE_SECONDS", 0.2)  # it is renewed for so long a last time, and runs out
    await until(lambda: renewed["cluster:c", "w3#1", 0.2])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await until(lambda: _nobody(bus, "cluster:c"))


class LateBus:
    """Has the renewals of one lease wait until they may."""

    def __init__(self, bus, lease, monkeypatch):
        self.asked, self.ended, self.renewed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._lease, self._hold = lease, bus.hold
        monkeypatch.setattr(bus, "hold", self.hold)

    async def hold(self, lease, holder, seconds):
        if lease != self._lease:
            return await self._hold(lease, holder, seconds)
        self.asked.set()
        await self.ended.wait()
        held = await self._hold(lease, holder, seconds)
        self.renewed.set()
        return held


async def test_a_renewal_that_comes_after_the_end_of_a_cluster_is_taken_back(bus, worker, clusters, monkeypatch):
    monkeypatch.setattr(messages, "RENEW_SECONDS", 0.01)
    await clusters.place("c", Create(2, 1))
    await heard(bus, "c", has(State, state="running"))
    late = LateBus(bus, "cluster:c", monkeypatch)
    async with asyncio.timeout(PATIENCE):
        await late.asked.wait()
        await clusters.ask("c", Stop("stopped"))
        late.ended.set()
        await late.renewed.wait()
    await until(lambda: _nobody(bus, "cluster:c"))


async def test_a_renewal_that_comes_after_the_end_of_a_worker_is_taken_back(bus, engine, clusters, monkeypatch):
    monkeypatch.setattr(messages, "RENEW_SECONDS", 0.01)
    worker = Worker("w3", bus, OwnProcesses(engine))
    running = asyncio.create_task(worker.run())
    await until(lambda: bus.holder("worker:w3"))
    late = LateBus(bus, "worker:w3", monkeypatch)
    async with asyncio.timeout(PATIENCE):
        await late.asked.wait()
        await worker.stop("server-stopped")
        late.ended.set()
        await late.renewed.wait()
    await until(lambda: _nobody(bus, "worker:w3"))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def _nobody(bus, lease):
    return await bus.holder(lease) is None


async def test_without_a_worker_nothing_can_be_placed(bus, clusters, monkeypatch):
    monkeypatch.setattr("visualizer.hosting.clusters.PLACE_SECONDS", 0.1)
    with pytest.raises(NoRoom) as refused:
        await clusters.place("c", Create(2, 1))
    assert refused.value.reason == "no-worker"


async def test_a_question_without_an_answer_is_refused_in_the_end():
    mailbox = Mailbox(EmbeddedBus())  # on which a question is at once: what takes too long is the answer
    with pytest.raises(Refused, match="no answer in time"):
        await mailbox.ask("a worker that hangs", "c", Pause(), seconds=0.05)


async def test_what_waits_is_joined_without_changing_its_order():
    one, two, later = Batch(1, 1, b"1"), Batch(2, 3, b"2,3"), Batch(9, 9, b"9")
    old, new = Clock(1, 1, False), Clock(2, 1, False)
    out = [Output("k", 1, "stdout", "a"), Output("k", 2, "stdout", "b"), Output("k", 3, "stderr", "c"), Done("k", 4, 0)]
    assert coalesce([old, one, two, later, *out, new]) == [
        Batch(1, 3, b"1,2,3"),
        later,
        Output("k", 2, "stdout", "ab"),
        Output("k", 3, "stderr", "c"),
        Done("k", 4, 0),
        new,
    ]


async def test_what_a_replay_printed_last_is_not_joined_with_anything_nor_after_it_is_told_to_run():
    replayed = [Output("k", 1, "stdout", "a"), Output("k", 2, "stdout", "b")]
    live = [Output("k", 3, "stdout", "c"), Output("k", 4, "stdout", "d")]
    running = State("running", life=2)
    assert coalesce([*replayed, running, *live], joins_output=False) == [
        *replayed,
        running,
        Output("k", 4, "stdout", "cd"),
    ]


# Faults and inputs --------------------------------------------------------------------------------------------

POWER_OFF = {"name": "power-off", "target": "worker-1"}


async def test_a_fault_is_let_happen_told_and_healed(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    assert await clusters.answer("c", Incident(7, POWER_OFF)) == {"fault": "fault-1"}
    assert has(Applied, incident=7, fault="fault-1", at=0.03, problem=None)(await heard(bus, "c", has(Applied)))
    assert await clusters.answer("c", Inject(POWER_OFF | {"target": "worker-2"}, sealed=True)) == {"fault": "fault-2"}
    assert await clusters.answer("c", Heal("fault-2")) == {}
    assert await clusters.answer("c", HealIncident(7)) == {}
    assert await clusters.answer("c", HealIncident(7)) == {}
    with pytest.raises(Refused, match="over already"):
        await clusters.ask("c", Heal("fault-1"))
    assert await clusters.answer("c", Heal()) == {}


@pytest.mark.parametrize(
    ("record", "when", "words"),
    [
        ({"name": "earthquake"}, None, "there is no fault earthquake"),
        ({"name": "power-off"}, None, "needs a target"),
        (POWER_OFF | {"target": "worker-9"}, None, "there is no host worker-9"),
        (POWER_OFF | {"target": "worker-9"}, {"entry": {"kind": "test"}}, "there is no host worker-9"),
        (POWER_OFF, {"entry": {"colour": "red"}}, "colour"),
        (POWER_OFF, {}, "exactly one"),
    ],
)
async def test_a_fault_that_does_not_fit_is_refused_in_the_engines_words(bus, worker, clusters, record, when, words):
    await clusters.place("c", Create(2, 1))
    with pytest.raises(Refused, match=words):
        await clusters.ask("c", Inject(record, when))
    assert await clusters.answer("c", Inputs()) == []


async def test_a_fault_waits_for_its_predicate(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    when = {"entry": {"label": "now"}}
    assert await clusters.answer("c", Incident(1, POWER_OFF, when)) == {"fault": None}
    assert await clusters.answer("c", Incident(2, POWER_OFF | {"target": "worker-2"}, when)) == {"fault": None}
    await clusters.ask("c", HealIncident(2))
    await clusters.ask("c", Command("k", "echo now"))
    told = await heard(bus, "c", has(Done))
    assert [one for one in told if isinstance(one, Applied)] == [Applied(1, "fault-1", 0.04)]


async def test_an_incident_is_put_into_a_cluster_once_whoever_asks_again(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    never = {"entry": {"label": "never"}}
    await clusters.ask("c", Incident(1, POWER_OFF))
    await clusters.ask("c", Incident(2, POWER_OFF | {"target": "worker-2"}, never))
    await clusters.ask("c", HealIncident(3))
    for incident in (1, 2, 3):
        with pytest.raises(Refused, match="already, or is healed"):
            await clusters.ask("c", Incident(incident, POWER_OFF | {"target": "worker-2"}))
    assert len(await clusters.answer("c", Inputs())) == 3


async def test_a_fault_that_does_not_fit_any_more_when_its_moment_has_come_says_why(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    await clusters.ask("c", Incident(1, POWER_OFF, {"entry": {"label": "now"}}))
    thread = worker._processes.threads[0]
    thread.spec = replace(thread.spec, nodes=0)  # as if the host had gone
    await clusters.ask("c", Command("k", "echo now"))
    told = await heard(bus, "c", has(Applied))
    assert "there is no host" in next(one.problem for one in told if isinstance(one, Applied))


async def test_what_people_do_is_told_with_its_time_and_can_be_asked_for(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    await clusters.ask("c", Command("k", "wait"))
    await clusters.ask("c", Pause())
    await clusters.ask("c", Step())
    await clusters.ask("c", Interrupt("k"))
    await clusters.ask("c", Inject(POWER_OFF, sealed=True))
    with pytest.raises(Refused):
        await clusters.ask("c", Heal("fault-9"))
    told = await heard(bus, "c", lambda told: sum(isinstance(one, Input) for one in told) == 3)
    inputs = [
        Input(1, 0.03, Command("k", "wait"), 3),
        Input(2, 0.04, Interrupt("k"), 4),
        Input(3, 0.04, Inject(POWER_OFF, sealed=True), 4),
    ]
    assert [one for one in told if isinstance(one, Input)] == inputs
    answer = await clusters.answer("c", Inputs(1))
    assert [one["n"] for one in answer] == [2, 3]


async def test_inputs_are_bounded(bus, worker, clusters, monkeypatch):
    monkeypatch.setattr("cluster_engine.run.INPUTS_MAX", 2)
    await clusters.place("c", Create(2, 1))
    for number in range(2):
        await clusters.ask("c", Command(f"k{number}", "echo x"))
    with pytest.raises(Refused, match="as much as it can keep"):
        await clusters.ask("c", Command("k3", "echo x"))


async def test_somebody_from_outside_is_noticed_once(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    for number in range(2):
        await clusters.ask("c", Command(f"k{number}", "outside"))
    told = await heard(bus, "c", has(Done, id="k1"))
    assert sum(isinstance(one, Outside) for one in told) == 1


async def test_without_a_lesson_there_is_nothing_to_go_on_with(bus, worker, clusters):
    await clusters.place("c", Create(2, 1))
    with pytest.raises(Refused, match="no lesson"):
        await clusters.ask("c", Advance("somewhere"))
