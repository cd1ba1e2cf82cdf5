"""What an entry can be opened to: headers, body, TLS records, segments.

When somebody opens an entry, the segments that it was read from are fetched from the journal, the records cut out of
them and decrypted again, with the keys that stand in the entry's evidence.

    open_entry(journal, 12)["records"]
    -> [{"number": 7, "type": "application_data", "version": "0x0303", "length": 833, "readers": "session",
         "wire": "…", "plaintext": "…"}]
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

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
from cluster_engine.lens.protection import HEADER_BYTES, TLS_1_3, Protection, type_and_content
from cluster_engine.lens.tls_names import RECORD_TYPES, name
from cluster_engine.lens.unreadable import Unreadable

HEX_BYTES_MAX = 8 * 1024
ROW_BYTES = 16
PIECES_MAX = 64
PROTOBUF_TEXT_MAX = 256 * 1024

Fetch = Callable[[int], bytes | None]


class Record(NamedTuple):
    """A TLS record: its bytes, and what the keys that stand in the evidence make of them."""

    piece: Piece
    wire: bytes
    content_type: int
    content: bytes
    plain: bytes | None
    """What was encrypted, in TLS 1.3 with type and padding; None in the clear, b"" where no key opens it."""
    version: int
    """Of which TLS the keys are, 0 without."""
    readers: str
    nonce_bytes: int = 0
    """How many bytes of the nonce stand before the ciphertext."""

    @property
    def begin(self) -> int:
        """Where in the record its content begins, encrypted or not."""
        return HEADER_BYTES + self.nonce_bytes


Places = Mapping[Piece, tuple[int, int]]
"""Where in a piece the entry's own frames begin and end; of a piece that is not here, all is its own."""
ALL_OWN: Places = {}


class Opened(NamedTuple):
    """An entry with the bytes that it was read from; a segment is None when it has been dropped."""

    seq: int
    evidence: StoredEvidence
    segments: dict[int, StoredSegment | None]
    records: list[Record]


def open_entry(journal: Journal, seq: int) -> dict[str, Any]:
    """Open an entry: headers, body, records, segments, as the browser is given them. KeyError when it is not here."""
    return show(journal, read(journal, seq))


def read(journal: Journal, seq: int) -> Opened:
    """Fetch the bytes behind an entry and decrypt them. KeyError when it is not here."""
    packed = journal.evidence(seq)
    evidence = unpack(packed) if packed else StoredEvidence([], [], "", -1, False)
    pieces = evidence.pieces[:PIECES_MAX]
    positions = dict.fromkeys(position for piece in pieces for position in piece[3])
    segments = {position: _segment(position, journal.read) for position in positions}
    records = [_record(piece, segments) for piece in pieces if piece[0] > 0]
    return Opened(seq, evidence, segments, [record for record in records if record is not None])


def show(journal: Journal, opened: Opened, own: Places = ALL_OWN) -> dict[str, Any]:
    """Write what was opened as the browser is given it, of what is long the part where the entry's `own` lies."""
    return {
        "seq": opened.seq,
        "headers": [list(header) for header in opened.evidence.headers],
        "body": _body(opened.evidence, journal.read),
        "records": [_show_record(record, own) for record in opened.records],
        "segments": [
            _show_segment(segment, shown_from(opened, position, own))
            for position, segment in opened.segments.items()
            if segment is not None
        ],
    }


