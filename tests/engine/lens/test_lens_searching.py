"""Texts are found in bodies as they crossed the wire, in bounded portions that go on where the last one ended."""

import pytest

from cluster_engine.journal import Journal
from cluster_engine.lens import searching
from cluster_engine.lens.evidence import Evidence, pack
from cluster_engine.lens.searching import Search


def journal_of(*bodies: bytes) -> Journal:
    journal = Journal()
    for body in bodies:
        journal.append({"seq": 0, "kind": "note"}, pack(Evidence(), journal.keep_body(body)))
    return journal


def ask(journal, *texts, since=0):
    search = Search(journal, texts, since)
    for _ in search.reading():
        pass
    return search.answer()


def test_letters_match_whatever_their_case_and_stars_stand_for_anything_in_order():
    journal = journal_of(b'{"nodeName":"worker-1"}', b"", b'{"nodeName":"worker-2","x":1}', "Grüße".encode())
    answer = ask(journal, "NODENAME", "node*worker-2", "worker*node", "Grüße", "**worker-1*")
    assert answer == {"since": 0, "to": 4, "head": 4, "first": 1, "found": [[1, 3], [3], [], [4], [1]]}


def test_an_entry_that_came_without_evidence_has_nothing():
    journal = Journal()
    journal.append({"seq": 0, "kind": "command.started"})
    assert ask(journal, "x")["found"] == [[]]


@pytest.mark.parametrize(("bound", "to"), [("ENTRIES_MAX", 3), ("FOUND_MAX", 3), ("BYTES_MAX", 1)])
def test_a_question_stops_at_its_bound_and_the_next_goes_on_from_there(monkeypatch, bound, to):
    monkeypatch.setattr(searching, bound, 3)
    journal = journal_of(*(b"%d text" % n for n in range(8)))
    found, since = [], 0
    while since < journal.head:
        answer = ask(journal, "text", since=since)
        assert since < answer["to"] <= since + to
        found += answer["found"][0]
        since = answer["to"]
    assert found == list(range(1, 9))


def test_others_have_their_turn_within_a_question(monkeypatch):
    monkeypatch.setattr(searching, "SLICE_ENTRIES", 2)
    assert len(list(Search(journal_of(*[b"x"] * 10), ["x"], 0).reading())) == 5


def test_what_the_journal_has_forgotten_is_passed_over():
    journal = Journal(bytes_max=256 * 1024)
    for n in range(300):
        body = b"%d text " % n + b"x" * 4000
        journal.append({"seq": 0, "kind": "note"}, pack(Evidence(), journal.keep_body(body)))
    assert journal.first > 1
    answer = ask(journal, "text")
    assert answer["first"] == journal.first
    assert answer["to"] == 300
    assert min(answer["found"][0]) >= journal.first


@pytest.mark.parametrize("texts", [["*"], [""], ["x" * 101], ["x"] * 9])
def test_what_cannot_be_looked_for_is_refused(texts):
    with pytest.raises(ValueError, match=r"look|text"):
        Search(Journal(), texts, 0)


def test_a_pattern_of_many_stars_costs_no_more_than_its_pieces():
    body = b"a" * 200_000
    assert ask(journal_of(body), "*".join(["a"] * 49 + ["b"]))["found"] == [[]]
