"""What an entry can be opened to: headers, body, TLS records, segments.

While the lens reads, it notes for every entry which bytes it was read from, as positions in the spool; nothing is
copied. When somebody opens the entry, `render` fetches the segments, cuts the records out of them and decrypts these
again, with the keys that stand in the evidence.

A piece is one run of stream bytes that a parser was given at once: a TLS record, or the payload of a segment where
nothing is encrypted.

    (record number, offset in the first segment, length, segment positions, number under its keys, packed keys)
    (3, 0, 122, (70312,), 1, b"…")        the third record, alone in its segment, second one under these keys
    (0, 0, 87, (70940,), -1, b"")         clear bytes, no record
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from cluster_engine.lens.protection import Protection
from cluster_engine.lens.tls_names import RECORD_TYPES, name
from cluster_engine.lens.unreadable import Unreadable
from cluster_engine.world.tap import Segment

HEX_BYTES_MAX = 8 * 1024
PIECES_MAX = 64
BODY_BYTES_MAX = 1024 * 1024
PROTOBUF_TEXT_MAX = 256 * 1024
KUBERNETES_PROTOBUF = "application/vnd.kubernetes.protobuf"

Piece = tuple[int, int, int, tuple[int, ...], int, bytes]
Headers = list[tuple[str, str]]
Fetch = Callable[[int], bytes | None]

_pack = msgspec.msgpack.Encoder().encode


class StoredSegment(msgspec.Struct, array_like=True, gc=False):
    """A segment as it lies in the spool."""

    number: int
    flags: str
    sequence: int
    sent: float
    arrived: float | None
    payload: bytes


class Evidence(msgspec.Struct, array_like=True, gc=False):
    """What lies in the spool beside an entry. `body_type` is a content type, or "protobuf:" and a message's name."""

    pieces: list[Piece]
    headers: Headers
    body_type: str
    body: int
    truncated: bool


_unpack = msgspec.msgpack.Decoder(Evidence).decode
_unpack_segment = msgspec.msgpack.Decoder(StoredSegment).decode
NO_EVIDENCE = _pack(Evidence([], [], "", -1, False))


def pack(
    pieces: Sequence[Piece], headers: Sequence[tuple[str, str]], body_type: str, body: int, truncated: bool
) -> bytes:
    """Make the bytes that lie beside an entry; `body` is a position in the spool, -1 for none."""
    return _pack((pieces, headers, body_type, body, truncated))


def pack_segment(segment: Segment, sent: float, arrived: float | None) -> bytes:
    """Make the bytes that a segment is kept as; the times are the entries'."""
    return _pack((segment.number, segment.flags, segment.sequence, sent, arrived, segment.payload))


def render(packed: bytes, fetch: Fetch) -> dict[str, Any]:
    """Open evidence: headers, body, records and segments in the form that the browser is given."""
    evidence = _unpack(packed)
    pieces = evidence.pieces[:PIECES_MAX]
    positions = dict.fromkeys(position for piece in pieces for position in piece[3])
    segments = {position: _segment(position, fetch) for position in positions}
    records = [_record(piece, segments) for piece in pieces if piece[0] > 0]
    return {
        "headers": [list(header) for header in evidence.headers],
        "body": _body(evidence, fetch),
        "records": [record for record in records if record is not None],
        "segments": [_show_segment(segment) for segment in segments.values() if segment is not None],
    }


def _segment(position: int, fetch: Fetch) -> StoredSegment | None:
    packed = fetch(position)
    return None if packed is None else _unpack_segment(packed)


def _show_segment(segment: StoredSegment) -> dict[str, Any]:
    return {
        "number": segment.number,
        "flags": segment.flags,
        "sequence": segment.sequence,
        "length": len(segment.payload),
        "sent": segment.sent,
        "arrived": segment.arrived,
        **_hex("payload", segment.payload),
    }


def _record(piece: Piece, segments: dict[int, StoredSegment | None]) -> dict[str, Any] | None:
    number, offset, length, positions, protected, keys = piece
    parts = []
    for position in positions:
        segment = segments[position]
        if segment is None:
            return None
        parts.append(segment.payload)
    raw = b"".join(parts)[offset : offset + length]
    content_type, plain = raw[0], b""
    if protected >= 0 and keys:
        with contextlib.suppress(Unreadable):
            content_type, plain = Protection.unpack(keys).open(raw, protected)
    return {
        "number": number,
        "type": name(RECORD_TYPES, content_type),
        "version": f"0x{raw[1:3].hex()}",  # as it is written: TLS 1.3 says 0x0303 here, and means nothing by it
        "length": length,
        **_hex("wire", raw),
        **(_hex("plaintext", plain) if protected >= 0 else {"plaintext": None}),
    }


def _hex(key: str, data: bytes) -> dict[str, Any]:
    if len(data) <= HEX_BYTES_MAX:
        return {key: data.hex()}
    return {key: data[:HEX_BYTES_MAX].hex(), "truncated": True}


def _body(evidence: Evidence, fetch: Fetch) -> dict[str, Any]:
    if evidence.body < 0:
        return {"type": "none", "text": "", "truncated": evidence.truncated}
    data = fetch(evidence.body)
    if data is None:
        return {"type": "none", "text": "", "truncated": True}
    kind, text, cut = _text(evidence.body_type, data)
    return {"type": kind, "text": text, "truncated": evidence.truncated or cut}


def _text(body_type: str, data: bytes) -> tuple[str, str, bool]:
    if body_type.startswith("protobuf:"):
        text = protobuf_text(body_type.removeprefix("protobuf:"), data)
        return "protobuf", text[:PROTOBUF_TEXT_MAX], len(text) > PROTOBUF_TEXT_MAX
    if body_type.startswith(KUBERNETES_PROTOBUF):
        return "protobuf", _kubernetes_text(data), False
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "text", data[:HEX_BYTES_MAX].hex(" "), len(data) > HEX_BYTES_MAX
    return ("json" if "json" in body_type else "text"), text, False


def _kubernetes_text(data: bytes) -> str:
    value = decode_kubernetes(data)
    return data[:HEX_BYTES_MAX].hex(" ") if value is None else msgspec.json.encode(value).decode()


def decode_kubernetes(data: bytes) -> dict[str, Any] | None:
    """Decode a Kubernetes protobuf body (`k8s\\0` and what follows) to a dict, None when it cannot be read."""
    try:
        from cluster_engine.api import protobuf
    except ImportError:
        return None
    try:
        return protobuf.decode(data)
    except Exception:
        # The decoder refuses bad bodies in the API server's words; here there is nobody to refuse.
        return None


def protobuf_text(message_name: str, data: bytes) -> str:
    """Show a protobuf message as JSON, its bytes as text where they are text."""
    try:
        message = GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(message_name)).FromString(data)
    except (KeyError, DecodeError):
        return data[:HEX_BYTES_MAX].hex(" ")
    return msgspec.json.format(msgspec.json.encode(as_json(message)), indent=2).decode()


def as_json(message: Message) -> dict[str, Any]:
    """Turn a message into a dict: set fields only, enums by name, bytes as text (or hex)."""
    return {field.json_name: _value(field, value) for field, value in message.ListFields()}


def _value(field: Any, value: Any) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return {str(key): item if not isinstance(item, Message) else as_json(item) for key, item in value.items()}
    repeated = field.is_repeated
    return [_single(field, item) for item in value] if repeated else _single(field, value)


def _single(field: Any, value: Any) -> Any:
    if isinstance(value, Message):
        return as_json(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex(" ")
    if field.enum_type is not None:
        named = field.enum_type.values_by_number.get(value)
        return named.name if named else value
    return value
