"""What is taken along of a journal: a range of entries, all of it or what was said on one connection.

    Selection(first=100, last=200)       entries 100 to 200, and the packets that led to them
    Selection(connection=17)             all that the journal still has of connection 17

Whoever looks through a journal for a long time gives way in between: `entries` and `packets` yield None now and then,
where nothing was found, so that a cluster can go on while somebody takes its history along.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from cluster_engine.journal import Entry, Journal
from cluster_engine.lens.evidence import StoredConnection, StoredSegment, unpack_connection, unpack_segment

LOOKED_AT_MAX = 16
"""Between two that are found, or None."""


class Selection(msgspec.Struct, frozen=True):
    """Entries from `first` to `last` (None: the latest when it begins), of one connection or of all."""

    first: int = 1
    last: int | None = None
    connection: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self.first <= 1 and self.last is None and self.connection is None


class Said(Protocol):
    """What was typed, or what came of it and has the same id, as pages are told it (`deeds.Typed`, `deeds.Frame`)."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def after(self) -> int:
        """The journal's last entry when it was said."""
        ...


class Context(msgspec.Struct, frozen=True):
    """What a journal does not say: the date at its beginning, in nanoseconds since 1970, the reader's language, the
    cluster's cast (`cast.describe`), None where it is not known, and what was typed and printed, as far as it is known.
    """

    epoch_ns: int = 0
    language: str = "en"
    cast: dict[str, Any] | None = None
    said: tuple[Said, ...] = ()

    def nanoseconds(self, at: float) -> int:
        """Return the date of a virtual time."""
        return self.epoch_ns + round(at * 1_000_000_000)


def nanoseconds_of(date: datetime) -> int:
    """Return a date in nanoseconds since 1970."""
    return (date - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def date_of(nanoseconds: int) -> datetime:
    """Return a date, of its nanoseconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanoseconds // 1000)


class Packet(msgspec.Struct, frozen=True):
    """What crossed a wire, and between whom."""

    segment: StoredSegment
    connection: StoredConnection


def entries(journal: Journal, selection: Selection) -> Iterator[Entry | None]:
    """Yield what was chosen, oldest first; None now and then."""
    last = journal.head if selection.last is None else min(selection.last, journal.head)
    seq, looked_at = max(selection.first, 1), 0
    while (seq := max(seq, journal.first)) <= last:
        entry = journal.entry(seq)
        seq += 1
        if selection.connection is None or entry.get("connection") == selection.connection:
            looked_at = 0
            yield entry
        elif (looked_at := looked_at + 1) == LOOKED_AT_MAX:
            looked_at = 0
            yield None


def packets(journal: Journal, selection: Selection) -> Iterator[Packet | None]:
    """Yield the packets that led to what was chosen, as they arrived or were lost; None now and then.

    What is forgotten meanwhile is passed over, and so are the oldest of all, once it is forgotten whose they were.
    """
    known: dict[int, StoredConnection] = {}
    looked_at = 0
    for number in numbers_of(journal, selection):
        packet = packet_of(journal, number, known)
        if packet is not None and selection.connection in (None, packet.connection.number):
            looked_at = 0
            yield packet
        elif (looked_at := looked_at + 1) == LOOKED_AT_MAX:
            looked_at = 0
            yield None


def numbers_of(journal: Journal, selection: Selection) -> range:
    """Return the numbers of the packets that led to a range of entries; up to the latest where it has no end."""
    kept = journal.packets
    last = journal.head + 1 if selection.last is None else selection.last
    return kept.between(selection.first, last)


def packet_of(journal: Journal, number: int, known: dict[int, StoredConnection]) -> Packet | None:
    """Return a packet by its number, None when it is gone; `known` has connections by position, and gets more."""
    position = journal.packets.position(number)
    packed = None if position is None else journal.read(position)
    if packed is None:
        return None
    segment = unpack_segment(packed)
    connection = known.get(segment.told)
    if connection is None and (told := journal.read(segment.told)) is not None:
        connection = known[segment.told] = unpack_connection(told)
    return None if connection is None else Packet(segment, connection)
