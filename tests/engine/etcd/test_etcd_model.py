"""The store against a model that keeps a whole copy of everything at every revision."""

from collections import namedtuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cluster_engine.etcd.errors import CompactedError
from cluster_engine.etcd.history import FROM_KEY_ON, KeyRange
from cluster_engine.etcd.store import Store
from cluster_engine.etcd.watchers import Watcher, WatchHub

KEYS = st.sampled_from([b"a", b"a\0", b"aa", b"ab", b"b", b"\xff"])
ENDS = st.one_of(st.just(b""), st.just(FROM_KEY_ON), KEYS)
VALUES = st.binary(max_size=2)

Entry = namedtuple("Entry", "value create mod version lease")


def within(key, first, end):
    if end == b"":
        return key == first
    return key >= first and (end == FROM_KEY_ON or key < end)


class Model:
    """State by revision; nothing is ever shared, trimmed or searched cleverly."""

    def __init__(self):
        self.states = {1: {}}
        self.events = []
        self.revision = 1
        self.compacted = 0

    def write(self, changes):
        """Apply (key, value or None, lease) as one revision, if there are any."""
        if not changes:
            return
        before = self.states[self.revision]
        after = dict(before)
        self.revision += 1
        for key, value, lease in changes:
            if value is None:
                del after[key]
            else:
                old = before.get(key)
                create, version = (old.create, old.version + 1) if old else (self.revision, 1)
                after[key] = Entry(value, create, self.revision, version, lease)
            self.events.append((self.revision, key, after.get(key), before.get(key)))
        self.states[self.revision] = after

    def select(self, first, end, revision):
        return {key: entry for key, entry in sorted(self.states[revision].items()) if within(key, first, end)}


class StoreMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.store = Store()
        self.hub = WatchHub(self.store)
        self.model = Model()
        self.now = 0.0
        self.leases = {}
        self.watchers = []

    @rule(key=KEYS, value=VALUES, data=st.data())
    def put(self, key, value, data):
        lease = data.draw(st.sampled_from([0, *self.leases]))
        self.model.write([(key, value, lease)])
        assert self.store.put(key, value, lease) == self.model.revision

    @rule(key=KEYS, end=ENDS)
    def delete_range(self, key, end):
        there = self.model.select(key, end, self.model.revision)
        self.model.write([(key, None, 0) for key in there])
        deleted = self.store.delete_range(key, end)
        assert [kv.key for kv in deleted] == list(there)

    @rule(puts=st.dictionaries(KEYS, VALUES, min_size=1))
    def put_many_at_once(self, puts):
        self.model.write([(key, value, 0) for key, value in puts.items()])
        write = self.store.begin()
        for key, value in puts.items():
            write.put(key, value)
        write.commit()

    @rule(data=st.data())
    def compact(self, data):
        revision = data.draw(st.integers(0, self.model.revision))
        try:
            self.store.compact(revision)
        except CompactedError:
            assert revision <= self.model.compacted
        else:
            assert revision > self.model.compacted
            self.model.compacted = revision

    @rule(key=KEYS, end=ENDS, data=st.data())
    def read_the_past(self, key, end, data):
        revision = data.draw(st.integers(1, self.model.revision))
        try:
            selection = self.store.range(key, end, revision=revision)
        except CompactedError:
            assert revision < self.model.compacted
        else:
            assert revision >= self.model.compacted
            self._same(selection, self.model.select(key, end, revision))

    def _same(self, selection, expected):
        found = {
            kv.key: Entry(kv.value, kv.create_revision, kv.mod_revision, kv.version, kv.lease) for kv in selection.kvs
        }
        assert list(found.items()) == list(expected.items())
        assert selection.count == len(expected)

    @rule(ttl=st.integers(2, 9))
    def grant(self, ttl):
        lease = self.store.grant(ttl, 0, self.now)
        self.leases[lease.id] = self.now + ttl

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def keep_alive(self, data):
        lease_id = data.draw(st.sampled_from(list(self.leases)))
        self.leases[lease_id] = self.store.leases.keep_alive(lease_id, self.now).ttl + self.now

    @rule(seconds=st.integers(1, 5))
    def time_passes(self, seconds):
        self.now += seconds
        for lease_id, due in sorted(self.leases.items(), key=lambda item: (item[1], item[0])):
            if due <= self.now:
                del self.leases[lease_id]
                held = [key for key, entry in self.model.states[self.model.revision].items() if entry.lease == lease_id]
                self.model.write([(key, None, 0) for key in sorted(held)])
        self.store.expire(self.now)

    @rule(key=KEYS, end=ENDS, data=st.data())
    def watch(self, key, end, data):
        start = data.draw(st.integers(1, self.model.revision + 2))
        watcher = Watcher(KeyRange.of(key, end), start, lambda _: None)
        self.hub.add(watcher)
        self.watchers.append((watcher, key, end, start, []))

    @precondition(lambda self: self.watchers)
    @rule(data=st.data())
    def take(self, data):
        watcher, key, end, start, had = data.draw(st.sampled_from(self.watchers))
        missing = [event for event in self.model.events if event[0] >= start and within(event[1], key, end)][len(had) :]
        try:
            taken = self.hub.take(watcher)
        except CompactedError:
            # Only a watcher that would have to skip something may be cancelled.
            assert (missing[0][0] if had else start) < self.model.compacted
            self.watchers = [known for known in self.watchers if known[0] is not watcher]
            return
        assert [(c.revision, c.kv.key, c.kv.value) for c in taken] == [
            (revision, key, entry.value if entry else b"") for revision, key, entry, _ in missing
        ]
        for change, (revision, _, _, before) in zip(taken, missing, strict=True):
            if revision > self.model.compacted:
                assert (change.previous and change.previous.value) == (before and before.value)
        had.extend(missing)

    @invariant()
    def the_present_is_the_same(self):
        assert self.store.revision == self.model.revision
        self._same(self.store.range(b"\0", FROM_KEY_ON), self.model.select(b"\0", FROM_KEY_ON, self.model.revision))

    @invariant()
    def every_lease_holds_its_keys(self):
        present = self.model.states[self.model.revision]
        for lease_id in self.store.leases:
            held = sorted(key for key, entry in present.items() if entry.lease == lease_id)
            assert sorted(self.store.leases.get(lease_id).keys) == held


TestStoreAgainstModel = StoreMachine.TestCase
TestStoreAgainstModel.settings = settings(max_examples=60, stateful_step_count=40)
