"""A visitor of a real server: a session, a cluster, and the page's WebSocket, without a browser."""

import contextlib
import itertools
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import websocket

from cluster_engine.words.sentences import sentence
from cluster_engine.world import bugs

OPEN_SECONDS = 60.0
READING_SECONDS = 5.0  # of what has come, before a line is typed: a flood has no end
CSRF_COOKIE = "glassplane_csrf"


class ServerGone(Exception):  # noqa: N818
    """The server answers no more: that is what an attack is after."""


@dataclass
class Printed:
    """What a line came to: what it printed, its exit code (None: none was heard), and how long that took."""

    text: str
    code: int | None
    seconds: float


@dataclass
class Browser:
    """Somebody with cookies and forms."""

    address: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    @property
    def cookies(self) -> str:
        """The Cookie header of this visitor's browser."""
        return "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())

    def post(self, path: str, content: dict[str, str] | bytes = b"", **headers: str) -> httpx.Response:
        """Send a form, or bytes, as a page of the server does."""
        if CSRF_COOKIE not in self.client.cookies:
            self.client.get(self.address + "/account/sign-in/")
        usual = {"X-CSRFToken": self.client.cookies.get(CSRF_COOKIE, ""), "Referer": self.address}
        body: dict[str, Any] = {"content": content} if isinstance(content, bytes) else {"data": content}
        return self.client.post(self.address + path, headers=usual | headers, **body)

    def sign_up(self, name: str, password: str) -> None:
        """Open an account, and be signed in."""
        form = {"username": name, "password1": password, "password2": password}
        answer = self.post("/account/sign-up/", form)
        assert answer.status_code == 303, answer.text


@dataclass
class Visitor(Browser):
    """Somebody with a cluster of their own in the sandbox."""

    state: str = "starting"
    life: int = 1
    ends: list[str] = field(default_factory=list)  # why the cluster was ended, each time
    closed: list[str] = field(default_factory=list)  # how the socket was closed, each time
    seen: list[int] = field(default_factory=list)  # the entries, in the order in which they came
    heard: dict[str, int] = field(default_factory=dict)  # the last frame of the command that runs
    bugs: list[str] = field(default_factory=list)  # what the journal tells of bugs of ours

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        page = self.client.get(self.address + "/sandbox/")
        if page.status_code != 200:
            raise ServerGone(f"/sandbox/ is answered by {page.status_code}")
        found = re.search(r'data-cluster="([^"]+)"', page.text)
        assert found, page.text
        self.cluster = found[1]
        self.connect()
        self.until_running()

    def connect(self) -> None:
        """Open the page's socket."""
        self.socket = self.open(f"/ws/clusters/{self.cluster}/")
        self.watch()

    def watch(self) -> None:
        """Ask for the entries after the last one that was seen, and for what the command says from there."""
        self.say({"type": "watch", "since": self.seen[-1] if self.seen else 0, "commands": self.heard})

    def open(self, path: str) -> websocket.WebSocket:
        """Open a WebSocket. Raise `ServerGone` when the server opens none."""
        url = self.address.replace("http", "ws", 1) + path
        try:
            return websocket.create_connection(
                url, timeout=30, cookie=self.cookies, origin=self.address, skip_utf8_validation=True
            )
        except (OSError, websocket.WebSocketException) as problem:
            raise ServerGone(f"the socket {path} does not open: {problem}") from problem

    def say(self, message: dict[str, Any] | str) -> None:
        """Send a message, as it stands if it is text."""
        self.socket.send(message if isinstance(message, str) else json.dumps(message))

    def hear(self, seconds: float) -> list[dict[str, Any]]:
        """Give the next message's frames, [] when none comes in time."""
        self.socket.settimeout(max(seconds, 0.01))
        try:
            message = json.loads(self.socket.recv())
        except websocket.WebSocketTimeoutException:
            return []
        except (OSError, websocket.WebSocketException, json.JSONDecodeError) as problem:
            self.closed.append(f"{type(problem).__name__}: {problem}")
            self.connect()
            return []
        frames: list[dict[str, Any]] = message.get("frames", [message])
        for one in frames:
            self._note(one)
        return frames

    def _note(self, frame: dict[str, Any]) -> None:
        cluster = frame.get("cluster")
        if frame["type"] in {"hello", "cluster"} and isinstance(cluster, dict):
            if cluster["state"] in {"suspended", "ended"} and cluster["state"] != self.state:
                self.ends.append(cluster["reason"])
            self.state, self.life = cluster["state"], cluster["life"]
            if successor := cluster.get("successor"):
                self.cluster, self.seen, self.state = successor, [], "starting"
                self.connect()
        elif frame["type"] == "entries":
            self.seen += [one["seq"] for one in frame["entries"]]
            self.bugs += [sentence(one) for one in frame["entries"] if one["kind"] == bugs.KIND]
        elif frame["type"] == "relist":  # it has not read for so long that the server keeps nothing more for it
            self.watch()

    def until_running(self) -> None:
        """Wait until the cluster runs, or runs again."""
        deadline = time.monotonic() + OPEN_SECONDS
        while self.state != "running":
            if time.monotonic() > deadline:
                raise ServerGone(f"the cluster of {self.cluster} is {self.state} and does not run")
            self.hear(1)

    def type(self, line: str, seconds: float = 30) -> Printed:
        """Type a line and read what it prints until it ends, its cluster does, or the time is over.

        What has come since the visitor read last is read first: a server closes the socket of who does not answer its
        pings, and what is said to that socket then is lost.
        """
        reading_ends = time.monotonic() + READING_SECONDS
        while time.monotonic() < reading_ends and self.hear(0):
            pass
        identifier, began, said = f"attack{next(self._numbers)}", time.monotonic(), ""
        ends, self.heard = len(self.ends), {identifier: 0}
        self.say({"type": "command", "id": identifier, "line": line})
        while (left := began + seconds - time.monotonic()) > 0 and len(self.ends) == ends:
            for frame in self.hear(min(left, 1)):
                if frame.get("id") != identifier or not self._is_news(frame):
                    continue
                if frame["type"] == "output":
                    said += frame["text"]
                if frame["type"] == "error":
                    return Printed(said + frame["message"], 1, time.monotonic() - began)
                if frame["type"] == "done":
                    return Printed(said, frame["code"], time.monotonic() - began)
        return Printed(said, None, time.monotonic() - began)

    def _is_news(self, frame: dict[str, Any]) -> bool:
        """Whether a frame of the command that runs was not heard before: what was told is told again after a gap."""
        known, number = self.heard[frame["id"]], frame.get("n")
        if number is not None and number > known:
            self.heard[frame["id"]] = number
        return number is None or number > known

    def leave(self) -> None:
        """Close everything."""
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self.socket.close()
        self.client.close()
