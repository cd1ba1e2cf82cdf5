"""Exports that somebody reads a slice at a time, while the cluster goes on between two slices.

    exports = Exports(journal, Context(epoch_ns))
    exports.answer(Ask("a1", 0, "pcapng"))      -> Slice(b"…", ended=False)
    exports.answer(Ask("a1", 1, "pcapng"))      -> Slice(b"…", ended=True)

A slice is as much as takes some ten milliseconds. At most `EXPORTS_MAX` are under way; when one more begins, the one
that has not been read for longest is broken off.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from cluster_engine.export.formats import FORMATS
from cluster_engine.export.selection import Context, Said, Selection
from cluster_engine.journal import Journal

EXPORTS_MAX = 4
SLICE_STEPS_MAX = 256
STEPS_OF_OPENING_MAX = 48
"""For a format that opens each entry, which takes some half a millisecond."""
SLICE_BYTES_MAX = 256 * 1024
BROKEN_OFF = "This export was broken off: too many were read at a time."


class Ask(Protocol):
    """What a reader asks for: slice `number` of the export that it calls `name`. What it is of counts with number 0."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def number(self) -> int: ...  # noqa: D102
    @property
    def format(self) -> str: ...  # noqa: D102
    @property
    def first(self) -> int: ...  # noqa: D102
    @property
    def last(self) -> int | None: ...  # noqa: D102
    @property
    def connection(self) -> int | None: ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102


class Slice(msgspec.Struct, frozen=True):
    """Some bytes of an export, and whether they are its last."""

    data: bytes
    ended: bool


@dataclass(slots=True)
class _UnderWay:
    chunks: Iterator[bytes]
    steps_max: int
    number: int = 0


class Exports:
    """The exports of a journal that are under way, by names that their readers choose."""

    def __init__(self, journal: Journal, context: Context = Context()) -> None:  # noqa: B008, it is frozen
        self._journal, self._context = journal, context
        self._under_way: dict[str, _UnderWay] = {}

    def answer(self, ask: Ask, said: Sequence[Said] = ()) -> Slice:
        """Return the next slice. LookupError where it is not the next, none is under way, or the format is unknown.

        What was `said` in the terminal counts with the first.
        """
        if ask.number == 0:
            self._begin(ask, said)
        export = self._under_way.pop(ask.name, None)
        if export is None or export.number != ask.number:
            raise LookupError(BROKEN_OFF)
        data, ended = _read(export.chunks, export.steps_max)
        if not ended:
            export.number += 1
            self._under_way[ask.name] = export  # as the one that was read latest
        return Slice(data, ended)

    def _begin(self, ask: Ask, said: Sequence[Said]) -> None:
        if ask.format not in FORMATS:
            raise LookupError(f"There is no format {ask.format}; there are {', '.join(FORMATS)}.")
        selection = Selection(ask.first, ask.last, ask.connection)
        context = msgspec.structs.replace(self._context, language=ask.language, said=tuple(said))
        chunks = FORMATS[ask.format](self._journal, selection, context)
        steps_max = min(SLICE_STEPS_MAX, STEPS_OF_OPENING_MAX) if ask.format == "html" else SLICE_STEPS_MAX
        self._under_way[ask.name] = _UnderWay(chunks, steps_max)
        if len(self._under_way) > EXPORTS_MAX:
            del self._under_way[next(iter(self._under_way))]


def _read(chunks: Iterator[bytes], steps_max: int) -> tuple[bytes, bool]:
    found: list[bytes] = []
    size = 0
    for _ in range(steps_max):
        chunk = next(chunks, None)
        if chunk is None:
            return b"".join(found), True
        found.append(chunk)
        size += len(chunk)
        if size >= SLICE_BYTES_MAX:
            break
    return b"".join(found), False
