"""A connection as the lens follows it: who speaks to whom, and what is said of the connection itself.

Segments become bytes in order (`tcp`), and the bytes go to a parser, which `recognition` finds. SYN, FIN, RST and lost
segments are entries of their own; each knows the one before it on the connection, and the first what led to it, and
from which address and port to which it goes.

    S  ->  tcp.syn   <- what the client does it for        PA ->  whatever the parser makes of the bytes
    SA ->  tcp.syn   <- the SYN                            R  ->  tcp.rst   <- the entry before, or a fault
    U  ->  icmp.unreachable   <- the SYN that a packet filter has rejected

Where packet filters rewrote addresses, the SYN says what the server sees: `leadsTo` and `clientSeenAs`.
"""

from typing import Any

from cluster_engine.lens.causes import WORK_SECONDS_MAX, Reason
from cluster_engine.lens.conversation import Conversation, Parser
from cluster_engine.lens.datagrams import addresses, unreachable
from cluster_engine.lens.evidence import Evidence, Piece, pack_connection
from cluster_engine.lens.keylog import KeyLog
from cluster_engine.lens.protocols import ON_TCP
from cluster_engine.lens.recognition import Guess, Opaque
from cluster_engine.lens.scribe import TCP, Said, Scribe
from cluster_engine.lens.tcp import Stream
from cluster_engine.lens.unreadable import Unreadable
from cluster_engine.world.tap import Connection, Segment


class Link:
    """One connection: its conversation, its two streams, and the parser of what they carry."""

    __slots__ = ("_accepted", "_addresses", "_connection", "_conversation", "_ends", "_parser", "_streams", "packed")

    def __init__(self, connection: Connection, scribe: Scribe, keylog: KeyLog) -> None:
        client = scribe.causes.caller(connection.client_process)
        server = scribe.causes.participant(connection.server_process or str(connection.server))
        self._conversation = Conversation(connection.number, client, server, scribe, keylog)
        self._parser: Parser = Guess(self._conversation, TCP, ON_TCP)
        self._streams: tuple[Stream[tuple[int, float]], Stream[tuple[int, float]]] = (Stream(), Stream())
        self._ends = [False, False]
        self._accepted = False
        self._addresses = addresses(connection)
        self._connection = connection
        self.packed = pack_connection(connection, connection.server_process)
        """The connection, as it is kept beside its segments."""

    @property
    def over(self) -> bool:
        """Both sides are done."""
        return self._ends[0] and self._ends[1]

    def accepted(self, process: str) -> None:
        """Name the server by the process that answers."""
        self._conversation.server = self._conversation.causes.participant(process)
        self.packed = pack_connection(self._connection, process)

    def segment(self, segment: Segment, position: int, fault: int | None) -> None:
        """Read one segment, kept at `position`; `fault` is a fault's entry when one struck at this instant."""
        piece = Piece(0, 0, len(segment.payload), (position,))
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
        elif flags == "U":
            self._ends = [True, True]
            self._say(segment, piece, unreachable(self._conversation.reason()))

    def _bytes(self, segment: Segment, position: int) -> None:
        from_client, scribe = segment.from_client, self._conversation.scribe
        try:
            ready = self._streams[from_client].receive(segment.sequence, segment.payload, (position, scribe.sent))
        except Unreadable as problem:
            self._parser = Opaque(self._conversation, TCP, str(problem))
            return
        for chunk, (kept, scribe.sent) in ready:  # what waited for its turn was sent at another time
            self._parser.data(from_client, chunk, Piece(0, 0, len(chunk), (kept,)))

    def _synchronise(self, segment: Segment, piece: Piece) -> None:
        conversation = self._conversation
        self._streams[segment.from_client].begin(segment.sequence + 1)
        fields = _flags(segment)
        if segment.from_client:
            fields.update(self._addresses)
            label, sent = "SYN", conversation.scribe.sent
            reason = conversation.opened or conversation.causes.origin(conversation.client, sent, WORK_SECONDS_MAX)
            conversation.opened = reason
        else:
            label, reason = "SYN, ACK", conversation.reason()
            self._accepted = True
        self._say(segment, piece, Said(TCP, "tcp.syn", label, fields, reason))

    def _finish(self, segment: Segment, piece: Piece) -> None:
        self._ends[segment.from_client] = True
        self._parser.ended(segment.from_client)
        self._say(segment, piece, Said(TCP, "tcp.fin", "FIN", _flags(segment), self._conversation.reason()))

    def _reset(self, segment: Segment, piece: Piece, fault: int | None) -> None:
        self._ends = [True, True]
        self._parser.broken()
        reason = self._conversation.reason() if fault is None else Reason(fault)
        fields = _flags(segment)
        if not self._accepted and not segment.from_client:
            fields["refused"] = True
        self._say(segment, piece, Said(TCP, "tcp.rst", "RST", fields, reason))

    def _lost(self, segment: Segment, piece: Piece, fault: int | None) -> None:
        reason = Reason(None, "fault") if fault is None else Reason(fault)
        label = f"{_spell(segment.flags)} lost"
        said = Said(TCP, "tcp.lost", label, _flags(segment), reason, size=len(segment.payload))
        self._say(segment, piece, said)

    def _say(self, segment: Segment, piece: Piece, said: Said) -> None:
        self._conversation.say(segment.from_client, said, Evidence([piece]))


def _flags(segment: Segment) -> dict[str, Any]:
    return {"flags": segment.flags, "sequence": segment.sequence, "acknowledgement": segment.acknowledgement}


def _spell(flags: str) -> str:
    spelled = [word for letter, word in (("S", "SYN"), ("F", "FIN"), ("R", "RST"), ("P", "PSH")) if letter in flags]
    if "A" in flags:
        spelled.append("ACK")
    return ", ".join(spelled)
