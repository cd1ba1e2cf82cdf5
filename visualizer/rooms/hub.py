"""The rooms of a web process that have pages there: joined by consumers, told of changes by whoever writes."""

import asyncio
import logging
import weakref

from django.utils.translation import gettext_noop as _

from visualizer.database import in_database
from visualizer.hosting import web_process
from visualizer.hosting.bus import Bus, BusLost
from visualizer.hosting.refused import Refused
from visualizer.rooms import changes, services
from visualizer.rooms.changes import Change, Left
from visualizer.rooms.live_room import LiveRoom
from visualizer.rooms.page import Page

logger = logging.getLogger(__name__)

PAGES_MAX = 600  # of one room in this process
PAGES_OF_ONE_MAX = 8


async def tell(bus: Bus, room: str, change: Change) -> None:
    """Tell all processes what to read again; when the bus is lost they look by themselves a little later."""
    try:
        await bus.append(changes.room_name(room), changes.pack(change))
    except BusLost as problem:
        logger.warning("room %s: a change is not told: %s", room, problem)


class RoomHub:
    """The live rooms of one web process."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._rooms: dict[str, LiveRoom] = {}

    async def join(self, room: str, member: int | None, language: str = "en") -> tuple[LiveRoom, Page]:
        """A new page of a room, read in a language; `leave` when it goes. Raise `Refused` when there are too many."""
        live = self._rooms.get(room)
        if live is None:
            live = self._rooms[room] = LiveRoom(room, self._bus)
        page = Page(member, language)
        mine = sum(one.member == member for one in live.open)
        if len(live.open) >= PAGES_MAX or mine >= PAGES_OF_ONE_MAX:
            raise Refused(_("Too many pages of this room are open."))
        live.open.add(page)  # it keeps the room while it waits for its first frames
        try:
            if member is not None:
                await in_database(services.mark_online)([member])
                await tell(self._bus, room, changes.Changed(members=[member]))
            await live.enter(page)
        except BaseException:
            await self.leave(live, page)
            raise
        return live, page

    async def leave(self, live: LiveRoom, page: Page) -> None:
        """Forget a page, and the room with its last one."""
        was_last = live.leave(page)
        if not live.open and self._rooms.get(live.id) is live:
            del self._rooms[live.id]
            await live.aclose()
        if was_last and page.member is not None:
            await in_database(services.mark_offline)(page.member)
            await tell(self._bus, live.id, Left(page.member))

    async def run(self) -> None:
        """Do nothing until the web process stops, then stop all of it."""
        try:
            await asyncio.Event().wait()
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Stop all of it."""
        rooms, self._rooms = list(self._rooms.values()), {}
        await asyncio.gather(*(room.aclose() for room in rooms))


_hubs: "weakref.WeakKeyDictionary[web_process.WebProcess, RoomHub]" = weakref.WeakKeyDictionary()


def current() -> RoomHub:
    """The hub of this event loop's web process."""
    host = web_process.current()
    if host not in _hubs:
        _hubs[host] = RoomHub(host.bus)
        host.spawn(_hubs[host].run(), "rooms")
    return _hubs[host]
