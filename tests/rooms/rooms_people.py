"""People in tests of rooms: browsers that join, instructors that open, and the sockets of their pages."""

import asyncio
import json
from typing import Any

from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.test import AsyncClient
from web_until import PATIENCE

from visualizer.asgi import application
from visualizer.database import in_database
from visualizer.rooms.models import Member, Room

HERE = [(b"host", b"localhost:8000"), (b"origin", b"http://localhost:8000")]
JSON = {"accept": "application/json"}


class Browser(AsyncClient):
    """A visitor; `join` makes a member of them, `user` an instructor."""

    async def join(self, room: Room, name: str, group: str = "") -> Member:
        answer = await self.post("/join/", {"code": room.code, "name": name, "group": group}, headers=JSON)
        assert answer.status_code == 200, answer.content
        return await in_database(Member.objects.latest)("pk")

    async def open_room(self, title: str = "Tuesday", mode: str = "own", lesson: str = "") -> Room:
        answer = await self.post("/rooms/", {"title": title, "mode": mode, "lesson": lesson}, headers=JSON)
        assert answer.status_code == 201, answer.content
        return await in_database(Room.objects.get)(pk=answer.json()["id"])


async def instructor(name: str = "ada") -> Browser:
    """Somebody with an account, signed in."""
    user = await in_database(get_user_model().objects.create_user)(name)
    browser = Browser()
    await browser.aforce_login(user)
    return browser


class Socket:
    """A socket: `say` and `hear`."""

    def __init__(self, path: str, browser: AsyncClient | None, language: str = "en") -> None:
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in (browser.cookies if browser else {}).items())
        headers = [*HERE, (b"cookie", cookies.encode()), (b"accept-language", language.encode())]
        self._socket = WebsocketCommunicator(application, path, headers=headers)
        self._passed: list[dict[str, Any]] = []

    @classmethod
    async def of(cls, room: Room, browser: AsyncClient | None, language: str = "en") -> "Socket":
        """The socket of a page of a room."""
        return await cls.at(f"/ws/rooms/{room.pk}/", browser, language)

    @classmethod
    async def at(cls, path: str, browser: AsyncClient | None, language: str = "en") -> "Socket":
        """An open socket."""
        made = cls(path, browser, language)
        assert (await made._socket.connect(timeout=PATIENCE))[0]
        return made

    async def say(self, **message: Any) -> None:
        await self._socket.send_json_to(message)

    async def say_raw(self, text: str) -> None:
        await self._socket.send_to(text_data=text)

    async def hear(self, kind: str | None = None, seconds: float = PATIENCE, **fields: Any) -> dict[str, Any]:
        """The next frame of this kind with these fields; others pass by."""
        deadline = asyncio.get_running_loop().time() + seconds
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            frame = json.loads(await self._socket.receive_from(timeout=left))
            if kind in {None, frame["type"]} and fields.items() <= frame.items():
                return frame
            self._passed.append(frame)
        raise AssertionError(f"no {kind} came")

    async def has_heard(self, kind: str) -> dict[str, Any]:
        """The newest frame of this kind that passed by, or the next: what comes unasked may come before an answer."""
        passed = [frame for frame in self._passed if frame["type"] == kind]
        return passed[-1] if passed else await self.hear(kind)

    async def hear_row(self, holds: Any) -> dict[str, Any]:
        """The next row of the board for which something holds."""
        while True:
            frame = await self.hear("row")
            if holds(frame["row"]):
                return frame["row"]

    async def hear_room(self, holds: Any) -> dict[str, Any]:
        """The next `room` frame for which something holds."""
        while True:
            frame = await self.hear("room")
            if holds(frame):
                return frame

    async def closed(self) -> int:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            output = await self._socket.receive_output(timeout=left)
            if output["type"] == "websocket.close":
                return output["code"]
        raise AssertionError("the socket was not closed")

    async def quiet(self, seconds: float = 0.15) -> bool:
        return await self._socket.receive_nothing(timeout=seconds)

    async def close(self) -> None:
        await self._socket.disconnect(timeout=PATIENCE)
