"""An opened entry with the fields of each stretch of bytes in it: the door of this package.

    open_entry(journal, 12)["records"][0]
    -> {…, "wire": "1703030035…", "wireFields": (("tls.record.type", 0, 1, "23 application_data", ()), …),
            "plaintext": "14000020…16", "plaintextFields": (("tls.finished", 0, 36, "finished", (…)), …)}

A message may be cut over records, and a record over segments. So the contents of an entry's records are joined before
they are dissected, and what is found is cut to the records; a record's fields are cut to its segments in the same way,
and what lies in a segment beside them is `any.other`. A field that was cut keeps its value in each part.

Bounded: so many bytes are dissected of what is spoken (`application`), fields go as far as a stretch is shown
(`lens.opening.HEX_BYTES_MAX`), and beyond FIELDS_TOTAL_MAX in an entry stretches have none (`fieldsCut` says so).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any

from cluster_engine.fields import tls
from cluster_engine.fields.application import Part, application
from cluster_engine.fields.bodies import Context
from cluster_engine.fields.field import Field, every, moved
from cluster_engine.journal import Journal
from cluster_engine.lens.evidence import Piece, StoredSegment
from cluster_engine.lens.opening import (
    HEX_BYTES_MAX,
    PIECES_MAX,
    Opened,
    Places,
    Record,
    bytes_of,
    plain_from,
    read,
    record_from,
    show,
    shown_from,
)
from cluster_engine.lens.protection import HEADER_BYTES, TAG_BYTES, TLS_1_2, TLS_1_3

FIELDS_TOTAL_MAX = 6000
SEGMENTS_MAX = 256

OTHERS = frozenset(
    {
        *("any.other", "http1.continued", "http2.continued", "http2.cut", "http2.other_frame", "http2.preface"),
        "websocket.continued",
    }
)
"""Of which it is known that they are of other messages, or not known whose they are."""

LEAD_BYTES = 64
"""So much is shown of what stands before a body."""

Fields = tuple[Field, ...]


def open_entry(journal: Journal, seq: int) -> dict[str, Any]:
    """Open an entry as `lens.opening` does, with the fields of each stretch. KeyError when it is not here."""
    opened = read(journal, seq)
    entry = journal.entry(seq)
    evidence = opened.evidence
    context = Context(entry["kind"], entry["stream"], entry["fields"], evidence.headers, evidence.body_type)
    purse = _Purse()
    contents = _contents(opened.records, context)
    wires = [_wire(record, content) for record, content in zip(opened.records, contents, strict=True)]
    clear = _placed_clear(opened, context)
    body = journal.read(evidence.body) if evidence.body >= 0 else None
    own = _own_places(opened, contents, clear, body)
    detail = show(journal, opened, own)
    for shown, record, content, wire in zip(detail["records"], opened.records, contents, wires, strict=True):
        shown["wireFields"] = purse.pay(wire, record_from(record, own))
        if record.plain is not None:
            shown["plaintextFields"] = purse.pay(_plain(record, content), plain_from(record, own))
    placed = _placed(opened, [*_placed_records(opened, wires), *clear])
    segments = [segment for segment in opened.segments.items() if segment[1] is not None]
    for shown, (position, segment) in zip(detail["segments"], segments, strict=True):
        if position in placed:
            begin = shown_from(opened, position, own)
            shown["payloadFields"] = purse.pay(_filled(placed[position], _size(segment)), begin)
    detail["fieldsCut"] = purse.is_empty
    return detail


def _own_places(opened: Opened, contents: Sequence[Fields], clear: "Sequence[Whole]", body: bytes | None) -> Places:
    """Return where in its pieces the entry's own bytes lie, of those in which others' lie too."""
    found: dict[Piece, tuple[int, int]] = {}
    for record, fields in zip(opened.records, contents, strict=True):
        if (place := _own(fields, record.content, body)) is not None:
            found[record.piece] = (place[0] + record.begin, place[1] + record.begin)
    for piece, fields in clear:
        if (place := _own(fields, bytes_of(piece, opened.segments) or b"", body)) is not None:
            found[piece] = place
    return found


def _own(fields: Fields, data: bytes, body: bytes | None) -> tuple[int, int] | None:
    """Return where in these bytes the entry's own fields begin and end, or, where they are long, its body."""
    ours = [field for field in fields if field.name not in OTHERS]
    if not ours or (len(ours) == len(fields) and len(data) <= HEX_BYTES_MAX):
        return None
    begin, end = ours[0].begin, ours[-1].end
    if body and end - begin > HEX_BYTES_MAX:  # many events lie in one frame, or many messages
        places = (data.find(body, field.begin, field.end) for field in ours)
        at = next((place for place in places if place >= 0), None)
        return (begin, end) if at is None else (max(begin, at - LEAD_BYTES), at + len(body))
    return begin, end


class _Purse:
    """How many fields an entry may still have."""

    def __init__(self) -> None:
        self.is_empty = False
        self._left = FIELDS_TOTAL_MAX

    def pay(self, fields: Fields, begin: int = 0) -> Fields:
        """Give what is shown of a stretch's fields, none where they are too many; it is shown from `begin` on."""
        shown = moved(fields, -begin, 0, HEX_BYTES_MAX)
        count = sum(1 for _ in every(shown))
        if count > self._left:
            self.is_empty = True
            return ()
        self._left -= count
        return shown


