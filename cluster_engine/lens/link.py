"""A connection as the lens follows it: who speaks to whom, and what is said of the connection itself.

Segments become bytes in order (`tcp`), and the bytes go to a parser, which `recognition` finds. SYN, FIN, RST and lost
segments are entries of their own; each knows the one before it on the connection, and the first what led to it.

    S  ->  tcp.syn   <- what the client does it for        PA ->  whatever the parser makes of the bytes
    SA ->  tcp.syn   <- the SYN                            R  ->  tcp.rst   <- the entry before, or a fault
"""

from collections.abc import Callable
from typing import Any

from cluster_engine.lens.causes import Participant, Reason
from cluster_engine.lens.evidence import Piece
from cluster_engine.lens.keylog import KeyLog
from cluster_engine.lens.recognition import Guess, Opaque, Parser
from cluster_engine.lens.scribe import TCP, Scribe
from cluster_engine.lens.tcp import Stream
from cluster_engine.lens.unreadable import Unreadable
from cluster_engine.world.tap import Connection, Segment


class Link:
    """A connection's two participants, two streams and one parser; `say` writes what one tells the other."""

    __slots__ = (
        "_accepted",
        "_ends",
        "_streams",
        "client",
        "fresh",
        "handshake",
        "keylog",
        "last",
        "number",
        "opened",
        "parser",
        "scribe",
        "server",
    )

    def __init__(self, connection: Connection, scribe: Scribe, keylog: KeyLog) -> None:
        self.number = connection.number
        self.scribe = scribe
        self.keylog = keylog
        self.client = scribe.causes.caller(connection.client_process)
        self.server = scribe.causes.participant(connection.server_process or str(connection.server))
        self.opened: Reason | None = None
        self.fresh = True
        self.handshake: int | None = None
        self.last: int | None = None
        self.parser: Parser = Guess(self, TCP)
        self._streams: tuple[Stream[tuple[int, float]], Stream[tuple[int, float]]] = (Stream(), Stream())
        self._ends = [False, False]
        self._accepted = False

    @property
    def over(self) -> bool:
        """Both sides are done."""
        return self._ends[0] and self._ends[1]

    def segment(self, segment: Segment, position: int, fault: int | None) -> None:
        """Read one segment, kept at `position`; `fault` is a fault's entry when one struck at this instant."""
        piece: Piece = (0, 0, len(segment.payload), (position,), -1, b"")
        if segment.arrived is None:
            self._lost(segment, piece, fault)
            return
        flags = segment.flags
        if "S" in flags:
            self._synchronise(segment, piece)
        if segment.payload:
            self._bytes(segment, position)
        if "F" in flags:
            self._finish(segment, piece)
        elif "R" in flags:
            self._reset(segment, piece, fault)

    def say(
        self,
        from_client: bool,
        layer: str,
        kind: str,
        *,
        label: str,
        sentence: str,
        reason: Reason,
        fields: dict[str, Any],
        **more: Any,
    ) -> int:
        """Write an entry from one end of this connection to the other."""
        speaker, listener = (self.client, self.server) if from_client else (self.server, self.client)
        seq = self.scribe.write(
            layer,
            kind,
            speaker,
            listener,
            label=label,
            sentence=sentence,
            reason=reason,
            fields=fields,
            connection=self.number,
            **more,
        )
        self.last = seq
        return seq

    def ends(self, from_client: bool) -> tuple[Participant, Participant]:
        """Give speaker and listener."""
        return (self.client, self.server) if from_client else (self.server, self.client)

    def reason(self) -> Reason:
        """The entry before on this connection."""
        return (self.last, None) if self.last is not None else (None, "timer")

    def guard(self, read: Callable[[], None]) -> None:
        """Let a parser read; what it finds unreadable ends its work on this connection."""
        try:
            read()
        except Unreadable as problem:
            self.parser.broken()
            self.parser = Opaque(self, TCP, str(problem))

    def _bytes(self, segment: Segment, position: int) -> None:
        from_client, sent = segment.from_client, self.scribe.sent
        try:
            ready = self._streams[from_client].receive(segment.sequence, segment.payload, (position, sent))
        except Unreadable as problem:
            self.parser = Opaque(self, TCP, str(problem))
            return
        for chunk, (kept, self.scribe.sent) in ready:  # what waited for its turn was sent at another time
            piece: Piece = (0, 0, len(chunk), (kept,), -1, b"")
            try:
                self.parser.data(from_client, chunk, piece)
            except Unreadable as problem:
                self.parser.broken()
                self.parser = Opaque(self, TCP, str(problem))
                self.parser.data(from_client, chunk, piece)

    def _synchronise(self, segment: Segment, piece: Piece) -> None:
        self._streams[segment.from_client].begin(segment.sequence + 1)
        speaker, listener = self.ends(segment.from_client)
        if segment.from_client:
            label, sentence = "SYN", f"{speaker.spoken} opens a connection to {listener.spoken}"
            reason = self.opened or self.scribe.causes.origin(speaker, self.scribe.sent)
            self.opened = reason
        else:
            label, sentence = "SYN, ACK", f"{speaker.spoken} accepts the connection from {listener.spoken}"
            reason = self.reason()
            self._accepted = True
        self.say(
            segment.from_client,
            TCP,
            "tcp.syn",
            label=label,
            sentence=sentence,
            reason=reason,
            fields=_flags(segment),
            pieces=[piece],
        )

    def _finish(self, segment: Segment, piece: Piece) -> None:
        speaker, listener = self.ends(segment.from_client)
        self._ends[segment.from_client] = True
        self.parser.ended(segment.from_client)
        sentence = f"{speaker.spoken} has nothing more to send to {listener.spoken} and closes its side"
        self.say(
            segment.from_client,
            TCP,
            "tcp.fin",
            label="FIN",
            sentence=sentence,
            reason=self.reason(),
            fields=_flags(segment),
            pieces=[piece],
        )

    def _reset(self, segment: Segment, piece: Piece, fault: int | None) -> None:
        speaker, listener = self.ends(segment.from_client)
        refused = not self._accepted and not segment.from_client
        verb = "refuses the connection from" if refused else "breaks off the connection with"
        self._ends = [True, True]
        self.parser.broken()
        reason: Reason = self.reason() if fault is None else (fault, None)
        sentence = f"{speaker.spoken} {verb} {listener.spoken}"
        self.say(
            segment.from_client,
            TCP,
            "tcp.rst",
            label="RST",
            sentence=sentence,
            reason=reason,
            fields=_flags(segment),
            pieces=[piece],
        )

    def _lost(self, segment: Segment, piece: Piece, fault: int | None) -> None:
        speaker, listener = self.ends(segment.from_client)
        what = f"{len(segment.payload)} bytes" if segment.payload else f"a segment ({_spell(segment.flags)})"
        sentence = f"{what} from {speaker.spoken} to {listener.spoken} {'are' if segment.payload else 'is'} lost"
        reason: Reason = (None, "fault") if fault is None else (fault, None)
        self.say(
            segment.from_client,
            TCP,
            "tcp.lost",
            label=f"{_spell(segment.flags)} lost",
            sentence=sentence,
            reason=reason,
            fields=_flags(segment),
            pieces=[piece],
            size=len(segment.payload),
        )


def _flags(segment: Segment) -> dict[str, Any]:
    return {"flags": segment.flags, "sequence": segment.sequence, "acknowledgement": segment.acknowledgement}


def _spell(flags: str) -> str:
    spelled = [word for letter, word in (("S", "SYN"), ("F", "FIN"), ("R", "RST"), ("P", "PSH")) if letter in flags]
    if "A" in flags:
        spelled.append("ACK")
    return ", ".join(spelled)
