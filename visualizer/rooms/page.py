"""One open page of a room: what is to be sent to it, never more than one frame of a kind.

Whatever can be said anew replaces what was not sent yet: of ten positions a slow page gets the last one, of a row its
newest state. So nothing queues for a slow page, and the frames that wait are bounded by what there is to say. Answers
to the page itself keep their order, up to a bound; a page that does not read them is closed and connects again.
"""

import asyncio
import itertools

WAITING_MAX = 600  # kinds: rows, incidents and answers


class Closed(Exception):  # noqa: N818
    """The page has no business here any more; `code` says why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Page:
    """A room's page in this process: `member` is None for the instructor's."""

    def __init__(self, member: int | None, language: str = "en") -> None:
        self.member = member
        self.language = language
        self.follows = False
        self.was_led = False  # told a position since it follows
        self._last: dict[str, str] = {}  # of kinds that are said only when they are new
        self._waiting: dict[str, str] = {}  # kind → frame, in the order of saying
        self._answers = itertools.count()
        self._wake = asyncio.Event()
        self._code: int | None = None

    @property
    def is_instructor(self) -> bool:
        """Whether it is the instructor's."""
        return self.member is None

    def say(self, kind: str, frame: str) -> None:
        """Send a frame in place of the last one of this kind, if that still waits."""
        self._waiting.pop(kind, None)
        if len(self._waiting) < WAITING_MAX:
            self._waiting[kind] = frame
        else:
            self._code = self._code or 1013
        self._wake.set()

    def say_new(self, kind: str, frame: str) -> None:
        """Send a frame unless the last one of this kind was the same."""
        if self._last.get(kind) != frame:
            self._last[kind] = frame
            self.say(kind, frame)

    def unsay(self, kind: str) -> None:
        """Do not send what waits of this kind."""
        self._waiting.pop(kind, None)

    def answer(self, frame: str) -> None:
        """Send a frame behind all others."""
        self.say(f"answer {next(self._answers)}", frame)

    def close(self, code: int) -> None:
        """Have it closed, once it was sent what waits."""
        self._code = self._code or code
        self._wake.set()

    async def next_frame(self) -> str:
        """Wait for something to send. Raise `Closed`."""
        while True:
            self._wake.clear()
            if self._waiting:
                return self._waiting.pop(next(iter(self._waiting)))
            if self._code is not None:
                raise Closed(self._code)
            await self._wake.wait()