def window(begin: int, end: int, size: int) -> int:
    """Return from which byte on a stretch is shown: the first, or where what lies from `begin` to `end` begins."""
    last = -(-(size - HEX_BYTES_MAX) // ROW_BYTES)  # of the rows with which the end is shown too
    return 0 if end <= HEX_BYTES_MAX else max(0, min(begin // ROW_BYTES, last)) * ROW_BYTES


def record_from(record: Record, own: Places) -> int:
    """Return from which byte on a record is shown."""
    return window(*own.get(record.piece, (0, 0)), len(record.wire))


def plain_from(record: Record, own: Places) -> int:
    """Return from which byte on is shown what was encrypted in a record."""
    begin, end = own.get(record.piece, (0, 0))
    return window(begin - record.begin, end - record.begin, len(record.plain or b""))


def shown_from(opened: Opened, position: int, own: Places) -> int:
    """Return from which byte on a segment is shown."""
    segment = opened.segments[position]
    size = 0 if segment is None else len(segment.payload)
    if size <= HEX_BYTES_MAX:
        return 0
    pieces = opened.evidence.pieces[:PIECES_MAX]
    places = [place for piece in pieces for place in _places(piece, opened, position, own)]
    begin, end = min((begin for begin, _ in places), default=0), max((end for _, end in places), default=0)
    return window(begin, end, size)


def _places(piece: Piece, opened: Opened, position: int, own: Places) -> Iterator[tuple[int, int]]:
    """Yield where in a segment the entry's own part of a piece begins and ends."""
    begin, end = own.get(piece, (0, piece.length))
    at = -piece.offset
    for one in piece.positions:
        segment = opened.segments[one]
        size = 0 if segment is None else len(segment.payload)
        if one == position and begin < at + size and end > at:
            yield max(0, begin - at), min(size, end - at)
        at += size


def bytes_of(piece: Piece, segments: dict[int, StoredSegment | None]) -> bytes | None:
    """Return a piece's bytes out of the segments that it was read from, None when one has been dropped."""
    parts = [segments[position] for position in piece[3]]
    if any(segment is None for segment in parts):
        return None
    return b"".join(segment.payload for segment in parts if segment is not None)[piece[1] : piece[1] + piece[2]]


def _segment(position: int, fetch: Fetch) -> StoredSegment | None:
    packed = fetch(position)
    return None if packed is None else unpack_segment(packed)


def _show_segment(segment: StoredSegment, begin: int) -> dict[str, Any]:
    return {
        "number": segment.number,
        "flags": segment.flags,
        "sequence": segment.sequence,
        "length": len(segment.payload),
        "sent": segment.sent,
        "arrived": segment.arrived,
        **_cut("payload", segment.payload, begin),
        **({"from": begin} if begin else {}),
    }


def _record(piece: Piece, segments: dict[int, StoredSegment | None]) -> Record | None:
    wire = bytes_of(piece, segments)
    if wire is None:
        return None
    protected, keys = piece.protected, piece.keys
    if protected < 0:
        return Record(piece, wire, wire[0], wire[HEADER_BYTES:], None, 0, "everybody")
    if not keys:
        return Record(piece, wire, wire[0], b"", b"", 0, "ends")
    protection = Protection.unpack(keys)
    content_type, content, plain = wire[0], b"", b""
    with contextlib.suppress(Unreadable):
        plain = content = protection.decrypt(wire, protected)
        if protection.version == TLS_1_3:
            content_type, content = type_and_content(plain)
    readers = "server_key" if protection.is_from_premaster else "session"
    return Record(piece, wire, content_type, content, plain, protection.version, readers, protection.nonce_bytes)


def _show_record(record: Record, own: Places) -> dict[str, Any]:
    return {
        "number": record.piece[0],
        "type": name(RECORD_TYPES, record.content_type),
        "version": f"0x{record.wire[1:3].hex()}",  # as it is written: TLS 1.3 says 0x0303 here, and means nothing by it
        "length": record.piece[2],
        "readers": record.readers,
        **_windowed("wire", record.wire, record_from(record, own)),
        **(
            {"plaintext": None}
            if record.plain is None
            else _windowed("plaintext", record.plain, plain_from(record, own))
        ),
    }


def _windowed(key: str, data: bytes, begin: int) -> dict[str, Any]:
    """Write a stretch; of a long one where what is shown begins, and how many bytes there are."""
    shown = _cut(key, data, begin)
    return {**shown, f"{key}Window": [begin, len(data)]} if len(data) > HEX_BYTES_MAX else shown


def _cut(key: str, data: bytes, begin: int) -> dict[str, Any]:
    if len(data) <= HEX_BYTES_MAX:
        return {key: data.hex()}
    return {key: data[begin : begin + HEX_BYTES_MAX].hex(), "truncated": True}


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
