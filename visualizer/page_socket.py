"""What the WebSockets of pages have in common: they hear a page's messages, and write to it until it is gone.

A page may say so much at once and so much a second (`Allowance`); what it says beyond that is refused, and a page
that does not stop is closed, and so is one whose session is over by its age. Whatever is wrong with a message is said
in words. One task writes what comes of itself; it ends with the page, also when the server stops under both.

    connect()     accept, look who it is, join; then start(…): from here on messages are heard
    receive()     too fast? not text? too long? not understood?  refuse(words, text), else  take(message)
    write(send)   for ever: the next frames, to the page
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, ClassVar

import msgspec
from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import timezone
from django.utils.translation import gettext, override
from django.utils.translation import gettext_noop as _

from visualizer import json_bounds, refusals, websocket_frames
from visualizer.handshakes import Handshake
from visualizer.language import language_of
from visualizer.selectors import Owner

logger = logging.getLogger(__name__)

TOO_MANY = 4429
TRY_AGAIN = 1013
BURST, PER_SECOND = 60.0, 20.0
REFUSALS_MAX = 100  # of messages that came too fast, before the socket is closed


class Allowance:
    """A token bucket: so many messages at once, so many a second."""

    def __init__(self, now: float, burst: float, per_second: float) -> None:
        self._left, self._burst, self._per_second, self._at = burst, burst, per_second, now

    def take(self, now: float) -> bool:
        """Whether one more is allowed."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class PageSocket(AsyncWebsocketConsumer, ABC):  # type: ignore[misc]
    """One page. Who inherits says how messages are read (`decode`), taken, and refused, and what is written."""

    MESSAGE_CHARACTERS_MAX: ClassVar[int]

    _allowance: Allowance
    _refusals = 0
    _lasting: "asyncio.Task[None] | None" = None
    handshake = Handshake(Owner(""))
    writing: "asyncio.Task[None] | None" = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the page; its writer ends with it, also when the server stops under both."""
        self._language = language_of(scope)
        try:
            await super().__call__(scope, receive, send)
        finally:
            for task in (self.writing, self._lasting):
                if task is not None:
                    task.cancel()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hand a message of the server to its method.

        Channels first sends a thread to close old database connections, for each message and behind whatever that
        thread has to do; `in_database` closes them for who uses the database.
        """
        await getattr(self, get_handler_name(message))(message)

    def start(self, name: str, burst: float = BURST, per_second: float = PER_SECOND) -> None:
        """Begin to write, and to hear what the page says. `name` is of whose page it is, for logs."""
        self._allowance = Allowance(asyncio.get_running_loop().time(), burst, per_second)
        self.writing = asyncio.create_task(self._write(), name=f"page of {name}")
        if self.handshake.expires is not None:
            self._lasting = asyncio.create_task(self._last_until(self.handshake.expires), name=f"session at {name}")

    async def _last_until(self, expires: datetime) -> None:
        """Close the page when its session is over by its age; it comes back with what its cookie is worth by then."""
        await asyncio.sleep((expires - timezone.now()).total_seconds())
        await self.close(TRY_AGAIN)

    def in_words(self, problem: str) -> str:
        """Say a problem in the page's language."""
        with override(self._language):
            return refusals.said(problem)

    # What each kind of page does itself -----------------------------------------------------------------------------

    @abstractmethod
    def decode(self, text: bytes) -> Any:
        """Read a message. Raise msgspec.DecodeError or `json_bounds.OutOfBounds`."""

    @abstractmethod
    async def take(self, message: Any) -> None:
        """Do what the page asks."""

    @abstractmethod
    async def refuse(self, problem: str, text: str) -> None:
        """Tell the page that a message, whose text this was, was not taken."""

    @abstractmethod
    async def write(self, send: websocket_frames.SendFrames) -> None:
        """Write frames as they come; return once there will be none."""

    # ----------------------------------------------------------------------------------------------------------------

    async def _write(self) -> None:
        try:
            await self.write(websocket_frames.sender_of(self))
        except asyncio.CancelledError:
            raise
        except Exception:  # the page's outermost edge; it connects again and resumes
            logger.exception("the writer of a page broke")
            await self.close(TRY_AGAIN)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take one message; whatever is wrong with it is said in words."""
        if self.writing is None:
            return
        text = text_data or ""
        if not self._allowance.take(asyncio.get_running_loop().time()):
            await self._too_fast(text)
        elif text_data is None:
            await self.refuse(_("Only text messages are understood."), text)
        elif len(text) > self.MESSAGE_CHARACTERS_MAX:
            await self.refuse(_("This message is too long."), text)
        else:
            await self._receive(text)

    async def _receive(self, text: str) -> None:
        try:
            message = self.decode(text.encode("utf-8", "surrogatepass"))
        except (msgspec.DecodeError, UnicodeError, json_bounds.OutOfBounds) as problem:
            with override(self._language):
                words = gettext("This message was not understood: %(problem)s") % {"problem": gettext(str(problem))}
            await self.refuse(words, text)
            return
        try:
            await self.take(message)
        except Exception:  # the outermost edge of what a page asks: it is told, and the next message is heard
            logger.exception("what a page asked for broke: %s", type(message).__name__)
            await self.refuse(_("This broke inside Glassplane; that is our mistake."), text)

    async def _too_fast(self, text: str) -> None:
        self._refusals += 1
        if self._refusals > REFUSALS_MAX:
            await self.close(TOO_MANY)
        else:
            await self.refuse(_("Messages come too fast; this one was ignored."), text)
