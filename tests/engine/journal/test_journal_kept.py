"""What is kept beside the entries: packets and key log lines, by number, as long as the spool has them."""

from cluster_engine.journal import Journal
from cluster_engine.journal.kept import Kept


def entry():
    return {"seq": 0, "kind": "test", "fields": {}}


def test_what_led_to_entries_is_found_by_their_numbers():
    kept = Kept()
    for position, after in ((0, 0), (10, 1), (20, 2), (30, 2), (40, 3)):
        kept.append(position, after)
    assert kept.between(1, 1) == range(1)
    assert kept.between(3, 3) == range(2, 4)
    assert kept.between(1, 99) == range(5)
    assert len(kept.between(3, 1)) == 0
    assert [kept.position(number) for number in (0, 4, 5)] == [0, 40, None]


def test_what_is_forgotten_keeps_its_number():
    kept = Kept()
    for position in range(0, 50, 10):
        kept.append(position, position)
    kept.forget(below=25)
    assert (kept.first, kept.end) == (3, 5)
    assert [kept.position(number) for number in (2, 3)] == [None, 30]
    assert kept.between(1, 31) == range(3, 4)


def test_a_journal_forgets_packets_with_the_bytes_that_it_drops():
    journal = Journal(bytes_max=64 * 1024)
    for _ in range(2000):
        journal.keep_packet(b"x" * 100)
        journal.keep_secret(b"y" * 10)
        journal.append(entry())
    assert journal.first > 1
    for kept in (journal.packets, journal.secrets):
        assert 0 < kept.end - kept.first < 1000
        assert kept.end == 2000
    position = journal.packets.position(journal.packets.first)
    assert journal.read(position) == b"x" * 100


def test_who_reads_last_reads_everything():
    journal, found = Journal(), []
    journal.before_close(lambda: found.append(journal.entry(journal.head)["seq"]))
    journal.append(entry())
    journal.close()
    journal.close()
    assert found == [1]
