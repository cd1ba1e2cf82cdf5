"""Which entries have a text in their bodies, looked through in order, so much of them for each question.

A text is looked for in a body as it crossed the wire: JSON as it was written, of protobuf its strings (names of its
fields are not on the wire). Letters of ASCII match whatever their case, and `*` in a text stands for anything between
its pieces, in this order: the first place of each is as good as any, so the search is linear. There is no other syntax.

A question is bounded in entries, bytes and answers; where it stops early, the answer says how far it came, and the next
question goes on from there.

    search = Search(journal, ["nodename", "web-*-x2k4p"], since=0)
    for _ in search.reading(): ...                  in slices, so that nobody waits
    search.answer()    -> {"since": 0, "to": 4096, "head": 9120, "first": 1, "found": [[812, 815], []]}
"""

from collections.abc import Iterator, Sequence

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.journal import Journal
from cluster_engine.journal.recent import Recent

TEXTS_MAX = 8
TEXT_CHARACTERS_MAX = 100
ENTRIES_MAX = 8192
BYTES_MAX = 16 * 1024 * 1024
FOUND_MAX = 2000
"""Of each text; a question ends at the entry with which one has so many."""
SLICE_ENTRIES = 128
SLICE_BYTES = 512 * 1024
BODIES_REMEMBERED = 512


class _Stored(msgspec.Struct, array_like=True):
    """As much of `StoredEvidence` as is needed; the rest is not read."""

    pieces: msgspec.Raw
    headers: msgspec.Raw
    body_type: str
    body: int


_unpack = msgspec.msgpack.Decoder(_Stored).decode


class Text:
    """A text to look for. ValueError where it is empty or too long."""

    def __init__(self, text: str) -> None:
        if len(text) > TEXT_CHARACTERS_MAX:
            raise ValueError(f"a text has at most {TEXT_CHARACTERS_MAX} characters")
        self._pieces = [piece.lower().encode("utf-8", "replace") for piece in text.split("*") if piece]
        if not self._pieces:
            raise ValueError("there is nothing to look for")

    def is_in(self, body: bytes) -> bool:
        """Whether a body, its ASCII letters in lower case, holds all pieces in this order."""
        at = 0
        for piece in self._pieces:
            at = body.find(piece, at)
            if at < 0:
                return False
            at += len(piece)
        return True


def body_of(journal: Journal, seq: int) -> int:
    """Return the position of an entry's body in the journal, -1 where it has none. KeyError when it is not here."""
    packed = journal.evidence(seq)
    return _unpack(packed).body if packed else -1


class Finder:
    """Says which of some texts are in the body of an entry, by their numbers; a body that it knows it does not read."""

    def __init__(self, journal: Journal, texts: Sequence[str]) -> None:
        self._journal = journal
        self._texts = [Text(text) for text in texts]
        self._in: Recent[int, tuple[int, ...]] = Recent(BODIES_REMEMBERED)
        self.bytes = 0
        """So much has been looked through."""

    def texts_in(self, seq: int) -> tuple[int, ...]:
        """Look into one entry. What the journal has forgotten has nothing."""
        try:
            position = body_of(self._journal, seq)
        except KeyError:
            return ()
        known = self._in.get(position) if position >= 0 else ()
        if known is None:
            body = (self._journal.read(position) or b"").lower()
            self.bytes += len(body)
            known = self._in[position] = tuple(n for n, text in enumerate(self._texts) if text.is_in(body))
        return known


class Search:
    """One question about the entries after `since`."""

    def __init__(self, journal: Journal, texts: Sequence[str], since: int) -> None:
        if len(texts) > TEXTS_MAX:
            raise ValueError(f"at most {TEXTS_MAX} texts are looked for at once")
        self._journal = journal
        self._finder = Finder(journal, texts)
        self._since = since
        self._to = since
        self._found: list[list[int]] = [[] for _ in texts]

    def reading(self) -> Iterator[None]:
        """Look through what there is, as far as the bounds allow; pause between two slices."""
        pause_at = SLICE_BYTES
        begin = max(self._since + 1, self._journal.first)
        for seq in range(begin, min(self._journal.head + 1, begin + ENTRIES_MAX)):
            for number in self._finder.texts_in(seq):
                self._found[number].append(seq)
            self._to = seq
            if self._finder.bytes >= BYTES_MAX or any(len(seqs) >= FOUND_MAX for seqs in self._found):
                return
            if seq % SLICE_ENTRIES == 0 or self._finder.bytes >= pause_at:
                pause_at = self._finder.bytes + SLICE_BYTES
                yield

    def answer(self) -> Object:
        """Say what was found and how far, of what has been read."""
        told = {"since": self._since, "to": self._to, "head": self._journal.head, "first": self._journal.first}
        return {**told, "found": self._found}


__all__ = ["TEXTS_MAX", "TEXT_CHARACTERS_MAX", "Finder", "Search", "Text", "body_of"]
