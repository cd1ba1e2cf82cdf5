"""The whole server as a process: `manage.py serve`, a browser's HTTP and WebSocket, signals."""

import contextlib
import json
import os
import re
import signal
import socket as sockets
import sqlite3
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import websocket
from web_free_port import free_port
from web_until import PATIENCE

ROOT = Path(__file__).parent.parent.parent


class Server:
    """A server with the fake engine, on a free port unless one is given."""

    def __init__(self, data: Path, port: int | None = None, **environment: str) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                **os.environ,
                "DATA_DIR": str(data),
                "PORT": str(self.port),
                "ENGINE": "fake_cluster:ClusterThread",
                "PYTHONPATH": f"{ROOT / 'tests' / 'web'}",
                **environment,
            },
        )
        assert self.process.stdout is not None
        self.greeting = self.process.stdout.readline()

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal; how it ended and what it complained of."""
        self.process.send_signal(number)
        _, complaints = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, complaints


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    if made.process.poll() is None:
        made.end(signal.SIGKILL)


def visit(server: Server, client: httpx.Client) -> str:
    page = client.get(server.url + "/sandbox/")
    assert page.status_code == 200, page.text
    cluster = re.search(r'data-cluster="([^"]+)"', page.text)
    assert cluster, page.text
    return cluster[1]


def open_socket(server: Server, client: httpx.Client, cluster: str) -> websocket.WebSocket:
    """A page's socket, opened when its cluster runs: before that no command is taken."""
    with contextlib.closing(connect(server, client, cluster)) as earlier:
        while hear(earlier, "hello", "cluster")["cluster"]["state"] != "running":
            pass
    return connect(server, client, cluster)


def connect(server: Server, client: httpx.Client, cluster: str) -> websocket.WebSocket:
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    return websocket.create_connection(
        f"ws://127.0.0.1:{server.port}/ws/clusters/{cluster}/",
        timeout=PATIENCE,
        cookie=cookie,
        origin=server.url,
        skip_utf8_validation=True,  # in Python it costs a second for each megabyte
    )


def hear(socket: websocket.WebSocket, *kinds: str) -> dict:
    """The next frame of one of the kinds."""
    deadline = time.monotonic() + PATIENCE
    others: deque[str] = deque(maxlen=10)
    while time.monotonic() < deadline:
        others.append(socket.recv())
        message = json.loads(others[-1])
        for one in message.get("frames", [message]):  # of "terminals": what was printed before it watched
            if one["type"] in kinds:
                return one
    raise AssertionError(f"no {' or '.join(kinds)} came, but {list(others)}")


def test_a_visitor_of_a_fresh_server_reaches_a_running_cluster(server):
    assert f"http://127.0.0.1:{server.port}/" in server.greeting
    with httpx.Client(timeout=PATIENCE) as client:
        socket = open_socket(server, client, visit(server, client))
        hello = json.loads(socket.recv())
        assert hello["type"] == "hello"
        socket.send('{"type":"watch","since":0}')
        assert hear(socket, "entries")["entries"][0]["seq"] == 1
        socket.send('{"type":"command","id":"k","line":"echo hello"}')
        assert hear(socket, "output")["text"] == "hello\n"
        socket.close()
        headers = socket.getheaders()
        assert "sec-websocket-extensions" not in {name.lower() for name in headers}


def test_a_browser_that_offers_compression_is_answered_without(server):
    with httpx.Client(timeout=PATIENCE) as client:
        cluster = visit(server, client)
        socket = websocket.WebSocket()
        socket.connect(
            f"ws://127.0.0.1:{server.port}/ws/clusters/{cluster}/",
            origin=server.url,
            cookie="; ".join(f"{name}={value}" for name, value in client.cookies.items()),
            header=["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"],
        )
        assert "sec-websocket-extensions" not in {name.lower() for name in socket.getheaders()}
        socket.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_server_and_workers_cleanly_even_with_a_page_open(server, number):
    with httpx.Client(timeout=PATIENCE) as client:
        cluster = visit(server, client)
        socket = open_socket(server, client, cluster)
        hear(socket, "hello")
        workers = server.children()
        assert workers
        code, complaints = server.end(number)
    assert code == 0, complaints
    assert "Traceback" not in complaints
    assert not [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE]
    socket.close()


def recorded(folder: Path, cluster: str) -> int:
    """The last entry of a cluster's journal that is in a server's database."""
    with contextlib.closing(sqlite3.connect(folder / "glassplane.sqlite3", timeout=10)) as database:
        return database.execute("SELECT recorded FROM visualizer_cluster WHERE id = ?", [cluster]).fetchone()[0]


