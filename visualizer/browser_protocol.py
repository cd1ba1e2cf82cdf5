"""What a page may say over its WebSocket: that it watches, and deeds (`cluster_engine.deeds`), as JSON by their `type`.

`Said` is the whole list. A deed that is not in it (an instructor's incident) is not understood here, whoever sends it.
"""

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from cluster_engine.deeds import (
    Advance,
    Answer,
    Command,
    Complete,
    Edited,
    Heal,
    Hint,
    Identifier,
    Inject,
    Interrupt,
    Keys,
    Pace,
    Pause,
    Resize,
    Resume,
    Step,
    Stops,
)
from visualizer import json_bounds

Seq = Annotated[int, Meta(ge=0, le=2**53)]
MESSAGE_CHARACTERS_MAX = 64 * 1024


class Watch(msgspec.Struct, tag="watch"):
    """Send the entries after `since`, and what running commands said after the frame named."""

    since: Seq = 0
    commands: Annotated[dict[Identifier, Seq], Meta(max_length=64)] = {}


class Ping(msgspec.Struct, tag="ping"):
    """Say that somebody is there; answered by `pong`."""


Said = (
    Watch
    | Ping
    | Command
    | Keys
    | Resize
    | Edited
    | Complete
    | Interrupt
    | Pace
    | Pause
    | Resume
    | Step
    | Stops
    | Inject
    | Heal
    | Advance
    | Answer
    | Hint
)
ANSWERED = ("command", "complete", "inject", "heal")  # by their id; whoever sent them waits for that

_decode: Callable[[bytes], Said] = msgspec.json.Decoder(Said).decode


def decode(text: bytes) -> Said:
    """Read a message. Raise msgspec.DecodeError or `json_bounds.OutOfBounds`."""
    return json_bounds.decode(_decode, text)


class _Named(msgspec.Struct):
    type: str
    id: Identifier


_named = msgspec.json.Decoder(_Named).decode


def command_of(text: str) -> dict[str, str]:
    """The `id` of what a refused message was to start, so that the page stops waiting for it."""
    try:
        named = _named(text.encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return {"id": named.id} if named.type in ANSWERED else {}
