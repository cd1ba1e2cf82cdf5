"""Writes the entries: every parser hands what it found to one scribe, which knows the hour and the journal.

An entry has the form that the browser is given (design: one journal). `layer` is the highest altitude at which it is
drawn: story › http › tls › tcp.
"""

from collections.abc import Sequence
from typing import Any

from cluster_engine.journal import Journal
from cluster_engine.lens import evidence
from cluster_engine.lens.causes import Causes, Participant, Reason
from cluster_engine.lens.cri import Runtime
from cluster_engine.lens.evidence import Headers, Piece

STORY, HTTP, TLS, TCP = "story", "http", "tls", "tcp"
LABEL_MAX = 80


class Scribe:
    """Holds the times of the segment being read; `write` makes an entry of it."""

    __slots__ = ("arrived", "causes", "journal", "runtime", "sent")

    def __init__(self, journal: Journal, causes: Causes) -> None:
        self.journal = journal
        self.causes = causes
        self.runtime = Runtime()
        self.sent = 0.0
        self.arrived: float | None = 0.0

    @property
    def now(self) -> float:
        """When the listener had it, or, of what was lost, when it was sent."""
        return self.sent if self.arrived is None else self.arrived

    def write(
        self,
        layer: str,
        kind: str,
        speaker: Participant,
        listener: Participant | None,
        *,
        label: str,
        sentence: str,
        reason: Reason,
        fields: dict[str, Any],
        reply_to: int | None = None,
        connection: int | None = None,
        stream: int | None = None,
        size: int = 0,
        heartbeat: bool = False,
        pieces: Sequence[Piece] = (),
        headers: Headers | None = None,
        body: bytes = b"",
        body_type: str = "",
        truncated: bool = False,
    ) -> int:
        """Append an entry, with what it can be opened to; give its seq."""
        journal = self.journal
        position = journal.keep_body(body) if body else -1
        entry = {
            "seq": 0,
            "at": self.sent,
            "arrived": self.arrived,
            "layer": layer,
            "kind": kind,
            "from": speaker.id,
            "to": None if listener is None else listener.id,
            "label": label if len(label) <= LABEL_MAX else label[: LABEL_MAX - 1] + "…",
            "sentence": sentence,
            "cause": reason[0],
            "trigger": reason[1],
            "replyTo": reply_to,
            "connection": connection,
            "stream": stream,
            "size": size,
            "heartbeat": heartbeat,
            "fields": fields,
        }
        packed = evidence.pack(pieces, headers or (), body_type, position, truncated)
        return journal.append(entry, packed)