@pytest.mark.long
def test_no_process_outlives_a_server_that_is_killed_and_the_next_one_brings_its_clusters_back(server, tmp_path):
    with httpx.Client(timeout=PATIENCE) as client:
        cluster = visit(server, client)
        socket = open_socket(server, client, cluster)
        socket.send('{"type":"watch","since":0}')
        seen = [entry["seq"] for entry in hear(socket, "entries")["entries"]]
        socket.send('{"type":"command","id":"k1","line":"emit 20"}')
        while seen[-1] < 23:
            seen += [entry["seq"] for entry in hear(socket, "entries")["entries"]]
        while recorded(tmp_path, cluster) < 23:
            time.sleep(0.05)
        socket.close()
        workers = server.children()
        server.end(signal.SIGKILL)
        psutil.wait_procs(workers, timeout=PATIENCE)
        assert not any(worker.is_running() for worker in workers)
        following = Server(tmp_path)
        try:
            assert visit(following, client) == cluster
            socket = open_socket(following, client, cluster)
            socket.send(json.dumps({"type": "watch", "since": seen[-1]}))
            socket.send('{"type":"command","id":"k2","line":"emit 5"}')
            while seen[-1] < 28:
                seen += [entry["seq"] for entry in hear(socket, "entries")["entries"]]
            assert seen == list(range(1, len(seen) + 1))
            socket.close()
        finally:
            following.end(signal.SIGTERM)


def hear_until(socket: websocket.WebSocket, seen: list[int], seq: int) -> None:
    """Note the numbers of what is heard up to an entry."""
    while not seen or seen[-1] < seq:
        seen += [entry["seq"] for entry in hear(socket, "entries")["entries"]]


@pytest.mark.long
def test_pages_that_stay_open_over_a_kill_find_their_clusters_going_on_at_the_same_port(server, tmp_path):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(httpx.Client(timeout=PATIENCE)) for _ in range(3)]
        clusters = [visit(server, client) for client in clients]
        sockets = [open_socket(server, *one) for one in zip(clients, clusters, strict=True)]
        seen: list[list[int]] = [[] for _ in clients]
        for socket, numbers in zip(sockets, seen, strict=True):
            socket.send('{"type":"watch","since":0}')
            hear_until(socket, numbers, 3)
            socket.send('{"type":"command","id":"k1","line":"emit 20"}')
            hear_until(socket, numbers, 23)
        while min(recorded(tmp_path, cluster) for cluster in clusters) < 23:
            time.sleep(0.05)
        server.end(signal.SIGKILL)
        for socket in sockets:
            with pytest.raises((websocket.WebSocketException, OSError)):
                while socket.recv():
                    pass
        following = Server(tmp_path, server.port)
        stack.callback(following.end, signal.SIGTERM)
        sockets = [open_socket(following, *one) for one in zip(clients, clusters, strict=True)]
        for socket, numbers in zip(sockets, seen, strict=True):
            socket.send(json.dumps({"type": "watch", "since": numbers[-1]}))
            socket.send('{"type":"command","id":"k2","line":"emit 5"}')
            hear_until(socket, numbers, 28)
            assert numbers == list(range(1, len(numbers) + 1))
            socket.close()


def test_a_port_that_is_taken_is_told_in_words(server, tmp_path):
    second = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", str(server.port)],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert second.returncode == 1
    assert "is in use" in second.stderr
    assert "Traceback" not in second.stderr


