"""A connection as the lens follows it: who speaks to whom, what it speaks, and what is said of the connection itself.

Segments become bytes in order (`tcp`), and the bytes go to a parser. Which one is found from the first bytes, as a
protocol analyser does: a TLS record, HTTP/2's preface or SETTINGS, an HTTP/1 request line. What is none of these is
shown as bytes. A parser that meets something it cannot read hands over to that as well, so nothing that crosses a
wire can stop the lens.

    16 03 01 …            TLS            50 52 49 20 2a …  "PRI *"   HTTP/2 without TLS
    "GET / HTTP/1.1"      HTTP/1.1       anything else               tcp.data
"""

import re
from collections.abc import Callable
from typing import Any, Protocol

from cluster_engine.lens.causes import Participant, Reason
from cluster_engine.lens.evidence import Piece
from cluster_engine.lens.keylog import KeyLog
from cluster_engine.lens.scribe import TCP, TLS, Scribe
from cluster_engine.lens.tcp import Stream
from cluster_engine.lens.unreadable import Unreadable
from cluster_engine.world.tap import Connection, Segment

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
REQUEST_LINE = re.compile(rb"[A-Z]{1,16} ")
REQUEST_LINE_START = re.compile(rb"[A-Z]{1,16}\Z")
GUESS_BYTES_MAX = 64
TLS_RECORD_TYPES = frozenset({20, 21, 22, 23})


class Parser(Protocol):
    """Reads one connection's bytes, both directions. `data` may raise Unreadable."""

    def data(self, from_client: bool, chunk: bytes, piece: Piece) -> None:
        """Take the next bytes of a direction."""
        ...

    def ended(self, from_client: bool) -> None:
        """Nothing more comes from this side (FIN)."""
        ...

    def broken(self) -> None:
        """The connection is no more (RST)."""
        ...


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
        self._streams = (Stream(), Stream())
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
        from_client = segment.from_client
        try:
            ready = self._streams[from_client].receive(segment.sequence, segment.payload, position)
        except Unreadable as problem:
            self.parser = Opaque(self, TCP, str(problem))
            return
        for chunk, kept in ready:
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
        sentence = f"{what} from {speaker.spoken} to {listener.spoken} never arrive".replace("never arrive", "are lost")
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


class Opaque:
    """Shows bytes as bytes: what is said here, the lens cannot read."""

    __slots__ = ("_layer", "_link", "_problem")

    def __init__(self, link: Link, layer: str, problem: str) -> None:
        self._link = link
        self._layer = layer
        self._problem = problem

    def data(self, from_client: bool, chunk: bytes, piece: Piece) -> None:
        """Write the bytes down."""
        speaker, listener = self._link.ends(from_client)
        size = len(chunk)
        self._link.say(
            from_client,
            self._layer,
            f"{self._layer}.data",
            label=f"{size} bytes",
            sentence=f"{speaker.spoken} sends {listener.spoken} {size} bytes that cannot be read here",
            reason=self._link.reason(),
            fields={"unreadable": self._problem},
            size=size,
            pieces=[piece],
        )

    def ended(self, from_client: bool) -> None:
        """Nothing is held back here."""

    def broken(self) -> None:
        """Nothing is held back here."""


class Guess:
    """Waits until the first bytes tell the protocol, then hands everything to its parser."""

    __slots__ = ("_held", "_layer", "_link", "_parser", "_seen")

    def __init__(self, link: Link, layer: str, protocol: str | None = None) -> None:
        self._link = link
        self._layer = layer
        self._held: list[tuple[bool, bytes, Piece]] = []
        self._seen = [b"", b""]
        self._parser: Parser | None = make(link, layer, protocol) if protocol else None

    def data(self, from_client: bool, chunk: bytes, piece: Piece) -> None:
        """Pass on, or hold until the protocol is known."""
        if self._parser is not None:
            self._hand(from_client, chunk, piece)
            return
        self._held.append((from_client, chunk, piece))
        self._seen[from_client] = (self._seen[from_client] + chunk)[:GUESS_BYTES_MAX]
        protocol = guess(from_client, self._seen[from_client])
        if protocol is not None:
            self._settle(protocol)

    def ended(self, from_client: bool) -> None:
        """Bytes too few to tell are shown as what they are."""
        if self._parser is None and self._held:
            self._settle("unknown")
        if self._parser is not None:
            self._parser.ended(from_client)

    def broken(self) -> None:
        """As `ended`, for both sides."""
        if self._parser is None and self._held:
            self._settle("unknown")
        if self._parser is not None:
            self._parser.broken()

    def _settle(self, protocol: str) -> None:
        self._parser = make(self._link, self._layer, protocol)
        held, self._held = self._held, []
        for from_client, chunk, piece in held:
            self._hand(from_client, chunk, piece)

    def _hand(self, from_client: bool, chunk: bytes, piece: Piece) -> None:
        assert self._parser is not None, "the protocol is known"
        try:
            self._parser.data(from_client, chunk, piece)
        except Unreadable as problem:
            self._parser.broken()
            self._parser = Opaque(self._link, self._layer, str(problem))
            self._parser.data(from_client, chunk, piece)


def guess(from_client: bool, seen: bytes) -> str | None:
    """Tell "tls", "h2", "http/1.1" or "unknown" from a side's first bytes; None while there are too few."""
    if seen[0] in TLS_RECORD_TYPES:
        if len(seen) < 2:
            return None
        return "tls" if seen[1] == 3 else "unknown"
    return _guess_client(seen) if from_client else _guess_server(seen)


def _guess_client(seen: bytes) -> str | None:
    if PREFACE.startswith(seen[: len(PREFACE)]):
        return "h2" if len(seen) >= 14 else None
    if REQUEST_LINE.match(seen):
        return "http/1.1"
    return None if REQUEST_LINE_START.match(seen) else "unknown"


def _guess_server(seen: bytes) -> str | None:
    if b"HTTP/1.".startswith(seen[:7]):
        return "http/1.1" if len(seen) >= 7 else None
    if seen[0] != 0:
        return "unknown"
    if len(seen) < 9:
        return None
    return "h2" if seen[3] == 4 and seen[5:9] == b"\0\0\0\0" else "unknown"


def make(link: Link, layer: str, protocol: str) -> Parser:
    """Make the parser of a protocol."""
    from cluster_engine.lens.http1 import Http1
    from cluster_engine.lens.http2 import Http2
    from cluster_engine.lens.tls import Tls

    if protocol == "h2":
        return Http2(link)
    if protocol == "http/1.1":
        return Http1(link)
    if protocol == "tls" and layer == TCP:
        return Tls(link)
    return Opaque(link, TLS if layer == TLS else TCP, "neither TLS nor HTTP")


def _flags(segment: Segment) -> dict[str, Any]:
    return {"flags": segment.flags, "sequence": segment.sequence, "acknowledgement": segment.acknowledgement}


def _spell(flags: str) -> str:
    spelled = [word for letter, word in (("S", "SYN"), ("F", "FIN"), ("R", "RST"), ("P", "PSH")) if letter in flags]
    if "A" in flags:
        spelled.append("ACK")
    return ", ".join(spelled)
