"""A run as one HTML file that plays without a server: the page itself (`frame`), and in it what it shows.

    head      what the file is, the words of every language, what was typed and printed, the entries: the page begins
              with that
    tail      what entries open to (headers, bodies, records, segments), the newest first

All of it stands compressed in script elements that are no scripts: gzip of JSON, as base64, in which no text of anybody
can end an element or begin one. `static/js/recording/` reads it.

The file has at most `FILE_BYTES_MAX`. What entries open to is written until that is reached; of the oldest there is
then no more, which the page says where somebody opens one. Of more than `ENTRIES_MAX` entries the oldest are left out.

What was typed and printed crosses no wire: it is told beside the journal (`Context.said`), of a range what was begun in
it, of one connection none. Left out always: the state at the cursor, which a running cluster answers (its answers at
checkpoints would be some tens of kilobytes each, and would still not be true between them).

    b"".join(html(journal, Selection(first=100, last=400), Context(epoch_ns)))     -> b"<!doctype html>…"
"""

import base64
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from cluster_engine.export.frame import frame
from cluster_engine.export.selection import Context, Said, Selection
from cluster_engine.journal import Entry, Journal
from cluster_engine.lens.opening import open_entry
from cluster_engine.words.languages import languages
from cluster_engine.words.sentences import page_words

FILE_BYTES_MAX = 64 * 1024 * 1024
ENTRIES_MAX = 100_000
PART_ENTRIES = 1000
PART_DETAILS = 256
PART_BYTES_MAX = 1024 * 1024
"""Of JSON, before it is compressed; but always one."""
END: dict[str, Any] = {}
END_BYTES_MAX = 1024
PIECE_BYTES = 64 * 1024
GZIP = zlib.MAX_WBITS | 16

_encode = msgspec.json.Encoder().encode


def html(journal: Journal, selection: Selection, context: Context) -> Iterator[bytes]:
    """Yield the file, a part at a time, and b"" in between. ValueError where the page has not been built."""
    before, opening, after = frame(context.language)
    last = journal.head if selection.last is None else min(selection.last, journal.head)
    asked = max(selection.first, 1)
    first = max(asked, journal.first, last - ENTRIES_MAX + 1)
    about = {
        "first": first,
        "last": last,
        "connection": selection.connection,
        "began": _date(context.epoch_ns),
        "leftOut": first - asked,
        "cast": context.cast,
    }
    size = len(opening) + len(after) + END_BYTES_MAX
    for chunk in (before, _json("recording", about), _json("languages-data", list(languages().items())), *_words()):
        size += len(chunk)
        yield chunk
    if selection.connection is None and (said := _said(context.said, range(first, last + 1))):
        terminals = _script("terminals", _packed(said))
        size += len(terminals)
        yield from _pieces(terminals)
    oldest_first = _entries(journal, range(first, last + 1), selection.connection)
    for part in _parts("entries", oldest_first, _as_it_is, PART_ENTRIES):
        size += len(part.element)
        yield from _pieces(part.element)
    yield opening
    newest_first = _details(journal, range(last, first - 1, -1), selection.connection)
    opened = last + 1
    for part in _parts("details", newest_first, _with_texts_apart, PART_DETAILS):
        size += len(part.element)
        if size > FILE_BYTES_MAX:
            break
        opened = part.last or opened
        yield from _pieces(part.element)
    else:
        opened = first
    yield _json("recording-end", {"opened": opened}) + after


def _date(epoch_ns: int) -> str | None:
    """Return when the run began, None where nobody knows."""
    return datetime.fromtimestamp(epoch_ns / 1e9, UTC).isoformat() if epoch_ns else None


def _json(name: str, value: Any) -> bytes:
    """Return an element with JSON in it, in which nothing of its text can end it."""
    text = json.dumps(value).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>\n'.encode()


def _words() -> Iterator[bytes]:
    for language in languages():
        yield _script("words", _packed(page_words(language)), f' lang="{language}"')


def _packed(value: Any) -> bytes:
    return base64.b64encode(zlib.compress(_encode(value), wbits=GZIP))


def _script(kind: str, packed: bytes, attributes: str = "") -> bytes:
    return f'<script type="text/plain" class="{kind}"{attributes}>'.encode() + packed + b"</script>\n"


def _said(said: Sequence[Said], seqs: range) -> list[Said]:
    """Return what was typed once the first entry was there, and printed until the last one was."""
    begun: dict[str, int] = {}
    for one in said:
        begun.setdefault(one.id, one.after)
    return [one for one in said if begun[one.id] + 1 in seqs and one.after < seqs.stop]


def _entries(journal: Journal, seqs: range, connection: int | None) -> Iterator[Entry | None]:
    for seq in seqs:
        entry = journal.entry(seq) if seq >= journal.first else None
        yield entry if entry is not None and connection in (None, entry.get("connection")) else None


def _details(journal: Journal, seqs: range, connection: int | None) -> Iterator[Entry | None]:
    for entry in _entries(journal, seqs, connection):
        yield None if entry is None else open_entry(journal, entry["seq"])


def _as_it_is(entry: Entry, known: dict[str, int]) -> Iterator[Any]:
    del known
    yield entry


def _with_texts_apart(detail: Entry, known: dict[str, int]) -> Iterator[Any]:
    """Yield what is long and new in a detail, then the detail with numbers of texts in their places.

    A list that one answer brings is many entries, and each opens to all of its records.
    """
    places = [(detail["body"], "text"), *((one, "payload") for one in detail["segments"])]
    places += [(one, key) for one in detail["records"] for key in ("wire", "plaintext") if one[key] is not None]
    for place, key in places:
        text = place[key]
        if text not in known:
            known[text] = len(known)
            yield text
        place[key] = known[text]
    yield detail


def _pieces(element: bytes) -> Iterator[bytes]:
    """Yield an element in pieces that travel well; b"" for an empty one."""
    for at in range(0, max(len(element), 1), PIECE_BYTES):
        yield element[at : at + PIECE_BYTES]


class Part(NamedTuple):
    """An element of the file, or b"" while there is none yet, and the last seq in it as it was filled."""

    element: bytes
    last: int = 0


NOTHING_YET = Part(b"")
Written = Callable[[Entry, dict[str, int]], Iterator[Any]]


def _parts(kind: str, found: Iterator[Entry | None], written: Written, count_max: int) -> Iterator[Part]:
    """Yield what was found as elements, each a JSON array of at most `count_max`; nothing in between."""
    while True:
        packing, known, seqs, size = zlib.compressobj(wbits=GZIP), dict[str, int](), list[int](), 0
        chunks = [packing.compress(b"[")]
        while len(seqs) < count_max and size < PART_BYTES_MAX and (one := next(found, END)) is not END:
            for item in written(one, known) if one is not None else ():
                data = (b"," if size else b"") + _encode(item)
                chunks.append(packing.compress(data))
                size += len(data)
            if one is not None:
                seqs.append(one["seq"])
            yield NOTHING_YET
        if not seqs:
            return
        packed = base64.b64encode(b"".join([*chunks, packing.compress(b"]"), packing.flush()]))
        yield Part(_script(kind, packed, f' data-first="{min(seqs)}" data-last="{max(seqs)}"'), seqs[-1])
