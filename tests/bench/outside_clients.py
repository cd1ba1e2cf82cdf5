"""Clients of the gateway that cost next to nothing: HTTP/1.1 over TLS on plain sockets, in processes of their own.

They know of HTTP what a bench needs: a request in one piece, an answer with a Content-Length, and a watch, whose events
are counted as bytes and never parsed.

    python -m tests.bench.outside_clients KUBECONFIG PATH WATCHERS EVENTS

opens WATCHERS watches of PATH, prints `ready`, and when each has had EVENTS events of type MODIFIED, the machine's
monotonic time; or `closed` and how many the server has ended before.
"""

import base64
import json
import selectors
import socket
import ssl
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

SECONDS_MAX = 120.0
MODIFIED = b'"type":"MODIFIED"'


class Door:
    """Where a kubeconfig leads to, and as whom."""

    def __init__(self, kubeconfig: str) -> None:
        config = yaml.safe_load(Path(kubeconfig).read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        server = urlsplit(cluster["server"])
        assert server.hostname is not None
        self.host, self.port = server.hostname, server.port or 443
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.context = ssl.create_default_context(cadata=authority)
        self.context.set_alpn_protocols(["http/1.1"])
        with tempfile.NamedTemporaryFile() as pem:
            for part in ("client-certificate-data", "client-key-data"):
                pem.write(base64.b64decode(user[part]))
            pem.flush()
            self.context.load_cert_chain(pem.name)

    def connect(self) -> ssl.SSLSocket:
        """Open a connection, TLS included."""
        plain = socket.create_connection((self.host, self.port), timeout=SECONDS_MAX)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context.wrap_socket(plain, server_hostname=self.host)


class Client:
    """One connection, one request at a time."""

    def __init__(self, door: Door) -> None:
        self.socket = door.connect()

    def send(self, method: str, path: str, body: bytes = b"") -> None:
        """Send a request."""
        fields = f"Host: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        self.socket.sendall(f"{method} {path} HTTP/1.1\r\n{fields}\r\n\r\n".encode() + body)

    def receive(self) -> tuple[int, bytes]:
        """Read the answer: status and body."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        while len(body) < length:
            body += self._more()
        return int(head[9:12]), body

    def ask(self, method: str, path: str, body: bytes = b"", status: int = 200) -> bytes:
        """Send a request and read its answer, which must have this status."""
        self.send(method, path, body)
        told, answer = self.receive()
        assert told == status, f"{method} {path}: {told} {answer[:500]!r}"
        return answer

    def _more(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data


def in_turns(clients: list[Client], requests: list[tuple[str, str, bytes]], status: int) -> None:
    """Have the clients send the requests, each its next one as soon as its last is answered."""
    waiting = iter(requests)
    with selectors.DefaultSelector() as selector:
        for client in clients:
            client.send(*next(waiting))
            selector.register(client.socket, selectors.EVENT_READ, client)
        left = len(requests)
        while left:
            for key, _ in selector.select():
                told, answer = key.data.receive()
                assert told == status, f"{told} {answer[:500]!r}"
                left -= 1
                following = next(waiting, None)
                if following is not None:
                    key.data.send(*following)


class Watching:
    """One watch whose events are counted."""

    def __init__(self, door: Door, path: str) -> None:
        self.socket = door.connect()
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        self.events = 0
        self._tail = b""
        while b"\r\n\r\n" not in self._tail:
            self._tail += self.socket.recv(65536)
        self.socket.setblocking(False)

    def read(self) -> bool:
        """Count what has come; False when the server has ended the connection."""
        try:
            data = self.socket.recv(65536)
            while self.socket.pending():
                data += self.socket.recv(65536)
        except ssl.SSLWantReadError:
            return True
        except (OSError, ssl.SSLError):
            return False
        seen = self._tail + data
        self.events += seen.count(MODIFIED)
        cut = seen.rfind(MODIFIED)
        self._tail = seen[max(len(seen) - len(MODIFIED) + 1, cut + len(MODIFIED), 0) :]
        return bool(data)


def watch(kubeconfig: str, path: str, watchers: int, events: int) -> None:
    """See the module's opening."""
    door = Door(kubeconfig)
    with selectors.DefaultSelector() as selector:
        for _ in range(watchers):
            watching = Watching(door, path)
            selector.register(watching.socket, selectors.EVENT_READ, watching)
        print("ready", flush=True)
        left, closed, until = watchers, 0, time.monotonic() + SECONDS_MAX
        while left and time.monotonic() < until:
            for key, _ in selector.select(1.0):
                before = key.data.events
                if not key.data.read():
                    selector.unregister(key.fileobj)
                    closed += 1
                if before < events <= key.data.events:
                    left -= 1
    print(json.dumps({"at": time.monotonic(), "closed": closed, "left": left}), flush=True)


def object_named(name: str, data: dict[str, Any]) -> bytes:
    """Give a ConfigMap as JSON."""
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}).encode()


if __name__ == "__main__":
    watch(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
