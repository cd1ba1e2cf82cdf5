"""What is said over a room's WebSocket, `/ws/rooms/<id>/`: a struct for each `type` a page may send, with its bounds.

Server → page. Whoever connects hears `room` first, then (an instructor) `board`, or (a member who follows, while
somebody leads) the last `position`. Nothing has to be said to get them, so a page that connects again is up to date.

    {"type":"room","room":{"id","title","code","mode":"own"|"shared","lesson":slug|null,"state":"open"|"closed",
        "paused","leading","cluster":id of the instructor's cluster|null},
      "me":{"role":"instructor"|"member","member":n|null,"name","group","help":iso|null,"follows","cluster":id|null}}
        at first and whenever any of it changes. A member is not told the code. `me.cluster` changes with reset and undo
    {"type":"position","cluster","cursor","altitude","selected","drawer","tab","beat","focus",
        "participants","text","heartbeats"}                     to who follows
    {"type":"board","rows":[row],"incidents":[incident]}    instructor; then what changes, at most four times a second:
    {"type":"row","row":{"member","name","group","online","cluster":{"id":id|null,"state"},
        "where":{"lesson","beat","checks","of","last":{"id","at"}|null}|null,"help":iso|null,"falseAlarms",
        "reports":{"<incident>":{"applied":iso|null,"problem":text|null,"noticed":seconds|null,
                                 "diagnosed":seconds|null,"tries","healed":iso|null}}}}
    {"type":"gone","member":n}                              instructor: they left, or were forgotten
    {"type":"incident","incident":{"id","fault":{…},"when":{…}|null,"targets":{…},"made":iso,"healed":iso|null}}
    {"type":"broken","id","incident":n,"targets":count}     instructor: `break` was passed on to so many clusters
    {"type":"noticed","false":bool}                         the answer to `notice`
    {"type":"diagnosis","right":bool,"tries":n}             the answer to `diagnose`
    {"type":"error","message","id":that of `break`|null}

Closed with 4404: no such room (any more), or not a member (any more); 4429: too many sockets or messages. Else the page
connects again. A leading instructor's page says its `position` again after it has connected again.

Position: `cursor` null is the journal's end, `selected` an entry, `drawer` whether it is open and `tab` which of its
tabs; `focus` null is all lanes; `participants` and `text` are the filters, `heartbeats` is true when they are unfolded.
It is a place in the instructor's own cluster of the room, no other.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from visualizer import json_bounds

MESSAGE_CHARACTERS_MAX = 32 * 1024
WHEN_MAX = 8 * 1024

Seq = Annotated[int, Meta(ge=0, le=2**53)]
Number = Annotated[int, Meta(ge=1, le=2**53)]
Identifier = Annotated[str, Meta(min_length=1, max_length=64)]
Word = Annotated[str, Meta(max_length=64)]
Lane = Annotated[str, Meta(max_length=256)]


class Follow(msgspec.Struct, tag="follow"):
    """Go where the instructor goes, or stay where one is."""

    on: bool


class Help(msgspec.Struct, tag="help"):
    """Put one's hand up or down; an instructor puts somebody's down."""

    on: bool
    member: Number | None = None


class Notice(msgspec.Struct, tag="notice"):
    """Say that something is wrong."""


class Diagnose(msgspec.Struct, tag="diagnose"):
    """Say what is wrong, and where."""

    fault: Identifier
    target: Lane


class Lead(msgspec.Struct, tag="lead"):
    """Take who follows along, or let them go."""

    on: bool


class Position(msgspec.Struct, tag="position"):
    """Where the instructor is."""

    cluster: Identifier
    cursor: Seq | None = None
    altitude: Literal["story", "http", "tls", "tcp"] = "story"
    selected: Seq | None = None
    drawer: bool = False
    tab: Word = ""
    beat: Word | None = None
    focus: Annotated[list[Lane], Meta(max_length=64)] | None = None
    participants: Annotated[list[Lane], Meta(max_length=64)] | None = None
    text: Annotated[str, Meta(max_length=256)] = ""
    heartbeats: bool = False


class Targets(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Whose clusters: exactly one of the three."""

    all: Literal[True] | None = None
    group: Annotated[str, Meta(max_length=40)] | None = None
    member: Number | None = None

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.all, self.group, self.member)) != 1:
            raise ValueError('targets are {"all": true}, {"group": …} or {"member": …}')


class Break(msgspec.Struct, tag="break"):
    """Break the targets' clusters, now or when a predicate holds (a document, or its text as YAML)."""

    id: Identifier
    fault: dict[str, Any]
    targets: Targets
    when: dict[str, Any] | Annotated[str, Meta(max_length=WHEN_MAX)] | None = None


class Heal(msgspec.Struct, tag="heal"):
    """Heal an incident, or all of them; for everybody, or for the targets whatever it was aimed at."""

    incident: Number | None = None
    targets: Targets | None = None


class Pause(msgspec.Struct, tag="pause"):
    """Hold all clusters of the room, or let them go on."""

    on: bool


ByMember = Follow | Help | Notice | Diagnose
ByInstructor = Lead | Position | Break | Heal | Pause | Help
Said = Follow | Help | Notice | Diagnose | Lead | Position | Break | Heal | Pause

_decode: Callable[[bytes], Said] = msgspec.json.Decoder(Said).decode


def decode(text: bytes) -> Said:
    """Read a message. Raise msgspec.DecodeError or `json_bounds.OutOfBounds`."""
    return json_bounds.decode(_decode, text)


class _Named(msgspec.Struct):
    type: str
    id: Identifier


_named = msgspec.json.Decoder(_Named).decode


def break_of(text: str) -> str | None:
    """The `id` of a `break` that was refused, so that the page stops waiting for it."""
    try:
        named = _named(text.encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return named.id if named.type == "break" else None
