"""Writes the entries: every parser hands what it found to one scribe, which knows the hour and the journal.

An entry has the form that the browser is given (design: one journal). `layer` is the highest altitude at which it is
drawn: story › http › tls › tcp.
"""

from typing import Any

import msgspec

from cluster_engine.journal import Journal
from cluster_engine.lens.causes import Causes, Participant, Reason
from cluster_engine.lens.cri import Runtime
from cluster_engine.lens.evidence import Evidence, pack

STORY, HTTP, TLS, TCP = "story", "http", "tls", "tcp"
LABEL_MAX = 80


class Said(msgspec.Struct, gc=False):
    """What an entry says: a kind and fields, of which `words` makes a sentence in any language, and a short label in
    the protocol's own words. `size` is in bytes, `reply_to` the request that this answers, `stream` HTTP/2's number.
    """

    layer: str
    kind: str
    label: str
    fields: dict[str, Any]
    reason: Reason
    reply_to: int | None = None
    stream: int | None = None
    size: int = 0
    heartbeat: bool = False


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
        speaker: Participant,
        listener: Participant | None,
        said: Said,
        evidence: Evidence | None = None,
        connection: int | None = None,
    ) -> int:
        """Append an entry, with what it can be opened to; return its seq."""
        label = said.label
        cause, trigger, how, after = said.reason
        entry = {
            "seq": 0,
            "at": self.sent,
            "arrived": self.arrived,
            "layer": said.layer,
            "kind": said.kind,
            "from": speaker.id,
            "to": None if listener is None else listener.id,
            "label": label if len(label) <= LABEL_MAX else label[: LABEL_MAX - 1] + "…",
            "cause": cause,
            "trigger": trigger,
            "how": how,
            "after": after,
            "replyTo": said.reply_to,
            "connection": connection,
            "stream": said.stream,
            "size": said.size,
            "heartbeat": said.heartbeat,
            "fields": said.fields,
        }
        if evidence is None:
            return self.journal.append(entry)
        return self.journal.append(entry, pack(evidence, self.journal.keep_body(evidence.body)))
