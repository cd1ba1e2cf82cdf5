"""Workers as real child processes: what they load, and how they live and die with their server."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from web_until import PATIENCE, until

from cluster_engine.deeds import Command
from visualizer.hosting import messages, supervisor
from visualizer.hosting.bus import EmbeddedBus
from visualizer.hosting.clusters import Clusters
from visualizer.hosting.mailbox import Mailbox
from visualizer.hosting.messages import Create, Kubeconfig
from visualizer.hosting.supervisor import Supervisor

FAKE = "fake_cluster:ClusterThread"


@pytest.fixture(autouse=True)
def findable(monkeypatch):
    """The fake engine beside this file, and the project, for child processes."""
    here = Path(__file__).parent
    monkeypatch.setenv("PYTHONPATH", f"{here}{os.pathsep}{here.parent.parent}")


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest_asyncio.fixture
async def server(monkeypatch):
    """Bus, questions and one worker process."""
    monkeypatch.setattr(messages, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(supervisor, "STOP_SECONDS", PATIENCE)  # no worker here is to be ended by force
    bus, gone = EmbeddedBus(), []
    mailbox = Mailbox(bus)
    receiving = asyncio.create_task(mailbox.run())

    async def note(cluster: str) -> None:
        gone.append(cluster)

    made = Supervisor(bus, 1, gone=note, engine=FAKE)
    made.start()
    made.gone, made.bus, made.clusters = gone, bus, Clusters(bus, mailbox)
    yield made
    await made.stop()
    receiving.cancel()
    await asyncio.gather(receiving, return_exceptions=True)


@pytest.mark.asyncio
async def test_a_cluster_runs_in_a_child_process_and_answers(server):
    worker = await server.clusters.place("c", Create(2, 42))
    assert await server.bus.leases("worker:") == {f"worker:{worker}": worker}
    assert "# seed 42" in await server.clusters.answer("c", Kubeconfig())
    await server.clusters.ask("c", Command("k", "emit 5"))
    await until(lambda: _entries(server, 8))


async def _entries(server, last: int) -> bool:
    batches = await server.clusters.entries("c", 0, 100)
    return bool(batches) and batches[-1].last == last


@pytest.mark.asyncio
async def test_a_worker_that_dies_is_replaced_and_what_it_ran_is_reported(server):
    first = await server.clusters.place("c", Create(2, 1))
    os.kill(server.processes()[0], signal.SIGKILL)
    await until(lambda: server.gone == ["c"])
    assert await server.bus.holder("cluster:c") is None
    second = await server.clusters.place("d", Create(2, 1))
    assert second != first


@pytest.mark.asyncio
async def test_a_worker_that_hangs_is_killed_and_replaced(server, monkeypatch):
    monkeypatch.setattr(supervisor, "HUNG_SECONDS", 0.1)
    first = await server.clusters.place("c", Create(2, 1))
    await _seen_alive(server.bus, first, monkeypatch)
    os.kill(server.processes()[0], signal.SIGSTOP)

    async def reported() -> bool:  # as if its time were up, also where a last renewal was on its way
        await server.bus.release(f"worker:{first}", first)
        return server.gone == ["c"]

    await until(reported)
    assert await server.clusters.place("d", Create(2, 1)) != first


async def _seen_alive(bus, worker, monkeypatch):
    """Wait until the supervisor has found that this worker holds its lease."""
    holder, seen = bus.holder, asyncio.Event()

    async def looked(lease):
        found = await holder(lease)
        if found == worker:
            seen.set()
        return found

    monkeypatch.setattr(bus, "holder", looked)
    async with asyncio.timeout(PATIENCE):
        await seen.wait()


@pytest.mark.asyncio
async def test_a_server_that_stops_takes_its_workers_along(server):
    await server.clusters.place("c", Create(2, 1))
    processes = server.processes()
    await server.stop()
    assert not any(alive(pid) for pid in processes)
    assert server.gone == []
    assert await server.bus.leases("") == {}


@pytest.mark.asyncio
async def test_ctrl_c_in_the_terminal_is_left_to_the_server(server):
    await server.clusters.place("c", Create(2, 1))
    os.kill(server.processes()[0], signal.SIGINT)
    assert "# seed 1" in await server.clusters.answer("c", Kubeconfig())


ORPHAN = """
import asyncio, sys
from visualizer.hosting import messages, supervisor
from visualizer.hosting.bus import EmbeddedBus
from visualizer.hosting.supervisor import Supervisor

async def main():
    supervisor = Supervisor(EmbeddedBus(), 1, gone=None, engine="fake_cluster:ClusterThread")
    supervisor.start()
    while not await supervisor._bus.leases("worker:"):
        await asyncio.sleep(0.01)
    print(supervisor.processes()[0], flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.asyncio
async def test_no_worker_outlives_a_server_that_is_killed():
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", ORPHAN, stdout=subprocess.PIPE)
    worker = int(await server.stdout.readline())
    assert alive(worker)
    server.kill()
    await server.wait()
    await until(lambda: not alive(worker))
    server._transport.close()


def test_a_worker_loads_neither_django_nor_redis():
    code = (
        "import sys; from visualizer.hosting import worker, fork_server;"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'django', 'channels', 'redis', 'twisted'}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_worker_needs_to_know_where_its_bus_is(monkeypatch):
    monkeypatch.delenv("REDIS_URL", raising=False)
    run = subprocess.run(
        [sys.executable, "-m", "visualizer.hosting.worker"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert "needs REDIS_URL" in run.stderr
