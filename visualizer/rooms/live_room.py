"""A room in a web process that has pages of it: one reader of the database and one follower of the bus for all of them.

Who changes something writes it to the database and tells the room's stream what to read again (changes.py). Each
process that has pages of the room then reads that once and sends what differs from what it sent last: at once the
first time, and at most four times a second. Every `LOOK_SECONDS` it reads everything: so a lost hint is made good, and
who has gone offline with another process is seen. Positions do not wait for that: they are sent as they come, to
members who follow, newest only (page.py).

What a page hears first is read under the same lock as what it hears later, so nothing older ever follows newer.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
from django.db import Error as DatabaseError

from visualizer.database import in_database
from visualizer.hosting.bus import Bus, BusLost
from visualizer.rooms import changes, selectors, services
from visualizer.rooms.changes import Change, Changed, Deleted, Gone, Left, Placed
from visualizer.rooms.models import Member, Room
from visualizer.rooms.page import Page

logger = logging.getLogger(__name__)

NO_SUCH_ROOM = 4404
TELL_SECONDS = 0.25
PLACE_SECONDS = 0.05
CATCH_UP_SECONDS = 0.1
LOOK_SECONDS = 5.0  # also how often it is noted who is online: several times in selectors.ONLINE_SECONDS
RETRY_SECONDS = 0.5


class LiveRoom:
    """A room's pages in this process, and what they were told."""

    def __init__(self, room: str, bus: Bus) -> None:
        self.id = room
        self.open: set[Page] = set()  # all that are counted here
        self.pages: set[Page] = set()  # those of them that have heard their first frames
        self.leading = False
        self.cluster: str | None = None  # the instructor's
        self._bus = bus
        self._lock = asyncio.Lock()
        self._position: str | None = None  # the frame, written once for everybody
        self._said: dict[str, str] = {}  # to instructors: kind → frame
        self._hints = Changed()
        self._everything = False
        self._wake = asyncio.Event()
        self._caught_up = asyncio.Event()  # what the stream had kept is read: a position in it may be an old one
        self._placed: dict[str, Any] | None = None
        self._placing = asyncio.Event()
        works = (self._follow, self._refresh_for_ever, self._look_for_ever, self._place_for_ever)
        self._tasks = [asyncio.create_task(_again(work), name=f"room {room}: {work.__name__}") for work in works]

    async def aclose(self) -> None:
        """Stop what runs for it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def online(self) -> set[int]:
        """The members whose pages are open here."""
        return {page.member for page in self.open if page.member is not None}

    def _instructors(self) -> list[Page]:
        return [page for page in self.pages if page.is_instructor]

    # Pages come and go ----------------------------------------------------------------------------------------------

    async def enter(self, page: Page) -> None:
        """Send a new page everything there is, then what changes."""
        with contextlib.suppress(TimeoutError):  # of a room that was quiet nothing is kept
            async with asyncio.timeout(CATCH_UP_SECONDS):
                await self._caught_up.wait()
        async with self._lock:
            room, members = await in_database(_read_room)(self.id, [page.member] if page.member is not None else [])
            if room is None or (page.member is not None and page.member not in members):
                page.close(NO_SUCH_ROOM)
                return
            self._take_room(room)
            self._say_room(page, room, members.get(page.member or 0))
            if page.is_instructor:
                rows, incidents = await in_database(_read_board)(self.id)
                self._say_board(rows, incidents)
                said = [selectors.worded(row, page.language) for row in rows]
                page.say("board", frame("board", rows=said, incidents=incidents))
            self.pages.add(page)
            self._say_position(page)

    def leave(self, page: Page) -> bool:
        """Forget a page; True when it was the last one of its member here."""
        self.open.discard(page)
        self.pages.discard(page)
        return page.member is not None and page.member not in self.online()

    # What changes ---------------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        async with contextlib.aclosing(self._bus.follow(changes.room_name(self.id))) as stream:
            async for frames in stream:
                placed = self._position
                for change in changes.read(frames):
                    await self._take(change)
                if placed != self._position:
                    for page in self.pages:
                        self._say_position(page)
                self._caught_up.set()

    async def _take(self, change: Change) -> None:
        match change:
            case Changed():
                self._hint(change)
            case Placed(position):
                self._position = _position_frame(position)  # said once all that came with it is read
            case Left(member):
                if member in self.online():
                    await in_database(services.mark_online)([member])
                self._hint(Changed(members=[member]))
            case Gone(member):
                self._say_gone(member)
            case Deleted():
                self._close_all()

    def _hint(self, change: Changed) -> None:
        known = self._hints
        members, incidents = {*known.members, *change.members}, {*known.incidents, *change.incidents}
        self._hints = Changed(known.room or change.room, list(members), list(incidents))
        self._wake.set()

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if online := self.online():
                await in_database(services.mark_online)(online)
            self._everything = True
            self._wake.set()

    async def _refresh_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._refresh()
            except DatabaseError:
                self._everything = True  # whatever it was that could not be read
                self._wake.set()
                raise
            await asyncio.sleep(TELL_SECONDS)

    async def _refresh(self) -> None:
        async with self._lock:
            hints, self._hints = self._hints, Changed()
            everything, self._everything = self._everything, False
            own = self.online() if everything or hints.room else self.online() & set(hints.members)
            room, members = await in_database(_read_room)(self.id, own)
            if room is None:
                self._close_all()
                return
            self._take_room(room)
            for page in self.pages:
                if page.member is None or page.member in members:
                    self._say_room(page, room, members.get(page.member or 0))
                    self._say_position(page, again=False)
                elif page.member in own:
                    page.close(NO_SUCH_ROOM)
            if self._instructors():
                only = (None, None) if everything else (hints.members, hints.incidents)
                rows, incidents = await in_database(_read_board)(self.id, *only)
                self._say_board(rows, incidents, whole=everything)

    # What is said ---------------------------------------------------------------------------------------------------

    def _take_room(self, room: Room) -> None:
        if room.leading and not self.leading:
            self._position = self._position or _position_frame(room.position)
        self.leading, self.cluster = room.leading, room.cluster_id
        if not room.leading:
            self._position = None

    def _say_room(self, page: Page, room: Room, member: Member | None) -> None:
        page.follows = member is not None and member.follows
        fields = selectors.room_fields(room, with_code=page.is_instructor)
        page.say_new("room", frame("room", room=fields, me=selectors.me_fields(room, member)))

    def _say_position(self, page: Page, *, again: bool = True) -> None:
        """Say where the instructor is, to who follows; not `again` to who was told something since they follow."""
        if not (page.follows and self.leading and self._position is not None):
            page.unsay("position")
            if not (page.follows and self.leading):
                page.was_led = False
        elif again or not page.was_led:
            page.was_led = True
            page.say("position", self._position)

    def _say_board(self, rows: list[dict[str, Any]], incidents: list[dict[str, Any]], *, whole: bool = False) -> None:
        if whole:
            here = {f"row {row['member']}" for row in rows}
            for kind in [one for one in self._said if one.startswith("row ") and one not in here]:
                self._say_gone(int(kind.removeprefix("row ")))
        for row in rows:
            if self._is_new(f"row {row['member']}", frame("row", row=row)):
                for page in self._instructors():
                    page.say(f"row {row['member']}", frame("row", row=selectors.worded(row, page.language)))
        for one in incidents:
            if self._is_new(f"incident {one['id']}", text := frame("incident", incident=one)):
                for page in self._instructors():
                    page.say(f"incident {one['id']}", text)

    def _is_new(self, kind: str, text: str) -> bool:
        """Whether this is not what was said last of its kind."""
        is_new = self._said.get(kind) != text
        self._said[kind] = text
        return is_new

    def _say_gone(self, member: int) -> None:
        self._said.pop(f"row {member}", None)
        for page in self.pages:
            if page.member == member:
                page.close(NO_SUCH_ROOM)
            elif page.is_instructor:
                page.unsay(f"row {member}")
                page.say(f"gone {member}", frame("gone", member=member))

    def _close_all(self) -> None:
        for page in self.pages:
            page.close(NO_SUCH_ROOM)

    # The instructor's place -----------------------------------------------------------------------------------------

    def place(self, position: dict[str, Any]) -> None:
        """Tell everybody where the instructor is; of many at once only the newest."""
        self._placed = position
        self._placing.set()

    async def _place_for_ever(self) -> None:
        while True:
            await self._placing.wait()
            self._placing.clear()
            position = self._placed
            assert position is not None
            await self._bus.append(changes.room_name(self.id), changes.pack(Placed(position)))
            await in_database(services.set_position)(self.id, position)
            await asyncio.sleep(PLACE_SECONDS)


def frame(kind: str, **fields: Any) -> str:
    """Write a frame for the browser."""
    return msgspec.json.encode({"type": kind, **fields}).decode()


def _position_frame(position: dict[str, Any] | None) -> str | None:
    return None if position is None else frame("position", **position)


def _read_room(room: str, members: Iterable[int]) -> tuple[Room | None, dict[int, Member]]:
    found = Room.objects.filter(pk=room).first()
    wanted = list(members)
    return found, Member.objects.filter(room=room).in_bulk(wanted) if wanted else {}


def _read_board(
    room: str, members: list[int] | None = None, incidents: list[int] | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    rows = selectors.board_rows(room, members) if members is None or members else []
    return rows, selectors.incidents(room, incidents) if incidents is None or incidents else []


async def _again(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except (DatabaseError, BusLost) as problem:
            logger.warning("%s failed, trying again: %s", work.__name__, problem)
        await asyncio.sleep(RETRY_SECONDS)
