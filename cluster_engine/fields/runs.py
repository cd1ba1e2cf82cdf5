"""Messages that lie in several runs of bytes: a body in the DATA frames of its stream, a header block in two records.

What lies in runs is joined, dissected as one, and its fields are laid back into the runs they came from; one that
crosses from one run into the next is in both.

    joined  0 ── header ── 5 ────── message ────── 12           runs (9, 16) and (25, 30)
    laid    9 ── header ── 14 ─ message ─ 16   25 ─ message ─ 30
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from cluster_engine.fields.field import Field

Run = tuple[int, int]
"""Where a run begins and ends."""


def joined(data: bytes, runs: Sequence[Run]) -> bytes:
    """Return what lies in these runs of `data`."""
    return b"".join([data[begin:end] for begin, end in runs])


def laid(fields: Sequence[Field], runs: Sequence[Run]) -> list[tuple[Field, ...]]:
    """Lay fields of the joined runs back: for each run those that lie in it, with the places they have there."""
    starts = [0, *accumulate(end - begin for begin, end in runs)]
    found: list[list[Field]] = [[] for _ in runs]
    _lay(fields, runs, starts, found)
    return [tuple(one) for one in found]


def _lay(fields: Sequence[Field], runs: Sequence[Run], starts: list[int], found: list[list[Field]]) -> None:
    for field in fields:
        first, last = bisect_right(starts, field.begin) - 1, bisect_left(starts, field.end) - 1
        if first == last:
            found[first].append(_shifted(field, runs[first][0] - starts[first]))
            continue
        inner: list[list[Field]] = [[] for _ in range(first, last + 1)]
        _lay(field.fields, runs[first : last + 1], [*starts[first : last + 2]], inner)
        for place, fields_there in zip(range(first, last + 1), inner, strict=True):
            by = runs[place][0] - starts[place]
            begin, end = max(field.begin, starts[place]) + by, min(field.end, starts[place + 1]) + by
            if end > begin:
                found[place].append(Field(field.name, begin, end, field.value, tuple(fields_there)))


def _shifted(field: Field, by: int) -> Field:
    inner = tuple([_shifted(one, by) for one in field.fields])
    return Field(field.name, field.begin + by, field.end + by, field.value, inner)
