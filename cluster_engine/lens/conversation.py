"""What a parser is given and what it gives: the seam between a connection and the protocols spoken over it.

A conversation is what one connection carries (Wireshark's word): two participants, and what they have said so far. A
parser is given the conversation and then bytes; what it makes of them it says by `Conversation.say`, as entries. It
knows neither segments nor who chose it: `link` puts bytes in order and `recognition` chooses the parser.

    conversation.say(True, Said(STORY, "http.request", "GET pods", …), Evidence(pieces, headers))   -> 12
    conversation.reason()                                                                          -> Reason(12)
"""

from typing import Protocol

from cluster_engine.lens.causes import TIMER, Participant, Reason
from cluster_engine.lens.evidence import Evidence, Piece
from cluster_engine.lens.keylog import KeyLog
from cluster_engine.lens.scribe import Said, Scribe


class Parser(Protocol):
    """Reads one connection's bytes, both directions. `data` may raise Unreadable."""

    def data(self, from_client: bool, chunk: bytes, piece: Piece) -> None:
        """Read the next bytes of a direction."""
        ...

    def ended(self, from_client: bool) -> None:
        """Nothing more comes from this side (FIN)."""
        ...

    def broken(self) -> None:
        """The connection is no more (RST)."""
        ...


class Conversation:
    """Who speaks over a connection, and what parsers need to know of what was said.

    `opened` is the reason of the client's SYN, `fresh` until the first request has been written, `handshake` the latest
    TLS handshake message, `last` the latest entry of all. `certificate` is whose certificate the client has shown
    (its subject, "" for none): all that it says on this connection, it says as that one, or with a token.
    """

    __slots__ = (
        "causes",
        "certificate",
        "client",
        "fresh",
        "handshake",
        "keylog",
        "last",
        "number",
        "opened",
        "scribe",
        "server",
    )

    def __init__(self, number: int, client: Participant, server: Participant, scribe: Scribe, keylog: KeyLog) -> None:
        self.number = number
        self.client = client
        self.server = server
        self.scribe = scribe
        self.causes = scribe.causes
        self.keylog = keylog
        self.certificate = ""
        self.opened: Reason | None = None
        self.fresh = True
        self.handshake: int | None = None
        self.last: int | None = None

    def say(self, from_client: bool, said: Said, evidence: Evidence) -> int:
        """Write what one end tells the other; return the entry's seq."""
        speaker, listener = (self.client, self.server) if from_client else (self.server, self.client)
        self.last = seq = self.scribe.write(speaker, listener, said, evidence, self.number)
        return seq

    def reason(self) -> Reason:
        """Return the entry before on this connection as a reason."""
        return Reason(self.last) if self.last is not None else TIMER
