import pytest

from cluster_engine.etcd.errors import CompactedError
from cluster_engine.etcd.history import KeyRange
from cluster_engine.etcd.store import Store
from cluster_engine.etcd.watchers import BATCH_REVISIONS_MAX, Watcher, WatchHub

EVERYTHING = KeyRange(b"\0", b"")


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def hub(store):
    return WatchHub(store)


def watch(hub, start_revision, wanted=EVERYTHING, **options):
    """Add a watcher that counts how often it is woken."""
    woken = []
    watcher = Watcher(wanted, start_revision, woken.append, **options)
    hub.add(watcher)
    return watcher, woken


def told(changes):
    return [("DELETE" if change.deletes else "PUT", change.kv.key, change.revision) for change in changes]


def test_a_watcher_hears_of_its_keys_and_of_no_others(store, hub):
    watcher, woken = watch(hub, 2, KeyRange(b"b", b"c"))
    store.put(b"a", b"")
    assert woken == []
    store.put(b"bb", b"")
    assert woken == [watcher]
    assert told(hub.take(watcher)) == [("PUT", b"bb", 3)]


def test_a_watcher_is_woken_once_however_much_is_new(store, hub):
    watcher, woken = watch(hub, 2)
    store.put(b"a", b"1")
    store.put(b"a", b"2")
    store.delete_range(b"a")
    assert woken == [watcher]
    assert told(hub.take(watcher)) == [("PUT", b"a", 2), ("PUT", b"a", 3), ("DELETE", b"a", 4)]
    assert hub.take(watcher) == ()


def test_a_watcher_from_the_past_catches_up_and_then_follows(store, hub):
    store.put(b"a", b"1")
    store.put(b"b", b"2")
    store.put(b"a", b"3")
    watcher, woken = watch(hub, 3)
    assert woken == [watcher]
    assert told(hub.take(watcher)) == [("PUT", b"b", 3), ("PUT", b"a", 4)]
    store.put(b"c", b"4")
    assert told(hub.take(watcher)) == [("PUT", b"c", 5)]


def test_a_watcher_from_the_future_does_not_hear_of_what_comes_before(store, hub):
    watcher, woken = watch(hub, 4)
    store.put(b"a", b"")
    store.put(b"b", b"")
    assert woken == []
    store.put(b"c", b"")
    assert told(hub.take(watcher)) == [("PUT", b"c", 4)]


def test_filters_leave_out_puts_or_deletes(store, hub):
    no_puts, _ = watch(hub, 2, puts=False)
    no_deletes, _ = watch(hub, 2, deletes=False)
    store.put(b"a", b"")
    store.delete_range(b"a")
    assert told(hub.take(no_puts)) == [("DELETE", b"a", 3)]
    assert told(hub.take(no_deletes)) == [("PUT", b"a", 2)]


def test_a_change_knows_what_was_there_before(store, hub):
    watcher, _ = watch(hub, 2)
    store.put(b"a", b"1")
    store.put(b"a", b"2")
    store.delete_range(b"a")
    store.put(b"a", b"3")
    previous = [change.previous for change in hub.take(watcher)]
    assert [kv and kv.value for kv in previous] == [None, b"1", b"2", None]


def test_a_slow_watcher_overtaken_by_compaction_is_cancelled(store, hub):
    watcher, woken = watch(hub, 2)
    store.put(b"a", b"1")
    store.put(b"a", b"2")
    store.compact(3)
    with pytest.raises(CompactedError) as gone:
        hub.take(watcher)
    assert gone.value.compact_revision == 3
    store.put(b"a", b"3")
    assert woken == [watcher]


def test_an_idle_watcher_survives_every_compaction(store, hub):
    watcher, _ = watch(hub, 2, KeyRange(b"mine", None))
    for number in range(10):
        store.put(b"a", b"%d" % number)
    store.compact(store.revision)
    store.put(b"mine", b"")
    assert told(hub.take(watcher)) == [("PUT", b"mine", 12)]


def test_a_watch_may_start_at_the_compacted_revision_and_hears_even_of_a_deletion_there(store, hub):
    store.put(b"a", b"1")
    store.delete_range(b"a")
    store.put(b"b", b"2")
    store.compact(3)
    watcher, _ = watch(hub, 3)
    changes = hub.take(watcher)
    assert told(changes) == [("DELETE", b"a", 3), ("PUT", b"b", 4)]
    assert changes[0].previous is None


def test_a_watcher_far_behind_catches_up_in_batches_that_never_cut_a_revision(store, hub):
    for number in range(BATCH_REVISIONS_MAX + 10):
        store.put(b"%d" % number, b"")
    watcher, woken = watch(hub, 2)
    first = hub.take(watcher)
    assert (len(first), len(woken)) == (BATCH_REVISIONS_MAX, 2)
    rest = hub.take(watcher)
    assert [change.revision for change in (*first, *rest)] == list(range(2, BATCH_REVISIONS_MAX + 12))
    assert len(woken) == 2


def test_all_changes_of_a_revision_are_told_together(store, hub):
    for key in (b"a", b"b"):
        store.put(key, b"")
    watcher, _ = watch(hub, 4)
    store.delete_range(b"a", b"c")
    changes = hub.take(watcher)
    assert [(change.revision, change.sub, change.kv.key) for change in changes] == [(4, 0, b"a"), (4, 1, b"b")]


def test_a_removed_watcher_is_not_woken(store, hub):
    watcher, woken = watch(hub, 2)
    hub.remove(watcher)
    store.put(b"a", b"")
    assert woken == []


def test_a_new_hub_takes_the_place_of_the_old_one(store, hub):
    _, woken = watch(hub, 2)
    watcher, woken_again = watch(WatchHub(store), 2)
    store.put(b"a", b"")
    assert (woken, woken_again) == ([], [watcher])
