"""What lies in the journal beside an entry: from which bytes it was read, by their positions; nothing is copied.

`opening` makes of it what an entry can be opened to.

A piece is one run of stream bytes that a parser was given at once: a TLS record, or the payload of a segment where
nothing is encrypted.

    (record number, offset in the first segment, length, segment positions, number under its keys, packed keys)
    (3, 0, 122, (70312,), 1, b"…")        the third record, alone in its segment, second one under these keys
    (0, 0, 87, (70940,), -1, b"")         clear bytes, no record
"""

from collections.abc import Sequence

import msgspec

from cluster_engine.world.tap import Segment

BODY_BYTES_MAX = 1024 * 1024
KUBERNETES_PROTOBUF = "application/vnd.kubernetes.protobuf"

Piece = tuple[int, int, int, tuple[int, ...], int, bytes]
Headers = list[tuple[str, str]]

_pack = msgspec.msgpack.Encoder().encode


class StoredSegment(msgspec.Struct, array_like=True, gc=False):
    """A segment as it lies in the spool."""

    number: int
    flags: str
    sequence: int
    sent: float
    arrived: float | None
    payload: bytes


class Evidence(msgspec.Struct, gc=False):
    """What an entry was read from. `body_type` is a content type, or "protobuf:" and the name of a message;
    `truncated`: there was more of the body than was kept.
    """

    pieces: Sequence[Piece] = ()
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    body_type: str = ""
    truncated: bool = False


class StoredEvidence(msgspec.Struct, array_like=True, gc=False):
    """Evidence as it lies in the spool; `body` is a position there, -1 for none."""

    pieces: list[Piece]
    headers: Headers
    body_type: str
    body: int
    truncated: bool


unpack = msgspec.msgpack.Decoder(StoredEvidence).decode
unpack_segment = msgspec.msgpack.Decoder(StoredSegment).decode


def pack(evidence: Evidence, body: int) -> bytes:
    """Make the bytes that lie beside an entry, whose body is kept at position `body`, -1 for none."""
    return _pack((evidence.pieces, evidence.headers, evidence.body_type, body, evidence.truncated))


def pack_segment(segment: Segment, sent: float, arrived: float | None) -> bytes:
    """Make the bytes that a segment is kept as; the times are the entries'."""
    return _pack((segment.number, segment.flags, segment.sequence, sent, arrived, segment.payload))
