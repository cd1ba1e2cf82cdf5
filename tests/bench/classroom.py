"""A class at work: a fault in forty clusters from the instructor's click, and a step taken along by 200 viewers.

A whole server runs (Daphne, two workers, SQLite). Browsers are WebSockets in this process: what a page does with a
frame after it has come is not in these figures (`drawing` has it).

    fault   one room, 40 learners with a cluster each; from sending `break` until every learner's page has been told
            the journal entry with which the fault began
    step    one room that watches the instructor's cluster; from sending `step` until a viewer has both the new entry
            and the instructor's new position
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
LEARNERS = 40
VIEWERS = 200
STEPS = 30
FAULT = {"name": "stop", "target": "worker-1/kube-proxy"}
NAME, PASSWORD = "ada", "a long enough one"


class Browser:
    """One visitor with cookies of their own."""

    def __init__(self, session: Any, url: str) -> None:
        self.session, self.url = session, url

    async def get(self, path: str) -> str:
        """Read a page."""
        return str(await (await self.session.get(f"{self.url}{path}")).text())

    async def post(self, page: str, path: str, **fields: str) -> Any:
        """Send the form of a page."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', await self.get(page))
        assert token is not None, f"{page} has no form"
        headers = {"X-CSRFToken": token[1], "Accept": "application/json", "Origin": self.url}
        answer = await self.session.post(f"{self.url}{path}", data=fields, headers=headers)
        text = await answer.text()
        assert answer.status < 400, f"{path}: {answer.status} {text[:300]}"
        return json.loads(text) if answer.content_type == "application/json" else None

    async def socket(self, path: str) -> Any:
        """Open a WebSocket."""
        return await self.session.ws_connect(f"{self.url}{path}", origin=self.url)


