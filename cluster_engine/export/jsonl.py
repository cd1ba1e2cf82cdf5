"""A journal as lines of JSON, for people and their tools: every entry, with its sentence.

journal.subscribe(lines_into(file))      {"seq": 1, …, "sentence": "etcd starts on control-plane"}
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO

import msgspec

from cluster_engine.export.selection import Context, Selection, entries
from cluster_engine.journal import Entry, Journal
from cluster_engine.words.sentences import sentence

_encode = msgspec.json.Encoder().encode


def jsonl(journal: Journal, selection: Selection, context: Context) -> Iterator[bytes]:
    """Yield a line for each entry."""
    for entry in entries(journal, selection):
        yield b"" if entry is None else line_of(entry, context.language)


def line_of(entry: Entry, language: str) -> bytes:
    """Return an entry's line."""
    return _encode({**entry, "sentence": sentence(entry, language)}) + b"\n"


def lines_into(file: BinaryIO, language: str = "en") -> Callable[[Entry], None]:
    """Return a subscriber that writes each entry into `file`, which is the caller's to close."""

    def write(entry: Entry) -> None:
        file.write(line_of(entry, language))

    return write