def test_static_files_are_served_compressed_and_revalidated(server):
    with httpx.Client(timeout=PATIENCE) as client:
        first = client.get(f"{server.url}/static/css/glassplane.css")
        if first.status_code == 404:
            name = next((ROOT / "static").rglob("*.js")).relative_to(ROOT / "static")
            first = client.get(f"{server.url}/static/{name}")
        assert first.status_code == 200
        assert first.headers["X-Content-Type-Options"] == "nosniff"
        assert first.headers["Content-Encoding"] == "gzip"
        again = client.get(first.url, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        assert first.headers["Cache-Control"] == "no-cache"
        for path in ("/static/nothing.js", "/static/../manage.py", "/static/%2e%2e/manage.py", "/static/"):
            assert client.get(server.url + path).status_code == 404


def test_a_page_names_files_that_may_be_kept_for_ever_and_old_names_lead_to_what_is_there_now(server):
    with httpx.Client(timeout=PATIENCE) as client:
        page = client.get(server.url + "/sandbox/").text
        main = re.search(r'src="(/static/([0-9a-f]{16})/js/main\.js)"', page)
        assert main
        assert set(re.findall(r'"/static/([^/"]*)/', page)) == {main[2]}
        named = client.get(server.url + main[1])
        assert named.headers["Cache-Control"] == "max-age=31536000, immutable"
        assert named.headers["Content-Encoding"] == "gzip"
        older = client.get(server.url + main[1].replace(main[2], "0123456789abcdef"))
        assert older.headers["Cache-Control"] == "no-cache"
        assert older.content == named.content == client.get(f"{server.url}/static/js/main.js").content
        for inside in ("../" * 3, "0" * 15 + "/", f"{main[2]}/{main[2]}/"):
            assert client.get(f"{server.url}/static/{inside}js/main.js").status_code == 404


def test_the_secret_key_is_made_once_and_kept_from_others(server, tmp_path):
    key = tmp_path / "secret_key"
    assert len(key.read_text()) >= 50
    assert key.stat().st_mode & 0o077 == 0


def test_what_a_server_writes_is_for_its_user_alone(server, tmp_path):
    with httpx.Client(timeout=PATIENCE) as client:
        visit(server, client)
    assert tmp_path.stat().st_mode & 0o077 == 0
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_garbage_on_the_port_is_refused_and_the_server_goes_on(server):
    for garbage in (b"\x16\x03\x01\x02\x00" + os.urandom(200), b"GET / HTTP/9.9\r\n\r\n", b"\0" * 5000):
        with sockets.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as raw:
            raw.sendall(garbage)
            raw.settimeout(0.5)  # what is not yet a request is waited for
            with contextlib.suppress(OSError):
                raw.recv(1000)
    deadline = time.monotonic() + PATIENCE
    while httpx.get(server.url + "/healthz", timeout=PATIENCE).status_code != 200:
        assert time.monotonic() < deadline


def test_a_message_far_too_large_closes_its_socket_and_nothing_else(server):
    with httpx.Client(timeout=PATIENCE) as client:
        cluster = visit(server, client)
        socket = open_socket(server, client, cluster)
        socket.send("x" * 300_000)
        assert hear(socket, "error")["message"] == "This message is too long."
        with contextlib.suppress(OSError):
            socket.send("x" * 5_000_000)
        with contextlib.suppress(OSError, websocket.WebSocketException):
            while socket.recv():
                pass
        assert not socket.connected
        again = open_socket(server, client, cluster)
        assert hear(again, "hello")
        again.close()


@pytest.mark.long
def test_a_browser_that_does_not_read_does_not_fill_the_server(server):
    """Back-pressure: what a page does not take stays in the ring, not in this page's buffer."""
    with httpx.Client(timeout=PATIENCE) as client:
        cluster = visit(server, client)
        reader, stalled = open_socket(server, client, cluster), open_socket(server, client, cluster)
        for socket in (reader, stalled):
            socket.send('{"type":"watch","since":0}')
        hear(reader, "entries")
        before = psutil.Process(server.process.pid).memory_info().rss
        for number in range(15):
            reader.send(json.dumps({"type": "command", "id": f"k{number}", "line": "emit 20000"}))
            while hear(reader, "entries")["entries"][-1]["seq"] < (number + 1) * 20000:
                pass
        grown = psutil.Process(server.process.pid).memory_info().rss - before
        assert grown < 55 * 2**20, f"{grown / 2**20:.0f} MiB for some 30 MiB that one page did not read"
        stalled.settimeout(PATIENCE)
        seen = 0
        while True:
            message = json.loads(stalled.recv())
            if message["type"] == "relist":
                break
            if message["type"] == "entries":
                assert message["entries"][0]["seq"] == seen + 1
                seen = message["entries"][-1]["seq"]
        assert 0 < seen < 300_000
        stalled.send(json.dumps({"type": "watch", "since": seen}))
        while seen < 300_000:
            message = hear(stalled, "entries")
            assert message["entries"][0]["seq"] == seen + 1
            seen = message["entries"][-1]["seq"]
        for socket in (reader, stalled):
            socket.close()


@pytest.mark.long
def test_a_download_that_nobody_reads_does_not_fill_the_server(server):
    """Back-pressure: the next slice is asked for when the last has gone."""
    with httpx.Client(timeout=PATIENCE) as client:
        cluster = visit(server, client)
        page = open_socket(server, client, cluster)
        page.send('{"type":"watch","since":0}')
        hear(page, "entries")
        for number in range(8):
            page.send(json.dumps({"type": "command", "id": f"k{number}", "line": "emit 20000"}))
            while hear(page, "entries")["entries"][-1]["seq"] < (number + 1) * 20000:
                pass
        page.close()
        path = f"/clusters/{cluster}/export/jsonl"
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        client.get(f"{server.url}{path}")  # what a first download takes for ever is not what is looked for
        before = psutil.Process(server.process.pid).memory_info().rss
        with sockets.create_connection(("127.0.0.1", server.port)) as stalled:
            stalled.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n".encode())
            assert stalled.recv(12) == b"HTTP/1.0 200"
            size = 0
            with client.stream("GET", f"{server.url}{path}") as reader:
                size = sum(map(len, reader.iter_bytes()))
            assert size > 20 * 2**20
            grown = psutil.Process(server.process.pid).memory_info().rss - before
            assert grown < 10 * 2**20, f"{grown / 2**20:.0f} MiB for {size / 2**20:.0f} MiB that one did not read"
            rest = b"".join(iter(lambda: stalled.recv(1 << 16), b""))
        assert rest.endswith(b"}\n")
        assert len(rest) > size
