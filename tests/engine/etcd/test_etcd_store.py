import pytest

from cluster_engine.etcd.errors import CompactedError, FutureRevisionError, LeaseNotFoundError
from cluster_engine.etcd.history import RECORD_BYTES, prefix_end
from cluster_engine.etcd.store import Store


def shape(selection):
    return [(kv.key, kv.value, kv.create_revision, kv.mod_revision, kv.version) for kv in selection.kvs]


@pytest.fixture
def store():
    return Store()


def test_the_first_write_gets_revision_two(store):
    assert store.revision == 1
    assert store.put(b"a", b"x") == 2


def test_a_write_keeps_the_create_revision_and_counts_the_version(store):
    store.put(b"a", b"x")
    store.put(b"b", b"y")
    store.put(b"a", b"z")
    assert shape(store.range(b"a", b"c")) == [(b"a", b"z", 2, 4, 2), (b"b", b"y", 3, 3, 1)]


def test_a_key_deleted_and_put_again_begins_a_new_life(store):
    store.put(b"a", b"x")
    store.put(b"a", b"y")
    store.delete_range(b"a")
    store.put(b"a", b"z")
    assert shape(store.range(b"a")) == [(b"a", b"z", 5, 5, 1)]


def test_the_past_can_be_read_at_every_revision(store):
    store.put(b"a", b"x")
    store.put(b"b", b"y")
    store.delete_range(b"a")
    assert [kv.key for kv in store.range(b"\0", b"\0", revision=1).kvs] == []
    assert [kv.key for kv in store.range(b"\0", b"\0", revision=2).kvs] == [b"a"]
    assert [kv.key for kv in store.range(b"\0", b"\0", revision=3).kvs] == [b"a", b"b"]
    assert [kv.key for kv in store.range(b"\0", b"\0", revision=4).kvs] == [b"b"]
    with pytest.raises(FutureRevisionError):
        store.range(b"a", revision=5)


def test_a_deletion_of_many_keys_is_one_revision_and_of_none_is_none(store):
    for key in (b"a", b"b", b"c"):
        store.put(key, b"")
    deleted = store.delete_range(b"a", b"c")
    assert ([kv.key for kv in deleted], store.revision) == ([b"a", b"b"], 5)
    assert (store.delete_range(b"a", b"c"), store.revision) == ([], 5)


@pytest.mark.parametrize(
    ("key", "range_end", "found"),
    [
        (b"b", b"", [b"b"]),
        (b"b", b"d", [b"b", b"bb", b"c"]),
        (b"b", b"\0", [b"b", b"bb", b"c", b"d"]),
        (b"\0", b"\0", [b"a", b"b", b"bb", b"c", b"d"]),
        (b"b", prefix_end(b"b"), [b"b", b"bb"]),
        (b"d", b"b", []),
        (b"bbb", b"", []),
    ],
)
def test_a_range_ends_where_etcd_says(store, key, range_end, found):
    for there in (b"d", b"bb", b"a", b"c", b"b"):
        store.put(there, b"")
    assert [kv.key for kv in store.range(key, range_end).kvs] == found


def test_a_limit_cuts_the_keys_and_not_the_count(store):
    for key in (b"a", b"b", b"c"):
        store.put(key, b"")
    selection = store.range(b"a", b"\0", limit=2)
    assert ([kv.key for kv in selection.kvs], selection.count) == ([b"a", b"b"], 3)


@pytest.mark.parametrize(("prefix", "end"), [(b"a/", b"a0"), (b"a\xff", b"b"), (b"\xff\xff", b"\0"), (b"", b"\0")])
def test_a_prefix_ends_before_the_next_prefix(prefix, end):
    assert prefix_end(prefix) == end


def test_compaction_keeps_what_can_still_be_read_and_drops_the_rest(store):
    for value in (b"1", b"2", b"3"):
        store.put(b"a", value)
    store.put(b"gone", b"")
    store.delete_range(b"gone")
    assert store.compact(6) == 4
    assert [kv.key for kv in store.range(b"\0", b"\0", revision=6).kvs] == [b"a"]
    assert store.history.size_bytes == len(b"a3") + RECORD_BYTES
    with pytest.raises(CompactedError):
        store.range(b"a", revision=5)
    with pytest.raises(CompactedError):
        store.compact(6)
    with pytest.raises(FutureRevisionError):
        store.compact(7)


def test_compaction_bounds_the_history_of_a_key_that_is_written_for_ever(store):
    for number in range(1000):
        store.put(b"a", b"%04d" % number)
        if number % 100 == 99:
            store.compact(store.revision)
    assert store.history.size_bytes == len(b"a0999") + RECORD_BYTES
    assert len(store.history.changes(0)) == 1


def test_a_key_recreated_after_its_tombstone_was_compacted_survives_the_next_compaction(store):
    store.put(b"a", b"1")
    store.delete_range(b"a")
    store.compact(3)
    store.put(b"b", b"")
    store.put(b"a", b"2")
    store.put(b"a", b"3")
    assert store.compact(4) == 0
    assert shape(store.range(b"a", revision=5)) == [(b"a", b"2", 5, 5, 1)]
    assert shape(store.range(b"a")) == [(b"a", b"3", 5, 6, 2)]


def test_a_put_on_a_lease_that_is_not_there_changes_nothing(store):
    with pytest.raises(LeaseNotFoundError):
        store.put(b"a", b"x", lease=7)
    assert (store.revision, store.range(b"a").count) == (1, 0)


def test_a_lease_takes_all_its_keys_in_one_revision(store):
    store.grant(ttl=10, lease_id=7, now=0.0)
    store.put(b"b", b"", lease=7)
    store.put(b"a", b"", lease=7)
    assert store.expire(9.9) == []
    ((lease_id, deleted),) = store.expire(10.0)
    assert (lease_id, [kv.key for kv in deleted], store.revision) == (7, [b"a", b"b"], 4)


def test_a_key_put_without_its_lease_outlives_it(store):
    store.grant(ttl=10, lease_id=7, now=0.0)
    store.put(b"a", b"", lease=7)
    store.put(b"a", b"")
    store.expire(10.0)
    assert store.range(b"a").count == 1


def test_a_key_put_on_another_lease_lives_as_long_as_that(store):
    store.grant(ttl=10, lease_id=7, now=0.0)
    store.grant(ttl=20, lease_id=8, now=0.0)
    store.put(b"a", b"", lease=7)
    store.put(b"a", b"", lease=8)
    store.expire(10.0)
    assert store.range(b"a").kvs[0].lease == 8
    store.expire(20.0)
    assert store.range(b"a").count == 0


def test_a_lease_whose_key_was_deleted_takes_nothing(store):
    store.grant(ttl=10, lease_id=7, now=0.0)
    store.put(b"a", b"", lease=7)
    store.delete_range(b"a")
    assert (store.revoke(7), store.revision) == ([], 3)
