"""The Kubernetes audit log, as the API server has written it: the lines of the notes `audit.event`, a line each.

A line that was too long for a note (8 KiB) is not here; it stands in the API server's own file alone. Of a log that was
read from a file, a note opens to its line, however long.
"""

from collections.abc import Iterator

from cluster_engine.export.selection import Context, Selection, entries
from cluster_engine.journal import Entry, Journal
from cluster_engine.lens.evidence import unpack


def audit(journal: Journal, selection: Selection, context: Context) -> Iterator[bytes]:
    """Yield the log's lines. A note belongs to no connection, so that a selection by connection has none."""
    del context
    for entry in entries(journal, selection):
        line = b"" if entry is None or entry["kind"] != "audit.event" else _line(journal, entry)
        yield line + b"\n" if line else b""


def _line(journal: Journal, entry: Entry) -> bytes:
    packed = journal.evidence(entry["seq"])
    position = unpack(packed).body if packed else -1
    line = journal.read(position) if position >= 0 else None
    return entry["fields"].get("line", "").encode() if line is None else line
