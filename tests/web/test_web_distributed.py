"""Web servers and workers as separate processes on Redis: any of them may die."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from test_web_server import ROOT, Server, hear, open_socket, visit
from web_until import PATIENCE

pytestmark = pytest.mark.redis


@pytest.fixture
def redis(redis_url: str) -> str:
    """A database of its own in the redis-server."""
    subprocess.run(["redis-cli", "-u", redis_url, "flushall"], check=True, capture_output=True)
    return redis_url


@pytest.fixture
def worker(redis: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "visualizer.hosting.worker", "--redis", redis]
    path = f"{ROOT}{os.pathsep}{Path(__file__).parent}"
    process = subprocess.Popen(
        [*command, "--engine", "fake_cluster:ClusterThread"], env={**os.environ, "PYTHONPATH": path}
    )
    yield process
    process.terminate()
    assert process.wait(PATIENCE) == 0


def ready(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while httpx.get(server.url + "/healthz", timeout=PATIENCE).status_code != 200:
        assert time.monotonic() < deadline, "no worker has come up"
        time.sleep(0.05)


@pytest.mark.long
def test_a_cluster_outlives_its_web_server_and_the_page_resumes_at_another(redis, worker, tmp_path):
    first = Server(tmp_path, REDIS_URL=redis)
    ready(first)
    assert first.children() == []  # on Redis a web server starts no workers of its own
    with httpx.Client(timeout=PATIENCE) as client:
        cluster = visit(first, client)
        socket = open_socket(first, client, cluster)
        socket.send('{"type":"watch","since":0}')
        socket.send('{"type":"command","id":"k1","line":"emit 200"}')
        seen: list[int] = []
        while not seen or seen[-1] < 203:
            seen += [entry["seq"] for entry in hear(socket, "entries")["entries"]]
        first.end(signal.SIGKILL)
        socket.shutdown()
        second = Server(tmp_path, REDIS_URL=redis)
        try:
            socket = open_socket(second, client, cluster)
            assert hear(socket, "hello")["cluster"]["state"] == "running"
            socket.send('{"type":"command","id":"k2","line":"trickle 200"}')
            socket.send(json.dumps({"type": "watch", "since": seen[-1]}))
            while seen[-1] < 403:
                seen += [entry["seq"] for entry in hear(socket, "entries")["entries"]]
            assert seen == list(range(1, 404))
            assert visit(second, client) == cluster
            assert client.get(f"{second.url}/clusters/{cluster}/entries/7/").json()["seq"] == 7
            socket.close()
        finally:
            assert second.end(signal.SIGTERM)[0] == 0


@pytest.mark.long
def test_two_web_servers_feed_pages_of_one_cluster_alike(redis, worker, tmp_path):
    servers = [Server(tmp_path, REDIS_URL=redis), Server(tmp_path, REDIS_URL=redis)]
    try:
        ready(servers[0])
        with httpx.Client(timeout=PATIENCE) as client:
            cluster = visit(servers[0], client)
            sockets = [open_socket(server, client, cluster) for server in servers]
            for socket in sockets:
                socket.send('{"type":"watch","since":0}')
            sockets[1].send('{"type":"command","id":"k","line":"trickle 300"}')
            for socket in sockets:
                seen, codes = [], []
                while not codes or not seen or seen[-1] < 303:
                    frame = hear(socket, "entries", "done")
                    seen += [entry["seq"] for entry in frame.get("entries", [])]
                    codes += [frame["code"]] if "code" in frame else []
                socket.close()
                assert (seen, codes) == (list(range(1, 304)), [0])
    finally:
        for server in servers:
            assert server.end(signal.SIGTERM)[0] == 0


def test_a_worker_that_is_killed_is_replaced_and_what_is_watched_comes_back(redis, tmp_path):
    server = Server(tmp_path, REDIS_URL=redis, WORKERS="1")
    try:
        ready(server)
        with httpx.Client(timeout=PATIENCE) as client:
            cluster = visit(server, client)
            socket = open_socket(server, client, cluster)
            (worker,) = server.workers()
            worker.send_signal(signal.SIGKILL)
            told = []
            while not told or told[-1]["state"] != "running":
                told.append(hear(socket, "cluster")["cluster"])
            assert [(one["state"], one["reason"]) for one in told][:2] == [
                ("suspended", "worker-lost"),
                ("starting", ""),
            ]
            psutil.wait_procs([worker], timeout=PATIENCE)
            ready(server)  # another has taken its place
            assert visit(server, client) == cluster
            socket.close()
    finally:
        server.end(signal.SIGTERM)
