"""Batches of journal entries: cut and joined as bytes, never changed."""

import pytest

from visualizer.hosting.batches import Batch, array, decode, encode, join


def entries(first: int, last: int) -> list[dict[str, object]]:
    return [
        {"seq": seq, "label": f'a "comma", a {{brace}} and ü {seq}', "fields": {"n": [seq]}}
        for seq in range(first, last + 1)
    ]


def test_a_batch_gives_back_what_was_encoded():
    batch = encode(entries(3, 7))
    assert (batch.first, batch.last, len(batch)) == (3, 7, 5)
    assert decode(batch) == entries(3, 7)


def test_entries_with_a_gap_are_a_bug():
    with pytest.raises(AssertionError, match="gap"):
        encode([*entries(1, 2), *entries(4, 5)])


@pytest.mark.parametrize(("since", "left"), [(0, (3, 7)), (2, (3, 7)), (3, (4, 7)), (6, (7, 7)), (7, None), (99, None)])
def test_the_part_after_an_entry_starts_right_behind_it(since, left):
    part = encode(entries(3, 7)).after(since)
    if left is None:
        assert part is None
    else:
        assert part is not None
        assert decode(part) == entries(*left)
        assert (part.first, part.last) == left


@pytest.mark.parametrize(("seq", "left"), [(99, (3, 7)), (7, (3, 7)), (6, (3, 6)), (3, (3, 3)), (2, None)])
def test_the_part_until_an_entry_ends_with_it(seq, left):
    part = encode(entries(3, 7)).until(seq)
    assert (part and decode(part)) == (left and entries(*left))


def test_joining_batches_is_encoding_them_together():
    assert join([encode(entries(1, 2)), encode(entries(3, 3)), encode(entries(4, 6))]) == encode(entries(1, 6))


def test_an_array_of_nothing_is_empty():
    assert array([]) == b"[]"
    assert array([Batch(1, 1, b"{}"), Batch(2, 2, b"{}")]) == b"[{},{}]"
