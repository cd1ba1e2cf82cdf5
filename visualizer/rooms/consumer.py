"""The WebSocket of a room's page: what a member or an instructor says, to `services` and to the clusters.

Whatever is wrong with a message is said in words; who says too much is closed. What is sent is the page's (page.py).
"""

import asyncio
import logging

import msgspec
from django.utils.translation import gettext_noop as _

from visualizer import attempt_limits, handshakes, websocket_frames
from visualizer.database import in_database
from visualizer.hosting import web_process
from visualizer.hosting.refused import Refused
from visualizer.page_socket import TOO_MANY, PageSocket
from visualizer.rooms import changes, hub, incidents, instructor_actions, selectors, services
from visualizer.rooms import protocol as said
from visualizer.rooms.live_room import NO_SUCH_ROOM, LiveRoom, frame
from visualizer.rooms.models import Room
from visualizer.rooms.page import Closed, Page
from visualizer.rooms.selectors import Person

logger = logging.getLogger(__name__)

MEMBER_BURST, MEMBER_PER_SECOND = 20.0, 2.0  # each may write to the database
GUESSES_A_MINUTE = 20
ASKING_MAX = 8  # of one page: breaking, healing and pausing wait for many clusters

_conducting: "set[asyncio.Task[None]]" = set()  # held here: they outlive the page that began them


class RoomConsumer(PageSocket):
    """One page of one room."""

    MESSAGE_CHARACTERS_MAX = said.MESSAGE_CHARACTERS_MAX

    _live: LiveRoom | None = None
    _page: Page

    async def connect(self) -> None:
        """Accept, then close at once who has no business here: the page reads the code."""
        self._asking = 0
        self._host = web_process.current()
        await self.accept()
        person = await in_database(self._find)(self.scope["url_route"]["kwargs"]["room"])
        if person is None:
            await self.close(NO_SUCH_ROOM)
            return
        self._room, self._member = person.room.pk, person.member.pk if person.member is not None else None
        try:
            self._live, self._page = await hub.current().join(self._room, self._member, self._language)
        except Refused as refusal:
            await self.send(text_data=self._error_frame(str(refusal)))
            await self.close(TOO_MANY)
            return
        if person.is_instructor:
            self.start(f"room {self._room}")
        else:
            self.start(f"room {self._room}", MEMBER_BURST, MEMBER_PER_SECOND)

    def _find(self, room: str) -> Person | None:
        self.handshake = handshakes.read(self.scope)
        return selectors.person(self.handshake.owner, room)

    async def disconnect(self, code: int) -> None:
        """Leave the room's pages; what was begun in the clusters is brought to its end."""
        if self.writing is not None:
            self.writing.cancel()
            await asyncio.gather(self.writing, return_exceptions=True)
        if self._live is not None:
            live, self._live = self._live, None
            await hub.current().leave(live, self._page)

    # To the page ----------------------------------------------------------------------------------------------------

    async def write(self, send: websocket_frames.SendFrames) -> None:
        """See PageSocket."""
        try:
            while True:
                await send((await self._page.next_frame(),))
        except Closed as closed:
            await self.close(closed.code)

    def _error(self, message: str, identifier: str | None = None) -> None:
        self._page.answer(self._error_frame(message, identifier))

    def _error_frame(self, message: str, identifier: str | None = None) -> str:
        return frame("error", message=self.in_words(message), id=identifier)

    # From the page --------------------------------------------------------------------------------------------------

    def decode(self, text: bytes) -> said.Said:
        """See PageSocket."""
        return said.decode(text)

    async def refuse(self, problem: str, text: str) -> None:
        """See PageSocket."""
        self._error(problem, said.break_of(text))

    async def take(self, message: said.Said) -> None:
        """See PageSocket."""
        if self._member is None and isinstance(message, said.ByInstructor):
            await self._of_instructor(message)
        elif self._member is not None and isinstance(message, said.ByMember):
            await self._of_member(self._member, message)
        else:
            self._error(_("You may not do this."), message.id if isinstance(message, said.Break) else None)

    async def _of_member(self, member: int, message: said.Follow | said.Help | said.Notice | said.Diagnose) -> None:
        match message:
            case said.Follow(on):
                await in_database(services.set_follows)(member, on)
            case said.Help(on):
                await in_database(services.set_help)(self._room, member, on)
            case said.Notice():
                if await self._may_guess("notice", member):
                    right = await in_database(incidents.notice)(member)
                    self._page.answer(frame("noticed", false=not right))
            case said.Diagnose(fault, target):
                if await self._may_guess("diagnose", member):
                    right, tries = await in_database(incidents.diagnose)(member, fault, target)
                    self._page.answer(frame("diagnosis", right=right, tries=tries))
        await self._tell(changes.Changed(members=[member]))

    async def _may_guess(self, what: str, member: int) -> bool:
        allowed = await in_database(attempt_limits.take)(what, str(member), GUESSES_A_MINUTE, attempt_limits.MINUTE)
        if not allowed:
            self._error(_("Too many tries. Please look around first, then try again in a minute."))
        return allowed

    async def _of_instructor(
        self, message: said.Lead | said.Position | said.Break | said.Heal | said.Pause | said.Help
    ) -> None:
        match message:
            case said.Lead(on):
                await in_database(services.set_leading)(self._room, on)
                await self._tell(changes.Placed(None))
                await self._tell(changes.Changed(room=True))
            case said.Position():
                await self._place(message)
            case said.Help(on, member) if member is not None and not on:
                await in_database(services.set_help)(self._room, member, False)
                await self._tell(changes.Changed(members=[member]))
            case said.Help():
                self._error(_("You may not do this."))
            case said.Break() | said.Heal() | said.Pause():
                self._conduct(message)

    async def _place(self, position: said.Position) -> None:
        """Take those along who follow; elsewhere than in the room's cluster nobody can follow."""
        assert self._live is not None
        if position.cluster == self._live.cluster:
            self._live.place({key: value for key, value in msgspec.structs.asdict(position).items() if key != "type"})

    def _conduct(self, message: said.Break | said.Heal | said.Pause) -> None:
        """Ask the clusters, while the page goes on talking."""
        identifier = message.id if isinstance(message, said.Break) else None
        if self._asking >= ASKING_MAX:
            self._error(_("Messages come too fast; this one was ignored."), identifier)
            return
        self._asking += 1
        task = asyncio.create_task(self._conducted(message, identifier))
        _conducting.add(task)
        task.add_done_callback(_conducting.discard)

    async def _conducted(self, message: said.Break | said.Heal | said.Pause, identifier: str | None) -> None:
        try:
            room = await in_database(Room.objects.get)(pk=self._room)
            match message:
                case said.Break():
                    incident, count = await instructor_actions.break_clusters(self._host, room, message)
                    self._page.answer(frame("broken", id=identifier, incident=incident, targets=count))
                case said.Heal():
                    await instructor_actions.heal(self._host, room, message)
                case said.Pause(on):
                    await instructor_actions.pause(self._host, room, on)
        except (instructor_actions.Impossible, Refused) as problem:
            self._error(str(problem), identifier)
        except Room.DoesNotExist:
            self._page.close(NO_SUCH_ROOM)
        except asyncio.CancelledError:
            raise
        except Exception:
            logger.exception("room %s: %s broke", self._room, type(message).__name__)
            self._error(_("This broke inside Glassplane; that is our mistake."), identifier)
        finally:
            self._asking -= 1

    async def _tell(self, change: changes.Change) -> None:
        await hub.tell(self._host.bus, self._room, change)
