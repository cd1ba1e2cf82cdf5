"""What the tests of the web tier share: a redis-server of their own."""

import asyncio
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from web_free_port import free_port
from web_processes import OwnProcesses
from web_until import PATIENCE, until

from visualizer import rate_limits
from visualizer.hosting import messages, questions, recorder, web_process
from visualizer.hosting.bus import Bus, EmbeddedBus
from visualizer.hosting.engines import load_engine
from visualizer.hosting.hosted_cluster import Engine
from visualizer.hosting.redis_bus import RedisBus
from visualizer.hosting.web_process import WebProcess
from visualizer.hosting.worker import Worker
from visualizer.page_socket import Allowance


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test of the web tier that waits for what never comes fails; it does not hang."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(300))


class RedisServer:
    """A redis-server of its own on a free port; what it is told survives `restart`."""

    def __init__(self, folder: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._start()

    def _start(self) -> None:
        binary = shutil.which("redis-server")
        if binary is None:
            pytest.skip(
                "NO redis-server ON THIS MACHINE: the distributed mode stays untested (apt-get install redis-server)"
            )
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self._folder]
        self._process = subprocess.Popen([binary, *options, "--appendonly", "yes"], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")  # not while it still loads
        except OSError:
            return False

    def restart(self) -> None:
        """End it and start it again at the same port."""
        self.stop()
        self._start()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(PATIENCE)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A fresh redis-server for one test, which may restart it."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(folder)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A fresh redis-server on a free port, gone after the tests."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(folder)
        try:
            yield server.url
        finally:
            server.stop()
    assert not Path(folder).exists()


@pytest_asyncio.fixture(params=["embedded", pytest.param("redis", marks=pytest.mark.redis)])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    """Both buses that servers use."""
    if request.param == "redis":
        made: Bus = RedisBus(request.getfixturevalue("redis_url"), prefix=f"test-{secrets.token_hex(4)}:")
    else:
        made = EmbeddedBus()
    yield made
    await made.aclose()


@pytest.fixture(autouse=True)
def long_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """No lease runs out because this machine stalls: a test that wants one to be over gives it back."""
    monkeypatch.setattr(messages, "LEASE_SECONDS", 2 * PATIENCE)


@pytest.fixture(autouse=True)
def no_paces() -> None:
    """No test sees what another has asked for."""
    rate_limits.forget_all()


@pytest.fixture
def no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page's allowance does not fill up again, however long a test takes to say more than it."""
    take = Allowance.take
    monkeypatch.setattr(Allowance, "take", lambda allowance, now: take(allowance, allowance._at))


class Stopwatch:
    """The time of paces, which passes only while somebody waits for a turn."""

    seconds = 1000.0

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    """Waiting for a turn takes no time here."""
    made = Stopwatch()
    monkeypatch.setattr(rate_limits, "now", made.now)
    monkeypatch.setattr(rate_limits, "sleep", made.sleep)
    return made


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The fake one. It does at once what a real one only begins, so that its answers are waited for."""
    monkeypatch.setattr(questions, "BEGIN_SECONDS", PATIENCE)
    return load_engine("fake_cluster:ClusterThread")


@pytest_asyncio.fixture
async def worker(bus: Bus, engine: Engine) -> AsyncIterator[Worker]:
    """A worker with the fake engine, in this process."""
    made = Worker("w1", bus, OwnProcesses(engine), clusters_max=3)
    running = asyncio.create_task(made.run())
    await until(lambda: bus.holder("worker:w1"))
    yield made
    await made.stop("server-stopped")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest_asyncio.fixture
async def host(bus: Bus, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WebProcess]:
    """A web process beside that worker, current in this loop, in a hurry to record."""
    monkeypatch.setattr(recorder, "WRITE_SECONDS", 0.01)
    made = WebProcess(bus)
    web_process.use(made)
    made.start()
    yield made
    await made.stop()
    web_process.use(None)


@pytest.fixture
def plain_templates(settings: Any) -> None:
    """Pages that show what they are given, whatever the real ones look like."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [Path(__file__).parent / "templates"]}]
