"""What an entry can be opened to: headers, body, TLS records, segments.

When somebody opens an entry, the segments that it was read from are fetched from the journal, the records cut out of
them and decrypted again, with the keys that stand in the entry's evidence.

    open_entry(journal, 12)["records"]
    -> [{"number": 7, "type": "application_data", "version": "0x0303", "length": 833, "readers": "session",
         "wire": "…", "plaintext": "…"}]
"""

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from cluster_engine.journal import Journal
from cluster_engine.lens.evidence import (
    KUBERNETES_PROTOBUF,
    Piece,
    StoredEvidence,
    StoredSegment,
    unpack,
    unpack_segment,
)
from cluster_engine.lens.objects import decode_protobuf
from cluster_engine.lens.protection import Protection
from cluster_engine.lens.tls_names import RECORD_TYPES, name
from cluster_engine.lens.unreadable import Unreadable

HEX_BYTES_MAX = 8 * 1024
PIECES_MAX = 64
PROTOBUF_TEXT_MAX = 256 * 1024

Fetch = Callable[[int], bytes | None]


def open_entry(journal: Journal, seq: int) -> dict[str, Any]:
    """Open an entry: headers, body, records, segments, as the browser is given them. KeyError when it is not here."""
    packed = journal.evidence(seq)
    evidence = unpack(packed) if packed else StoredEvidence([], [], "", -1, False)
    pieces = evidence.pieces[:PIECES_MAX]
    positions = dict.fromkeys(position for piece in pieces for position in piece[3])
    segments = {position: _segment(position, journal.read) for position in positions}
    records = [_record(piece, segments) for piece in pieces if piece[0] > 0]
    return {
        "seq": seq,
        "headers": [list(header) for header in evidence.headers],
        "body": _body(evidence, journal.read),
        "records": [record for record in records if record is not None],
        "segments": [_show_segment(segment) for segment in segments.values() if segment is not None],
    }


def _segment(position: int, fetch: Fetch) -> StoredSegment | None:
    packed = fetch(position)
    return None if packed is None else unpack_segment(packed)


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
    content_type, plain, readers = raw[0], b"", "everybody" if protected < 0 else "ends"
    if protected >= 0 and keys:
        protection = Protection.unpack(keys)
        readers = "server_key" if protection.is_from_premaster else "session"
        with contextlib.suppress(Unreadable):
            content_type, plain = protection.open(raw, protected)
    return {
        "number": number,
        "type": name(RECORD_TYPES, content_type),
        "version": f"0x{raw[1:3].hex()}",  # as it is written: TLS 1.3 says 0x0303 here, and means nothing by it
        "length": length,
        "readers": readers,
        **_hex("wire", raw),
        **(_hex("plaintext", plain) if protected >= 0 else {"plaintext": None}),
    }


def _hex(key: str, data: bytes) -> dict[str, Any]:
    if len(data) <= HEX_BYTES_MAX:
        return {key: data.hex()}
    return {key: data[:HEX_BYTES_MAX].hex(), "truncated": True}


def _body(evidence: StoredEvidence, fetch: Fetch) -> dict[str, Any]:
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
    value = decode_protobuf(data)
    return data[:HEX_BYTES_MAX].hex(" ") if value is None else msgspec.json.encode(value).decode()


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
