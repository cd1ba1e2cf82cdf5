"""The way to the browser: how long an entry takes from the engine to a page, how fast one lands.

A whole server runs (Daphne, one worker, SQLite) with the real engine, whose thread stamps each entry with the
machine's monotonic clock at the moment it lets go of it. Pages are WebSockets in this process; at pace 1 they type what
a learner types and note how old each entry is when its frame has arrived.
"""

import asyncio
import json
import os
import re
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster_engine import thread
from cluster_engine.thread import ClusterSpec

__all__ = ["ClusterSpec", "ClusterThread", "measure"]

ROOT = Path(__file__).parent.parent.parent
PAGES = 50
LINES = [
    "kubectl create deployment web --image=nginx --replicas=3",
    "kubectl get pods",
    "kubectl scale deployment web --replicas=6",
    "kubectl get pods -o wide",
    "kubectl delete deployment web",
]


class ClusterThread(thread.ClusterThread):
    """The engine's, with a stamp on each entry."""

    def __init__(self, spec: ClusterSpec, *, on_entries: Callable[[list[dict[str, Any]]], None], **others: Any) -> None:
        def stamped(entries: list[dict[str, Any]]) -> None:
            now = time.monotonic()
            on_entries([{**entry, "stamp": now} for entry in entries])

        super().__init__(spec, on_entries=stamped, **others)


class Page:
    """One WebSocket that notes the age of what it is told."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.ages: list[float] = []
        self.running = asyncio.Event()
        self.done: set[str] = set()
        self.moved = asyncio.Event()

    async def listen(self) -> None:
        async for message in self.socket:
            now = time.monotonic()
            frame = json.loads(message.data)
            match frame["type"]:
                case "entries":
                    self.ages += [now - entry["stamp"] for entry in frame["entries"] if "stamp" in entry]
                case "hello" | "cluster" if frame["cluster"]["state"] == "running":
                    self.running.set()
                case "done":
                    self.done.add(frame["id"])
                    self.moved.set()

    async def type(self, identifier: str, line: str) -> None:
        await self.socket.send_json({"type": "command", "id": identifier, "line": line})
        while identifier not in self.done:
            self.moved.clear()
            await self.moved.wait()


def measure() -> dict[str, Any]:
    """Run the server and give all figures."""
    return asyncio.run(_measure())


async def _measure() -> dict[str, Any]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as data:
        environment = {"DATA_DIR": data, "PORT": str(port), "ENGINE": f"{__name__}:ClusterThread", "WORKERS": "1"}
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "manage.py", "serve"),
            cwd=ROOT,
            env={**os.environ, **environment, "PYTHONPATH": str(ROOT), "CLUSTERS_PER_VISITOR": "9"},
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert server.stdout is not None
            await server.stdout.readline()
            return await _figures(f"http://127.0.0.1:{port}")
        finally:
            server.send_signal(signal.SIGTERM)
            await server.communicate()


async def _figures(url: str) -> dict[str, Any]:
    import aiohttp

    figures: dict[str, Any] = {}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        while (await session.get(f"{url}/healthz")).status != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        began = time.monotonic()
        landing = await (await session.get(f"{url}/sandbox/")).text()
        figures["sandbox_page"] = (time.monotonic() - began) * 1e3
        cluster = re.search(r'data-cluster="([^"]+)"', landing)
        assert cluster is not None, landing
        pages = [await _open(session, url, cluster[1])]
        await pages[0][0].running.wait()
        figures["sandbox_to_cluster_running"] = time.monotonic() - began
        figures |= await _ages(pages, "1_page")
        pages += [await _open(session, url, cluster[1]) for _ in range(PAGES - 1)]
        figures |= await _ages(pages, f"{PAGES}_pages")
        for _, listening in pages:
            listening.cancel()
    return figures


async def _open(session: Any, url: str, cluster: str) -> tuple[Page, "asyncio.Task[None]"]:
    opened = await session.ws_connect(f"{url}/ws/clusters/{cluster}/", origin=url)
    page = Page(opened)
    await opened.send_json({"type": "watch", "since": 0})
    return page, asyncio.create_task(page.listen())


async def _ages(pages: list[tuple[Page, "asyncio.Task[None]"]], name: str) -> dict[str, float]:
    """Work for a while; ages in milliseconds over all pages."""
    await asyncio.sleep(1)  # the list of what was
    for page, _ in pages:
        page.ages.clear()
    for number, line in enumerate(LINES):
        await pages[0][0].type(f"{name} {number}", line)
        await asyncio.sleep(2)
    ages = sorted(age for page, _ in pages for age in page.ages)
    return {
        f"engine_to_browser_p50_{name}": ages[len(ages) // 2] * 1e3,
        f"engine_to_browser_p99_{name}": ages[len(ages) * 99 // 100] * 1e3,
        f"engine_to_browser_entries_{name}": len(ages) / len(pages),
    }
