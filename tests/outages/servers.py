"""The processes that serve: found, killed, stopped, and started again where nobody else does that."""

import contextlib
import random
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psutil

from tests.browser.browser_server import Server
from tests.outages.plan import Outage

NAMES = {"worker": "visualizer.hosting.worker", "fork server": "visualizer.hosting.fork_server"}


class Servers:
    """One web server with its worker, or two of each on Redis."""

    def __init__(self, folder: Path, *, redis: bool) -> None:
        self._folder = folder
        self._port = free_port()
        environment = {"CLUSTERS_PER_VISITOR": "3", "CLUSTERS_PER_WORKER": "60", "WORKERS": "1"}
        if redis:
            environment["REDIS_URL"] = f"redis://127.0.0.1:{self._port}/0"
        self._redis: subprocess.Popen[bytes] | None = None
        self._has_redis = redis
        self._webs = [Server(folder, **environment) for _ in range(2 if redis else 1)]

    def __enter__(self) -> Self:
        """Start all."""
        self._start_redis()
        for web in self._webs:
            web.start()
        self.addresses = [web.address for web in self._webs]
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all."""
        for web in self._webs:
            web.stop()
        if self._redis is not None:
            self._redis.kill()
            self._redis.wait()

    def _start_redis(self) -> None:
        if not self._has_redis:
            return
        command = ["redis-server", "--port", str(self._port), "--save", "", "--appendonly", "no"]
        self._redis = subprocess.Popen(
            [*command, "--dir", str(self._folder)], stdout=subprocess.DEVNULL, start_new_session=True
        )
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
                return
            time.sleep(0.05)

    def kinds(self) -> list[str]:
        """What can break."""
        return [
            "web",
            "worker",
            "fork server",
            "cluster",
            "cluster",
            "cluster",
            "database",
            *["redis"] * self._has_redis,
        ]

    def suffer(self, outage: Outage, rng: random.Random) -> None:
        """Let it happen, and put right what nobody else does."""
        if outage.kind == "database":
            self._lock(outage.seconds)
            return
        web = rng.choice(self._webs)
        if outage.kind == "web":
            self._hit(lambda: [psutil.Process(web._process.pid)] if web._process else [], outage, rng)
            if outage.how == "kill":
                assert web._process is not None
                web._process.wait()
                web.start()
        elif outage.kind == "redis":
            self._hit(lambda: [psutil.Process(self._redis.pid)] if self._redis else [], outage, rng)
            if outage.how == "kill" and self._redis is not None:
                self._redis.wait()
                self._start_redis()
        else:
            self._hit(lambda: self._found(outage.kind), outage, rng)

    def _found(self, kind: str) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for web in self._webs:
            with contextlib.suppress(psutil.NoSuchProcess):
                assert web._process is not None
                below = psutil.Process(web._process.pid).children(recursive=True)
                servers = [one for one in below if NAMES["fork server"] in one.cmdline()]
                roots = [one for one in servers if one.parent() and NAMES["worker"] in one.parent().cmdline()]
                if kind == "cluster":
                    found += [child for one in roots for child in one.children()]
                elif kind == "fork server":
                    found += roots
                else:
                    found += [one for one in below if NAMES[kind] in one.cmdline()]
        return found

    def _hit(self, candidates: Callable[[], list[psutil.Process]], outage: Outage, rng: random.Random) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            there = candidates()
            if not there:
                return
            victim = rng.choice(there)
            if outage.how == "kill":
                victim.send_signal(signal.SIGKILL)
                return
            victim.send_signal(signal.SIGSTOP)
            time.sleep(outage.seconds)
            victim.send_signal(signal.SIGCONT)

    def _lock(self, seconds: float) -> None:
        database = sqlite3.connect(self._folder / "glassplane.sqlite3", timeout=30)
        with contextlib.closing(database), contextlib.suppress(sqlite3.OperationalError):
            database.execute("BEGIN EXCLUSIVE")
            time.sleep(seconds)
            database.rollback()


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
