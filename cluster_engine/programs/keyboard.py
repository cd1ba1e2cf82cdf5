"""The keyboard of a line that runs: what somebody types meanwhile is what its programs read.

Theory of operation. A terminal in its usual mode hands on what is typed line by line; Ctrl-D ends what is read without
ending the terminal, so that the next program of the line can read again. A keyboard says when a program waits for it,
and when that ends, for a person to see that what they type next goes there:

    reading = asyncio.create_task(keyboard.read())      told(True), once nothing is left to be read
    keyboard.type("a\\n")                                reading's result is b"a\\n"
    keyboard.end()                                      the next read gives b"", told(False)

A keyboard that belongs to a page has an editor too: a program hands it a text, and gets back what somebody made of it.

    editing = asyncio.create_task(keyboard.edit("web.yaml", "a\n"))       asks("web.yaml", "a\n", "")
    keyboard.edited("b\n")                               editing's result is "b\n"

Modelled on the canonical mode of termios(3) and, for a program that asks for a text to be edited, on $EDITOR. What is
typed and not read yet is bounded by TYPED_BYTES_MAX. Left out: raw mode, so that a program at the far end of a
connection gets lines too, and Ctrl-C ends the near one.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from cluster_engine.programs.streams import Input
from cluster_engine.programs.window import Window, window_of

TYPED_BYTES_MAX = 64 * 1024
EDITED_CHARACTERS_MAX = 32 * 1024
FULL = "Nothing reads what is typed; please wait, or press Ctrl-C."

Asks = Callable[[str, str, str], None]


class NoEditorError(Exception):
    """Nobody is there who could edit a text, or it is longer than EDITED_CHARACTERS_MAX."""


class Keyboard:
    """An Input (`programs/streams.py`) of what is typed. `told` is called when a program begins or ceases to wait.

    `asks` is called with the name and the text of what is to be edited, and with what was wrong with the last try;
    without it there is no editor. `window` is the size of its terminal.
    """

    def __init__(
        self,
        told: Callable[[bool], None] = lambda waits: None,
        asks: Asks | None = None,
        window: Window | None = None,
    ) -> None:
        self._told, self._asks = told, asks
        self.window = window or Window()
        self._edited: asyncio.Future[str | None] | None = None
        self._typed: deque[bytes] = deque()  # b"" is Ctrl-D
        self._held = 0
        self._changed = asyncio.Event()
        self.is_read = False
        """Whether a program has come to wait for what is typed, and has not been told its end since."""

    async def read(self) -> bytes:
        """Return the next line or lines as they were typed; b"" after Ctrl-D, once."""
        while not self._typed:
            self._tell(is_read=True)
            self._changed.clear()
            await self._changed.wait()
        piece = self._typed.popleft()
        self._held -= len(piece)
        if not piece:
            self._tell(is_read=False)
        return piece

    def unread(self, data: bytes) -> None:
        """See Input."""
        if data:
            self._typed.appendleft(data)
            self._held += len(data)

    def type(self, text: str) -> None:
        """Take what was typed. ValueError, in words for people, where too much of it is not read yet."""
        data = text.encode("utf-8", "replace")
        if self._held + len(data) > TYPED_BYTES_MAX:
            raise ValueError(FULL)
        if data:
            self._put(data)

    def end(self) -> None:
        """Take a Ctrl-D; of several that nobody has read, one counts."""
        if not self._typed or self._typed[-1]:
            self._put(b"")

    async def edit(self, name: str, text: str, problem: str = "") -> str | None:
        """Return a text as somebody has edited it, None where they left it. NoEditorError."""
        if self._asks is None or self._edited is not None or len(text) > EDITED_CHARACTERS_MAX:
            raise NoEditorError
        self._edited = asyncio.get_running_loop().create_future()
        self._asks(name, text, problem)
        try:
            return await self._edited
        finally:
            self._edited = None

    def edited(self, text: str | None) -> None:
        """Take what somebody has edited; nothing where it is not waited for."""
        if self._edited is not None and not self._edited.done():
            self._edited.set_result(text)

    def _put(self, data: bytes) -> None:
        self._typed.append(data)
        self._held += len(data)
        self._changed.set()

    def _tell(self, *, is_read: bool) -> None:
        if is_read is not self.is_read:
            self.is_read = is_read
            self._told(is_read)


class Unattended:
    """A terminal with nobody at the keys: whoever reads from it comes to the end at once."""

    async def read(self) -> bytes:
        """Return the end."""
        return b""

    def unread(self, data: bytes) -> None:
        """See Input."""


async def edit(stream: Input, name: str, text: str, problem: str = "") -> str | None:
    """Have a text edited at the terminal from which a program reads. NoEditorError; see `Keyboard.edit`."""
    if not isinstance(stream, Keyboard):
        raise NoEditorError
    return await stream.edit(name, text, problem)


def is_terminal(stream: Input) -> bool:
    """Return whether nothing is piped or redirected here, as isatty(3) does."""
    return isinstance(stream, Keyboard | Unattended) or window_of(stream) is not None
