"""Clusters in forked processes: what one does to itself, it does to itself alone."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from web_until import PATIENCE, until

from cluster_engine.deeds import Command, Done, Output
from visualizer.hosting import messages, watchdog
from visualizer.hosting.bus import EmbeddedBus
from visualizer.hosting.clusters import Clusters
from visualizer.hosting.mailbox import Mailbox
from visualizer.hosting.messages import Create, Entries, Kubeconfig, State, Stop
from visualizer.hosting.processes import ForkedProcesses
from visualizer.hosting.watchdog import Sample, Watchdog
from visualizer.hosting.worker import Worker

pytestmark = pytest.mark.asyncio
MEBIBYTE = 1024 * 1024


class House:
    """A worker with forked processes, and how to speak with it."""

    def __init__(self) -> None:
        self.bus = EmbeddedBus()
        self.mailbox = Mailbox(self.bus)
        self.clusters = Clusters(self.bus, self.mailbox)
        self.processes = ForkedProcesses("fake_cluster:ClusterThread", 64 * MEBIBYTE)
        self.worker = Worker("w1", self.bus, self.processes, memory_bytes_max=64 * MEBIBYTE)

    def pid(self, cluster: str) -> int:
        return self.worker.clusters[cluster]._process.pid

    async def begin(self, cluster: str, seed: int = 1, life: int = 1) -> None:
        await self.clusters.place(cluster, Create(2, seed, life=life))
        await self.state(cluster, "running")

    async def hear(self, cluster: str, wanted) -> list[messages.Told]:
        told: list[messages.Told] = []
        stream = self.bus.follow(messages.cluster_name(cluster))
        async with asyncio.timeout(PATIENCE), contextlib.aclosing(stream) as followed:
            async for frames in followed:
                told += messages.Reader().read(frames)
                if any(map(wanted, told)):
                    return told
        raise AssertionError("a stream never ends")

    async def state(self, cluster: str, state: str) -> State:
        told = await self.hear(cluster, lambda one: isinstance(one, State) and one.state == state)
        return next(one for one in told if isinstance(one, State) and one.state == state)

    async def run(self, cluster: str, line: str) -> str:
        identifier = f"k{line}"
        await self.clusters.ask(cluster, Command(identifier, line))
        told = await self.hear(cluster, lambda one: isinstance(one, Done) and one.id == identifier)
        return "".join(one.text for one in told if isinstance(one, Output) and one.id == identifier)


@pytest_asyncio.fixture
async def house(monkeypatch):
    here = Path(__file__).parent
    monkeypatch.setenv("PYTHONPATH", f"{here}{os.pathsep}{here.parent.parent}")
    monkeypatch.setattr(messages, "RENEW_SECONDS", 0.05)
    made = House()
    receiving = asyncio.create_task(made.mailbox.run())
    working = asyncio.create_task(made.worker.run())
    yield made
    await made.worker.stop("server-stopped")
    for task in (receiving, working):
        task.cancel()
    await asyncio.gather(receiving, working, return_exceptions=True)


async def test_each_cluster_has_a_process_of_its_own_that_ends_with_it(house):
    await house.begin("a")
    await house.begin("b")
    a, b = house.pid("a"), house.pid("b")
    assert len({a, b, os.getpid()}) == 3
    await house.clusters.ask("a", Stop("stopped"))
    assert (await house.state("a", "ended")).reason == "stopped"
    await until(lambda: not psutil.pid_exists(a))
    assert await house.run("b", "echo hello") == "hello\n"


@pytest.mark.parametrize(
    ("line", "reason", "seen"),
    [("hang", "hung", "in command"), ("fault", "crashed", "Segmentation fault"), ("swell 100", "memory", "")],
)
async def test_one_that_misbehaves_is_ended_alone_and_its_owner_is_told_over_what(
    house, caplog, monkeypatch, line, reason, seen
):
    await house.begin("bad")
    await house.begin("bystander")
    if reason == "hung":
        monkeypatch.setattr(watchdog, "HUNG_CPU_SECONDS", 1.0)
    bystander = house.pid("bystander")
    await house.run("bad", "echo before")
    asking = asyncio.create_task(house.clusters.ask("bad", Command("k", line)))
    ended = await house.state("bad", "suspended")
    assert (ended.reason, ended.n, ended.doing) == (reason, 2, line)
    assert await house.run("bystander", "echo hello") == "hello\n"
    assert house.pid("bystander") == bystander
    said = next(one.getMessage() for one in caplog.records if "cluster bad" in one.getMessage())
    assert line in said
    assert seen in said
    await until(lambda: _free(house, "bad"))
    await asyncio.gather(asking, return_exceptions=True)  # answered or refused, as it happened to be in time


async def test_what_nobody_refers_to_any_more_is_given_back_before_it_counts_as_too_much(house):
    await house.begin("a")
    process = psutil.Process(house.pid("a"))
    held = process.memory_info().rss
    for _ in range(3):
        await house.run("a", "litter 55")
        await until(lambda: process.memory_info().rss < held + 40 * MEBIBYTE)
    assert await house.run("a", "echo hello") == "hello\n"


async def _free(house, cluster):
    return await house.bus.holder(f"cluster:{cluster}") is None


async def test_who_waits_for_an_answer_of_one_that_dies_is_told_at_once(house, monkeypatch):
    await house.begin("a")
    monkeypatch.setattr(watchdog, "STOPPED_SECONDS", 0.2)
    os.kill(house.pid("a"), signal.SIGSTOP)
    answer = await house.clusters.put("a", Entries(0, 10))
    with pytest.raises(Exception, match="does not run just now"):
        await answer
    ended = await house.state("a", "suspended")
    assert (ended.reason, ended.n, ended.doing) == ("process-lost", 0, "")


async def test_one_that_is_killed_is_reported_lost_and_nothing_it_did_is_blamed(house):
    await house.begin("a")
    await house.run("a", "echo hello")
    os.kill(house.pid("a"), signal.SIGKILL)
    ended = await house.state("a", "suspended")
    assert (ended.reason, ended.n, ended.doing) == ("process-lost", 0, "")


async def test_an_allocation_beyond_the_limit_fails_and_the_cluster_goes_on(house):
    await house.begin("a")
    assert await house.run("a", "swell 4096") == "Killed\n"
    assert await house.run("a", "echo hello") == "hello\n"


async def test_what_libraries_remark_in_a_cluster_is_no_line_of_the_servers_log(house, capfd):
    await house.begin("a")
    for logger in ("visualizer.hosting", "grpclib.server"):
        await house.run("a", f"log {logger}")
    said = capfd.readouterr().err
    assert said.count("a remark") == 1
    assert "a warning of visualizer.hosting" in said
    assert "a warning of grpclib.server" in said


async def test_when_the_fork_server_is_killed_its_clusters_are_lost_and_new_ones_begin(house):
    await house.begin("a")
    a = house.pid("a")
    house.processes._server.kill()
    assert (await house.state("a", "suspended")).reason == "worker-lost"
    await until(lambda: not _lives(a))
    await house.begin("b")
    assert "# seed 1" in await house.clusters.answer("b", Kubeconfig())


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_several_that_are_ended_in_one_moment_take_nobody_along(house):
    for name in "abc":
        await house.begin(name)
    pids = [house.pid(name) for name in "ab"]
    lines = [b'{"signal": [%d, %d]}\n' % (pid, signal.SIGKILL) for pid in pids]
    house.processes._control.sendall(b"".join(lines))
    for name in "ab":
        assert (await house.state(name, "suspended")).reason == "process-lost"
    assert await house.run("c", "echo hello") == "hello\n"


async def test_no_two_processes_have_chance_in_common(house):
    said: list[str] = []
    for name in "abc":
        await house.begin(name)
        said += (await house.run(name, "chance")).split()
    assert len(set(said)) == len(said) == 18


async def test_the_fork_server_has_one_thread_when_it_forks(house):
    await house.begin("a")
    assert psutil.Process(house.processes._server.pid).num_threads() == 1


# The watchdog ---------------------------------------------------------------------------------------------------------


def judged(*samples: tuple[float, Sample | None, bool]) -> str | None:
    dog = Watchdog(memory_bytes_max=100)
    return [dog.judge(seen, now, waiting=waiting) for now, seen, waiting in samples][-1]


def used(cpu: float, memory: int = 0, *, stopped: bool = False) -> Sample:
    return Sample(cpu, memory, stopped)


async def test_a_process_is_hung_by_its_own_time_and_not_by_that_of_the_machine():
    assert judged((0, used(1), True), (900, used(10.9), True)) is None
    assert judged((0, used(1), True), (12, used(11.1), True)) == "hung"
    assert judged((0, used(1), True), (5, used(6), False), (6, used(7), True), (12, used(13), True)) is None


async def test_memory_counts_from_what_a_process_was_forked_with():
    assert judged((0, used(1, 5000), False), (1, used(1, 5100), False)) is None
    assert judged((0, used(1, 5000), False), (1, used(1, 5101), False)) == "memory"


async def test_a_process_that_stands_still_is_given_up_and_one_that_went_on_is_not():
    assert judged((0, used(1, stopped=True), True), (14, used(1, stopped=True), True)) is None
    assert judged((0, used(1, stopped=True), True), (16, used(1, stopped=True), True)) == "process-lost"
    assert judged((0, used(1, stopped=True), True), (9, used(1), True), (16, used(1, stopped=True), True)) is None


async def test_where_nothing_can_be_seen_of_a_process_real_time_judges():
    assert judged((0, None, True), (59, None, True)) is None
    assert judged((0, None, True), (61, None, True)) == "hung"
