"""Progress as it travels: a JSON document of notes, one a lesson, the same as `static/js/progress.js` keeps it.

    {"walkthroughs/mutual-tls": {"beat": "client-hello", "beats": [2, 7], "solvedAt": null, "hints": 0,
                                 "answers": {"right": 1, "total": 2}, "at": "2026-11-21T12:00:00Z"}}

What comes from a browser is anybody's: a document that is none, or too large, is refused; a note that makes no sense,
or is of a lesson that is not there, is left out. Bounds are the lesson's own. Pure.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

BYTES_MAX = 256 * 1024
NOTES_MAX = 500

Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]

EPOCH = datetime.fromtimestamp(0, UTC)


class _Answers(msgspec.Struct):
    right: Count = 0
    total: Count = 0


class _Note(msgspec.Struct, rename="camel"):
    beat: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    beats: tuple[Count, Count] | None = None
    solved_at: datetime | None = None
    hints: Count = 0
    answers: _Answers = msgspec.field(default_factory=_Answers)
    at: str = ""


class BadDocument(ValueError):  # noqa: N818
    """This is no progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What a lesson's progress is measured by."""

    beats: tuple[str, ...] = ()
    hints: int = 0
    questions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """How far somebody is in one lesson."""

    at: datetime
    beat: str = ""
    reached: int = 0
    hints: int = 0
    right: int = 0
    answered: int = 0
    solved_at: datetime | None = None

    @property
    def mark(self) -> str:
        """What lists say of it: "done", "begun" or nothing."""
        if self.solved_at is not None:
            return "done"
        return "begun" if self.beat or self.hints or self.answered else ""

    def joined(self, other: "Note") -> "Note":
        """Solved stays solved, and earliest; the rest is the later one's."""
        later = other if other.at > self.at else self
        solved = [one.solved_at for one in (self, other) if one.solved_at is not None]
        return replace(later, solved_at=min(solved, default=None))

    def document(self, outline: Outline | None) -> dict[str, Any]:
        """As it travels."""
        beats = len(outline.beats) if outline is not None else 0
        return {
            "beat": self.beat or None,
            "beats": [min(self.reached, beats), beats] if beats else None,
            "solvedAt": _text(self.solved_at) if self.solved_at is not None else None,
            "hints": self.hints,
            "answers": {"right": self.right, "total": self.answered},
            "at": _text(self.at),
        }


def read(body: bytes, outlines: dict[str, Outline], now: datetime) -> dict[str, Note]:
    """Read a document, by the lessons there are. Raise `BadDocument`."""
    if len(body) > BYTES_MAX:
        raise BadDocument
    try:
        notes = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadDocument from problem
    if len(notes) > NOTES_MAX:
        raise BadDocument
    found = {lesson: _note(notes[lesson], outlines[lesson], now) for lesson in notes if lesson in outlines}
    return {lesson: note for lesson, note in found.items() if note is not None}


def _note(raw: msgspec.Raw, outline: Outline, now: datetime) -> Note | None:
    try:
        said = msgspec.json.decode(raw, type=_Note)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    beat = said.beat if said.beat in outline.beats else ""
    answered = min(said.answers.total, outline.questions)
    return Note(
        at=min(_moment(said.at), now),
        beat=beat or "",
        reached=outline.beats.index(beat) + 1 if beat else 0,
        hints=min(said.hints, outline.hints),
        right=min(said.answers.right, answered),
        answered=answered,
        solved_at=min(_in_range(said.solved_at), now) if said.solved_at is not None else None,
    )


def of_state(state: dict[str, Any], outline: Outline, now: datetime) -> Note:
    """Read the state that a lesson's player tells (`visualizer.lessons.player.Player.state`)."""
    beat = state.get("furthest") or state.get("beat") or ""
    answers = (state.get("answers") or {}).values()
    return Note(
        at=now,
        beat=beat if beat in outline.beats else "",
        reached=outline.beats.index(beat) + 1 if beat in outline.beats else 0,
        hints=min(state.get("hints") or 0, outline.hints),
        right=min(sum(1 for one in answers if one.get("right")), outline.questions),
        answered=min(len(answers), outline.questions),
        solved_at=now if state.get("solved") else None,
    )


def _moment(text: str) -> datetime:
    try:
        return _in_range(msgspec.convert(text, datetime))
    except msgspec.ValidationError:
        return EPOCH


def _in_range(moment: datetime) -> datetime:
    """Read an instant without a zone as UTC; none before `EPOCH`, since the year 1 at +14:00 has no UTC."""
    return max(EPOCH, moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _text(moment: datetime) -> str:
    """As JavaScript's `toISOString` writes it, so that the two compare as text."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
