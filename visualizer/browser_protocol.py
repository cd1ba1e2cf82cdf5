"""What a page may say over its WebSocket: one struct for each `type`, with its bounds."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from visualizer import json_bounds

Identifier = Annotated[str, Meta(min_length=1, max_length=64)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
LINE_MAX = 32 * 1024
MESSAGE_CHARACTERS_MAX = 64 * 1024


class Watch(msgspec.Struct, tag="watch"):
    """Send the entries after `since`, and what running commands said after the frame named."""

    since: Seq = 0
    commands: Annotated[dict[Identifier, Seq], Meta(max_length=64)] = {}


class Command(msgspec.Struct, tag="command"):
    """Type a line on the workstation."""

    id: Identifier
    line: str  # at most LINE_MAX; the consumer says so in words


class Interrupt(msgspec.Struct, tag="interrupt"):
    """Ctrl-C."""

    id: Identifier


class Pace(msgspec.Struct, tag="pace"):
    """How many virtual seconds pass in a real one."""

    pace: Annotated[float, Meta(ge=0.01, le=1000)]


class Pause(msgspec.Struct, tag="pause"):
    """Stop virtual time."""


class Resume(msgspec.Struct, tag="resume"):
    """Let virtual time go on."""


class Step(msgspec.Struct, tag="step"):
    """Go on to the next entry."""


class Inject(msgspec.Struct, tag="inject"):
    """Let a fault happen, now or once a predicate holds; answered by `injected`."""

    id: Identifier
    fault: dict[str, Any]
    when: dict[str, Any] | None = None
    sealed: bool = False


class Heal(msgspec.Struct, tag="heal"):
    """Put right what a fault did, or all of them; answered by `healed`."""

    id: Identifier
    fault: Identifier | None = None


class Advance(msgspec.Struct, tag="advance"):
    """Go on to a beat of the lesson."""

    beat: Identifier


class Answer(msgspec.Struct, tag="answer"):
    """Answer a question of the lesson."""

    question: Identifier
    answer: Any


class Hint(msgspec.Struct, tag="hint"):
    """Ask for the next hint."""


Said = Watch | Command | Interrupt | Pace | Pause | Resume | Step | Inject | Heal | Advance | Answer | Hint
ANSWERED = ("command", "inject", "heal")  # by their id; whoever sent them waits for that

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
