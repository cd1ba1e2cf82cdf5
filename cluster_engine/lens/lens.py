"""The lens as a whole: a tap's ear at one end, a journal at the other.

    journal = Journal()
    world = World(tap=Lens(journal))          every segment becomes entries as it arrives
    journal.since(0, 10)

What it costs is declared (150 µs of CPU an entry, all in) and measured by `make bench`. What it holds is bounded:
links that are open, the latest that were (what was under way when an end was reset still crosses), the latest flows of
datagrams, the reassembly of what has not come whole, and the indexes of `causes`.
"""

from typing import Any

import msgspec

from cluster_engine.journal import Journal
from cluster_engine.journal.recent import Recent
from cluster_engine.lens import evidence
from cluster_engine.lens.causes import PARTICIPANTS_MAX, SAME_INSTANT_SECONDS, TIMER, Causes, Participant, Reason
from cluster_engine.lens.datagrams import DatagramLink
from cluster_engine.lens.evidence import Evidence
from cluster_engine.lens.keylog import KeyLog
from cluster_engine.lens.kubernetes import plural, token
from cluster_engine.lens.link import Link
from cluster_engine.lens.scribe import LABEL_MAX, STORY, Said, Scribe
from cluster_engine.lens.trial import Trial
from cluster_engine.world.tap import Connection, Note, Segment

LINKS_MAX = 8192
ENDED_MAX = 64
FLOWS_MAX = 512
COMMANDS_MAX = 64
DECIMALS = 9
KILLED = range(129, 160)
"""Exit codes of what a signal has killed, or the end of its host's power."""


class Command(msgspec.Struct):
    """A command that somebody typed and that has not finished. `last` is the end of its latest process, or itself.

    Where it does not say on which host it was typed, that is known once a process of it starts.
    """

    seq: int
    at: float
    host: str
    last: int