def _contents(records: Sequence[Record], context: Context) -> list[Fields]:
    """Return the fields of each record's content: records of one type are read as one stretch."""
    found: list[Fields] = [() for _ in records]
    groups: dict[int, list[int]] = defaultdict(list)
    for at, record in enumerate(records):
        groups[record.content_type].append(at)
    for content_type, members in groups.items():
        version = max(records[at].version for at in members) or TLS_1_2
        if content_type == tls.APPLICATION_DATA:
            dissected = application(_parts([records[at] for at in members]), context)
        else:
            begun = records[members[0]].piece.begun
            dissected = _cut([records[at].content for at in members], _of_type(content_type, version), begun)
        for at, fields in zip(members, dissected, strict=True):
            found[at] = fields
    return found


def _parts(records: Sequence[Record]) -> list[Part]:
    """Say of each record's content whether it goes on where the one before it ended."""
    numbers = [record.piece.number for record in records]
    before = [None, *numbers]
    return [
        Part(record.content, number - 1 == last, record.piece.begun)
        for record, number, last in zip(records, numbers, before, strict=False)
    ]


def _of_type(content_type: int, version: int) -> Callable[[bytes], Fields]:
    return lambda data: tls.content(content_type, data, version)


def _cut(parts: Sequence[bytes], dissect: Callable[[bytes], Fields], begun: int) -> list[Fields]:
    """Dissect parts as one stretch, and give each part its fields; the first `begun` bytes end an earlier message."""
    data = b"".join(parts)
    fields = moved(dissect(data[begun:]), begun, 0, len(data))
    whole = (_other(0, begun), *fields) if begun else fields
    ends = accumulate((len(part) for part in parts), initial=0)
    return [moved(whole, -begin, 0, end - begin) for begin, end in pairwise(ends)]


def _wire(record: Record, content: Fields) -> Fields:
    head, body = record.wire[:HEADER_BYTES], record.wire[HEADER_BYTES:]
    if record.plain is not None:
        tag_bytes = TAG_BYTES if record.version else 0
        content = tls.protected_body(body, nonce_bytes=record.nonce_bytes, tag_bytes=tag_bytes)
    return (*tls.header(head), *moved(content, HEADER_BYTES, HEADER_BYTES, len(record.wire)))


def _plain(record: Record, content: Fields) -> Fields:
    plain, size = record.plain or b"", len(record.content)
    if record.version != TLS_1_3:
        return content
    return (*content, *moved(tls.inner_type(plain[size:]), size, size, len(plain)))


Whole = tuple[Piece, Fields]
"""Fields and the piece that they stand for, counted from its beginning."""


def _placed_records(opened: Opened, wires: Sequence[Fields]) -> list[Whole]:
    return [
        (record.piece, (Field("tls.record", 0, len(record.wire), str(record.piece[0]), wire),))
        for record, wire in zip(opened.records, wires, strict=True)
    ]


def _placed_clear(opened: Opened, context: Context) -> list[Whole]:
    """What was said without TLS, and where."""
    pieces = [piece for piece in opened.evidence.pieces[:PIECES_MAX] if piece[0] == 0]
    parts = [(piece, data) for piece in pieces if (data := bytes_of(piece, opened.segments)) is not None]
    found = application(_clear_parts(opened, parts), context)
    return [(piece, fields) for (piece, _), fields in zip(parts, found, strict=True)]


def _clear_parts(opened: Opened, parts: Sequence[tuple[Piece, bytes]]) -> list[Part]:
    """Say of each payload whether it goes on where the one before it ended, by TCP's sequence numbers."""
    found = []
    end = None
    for piece, data in parts:
        segment = opened.segments[piece.positions[0]]
        begin = segment.sequence + piece.offset if segment is not None else None
        found.append(Part(data, begin == end is not None, piece.begun))
        end = begin + len(data) if begin is not None else None
    return found


def _placed(opened: Opened, wholes: Sequence[Whole]) -> dict[int, list[Field]]:
    """Cut what was found to the segments, by their positions: the first SEGMENTS_MAX of each piece."""
    found: dict[int, list[Field]] = defaultdict(list)
    for (_, offset, _, positions, *_), fields in wholes:
        begin = -offset
        for position in positions[:SEGMENTS_MAX]:
            size = _size(opened.segments[position])
            found[position] += moved(fields, -begin, 0, size)
            begin += size
    return found


def _size(segment: StoredSegment | None) -> int:
    return len(segment.payload) if segment is not None else 0


def _filled(fields: Sequence[Field], size: int) -> Fields:
    """Put bytes of other messages between fields; of two that overlap the first stays (a journal may hold anything)."""
    whole: list[Field] = []
    at = 0
    for field in sorted(fields, key=lambda field: field.begin):
        if field.begin < at:
            continue
        if field.begin > at:
            whole.append(_other(at, field.begin))
        whole.append(field)
        at = field.end
    if at < size:
        whole.append(_other(at, size))
    return tuple(whole)


def _other(begin: int, end: int) -> Field:
    return Field("any.other", begin, end, str(end - begin))
