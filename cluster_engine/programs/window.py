"""The size of a terminal: told by the page when it changes, asked for by programs, carried on by `kubectl exec -it`.

Theory of operation. A terminal has one window, and each end of it that a program holds (keyboard, screen, the pipes of
a command with a terminal at the far end of a connection) knows it. What is piped or redirected has none.

    window = window_of(streams.stdout)        None in `… | cat`
    window.size                               Size(columns=120, rows=40); None while nobody has said
    await window.changed()                    what SIGWINCH is for a program that waits for it

Modelled on ioctl_tty(2), TIOCGWINSZ, and SIGWINCH.
"""

import asyncio

import msgspec

CELLS_MAX = 1000
"""Columns or rows of the largest terminal."""


class Size(msgspec.Struct, frozen=True):
    """In characters, each at least 1."""

    columns: int
    rows: int


class Window:
    """A terminal's size, now. What is not a size of a terminal is not taken."""

    def __init__(self, columns: int = 0, rows: int = 0) -> None:
        self.size: Size | None = None
        self._changes: list[asyncio.Event] = []
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Take a new size."""
        if not (0 < columns <= CELLS_MAX and 0 < rows <= CELLS_MAX) or self.size == Size(columns, rows):
            return
        self.size = Size(columns, rows)
        for change in self._changes:
            change.set()

    async def changed(self) -> None:
        """Return once the size has changed."""
        change = asyncio.Event()
        self._changes.append(change)
        try:
            await change.wait()
        finally:
            self._changes.remove(change)


def window_of(stream: object) -> Window | None:
    """Return the window of the terminal that a program's stream is an end of; None where it is no terminal's."""
    found: Window | None = getattr(stream, "window", None)
    return found


def size_of(stream: object) -> Size | None:
    """Return the size of a stream's terminal; None where it is none, or has not said."""
    window = window_of(stream)
    return window.size if window is not None else None
