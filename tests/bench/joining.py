"""A class that comes back at once: how long pages take that all open their WebSocket in the same moment.

A whole server runs (Daphne, one worker, SQLite). One visitor's cluster is up and has been watched; then so many pages
of it open their sockets at once, as they do after a restart of the server, and each waits for its first frame. Pages
are light sockets in this process (light_sockets.py), so a part of the time is theirs.

    .venv/bin/python -m tests.bench.joining 1000     prints what `make bench` measures, for so many pages
"""

import asyncio
import json
import os
import resource
import sys
import time
from typing import Any

from tests.bench.classroom import Browser, _served, browsers
from tests.bench.light_sockets import LightSocket, RefusedError

PAGES = 400
HERD = 1000
SECONDS_MAX = 60.0


def measure() -> dict[str, Any]:
    """Run the server for each of both, and give how long it took and how many were turned away."""
    return {**_of(PAGES), **_of(HERD)}


def _of(pages: int) -> dict[str, Any]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return asyncio.run(_served(lambda url, server: _herd(url, server, pages)))


def _is_hello(frame: bytes) -> bool:
    return frame.startswith(b'{"type": "hello"')


def _is_running(frame: bytes) -> bool:
    said = json.loads(frame)
    return said["type"] in {"hello", "cluster"} and said["cluster"]["state"] == "running"


async def _herd(url: str, server: int, pages: int) -> dict[str, Any]:
    import psutil

    async with browsers(url, 1) as (browser,):
        path = f"/ws/clusters/{await browser.cluster('/sandbox/')}/"
        first = await browser.socket(path, _is_running)
        await first.seen.wait()
        process = psutil.Process(server)
        before, began = sum(process.cpu_times()[:2]), time.monotonic()
        joined = await asyncio.gather(*(_join(browser, path) for _ in range(pages)))
        opened = [one for one in joined if one is not None]
        last = max((one.at or began) for one in opened) - began
        return {
            f"joining_{pages}_pages": last,
            f"joining_{pages}_pages_turned_away": pages - len(opened),
            f"joining_{pages}_pages_server_cpu_each": (sum(process.cpu_times()[:2]) - before) / pages * 1e3,
        }


async def _join(browser: Browser, path: str) -> LightSocket | None:
    try:
        async with asyncio.timeout(SECONDS_MAX):
            page = await browser.socket(path, _is_hello)
            await page.seen.wait()
    except (RefusedError, OSError, TimeoutError):
        return None
    return page


__all__ = ["measure"]

if __name__ == "__main__":
    os.environ.setdefault("WORKERS", "1")
    print(json.dumps(_of(int(sys.argv[1])), indent=1))
