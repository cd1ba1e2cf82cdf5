"""The journal: numbered without a gap, bounded, with bytes beside each entry."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_engine.journal import Journal
from cluster_engine.journal.spool import Spool


def entry(number: int = 0, text: str = "") -> dict:
    return {"seq": 0, "kind": "test", "label": f"entry {number}", "fields": {"text": text}}


@pytest.fixture(params=["memory", "disk"])
def where(request, tmp_path):
    return None if request.param == "memory" else tmp_path


def test_entries_are_numbered_from_one_without_a_gap(where):
    journal = Journal(where)
    assert (journal.first, journal.head) == (1, 0)
    assert [journal.append(entry(n)) for n in range(5)] == [1, 2, 3, 4, 5]
    assert [e["seq"] for e in journal.since(0, 100)] == [1, 2, 3, 4, 5]
    assert [e["seq"] for e in journal.since(2, 2)] == [3, 4]
    assert journal.since(5, 10) == []
    journal.close()


def test_subscribers_hear_every_entry_in_order_until_they_leave():
    journal, heard = Journal(), []
    journal.append(entry())
    leave = journal.subscribe(heard.append)
    journal.append(entry(1))
    journal.append(entry(2))
    leave()
    journal.append(entry(3))
    assert [e["seq"] for e in heard] == [2, 3]


def test_history_is_bounded_and_says_where_it_begins(where):
    bound = 256 * 1024
    journal = Journal(where, bytes_max=bound)
    for number in range(5_000):
        journal.append(entry(number, "x" * 200))
    assert journal.head == 5_000
    assert 1 < journal.first < 5_000
    assert journal._spool.end - journal._spool.first <= bound * 1.1
    rest = journal.since(0, 10_000)
    assert [e["seq"] for e in rest] == list(range(journal.first, 5_001))
    with pytest.raises(KeyError):
        journal.evidence(journal.first - 1)
    assert journal.entry(journal.first)["seq"] == journal.first
    journal.close()


def test_on_disk_memory_holds_only_the_last_of_it(tmp_path):
    journal = Journal(tmp_path, bytes_max=4 * 1024 * 1024)
    for number in range(5_000):
        journal.append(entry(number, "x" * 500))
    assert sum(len(chunk.tail) for chunk in journal._spool._chunks) <= 64 * 1024 + 1024
    assert journal.first == 1
    assert journal.since(0, 1)[0]["label"] == "entry 0"
    assert list(tmp_path.iterdir()) == []
    journal.close()


def test_a_body_is_kept_once_however_often_it_is_said():
    journal = Journal()
    first = journal.keep_body(b"a pod" * 100)
    end = journal._spool.end
    assert journal.keep_body(b"a pod" * 100) == first
    assert journal._spool.end == end
    assert journal.keep_body(b"another") != first
    assert journal.keep_body(b"") == -1


def test_a_body_about_to_be_forgotten_is_kept_again():
    journal = Journal(bytes_max=64 * 1024)
    first = journal.keep_body(b"said often")
    for _ in range(40):
        journal.keep(b"x" * 1024)
    assert journal.keep_body(b"said often") != first


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=300), max_size=60), st.sampled_from([1, 64, 1000, 5000]))
def test_a_spool_gives_back_what_it_was_given_or_none(blobs, bound):
    spool = Spool(None, bytes_max=bound)
    positions = [spool.append(blob) for blob in blobs]
    assert positions == sorted(positions)
    for position, blob in zip(positions, blobs, strict=True):
        assert spool.read(position) == (blob if position >= spool.first else None)
    assert spool.read(spool.end) is None
    spool.close()


def test_a_disk_that_is_gone_costs_history_and_nothing_else(tmp_path):
    place = tmp_path / "gone"
    place.mkdir()
    journal = Journal(place, bytes_max=1024 * 1024)
    journal.append(entry(0))
    place.rmdir()
    for number in range(1, 1_000):
        journal.append(entry(number, "x" * 300))
    assert journal.head == 1_000
    assert [e["seq"] for e in journal.since(0, 9_999)] == list(range(journal.first, 1_001))
    assert journal.first < 1_000


def test_a_spool_on_disk_gives_back_blobs_of_any_size(tmp_path):
    spool = Spool(tmp_path, bytes_max=10_000_000)
    blobs = [bytes([n % 256]) * (n * 997 % 150_000) for n in range(60)]
    positions = [spool.append(blob) for blob in blobs]
    assert [spool.read(position) for position in positions] == blobs
    spool.close()


@pytest.mark.parametrize("bytes_max", [64 * 1024 * 1024, 256 * 1024], ids=["whole", "with its beginning forgotten"])
def test_a_journal_that_was_saved_is_the_same_in_another_process(where, tmp_path, bytes_max):
    journal = Journal(where, bytes_max=bytes_max)
    for number in range(2_000):
        body = journal.keep_body(b"body %d" % number)
        journal.keep_packet(b"packet %d" % number)
        journal.keep_secret(b"secret %d" % number)
        journal.append(entry(number, "x" * 200), b"%d" % body)
    with (tmp_path / "saved").open("wb") as file:
        journal.save(file)
    with (tmp_path / "saved").open("rb") as file:
        again = Journal.load(file, where)
    assert (again.first, again.head) == (journal.first, journal.head)
    assert (again.first > 1) == (bytes_max < 1024 * 1024)
    for seq in (journal.first, journal.head):
        assert again.entry(seq) == journal.entry(seq)
        assert again.read(int(again.evidence(seq))) == journal.read(int(journal.evidence(seq)))
        for one, other in ((again.packets, journal.packets), (again.secrets, journal.secrets)):
            numbers = one.between(seq, seq)
            assert numbers == other.between(seq, seq)
            assert [again.read(one.position(n)) for n in numbers] == [journal.read(other.position(n)) for n in numbers]
    for one in (journal, again):
        one.close()


@pytest.mark.parametrize("data", [b"", b"\0" * 8, b"\0" * 7 + b"\x01\xc0"])
def test_what_is_no_saved_journal_is_refused(tmp_path, data):
    (tmp_path / "saved").write_bytes(data)
    with (tmp_path / "saved").open("rb") as file, pytest.raises(ValueError):
        Journal.load(file)
