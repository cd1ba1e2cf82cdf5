"""What passes between a web process and the process that has a recording open, and what a recording is not asked for.

web → process       four bytes of length, a question of `hosting.messages` as MessagePack
process → web       the same of a `Reply`; one for each question, in their order
"""

import msgspec

from visualizer.hosting import messages
from visualizer.hosting.messages import Reply

LENGTH_BYTES = 4

Question = messages.Detail | messages.Export | messages.StateAt | messages.Search

encode = msgspec.msgpack.Encoder().encode
decode_question = msgspec.msgpack.Decoder(Question).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode

NOT_MADE = {
    "capture": {"audit": "A capture has no audit log: that is written by an API server, and crosses no wire."},
    "audit": {
        "pcapng": "An audit log has no packets: it says what was asked for, not what crossed a wire.",
        "keylog": "An audit log has no keys: it says what was asked for, not what crossed a wire.",
    },
}
"""By kind of file: the formats of `cluster_engine.export` that cannot be made of one, and why."""

_NO_WIRE = "An audit log says what was asked of an API server, nothing of connections."
NOT_TOLD = {
    "capture": {"rules": "No packet shows the forwarding rules of a node."},
    "audit": dict.fromkeys(("topology", "beliefs", "identities", "rules"), _NO_WIRE),
}
"""By kind of file: the views of `cluster_engine.state` of which it says nothing, and why."""


def framed(said: bytes) -> bytes:
    """Return what is said, as it is sent."""
    return len(said).to_bytes(LENGTH_BYTES) + said
