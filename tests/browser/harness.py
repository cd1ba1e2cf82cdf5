"""Serve the page without the cluster: a recorded journal, played at any pace, over the page's own protocol.

For working on the page: `python tests/browser/harness.py [port]`. The product never imports it.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "visualizer.settings")
os.environ.setdefault("DATA_DIR", "/tmp/glassplane-harness")

import django
from aiohttp import WSMsgType, web

django.setup()
from django.template.loader import render_to_string  # noqa: E402
from django.utils import translation  # noqa: E402

CSP = "default-src 'none'; script-src 'self' 'nonce-harness'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


class Play:
    """A journal that grows with a virtual clock. The story after boot waits for a command."""

    def __init__(self) -> None:
        text = subprocess.run(
            ["node", "tests/js/fixtures/print.js"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        record = json.loads(text)
        self.entries, self.details, self.boot_end = record["entries"], record["details"], record["bootEnd"]
        self.now, self.pace, self.paused, self.head = 0.0, 1.0, False, 0
        self.released = False
        self.sockets: dict[web.WebSocketResponse, int] = {}
        self.waiting: list[tuple[web.WebSocketResponse, str]] = []
        self.silent = False

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0.03)
            if not self.paused:
                limit = self.entries[self.boot_end]["at"] - 0.01
                self.now = self.now + 0.03 * self.pace if self.released else min(self.now + 0.03 * self.pace, limit)
            while self.head < len(self.entries) and self._time(self.head) <= self.now:
                self.head += 1
            await self.flush()

    def _time(self, index: int) -> float:
        entry = self.entries[index]
        return entry["arrived"] if entry["arrived"] is not None else entry["at"]

    async def flush(self) -> None:
        for socket, seen in list(self.sockets.items()):
            if seen < self.head:
                self.sockets[socket] = self.head
                await say(socket, type="entries", entries=self.entries[seen : self.head])
        if (
            self.waiting
            and self.head
            and any(e["kind"] == "command.finished" for e in self.entries[self.boot_end : self.head])
        ):
            for socket, command in self.waiting:
                await say(socket, type="output", id=command, n=1, stream="stdout", text="deployment.apps/web created\n")
                await say(socket, type="done", id=command, n=2, code=0)
            self.waiting.clear()

    def clock(self) -> dict:
        return {"now": self.now, "pace": self.pace, "paused": self.paused}

    async def hear(self, socket: web.WebSocketResponse, frame: dict) -> None:
        kind = frame["type"]
        if kind == "watch":
            self.sockets[socket] = frame["since"]
        elif kind == "command":
            if "create" in frame["line"]:
                if not self.released:
                    self.released = True
                    self.now = self.entries[self.boot_end]["at"] - 0.005
                self.waiting.append((socket, frame["id"]))
            else:
                await say(
                    socket,
                    type="output",
                    id=frame["id"],
                    n=1,
                    stream="stdout",
                    text="NAME                   READY   STATUS    RESTARTS   AGE\nweb-6c8bjbrq4-rrcnh    1/1     Running   0          14s\nweb-6c8bjbrq4-gvrrq    1/1     Running   0          14s\n",
                )
                await say(socket, type="done", id=frame["id"], n=2, code=0)
        elif kind in {"pause", "resume"}:
            self.paused = kind == "pause"
        elif kind == "pace":
            self.pace = frame["pace"]
        elif kind == "step" and self.head < len(self.entries):
            self.now = self._time(self.head)
            self.head += 1
        if kind in {"pause", "resume", "pace", "step"}:
            await self.flush()
            await say(socket, type="clock", **self.clock())


async def say(socket: web.WebSocketResponse, **frame: object) -> None:
    if not socket.closed:
        await socket.send_str(json.dumps(frame))


async def page(request: web.Request) -> web.Response:
    language = request.cookies.get("django_language", "en")
    with translation.override(language):
        text = render_to_string(
            "playground.html",
            {
                "cluster_id": "harness",
                "language": language,
                "LANGUAGE_CODE": language,
                "csp_nonce": "harness",
                "csrf_token": "x",
            },
        )
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": CSP})


async def socket(request: web.Request) -> web.WebSocketResponse:
    play: Play = request.app["play"]
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    await say(
        ws,
        type="hello",
        cluster={"id": "harness", "state": "running", "nodes": 2, "seed": 1, "message": ""},
        clock=play.clock(),
        head=play.head,
    )
    async for message in ws:
        if message.type == WSMsgType.TEXT:
            await play.hear(ws, json.loads(message.data))
    play.sockets.pop(ws, None)
    return ws


async def cut(request: web.Request) -> web.Response:
    play: Play = request.app["play"]
    for ws in list(play.sockets):
        await ws.close()
    return web.Response(text="cut")


async def entries(request: web.Request) -> web.Response:
    play: Play = request.app["play"]
    since, limit = int(request.query.get("since", 0)), int(request.query.get("limit", 1000))
    return web.json_response({"entries": play.entries[since : min(play.head, since + limit)], "head": play.head})


async def detail(request: web.Request) -> web.Response:
    return web.json_response(request.app["play"].details[int(request.match_info["seq"]) - 1])


async def start(app: web.Application) -> None:
    app["task"] = asyncio.create_task(app["play"].run())


app = web.Application()
app["play"] = Play()
app.on_startup.append(start)
app.router.add_get("/", page)
app.router.add_get("/cut", cut)
app.router.add_get("/ws/clusters/harness/", socket)
app.router.add_get("/clusters/harness/entries/", entries)
app.router.add_get("/clusters/harness/entries/{seq}/", detail)
app.router.add_static("/static/", ROOT / "static")
app.router.add_static("/fixtures/", ROOT / "tests" / "js" / "fixtures")
app.router.add_static("/browser/", ROOT / "tests" / "browser")
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 8700, print=None)