class Lens:
    """Implements the world's Tap; writes `journal`. Never raises on what it is told, whatever the bytes are.

    With a `trial` its private keys are tried on what the key log does not open.
    """

    def __init__(self, journal: Journal, trial: Trial | None = None) -> None:
        self.journal = journal
        self._causes = Causes()
        self._scribe = Scribe(journal, self._causes)
        self._keylog = KeyLog(trial)
        self._links: dict[int, Link] = {}
        self._ended: dict[int, None] = {}
        self._exits: Recent[str, int] = Recent(PARTICIPANTS_MAX)
        """Where the latest life of a process ended, by what it is called."""
        self._flows: dict[int, DatagramLink] = {}
        self._fault: tuple[int, float] | None = None
        self._commands: list[Command] = []

    def connection(self, connection: Connection) -> None:
        """Follow a connection, or a flow of datagrams, from now on."""
        if connection.protocol != "tcp":
            self._flows[connection.number] = DatagramLink(connection, self._scribe, self._keylog)
            if len(self._flows) > FLOWS_MAX:
                del self._flows[next(iter(self._flows))]
            return
        self._links[connection.number] = Link(connection, self._scribe, self._keylog)
        if len(self._links) > LINKS_MAX:
            del self._links[next(iter(self._links))]

    def accepted(self, connection: int, process: str) -> None:
        """Go on with a connection as one of the process that answers it."""
        link = self._links.get(connection) or self._flows.get(connection)
        if link is not None:
            link.accepted(process)

    def segment(self, segment: Segment) -> None:
        """Read one segment; the entries that it completes are in the journal when this returns."""
        link = self._links.get(segment.connection)
        followed = link or self._flows.get(segment.connection)
        if followed is None:
            return
        scribe = self._scribe
        scribe.sent = round(segment.sent, DECIMALS)
        scribe.arrived = None if segment.arrived is None else round(segment.arrived, DECIMALS)
        journal = self.journal
        packed = evidence.pack_segment(segment, scribe.sent, scribe.arrived, journal.keep_body(followed.packed))
        followed.segment(segment, journal.keep_packet(packed), self._fault_now(scribe.sent))
        if link is not None and link.over:
            self._ended[segment.connection] = None
            if len(self._ended) > ENDED_MAX:
                self._forget(next(iter(self._ended)))

    def _forget(self, number: int) -> None:
        del self._ended[number]
        self._links.pop(number, None)

    def secret(self, line: str) -> None:
        """Take a line of the key log."""
        self.journal.keep_secret(line.encode("utf-8", "replace"))
        self._keylog.add(line)

    def note(self, note: Note, evidence: Evidence | None = None) -> None:
        """Write a note, and begin or end a participant's life with it; `evidence` is what it was read from, if from
        anything.
        """
        scribe = self._scribe
        scribe.sent = scribe.arrived = round(note.at, DECIMALS)
        participant = self._causes.participant(note.process or _author(note))
        reason = self._note_reason(note)
        text = note.text or note.kind
        fields = note.fields if len(text) <= LABEL_MAX else {**note.fields, "text": text}
        seq = scribe.write(participant, None, Said(STORY, note.kind, text, fields, reason), evidence)
        self._remember(note, seq, reason)

    def _remember(self, note: Note, seq: int, reason: Reason) -> None:
        """Keep what later causes need of a note."""
        if note.kind == "command.started":
            if "process" in note.fields:
                self._causes.started(_subject(note), seq, command=True)
            self._commands.append(Command(seq, note.at, _host(note), seq))
            del self._commands[:-COMMANDS_MAX]
        elif note.kind == "command.finished":
            finished = self._finished(note)
            self._commands = [one for one in self._commands if one is not finished]
        elif note.kind == "process.started":
            command = self._command_of(note)
            begun = seq if command is None else command.seq
            self._causes.started(note.process, begun, command=command is not None)
        elif note.kind == "process.exited":
            self._exits[_subject(note)] = seq
        elif note.kind == "audit.event":
            self._causes.audits(str(note.fields["auditID"]), seq)
        elif note.kind.startswith("fault."):
            self._fault = (seq, self._scribe.sent)

    def _command_of(self, note: Note) -> "Command | None":
        """Find the open command that a process on its host was started for: the latest that was typed there."""
        for command in reversed(self._commands):
            if command.host == note.host or (not command.host and note.at - command.at <= SAME_INSTANT_SECONDS):
                command.host = note.host
                return command
        return None

    def _finished(self, note: Note) -> "Command | None":
        """Find the open command that has finished: the latest typed on its host."""
        host = _host(note)
        return next((one for one in reversed(self._commands) if one.host in (host, "")), None)

    def _note_reason(self, note: Note) -> Reason:
        kind = note.kind
        if kind == "command.started":
            return Reason(None, "command")
        if kind.startswith("fault."):
            return Reason(None, "fault")
        who = self._causes.participant(_subject(note))
        if kind == "process.started":
            command = self._command_of(note)
            if command is not None:
                return Reason(command.seq)
            if who.command and who.last is None and who.started:
                return Reason(who.started)
            return self._started_again(note)
        if kind == "process.exited":
            return self._exited(note, who)
        if kind == "command.finished":
            finished = self._finished(note)
            return Reason(finished.last) if finished is not None else TIMER
        tokens = _note_tokens(note.fields)
        if kind == "audit.event":
            served = self._causes.serving(who, tokens, watching=note.fields["verb"] == "watch")
            if served is not None:
                return Reason(served[0])
        return self._causes.why(who, self._scribe.sent, tokens)

    def _started_again(self, note: Note) -> Reason:
        """What nobody types is started because of a fault at this instant, else because its last life has ended."""
        if (fault := self._fault_now(self._scribe.sent)) is not None:
            return Reason(fault)
        before = self._exits.get(_subject(note))
        return Reason(None, "start") if before is None else Reason(before, how="again")

    def _exited(self, note: Note, who: Participant) -> Reason:
        """Who ends by itself does it because of what it has received; who is ended, because of who ends it."""
        command = next((one for one in reversed(self._commands) if one.host == note.host), None)
        if command is not None:
            command.last = self.journal.head + 1
        if "signal" not in note.fields and note.fields.get("exitCode") not in KILLED:
            return self._causes.why(who, self._scribe.sent, ())
        if (fault := self._fault_now(self._scribe.sent)) is not None:
            return Reason(fault)
        if note.fields.get("interrupted"):
            return Reason(None, "command")
        return Reason(command.seq) if command is not None else Reason(None, "signal")

    def _fault_now(self, at: float) -> int | None:
        """Return the fault that struck at this instant, if one did."""
        if self._fault is None or at - self._fault[1] > SAME_INSTANT_SECONDS:
            return None
        return self._fault[0]


def _host(note: Note) -> str:
    """Name the host that a note speaks of, "" when it does not say."""
    return note.host or str(note.fields.get("host", ""))


def _author(note: Note) -> str:
    """Name who wrote a note that no process wrote."""
    named = note.fields.get("process")
    return named if isinstance(named, str) and named else f"{_host(note) or 'workstation'}/terminal"


def _subject(note: Note) -> str:
    """Name the process that a note is about: a command's note may be written by the terminal it was typed in."""
    named = note.fields.get("process")
    return named if isinstance(named, str) and named else note.process or _author(note)


def _note_tokens(fields: dict[str, Any]) -> list[str]:
    """Name the objects that a note's fields speak of, for the index of causes."""
    found = []
    text = {key: value for key, value in fields.items() if isinstance(value, str)}
    if "uid" in text:
        found.append(text["uid"])
    namespace = text.get("namespace", "")
    for key, name in text.items():
        if key == "name" and (text.get("resource") or text.get("kind")):
            found.append(token(text.get("resource") or plural(text["kind"]), namespace, name))
        elif key in NOTED_KINDS:
            place, _, short = name.rpartition("/")
            found.append(token(plural(key), "" if key == "node" else place or namespace, short))
    return found


NOTED_KINDS = frozenset({"pod", "node", "deployment", "replicaset", "service", "lease"})
