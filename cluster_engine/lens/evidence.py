"""What lies in the journal beside an entry: from which bytes it was read, by their positions; nothing is copied.

`opening` makes of it what an entry can be opened to.

A piece is one run of stream bytes that a parser was given at once: a TLS record, or the payload of a segment where
nothing is encrypted.

    Piece(3, 0, 122, (70312,), 1, b"…")   the third record, alone in its segment, second one under these keys
    Piece(0, 0, 87, (70940,))             clear bytes, no record

Every segment is kept, with all that a capture needs, also where no entry was read from it; whose it is lies once beside
all segments of a connection.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from cluster_engine.world.tap import Connection, Endpoint, Segment

BODY_BYTES_MAX = 1024 * 1024
KUBERNETES_PROTOBUF = "application/vnd.kubernetes.protobuf"

Headers = list[tuple[str, str]]


class Piece(NamedTuple):
    """Where one run of stream bytes is, and how to open it.

    `number` is the record's in its direction, 0 for none; it begins at `offset` in the first of the segments at
    `positions`, and has `length` bytes. It is the record `protected` under its `keys`, -1 for none. The first `begun`
    of its plain bytes are the rest of a frame, chunk or body that was begun before, so it can be read by itself.
    """

    number: int
    offset: int
    length: int
    positions: tuple[int, ...]
    protected: int = -1
    keys: bytes = b""
    begun: int = 0


_pack = msgspec.msgpack.Encoder().encode


class StoredSegment(msgspec.Struct, array_like=True, gc=False):
    """A segment as it lies in the spool."""

    number: int
    flags: str
    sequence: int
    sent: float
    arrived: float | None
    payload: bytes
    acknowledgement: int
    from_client: bool
    connection: int
    told: int
    """The position of its StoredConnection."""


class StoredConnection(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A connection, or a flow of datagrams, as it lies in the spool: what the tap told of it (`Connection`).

    `server_process` is who has answered, once somebody has.
    """

    number: int
    protocol: str
    client: Endpoint
    server: Endpoint
    client_process: str
    server_process: str
    translated: tuple[Endpoint, Endpoint] | None


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
unpack_connection = msgspec.msgpack.Decoder(StoredConnection).decode


def pack(evidence: Evidence, body: int) -> bytes:
    """Make the bytes that lie beside an entry, whose body is kept at position `body`, -1 for none."""
    return _pack((evidence.pieces, evidence.headers, evidence.body_type, body, evidence.truncated))


def pack_segment(segment: Segment, sent: float, arrived: float | None, told: int) -> bytes:
    """Make the bytes that a segment is kept as; the times are the entries', `told` is where its connection is kept."""
    one = segment
    kept = (one.number, one.flags, one.sequence, sent, arrived, one.payload, one.acknowledgement, one.from_client)
    return _pack((*kept, one.connection, told))


def pack_connection(connection: Connection, server_process: str) -> bytes:
    """Make the bytes that a connection is kept as."""
    one = connection
    return _pack((one.number, one.protocol, one.client, one.server, one.client_process, server_process, one.translated))
