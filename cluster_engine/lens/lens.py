"""The lens as a whole: a tap's ear at one end, a journal at the other.

    journal = Journal()
    world = World(tap=Lens(journal))          every segment becomes entries as it arrives
    journal.since(0, 10)

What it costs is declared (150 µs of CPU an entry, all in) and measured by `make bench`. What it holds is bounded:
links that are open, the reassembly of what has not come whole, and the indexes of `causes`.
"""

from typing import TYPE_CHECKING, Any

from cluster_engine.lens import evidence
from cluster_engine.lens.causes import Causes, Reason
from cluster_engine.lens.keylog import KeyLog
from cluster_engine.lens.kubernetes import plural, token
from cluster_engine.lens.link import Link
from cluster_engine.lens.scribe import STORY, Scribe
from cluster_engine.world.tap import Connection, Note, Segment

if TYPE_CHECKING:
    from cluster_engine.journal import Journal

LINKS_MAX = 8192
DECIMALS = 9
SAME_INSTANT_SECONDS = 1e-9


class Lens:
    """Implements the world's Tap; writes `journal`. Never raises on what it is told, whatever the bytes are."""

    def __init__(self, journal: "Journal") -> None:
        self.journal = journal
        self._causes = Causes()
        self._scribe = Scribe(journal, self._causes)
        self._keylog = KeyLog()
        self._links: dict[int, Link] = {}
        self._fault: tuple[int, float] | None = None

    def connection(self, connection: Connection) -> None:
        """Follow a connection from now on."""
        self._links[connection.number] = Link(connection, self._scribe, self._keylog)
        if len(self._links) > LINKS_MAX:
            del self._links[next(iter(self._links))]

    def segment(self, segment: Segment) -> None:
        """Read one segment; the entries that it completes are in the journal when this returns."""
        link = self._links.get(segment.connection)
        if link is None:
            return
        scribe = self._scribe
        scribe.sent = round(segment.sent, DECIMALS)
        scribe.arrived = None if segment.arrived is None else round(segment.arrived, DECIMALS)
        packed = evidence.pack_segment(segment, scribe.sent, scribe.arrived)
        link.segment(segment, self.journal.keep(packed), self._fault_now(scribe.sent))
        if link.over:
            del self._links[segment.connection]

    def secret(self, line: str) -> None:
        """Take a line of the key log."""
        self._keylog.add(line)

    def note(self, note: Note) -> None:
        """Write a note, and begin or end a participant's life with it."""
        scribe = self._scribe
        scribe.sent = scribe.arrived = round(note.at, DECIMALS)
        participant = self._causes.participant(note.process)
        reason = self._note_reason(note)
        seq = scribe.write(
            STORY,
            note.kind,
            participant,
            None,
            label=note.text or note.kind,
            sentence=f"{participant.spoken}: {note.text}" if note.text else f"{participant.spoken}: {note.kind}",
            reason=reason,
            fields=note.fields,
        )
        if note.kind == "command.started":
            self._causes.started(_subject(note), seq, command=True)
        elif note.kind == "process.started":
            self._causes.started(note.process, seq, command=False)
        elif note.kind.startswith("fault."):
            self._fault = (seq, scribe.sent)

    def _note_reason(self, note: Note) -> Reason:
        kind = note.kind
        if kind == "command.started":
            return None, "command"
        if kind.startswith("fault."):
            return None, "fault"
        who = self._causes.participant(_subject(note))
        if kind == "process.started":
            return (who.started, None) if who.command and who.last is None and who.started else (None, "start")
        if kind in ("process.exited", "command.finished"):
            seq = who.last if who.last is not None else who.started
            return (seq, None) if seq is not None else (None, "timer")
        return self._causes.why(who, self._scribe.sent, _note_tokens(note.fields))

    def _fault_now(self, at: float) -> int | None:
        """Give the fault that struck at this instant, if one did."""
        if self._fault is None or at - self._fault[1] > SAME_INSTANT_SECONDS:
            return None
        return self._fault[0]


def _subject(note: Note) -> str:
    """Name the process that a note is about: a command's note may be written by the terminal it was typed in."""
    named = note.fields.get("process")
    return named if isinstance(named, str) and named else note.process


def _note_tokens(fields: dict[str, Any]) -> list[str]:
    """Name the objects that a note's fields speak of, for the index of causes."""
    found = []
    text = {key: value for key, value in fields.items() if isinstance(value, str)}
    if "uid" in text:
        found.append(text["uid"])
    namespace = text.get("namespace", "")
    for key, name in text.items():
        if key == "name" and ("resource" in text or "kind" in text):
            found.append(token(text.get("resource") or plural(text["kind"]), namespace, name))
        elif key in NOTED_KINDS:
            place, _, short = name.rpartition("/")
            found.append(token(plural(key), "" if key == "node" else place or namespace, short))
    return found


NOTED_KINDS = frozenset({"pod", "node", "deployment", "replicaset", "service", "lease"})
