"""What web processes tell each other of a room, in the bus stream `room:<id>`: hints, never the truth.

The truth is in the database. A hint says what to read again, so one that is lost or heard twice does no harm; hubs read
everything again now and then anyway. Only a position travels whole, since it is new many times a second.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

logger = logging.getLogger(__name__)


def room_name(room: str) -> str:
    """The stream of a room."""
    return f"room:{room}"


class Changed(msgspec.Struct, tag=True, frozen=True):
    """Read again: the room itself, these members' rows, these incidents."""

    room: bool = False
    members: list[int] = []
    incidents: list[int] = []


class Placed(msgspec.Struct, tag=True, frozen=True):
    """The instructor is here now; None when they begin or stop to lead."""

    position: dict[str, Any] | None


class Left(msgspec.Struct, tag=True, frozen=True):
    """The last page of a member in some process was closed; who has another says so in the database."""

    member: int


class Gone(msgspec.Struct, tag=True, frozen=True):
    """A member is not one any more."""

    member: int


class Deleted(msgspec.Struct, tag=True, frozen=True):
    """The room is not there any more."""


Change = Changed | Placed | Left | Gone | Deleted

pack = msgspec.msgpack.Encoder().encode
_change: msgspec.msgpack.Decoder[Change] = msgspec.msgpack.Decoder(Change)


def read(frames: Iterable[bytes]) -> Iterator[Change]:
    """Read what a room's stream holds; what another version wrote is passed over."""
    for frame in frames:
        try:
            yield _change.decode(frame)
        except msgspec.DecodeError as problem:
            logger.warning("a change of a room was not understood: %s", problem)
