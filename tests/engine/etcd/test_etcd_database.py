"""A store becomes bytes and comes back; bytes that are no store are refused, at little cost."""

import random
import struct

import pytest

from cluster_engine.etcd import database
from cluster_engine.etcd.database import Database, DatabaseError, read_database
from cluster_engine.etcd.store import Store
from cluster_engine.world.files import FileSystem


def filled():
    store = Store()
    store.grant(30, 77, 0.0)
    store.put(b"a", b"1")
    store.put(b"b", b"2", 77)
    store.put(b"a", b"3")
    store.delete_range(b"b")
    store.put(b"c", b"4", 77)
    return store


def test_a_store_comes_back_with_its_history_its_revision_and_its_leases():
    store = filled()
    found = read_database(bytes(Database(store)))
    assert found.revision == store.revision
    for revision in range(2, store.revision + 1):
        assert found.range(b"a", b"\0", revision=revision) == store.range(b"a", b"\0", revision=revision)
    assert list(found.leases.get(77).keys) == [b"c"]
    assert [change.kv for change in found.history.changes(2)] == [change.kv for change in store.history.changes(2)]
    assert database.hash_of(found, 4) == database.hash_of(store, 4) != database.hash_of(store, 3)


def test_a_compacted_store_comes_back_compacted():
    store = filled()
    store.compact(5)
    found = read_database(bytes(Database(store)))
    assert (found.compacted, found.history.size_bytes) == (5, store.history.size_bytes)
    assert found.range(b"a", b"\0").kvs == store.range(b"a", b"\0").kvs


def test_the_alarm_comes_back_with_who_raised_it_and_is_taken_from_a_leader():
    store = filled()
    store.has_no_space, store.alarmed_by = True, 2**63 + 5
    found = read_database(bytes(Database(store)))
    assert (found.has_no_space, found.alarmed_by) == (True, 2**63 + 5)
    store.alarmed_by = 0
    found = read_database(bytes(Database(store)))
    assert (found.has_no_space, found.alarmed_by) == (True, 0)
    other = filled()
    other.become(found)
    assert other.has_no_space


def test_a_database_that_was_moved_is_the_same_store_and_one_that_was_copied_is_another():
    files = FileSystem()
    store = database.open_store(files, "/var/lib/etcd")
    store.put(b"a", b"1")
    files.copy("/var/lib/etcd/member/snap/db", "/copy/member/snap/db")
    files.move("/var/lib/etcd/member/snap/db", "/moved/member/snap/db")
    store.put(b"a", b"2")
    assert database.open_store(files, "/moved") is store
    assert database.open_store(files, "/copy").range(b"a").kvs[0].value == b"1"
    assert database.open_store(files, "/var/lib/etcd").revision == 1


def test_bytes_that_were_changed_are_a_store_or_refused():
    data = bytes(Database(filled()))
    rng = random.Random(1)
    for _ in range(2_000):
        changed = bytearray(data[: rng.randrange(len(data))] if rng.random() < 0.3 else data)
        for _ in range(rng.randrange(4)):
            if changed:
                changed[rng.randrange(min(len(changed), 400))] = rng.randrange(256)
        try:
            read_database(bytes(changed))
        except DatabaseError:
            continue


def test_a_database_of_more_keys_than_the_quota_is_refused():
    records = b"".join(
        struct.pack(">I", 11) + b"\n\x05" + f"{number:05}".encode() + b"\x18\x02 \x01" for number in range(20_000)
    )
    with pytest.raises(DatabaseError):
        read_database(database.MAGIC + struct.pack(">QQQQ", 2, 0, 0, 0) + records + bytes(4))


def test_an_earlier_store_is_as_it_was_and_goes_on_from_there():
    store = filled()
    for revision in range(2, store.revision + 1):
        earlier = database.as_of(store, revision)
        assert (earlier.revision, earlier.range(b"a", b"\0").kvs) == (
            revision,
            store.range(b"a", b"\0", revision=revision).kvs,
        )
    assert database.as_of(store, 3).put(b"d", b"5") == 4, "what comes after has a revision that has been before"
    store.compact(5)
    assert database.as_of(store, 2).revision == 5, "nobody knows what was before the compaction"
