"""A class at work: a fault in forty clusters from the instructor's click, and a step taken along by 200 viewers.

A whole server runs (Daphne, two workers, SQLite). Browsers are WebSockets in this process, kept light so that they take
little of the machine that the server has (light_sockets.py); what a page does with a frame after it has come is not in
these figures (`drawing` has it).

    fault   one room, 40 learners with a cluster each; from sending `break` until every learner's page has been told
            the journal entry with which the fault began
    step    one room that watches the instructor's cluster; from sending `step` until a viewer has both the new entry
            and the instructor's new position; and the CPU that each step costs the server and the browsers here
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
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.bench.light_sockets import LightSocket, Wanted, connect

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

    async def cluster(self, path: str) -> str:
        """Read a page and give the cluster that it shows."""
        found = re.search(r'data-cluster="([^"]+)"', await self.get(path))
        assert found is not None, path
        return found[1]

    async def socket(self, path: str, wanted: Wanted | None = None) -> LightSocket:
        """Open a WebSocket."""
        cookies = "; ".join(f"{one.key}={one.value}" for one in self.session.cookie_jar)
        return await connect(self.url, path, cookies, wanted)


def measure() -> dict[str, Any]:
    """Run the server and give both figures."""
    return asyncio.run(_measure())


async def _measure() -> dict[str, Any]:
    return {**await _served(_fault), **await _served(_steps)}


async def _served(story: Callable[[str, int], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """Run a story with a server of its own, given its URL and process."""
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
            return await story(f"http://127.0.0.1:{port}", server.pid)
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
async def browsers(url: str, count: int) -> AsyncIterator[list[Browser]]:
    """Open as many browsers, once the server is ready for clusters."""
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


def _is_running(frame: bytes) -> bool:
    """The first frame of a page, or news of its cluster."""
    said = json.loads(frame)
    return said["type"] in {"hello", "cluster"} and said["cluster"]["state"] == "running"


async def _page_of(browser: Browser, cluster: str) -> LightSocket:
    page = await browser.socket(f"/ws/clusters/{cluster}/", _is_running)
    page.send({"type": "watch", "since": 0})
    await page.seen.wait()
    return page


def _has_entries(frame: bytes) -> bool:
    return frame.startswith(b'{"type":"entries"')


def _began(frame: bytes) -> bool:
    return _has_entries(frame) and b'"kind":"fault.started"' in frame


async def _fault(url: str, _: int) -> dict[str, Any]:
    async with browsers(url, LEARNERS + 1) as (instructor, *learners):
        room = await _open_room(instructor, "own")
        pages = []
        for number, learner in enumerate(learners):
            await learner.post("/join/", "/join/", code=room["code"], name=f"learner {number}", group="")
            pages.append(await _page_of(learner, await learner.cluster(f"/rooms/{room['id']}/")))
        console = await instructor.socket(f"/ws/rooms/{room['id']}/")
        await asyncio.sleep(2)
        for page in pages:
            page.expect(_began)
        clicked = time.monotonic()
        console.send({"type": "break", "id": "b1", "fault": FAULT, "targets": {"all": True}})
        async with asyncio.timeout(30):
            await asyncio.gather(*(page.seen.wait() for page in pages))
        applied = sorted(page.at - clicked for page in pages if page.at is not None)
        for one in [*pages, console]:
            one.close()
        return {"fault_in_40_clusters_first": applied[0], "fault_in_40_clusters_all": applied[-1]}


async def _steps(url: str, server: int) -> dict[str, Any]:
    async with browsers(url, VIEWERS + 1) as (instructor, *viewers):
        room = await _open_room(instructor, "shared")
        cluster = await instructor.cluster(f"/rooms/{room['id']}/watch/")
        leader = await _page_of(instructor, cluster)
        console = await instructor.socket(f"/ws/rooms/{room['id']}/")
        pages: list[tuple[LightSocket, LightSocket]] = []
        for number, viewer in enumerate(viewers):
            await viewer.post("/join/", "/join/", code=room["code"], name=f"viewer {number}", group="")
            follower = await viewer.socket(f"/ws/rooms/{room['id']}/")
            pages.append((await _page_of(viewer, cluster), follower))
        console.send({"type": "lead", "on": True})
        leader.send({"type": "pause"})
        await asyncio.sleep(2)
        waits, server_before, here_before = [], _cpu(server), time.process_time()
        for _ in range(STEPS):
            waits += await _step(leader, console, cluster, pages)
        server_cpu, here_cpu = _cpu(server) - server_before, time.process_time() - here_before
        for one in [leader, console, *(one for pair in pages for one in pair)]:
            one.close()
        waits.sort()
        return {
            "step_to_200_viewers_p50": waits[len(waits) // 2] * 1e3,
            "step_to_200_viewers_p95": waits[len(waits) * 95 // 100] * 1e3,
            "step_to_200_viewers_worst": waits[-1] * 1e3,
            "step_to_200_viewers_cpu_of_the_server": server_cpu / STEPS * 1e3,
            "step_to_200_viewers_cpu_of_the_viewers_here": here_cpu / STEPS * 1e3,
        }


def _cpu(server: int) -> float:
    """CPU seconds that a server and its workers have taken."""
    import psutil

    process = psutil.Process(server)
    return sum(sum(one.cpu_times()[:2]) for one in [process, *process.children()])


async def _step(
    leader: LightSocket, console: LightSocket, cluster: str, pages: list[tuple[LightSocket, LightSocket]]
) -> list[float]:
    """Step as the instructor's page does: the position follows as soon as the entry has come."""
    for one in [leader, *(page for page, _ in pages)]:
        one.expect(_has_entries)
    clicked = time.monotonic()
    leader.send({"type": "step"})
    await leader.seen.wait()
    seq = json.loads(leader.frame)["entries"][-1]["seq"]
    here = f'"cursor":{seq},'.encode()
    for _, follower in pages:
        follower.expect(lambda frame: here in frame)
    console.send({"type": "position", "cluster": cluster, "cursor": seq, "selected": seq})
    async with asyncio.timeout(30):
        await asyncio.gather(*(one.seen.wait() for pair in pages for one in pair))
    await asyncio.sleep(0.2)
    return [max(page.at or 0.0, follower.at or 0.0) - clicked for page, follower in pages]


__all__ = ["measure"]
