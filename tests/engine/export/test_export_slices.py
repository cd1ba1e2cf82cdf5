"""An export that is read a slice at a time."""

from dataclasses import dataclass

import pytest

from cluster_engine.export.formats import FORMATS
from cluster_engine.export.selection import Context
from cluster_engine.export.slices import EXPORTS_MAX, SLICE_BYTES_MAX, Exports


@dataclass
class Ask:
    name: str = "a"
    number: int = 0
    format: str = "pcapng"
    first: int = 1
    last: int | None = None
    connection: int | None = None
    language: str = "en"


def read(exports, **chosen):
    parts, ended = [], False
    while not ended:
        part = exports.answer(Ask(number=len(parts), **chosen))
        parts.append(part.data)
        ended = part.ended
    return parts


@pytest.mark.parametrize("form", FORMATS)
def test_slices_are_the_whole(told, form, monkeypatch):
    monkeypatch.setattr("cluster_engine.export.slices.SLICE_STEPS_MAX", 16)
    parts = read(Exports(told.journal, Context(1_700_000_000_123_456_000)), format=form)
    assert b"".join(parts) == told.export(form)
    assert len(parts) > 2
    assert max(map(len, parts)) < 2 * SLICE_BYTES_MAX


def test_entries_that_do_not_fit_do_not_make_a_slice_long(told, monkeypatch):
    monkeypatch.setattr("cluster_engine.export.slices.SLICE_STEPS_MAX", 16)
    parts = read(Exports(told.journal), format="jsonl", connection=99_999)
    assert len(parts) > 1
    assert b"".join(parts) == b""


def test_the_one_that_was_not_read_for_longest_is_broken_off(told):
    exports = Exports(told.journal)
    for number in range(EXPORTS_MAX):
        exports.answer(Ask(str(number)))
    exports.answer(Ask("0", 1))
    exports.answer(Ask("one more"))
    exports.answer(Ask("0", 2))
    with pytest.raises(LookupError, match="broken off"):
        exports.answer(Ask("1", 1))


@pytest.mark.parametrize("ask", [Ask(number=1), Ask(format="docx")])
def test_what_is_not_under_way_or_no_format_is_refused(told, ask):
    with pytest.raises(LookupError):
        Exports(told.journal).answer(ask)


def test_what_is_forgotten_meanwhile_is_passed_over():
    from cluster_engine.journal import Journal

    journal = Journal(bytes_max=256 * 1024)
    entry = {"seq": 0, "kind": "command.started", "from": "workstation/terminal", "to": None, "label": "a" * 60}

    def write(count):
        for _ in range(count):
            journal.append({**entry, "connection": None, "size": 0, "fields": {"host": "workstation"}})

    write(400)
    exports = Exports(journal)
    first = exports.answer(Ask(format="jsonl"))
    write(5000)
    assert journal.first > 400
    rest = exports.answer(Ask(format="jsonl", number=1))
    assert first.data.count(b"\n") == 256
    assert (rest.data, rest.ended) == (b"", True)
