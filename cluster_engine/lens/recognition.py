"""What a connection speaks, told from its first bytes, and how bytes are shown that nobody can read.

A protocol analyser looks before it parses: a TLS record, HTTP/2's preface or SETTINGS, an HTTP/1 request line. Which
parsers there are is handed in (`protocols`). One that meets something it cannot read is replaced by `Opaque`, so
nothing that crosses a wire can stop the lens. Inside TLS the same is done again with the decrypted bytes, unless ALPN
has named the protocol.

    16 03 01 …            TLS            50 52 49 20 2a …  "PRI *"   HTTP/2 without TLS
    "GET / HTTP/1.1"      HTTP/1.1       anything else               tcp.data

Left out: protocols in which the server speaks first, other than HTTP/2.
"""

import re
from collections.abc import Callable, Mapping

from cluster_engine.lens.conversation import Conversation, Parser
from cluster_engine.lens.evidence import Evidence, Piece
from cluster_engine.lens.scribe import Said
from cluster_engine.lens.unreadable import Unreadable

Parsers = Mapping[str, Callable[[Conversation], Parser]]
"""What makes a protocol's parser, by the names that `guess` and ALPN use."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
REQUEST_LINE = re.compile(rb"[A-Z]{1,16} ")
REQUEST_LINE_START = re.compile(rb"[A-Z]{1,16}\Z")
GUESS_BYTES_MAX = 64
TLS_RECORD_TYPES = frozenset({20, 21, 22, 23})


class Opaque:
    """Shows bytes as bytes: what is said here, the lens cannot read."""

    __slots__ = ("_conversation", "_layer", "_problem")

    def __init__(self, conversation: Conversation, layer: str, problem: str) -> None:
        self._conversation = conversation
        self._layer = layer
        self._problem = problem

    def data(self, from_client: bool, chunk: bytes, piece: Piece) -> None:
        """Write the bytes down."""
        size = len(chunk)
        fields, reason = {"unreadable": self._problem}, self._conversation.reason()
        said = Said(self._layer, f"{self._layer}.data", f"{size} bytes", fields, reason, size=size)
        self._conversation.say(from_client, said, Evidence([piece]))

    def ended(self, from_client: bool) -> None:
        """Nothing is held back here."""

    def broken(self) -> None:
        """Nothing is held back here."""


class Guess:
    """Waits until the first bytes tell the protocol, then hands everything to its parser."""

    __slots__ = ("_conversation", "_held", "_layer", "_parser", "_parsers", "_seen")

    def __init__(self, conversation: Conversation, layer: str, parsers: Parsers, protocol: str | None = None) -> None:
        self._conversation = conversation
        self._layer = layer
        self._parsers = parsers
        self._held: list[tuple[bool, bytes, Piece]] = []
        self._seen = [b"", b""]
        self._parser = self._make(protocol) if protocol else None

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
        self._parser = self._make(protocol)
        held, self._held = self._held, []
        for from_client, chunk, piece in held:
            self._hand(from_client, chunk, piece)

    def _hand(self, from_client: bool, chunk: bytes, piece: Piece) -> None:
        assert self._parser is not None, "the protocol is known"
        try:
            self._parser.data(from_client, chunk, piece)
        except Unreadable as problem:
            self._parser.broken()
            self._parser = Opaque(self._conversation, self._layer, str(problem))
            self._parser.data(from_client, chunk, piece)

    def _make(self, protocol: str) -> Parser:
        make = self._parsers.get(protocol)
        if make is None:
            return Opaque(self._conversation, self._layer, "neither TLS nor HTTP")
        return make(self._conversation)


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
