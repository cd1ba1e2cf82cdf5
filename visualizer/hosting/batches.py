"""Journal entries in batches: encoded once in the worker, then carried, kept and joined as bytes.

A batch holds the entries `first` … `last` without a gap, as JSON objects joined by commas: joining two batches is one
comma, and nothing between the engine and the browser parses an entry again. Only who resumes in the middle of a batch
has it cut.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

LOST = "journal.lost"
LOST_ENTRIES_MAX = 1000  # in one batch

_encode = msgspec.json.Encoder().encode
_raw = msgspec.json.Decoder(list[msgspec.Raw])


class Batch(msgspec.Struct, tag=True, frozen=True):
    """The entries `first` … `last`. `inputs` of the run had been taken by then (0: nobody says)."""

    first: int
    last: int
    entries: bytes
    inputs: int = 0

    def __len__(self) -> int:
        return self.last - self.first + 1

    def after(self, seq: int) -> "Batch | None":
        """The part that comes after `seq`, or None."""
        if seq < self.first:
            return self
        return self._cut(seq + 1, self.last) if seq < self.last else None

    def until(self, seq: int) -> "Batch | None":
        """The part up to `seq`, or None."""
        if seq >= self.last:
            return self
        return self._cut(self.first, seq) if seq >= self.first else None

    def _cut(self, first: int, last: int) -> "Batch":
        parts = _raw.decode(b"[" + self.entries + b"]")[first - self.first : last - self.first + 1]
        return Batch(first, last, b",".join(bytes(part) for part in parts), self.inputs)


def encode(entries: Sequence[dict[str, Any]], inputs: int = 0) -> Batch:
    """Make a batch of entries that follow each other, made by so many inputs."""
    first, last = entries[0]["seq"], entries[-1]["seq"]
    assert last - first + 1 == len(entries), f"journal entries {first} to {last} have a gap"
    return Batch(first, last, _encode(entries)[1:-1], inputs)


def join(batches: Sequence[Batch]) -> Batch:
    """Make one batch of several that follow each other."""
    return Batch(batches[0].first, batches[-1].last, array(batches)[1:-1], batches[-1].inputs)


def array(batches: Iterable[Batch]) -> bytes:
    """Write batches as one JSON array."""
    return b"[" + b",".join(batch.entries for batch in batches) + b"]"


def decode(batch: Batch) -> list[dict[str, Any]]:
    """Read the entries back."""
    entries: list[dict[str, Any]] = msgspec.json.decode(b"[" + batch.entries + b"]")
    return entries


def lost(first: int, then: Batch) -> Iterator[Batch]:
    """Make what stands for the entries from `first` on that nobody has any more, before the batch that comes `then`.

    They are notes, of the time of what comes then and beside it. The first of them is drawn and says how many there
    are; the others are there so that entries are numbered without a gap.
    """
    last = then.first - 1
    after = decode(then)[0]
    note = {"arrived": None, "kind": LOST, "label": "lost", "to": None, "size": 0, "at": after["at"]}
    note |= dict.fromkeys(("cause", "trigger", "replyTo", "connection", "stream"))
    note |= {"from": after["from"], "fields": {"first": first, "last": last}}
    for start in range(first, then.first, LOST_ENTRIES_MAX):
        end = min(start + LOST_ENTRIES_MAX, then.first)
        yield encode(
            [
                {"seq": seq, "layer": "story" if seq == first else "tcp", "heartbeat": seq > first, **note}
                for seq in range(start, end)
            ]
        )