class Page:
    """One WebSocket; `seen` is set by the first frame for which `wanted` is true, and keeps when."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.wanted: Any = lambda frame: False
        self.at: float | None = None
        self.seen = asyncio.Event()
        self.listening = asyncio.create_task(self._listen())

    def expect(self, wanted: Any) -> None:
        """Wait for something new."""
        self.wanted, self.at = wanted, None
        self.seen.clear()

    async def _listen(self) -> None:
        async for message in self.socket:
            now = time.monotonic()
            if self.at is None and self.wanted(json.loads(message.data)):
                self.at = now
                self.seen.set()


def measure() -> dict[str, Any]:
    """Run the server and give both figures."""
    return asyncio.run(_measure())


async def _measure() -> dict[str, Any]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as data:
        environment = {**os.environ, "DATA_DIR": data, "PORT": str(port), "WORKERS": "2", "CLUSTERS_PER_WORKER": "25"}
        _make_account(environment)
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "manage.py", "serve"), cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert server.stdout is not None
            await server.stdout.readline()
            url = f"http://127.0.0.1:{port}"
            return {**await _fault(url), **await _steps(url)}
        finally:
            server.send_signal(signal.SIGTERM)
            await server.communicate()


def _make_account(environment: dict[str, str]) -> None:
    account = {"DJANGO_SUPERUSER_USERNAME": NAME, "DJANGO_SUPERUSER_PASSWORD": PASSWORD, "DJANGO_SUPERUSER_EMAIL": ""}
    for command in (["migrate", "--verbosity", "0"], ["createsuperuser", "--noinput"]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env={**environment, **account},
            stdout=subprocess.DEVNULL,
            check=True,
        )


@contextlib.asynccontextmanager
async def _browsers(url: str, count: int) -> AsyncIterator[list[Browser]]:
    import aiohttp

    async with contextlib.AsyncExitStack() as stack:
        browsers = []
        for _ in range(count):
            session = aiohttp.ClientSession(
                cookie_jar=aiohttp.CookieJar(unsafe=True), connector=aiohttp.TCPConnector(limit=0)
            )
            browsers.append(Browser(await stack.enter_async_context(session), url))
        while (await browsers[0].session.get(f"{url}/healthz")).status != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        yield browsers


async def _open_room(instructor: Browser, mode: str) -> dict[str, Any]:
    await instructor.post("/account/sign-in/", "/account/sign-in/", name=NAME, password=PASSWORD)
    room = await instructor.post("/rooms/", "/rooms/", title=f"bench {mode}", mode=mode, lesson="")
    return dict(room)


async def _cluster_of(browser: Browser, path: str) -> str:
    found = re.search(r'data-cluster="([^"]+)"', await browser.get(path))
    assert found is not None, path
    return found[1]


def _is_running(frame: dict[str, Any]) -> bool:
    return frame["type"] in {"hello", "cluster"} and frame["cluster"]["state"] == "running"


async def _page_of(browser: Browser, cluster: str) -> Page:
    page = Page(await browser.socket(f"/ws/clusters/{cluster}/"))
    page.expect(_is_running)
    await page.socket.send_json({"type": "watch", "since": 0})
    await page.seen.wait()
    return page


def _began(frame: dict[str, Any]) -> bool:
    return frame["type"] == "entries" and any(entry["kind"] == "fault.started" for entry in frame["entries"])


async def _fault(url: str) -> dict[str, Any]:
    async with _browsers(url, LEARNERS + 1) as (instructor, *learners):
        room = await _open_room(instructor, "own")
        pages = []
        for number, learner in enumerate(learners):
            await learner.post("/join/", "/join/", code=room["code"], name=f"learner {number}", group="")
            pages.append(await _page_of(learner, await _cluster_of(learner, f"/rooms/{room['id']}/")))
        console = Page(await instructor.socket(f"/ws/rooms/{room['id']}/"))
        await asyncio.sleep(2)
        for page in pages:
            page.expect(_began)
        clicked = time.monotonic()
        await console.socket.send_json({"type": "break", "id": "b1", "fault": FAULT, "targets": {"all": True}})
        async with asyncio.timeout(30):
            await asyncio.gather(*(page.seen.wait() for page in pages))
        applied = sorted(page.at - clicked for page in pages if page.at is not None)
        for page in [*pages, console]:
            page.listening.cancel()
        return {"fault_in_40_clusters_first": applied[0], "fault_in_40_clusters_all": applied[-1]}


async def _steps(url: str) -> dict[str, Any]:
    async with _browsers(url, VIEWERS + 1) as (instructor, *viewers):
        room = await _open_room(instructor, "shared")
        cluster = await _cluster_of(instructor, f"/rooms/{room['id']}/watch/")
        leader = await _page_of(instructor, cluster)
        console = Page(await instructor.socket(f"/ws/rooms/{room['id']}/"))
        pages: list[tuple[Page, Page]] = []
        for number, viewer in enumerate(viewers):
            await viewer.post("/join/", "/join/", code=room["code"], name=f"viewer {number}", group="")
            follower = Page(await viewer.socket(f"/ws/rooms/{room['id']}/"))
            pages.append((await _page_of(viewer, cluster), follower))
        await console.socket.send_json({"type": "lead", "on": True})
        await leader.socket.send_json({"type": "pause"})
        await asyncio.sleep(2)
        waits = []
        for _ in range(STEPS):
            waits += await _step(leader, console, cluster, pages)
        for page in [leader, console, *(page for pair in pages for page in pair)]:
            page.listening.cancel()
        waits.sort()
        return {
            "step_to_200_viewers_p50": waits[len(waits) // 2] * 1e3,
            "step_to_200_viewers_p95": waits[len(waits) * 95 // 100] * 1e3,
            "step_to_200_viewers_worst": waits[-1] * 1e3,
        }


async def _step(leader: Page, console: Page, cluster: str, pages: list[tuple[Page, Page]]) -> list[float]:
    """Step as the instructor's page does: the position follows as soon as the entry has come."""
    seqs: list[int] = []

    def new(frame: dict[str, Any]) -> bool:
        if frame["type"] == "entries":
            seqs.append(frame["entries"][-1]["seq"])
        return frame["type"] == "entries"

    leader.expect(new)
    for page, follower in pages:
        page.expect(lambda frame: frame["type"] == "entries")
        follower.expect(lambda frame: frame["type"] == "position" and seqs and frame["cursor"] == seqs[-1])
    clicked = time.monotonic()
    await leader.socket.send_json({"type": "step"})
    await leader.seen.wait()
    await console.socket.send_json({"type": "position", "cluster": cluster, "cursor": seqs[-1], "selected": seqs[-1]})
    async with asyncio.timeout(30):
        await asyncio.gather(*(one.seen.wait() for pair in pages for one in pair))
    await asyncio.sleep(0.2)
    return [max(page.at or 0.0, follower.at or 0.0) - clicked for page, follower in pages]


__all__ = ["measure"]
