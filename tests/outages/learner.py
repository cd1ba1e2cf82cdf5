"""A learner who types, now and then, and remembers what the page was told."""

import random
import threading
import time
from typing import Any

import httpx

from tests.visitor import ServerGone, Visitor

COMPARED = ("kind", "from", "to", "label")
COMPARED_ENTRIES = 1000  # as many as a page has told again by a new life
LINES = ("kubectl get nodes", "kubectl get pods", "echo {n}", "kubectl create configmap c{n} --from-literal=a=b")
OPEN_SECONDS = 180.0


class Learner(Visitor):
    """`entries` by number, as last seen; `done`: when the end of which command was told."""

    def __init__(self, addresses: list[str], rng: random.Random) -> None:
        self._addresses, self._rng = addresses, rng
        self.entries: dict[int, tuple[Any, ...]] = {}
        self.told_by: dict[int, int] = {}  # the life that told an entry last
        self.done: dict[str, float] = {}
        self.problems: list[str] = []
        self.over = threading.Event()
        super().__init__(rng.choice(addresses))

    def connect(self) -> None:
        """Open the page's socket, at whichever server answers, as a page does: again and again."""
        deadline = time.monotonic() + OPEN_SECONDS
        while True:
            try:
                return super().connect()
            except (ServerGone, httpx.HTTPError) as problem:
                if time.monotonic() > deadline or self.over.is_set():
                    raise ServerGone("no server lets the page in again") from problem
                self.address = self._rng.choice(self._addresses)
                time.sleep(1)

    def _note(self, frame: dict[str, Any]) -> None:
        life = self.life
        super()._note(frame)
        if frame["type"] == "entries":
            for one in frame["entries"]:
                self.entries[one["seq"]] = tuple(one.get(name) for name in COMPARED)
                self.told_by[one["seq"]] = self.life
        elif frame["type"] == "done":
            self.done.setdefault(frame["id"], time.monotonic())
        if self.life > life:
            self.say({"type": "watch", "since": max(0, max(self.entries, default=0) - COMPARED_ENTRIES)})

    def work(self) -> None:
        """Type until it is over."""
        n = 0
        while not self.over.is_set():
            try:
                if self.state == "ended":
                    return
                n += 1
                self.type(self._rng.choice(LINES).format(n=n), 30)
                pause = time.monotonic() + self._rng.uniform(0.5, 6)
                while (left := pause - time.monotonic()) > 0:
                    self.hear(left)
            except ServerGone as problem:
                self.problems.append(str(problem))
                return
            except (OSError, httpx.HTTPError, ValueError):
                time.sleep(1)
            except Exception as problem:
                self.connect() if not self.over.is_set() else None
                if type(problem).__module__.split(".")[0] != "websocket":
                    self.problems.append(repr(problem))
