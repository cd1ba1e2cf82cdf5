"""A server is killed with thirty clusters in it and thirty pages open, and started again: how long until all go on.

Each cluster was given a Deployment and has lived for a while at pace 1. Everything dies at once (SIGKILL to the server,
whose workers end with it); a new server starts on the same port and DATA_DIR. Pages try again as
static/js/connection.js does: 0.4 s after they were cut off, then after twice as long each time. A page goes on when its
cluster runs again and has told it a new entry, after its last without a gap.

From the start of the new server, its own second or two of loading included.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
from typing import Any

from tests.bench.classroom import ROOT, Browser, browsers
from tests.bench.light_sockets import LightSocket, RefusedError

PAGES = 30
LIVED_SECONDS = 30.0
LINE = "kubectl create deployment web --image=nginx --replicas=3"
BACKOFF_FIRST_SECONDS, BACKOFF_SECONDS_MAX = 0.4, 10.0


class Page:
    """One visitor's page: its journal's head, and when it first went on."""

    def __init__(self, browser: Browser, cluster: str) -> None:
        self.browser, self.cluster = browser, cluster
        self.head = 0
        self.states: list[tuple[float, str]] = []
        self.gaps = 0
        self.went_on: float | None = None
        self.moved = asyncio.Event()

    def hear(self, frame: bytes) -> bool:
        """Take a frame; never satisfied."""
        if frame.startswith(b'{"type":"entries"'):
            seqs = [entry["seq"] for entry in json.loads(frame)["entries"]]
            self.gaps += seqs != list(range(self.head + 1, self.head + 1 + len(seqs)))
            self.head = seqs[-1]
            if self.states and self.states[-1][1] == "running":
                self.went_on = self.went_on or time.monotonic()
            self.moved.set()
        elif b'"state"' in frame[:300]:
            self.states.append((time.monotonic(), json.loads(frame)["cluster"]["state"]))
            self.moved.set()
        return False

    async def open(self) -> LightSocket:
        """Open the socket and watch from where the journal ends here."""
        opened = await self.browser.socket(f"/ws/clusters/{self.cluster}/", self.hear)
        opened.send({"type": "watch", "since": self.head})
        return opened

    async def come_back(self) -> LightSocket:
        """Try until there is a server again."""
        wait = BACKOFF_FIRST_SECONDS
        while True:
            await asyncio.sleep(wait * (1 - random.random() / 4))
            with contextlib.suppress(OSError, RefusedError):
                return await self.open()
            wait = min(2 * wait, BACKOFF_SECONDS_MAX)


def measure() -> dict[str, Any]:
    """Kill a server and give the figures."""
    return asyncio.run(_measure())


async def _measure() -> dict[str, Any]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as data:
        environment = {**os.environ, "DATA_DIR": data, "PORT": str(port), "WORKERS": "2", "CLUSTERS_PER_WORKER": "20"}
        server = await _start(environment)
        async with browsers(url, PAGES) as visitors:
            pages = [Page(visitor, await visitor.cluster("/sandbox/")) for visitor in visitors]
            sockets = [await page.open() for page in pages]
            for page, opened in zip(pages, sockets, strict=True):
                await _until(page, lambda page=page: "running" in [state for _, state in page.states])
                opened.send({"type": "command", "id": f"k{page.cluster}", "line": LINE})
            await asyncio.sleep(LIVED_SECONDS)
            server.send_signal(signal.SIGKILL)
            await server.communicate()
            for page in pages:
                page.states, page.went_on = [], None
            heads = [page.head for page in pages]
            began = time.monotonic()
            returning = [asyncio.create_task(page.come_back()) for page in pages]
            server = await _start(environment)
            try:
                async with asyncio.timeout(300):
                    for page in pages:
                        await _until(page, lambda page=page: page.went_on is not None)
            finally:
                after = sorted(page.went_on - began if page.went_on is not None else float("inf") for page in pages)
                server.send_signal(signal.SIGTERM)
                await asyncio.gather(*returning, return_exceptions=True)
                await server.communicate()
    assert not any(page.gaps for page in pages), "a journal went on with a gap"
    return {
        "thirty_clusters_after_a_kill_first": after[0],
        "thirty_clusters_after_a_kill_half": after[len(after) // 2],
        "thirty_clusters_after_a_kill_all": after[-1],
        "thirty_clusters_after_a_kill_entries_each": sum(heads) / len(heads),
    }


async def _start(environment: dict[str, str]) -> Any:
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", "serve"), cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    await server.stdout.readline()
    return server


async def _until(page: Page, holds: Any) -> None:
    while not holds():
        page.moved.clear()
        await page.moved.wait()
