"""The store: one revision counter, the history, the leases, and the only way to change them, the write transaction.

Modelled on etcd's `mvcc.KV` with what its apply loop adds (`etcdserver/apply.go`): every write is a transaction; if it
changed anything the revision goes up by one, and all its changes bear that one revision. Nothing here waits, reads a
clock or knows of a network, so what a store answers depends on what was asked and in which order, on nothing else.

    store = Store()                      revision 1, empty: etcd's first write gets 2
    store.put(b"a", b"x")                -> 2
    store.put(b"b", b"y")                -> 3
    store.range(b"a", b"c")              a (mod 2) and b (mod 3), count 2, at revision 3
    store.range(b"a", revision=2)        a as it was at 2
    store.delete_range(b"a", b"c")       -> a and b, both at revision 4
    store.delete_range(b"a", b"c")       -> nothing, and the revision stays 4
    store.compact(4)                     reads before 4 raise CompactedError

It is durable: it lies on its host's disk (`database`) and outlives the process. Of a single member the term counts
starts and the index writes, without a log; of several `raft_index` is the last entry carried out (`consensus`). Left
out: authentication.
"""

from collections.abc import Callable, Sequence

import msgspec

from cluster_engine.etcd.errors import CompactedError, FutureRevisionError
from cluster_engine.etcd.history import Change, History, KeyRange, KeyValue
from cluster_engine.etcd.leases import Lease, Leases
from cluster_engine.etcd.members import Members

DATA_DIRECTORY = "/var/lib/etcd"
"""Where a member keeps its store on its host's disk."""


class Selection(msgspec.Struct, frozen=True):
    """What a range found: `kvs` in order of key, `count` of all that are there, `revision` of the store."""

    kvs: Sequence[KeyValue]
    count: int
    revision: int


class Store:
    """A multi-version key-value store. Every method is atomic; a refused one has changed nothing."""

    def __init__(self) -> None:
        self.revision = 1
        self.compacted = 0
        self.history = History()
        self.leases = Leases()
        self.members = Members()
        self.raft_term = 1
        self.raft_index = 1
        self.has_no_space = False
        self.alarmed_by = 0
        """The member that has raised the alarm: nothing more is put until it is taken back; 0 when none has."""
        self.on_commit: Callable[[Sequence[Change]], None] | None = None

    def range(self, key: bytes, range_end: bytes = b"", *, revision: int = 0, limit: int = 0) -> Selection:
        """Read a key or a range of keys, now or at an earlier `revision`. CompactedError, FutureRevisionError.

        `range_end` as in etcd's requests: empty is the one key, a zero byte every key from `key` on.
        """
        self.check_readable(revision)
        revision = max(revision, 0)
        kvs = self.history.select(KeyRange.of(key, range_end), revision or None)
        return Selection(kvs[:limit] if limit else kvs, len(kvs), self.revision)

    def check_readable(self, revision: int) -> None:
        """Raise CompactedError or FutureRevisionError unless a read at `revision` (0: now) can be answered."""
        if revision > self.revision:
            raise FutureRevisionError
        if 0 < revision < self.compacted:
            raise CompactedError(self.compacted)

    def put(self, key: bytes, value: bytes, lease: int = 0) -> int:
        """Write one key and give the new revision; LeaseNotFoundError."""
        write = self.begin()
        write.put(key, value, lease)
        write.commit()
        return self.revision

    def delete_range(self, key: bytes, range_end: bytes = b"") -> list[KeyValue]:
        """Delete a key or a range of keys and give what was there."""
        write = self.begin()
        deleted = write.delete_range(key, range_end)
        write.commit()
        return deleted

    def begin(self) -> "Write":
        """Open a write transaction; it must be committed before anything else is asked of the store."""
        return Write(self)

    def compact(self, revision: int) -> int:
        """Forget what only reads before `revision` could see; give the number of records forgotten.

        CompactedError when that was done already, FutureRevisionError when `revision` has not happened.
        """
        if revision <= self.compacted:
            raise CompactedError(self.compacted)
        if revision > self.revision:
            raise FutureRevisionError
        self.compacted = revision
        self.raft_index += 1
        return self.history.compact(revision)

    def grant(self, ttl: int, lease_id: int, now: float) -> Lease:
        """Make a lease of `ttl` seconds; see `Leases.grant`."""
        self.raft_index += 1
        return self.leases.grant(ttl, lease_id, now)

    def revoke(self, lease_id: int) -> list[KeyValue]:
        """Take a lease away and delete its keys, all in one revision; LeaseNotFoundError."""
        write = self.begin()
        keys = sorted(self.leases.remove(lease_id).keys)
        deleted = [kv for key in keys for kv in write.delete_range(key)]
        write.commit()
        return deleted

    def become(self, other: "Store") -> None:
        """Hold what another store holds, in its place: a snapshot of the leader's. Members stay."""
        self.revision, self.compacted = other.revision, other.compacted
        self.history, self.leases = other.history, other.leases
        self.raft_index = other.raft_index
        self.has_no_space, self.alarmed_by = other.has_no_space, other.alarmed_by

    def expire(self, now: float) -> list[tuple[int, list[KeyValue]]]:
        """Revoke the leases that have run out; give each with the keys that went."""
        return [(lease_id, self.revoke(lease_id)) for lease_id in self.leases.due(now)]


class Write:
    """A write transaction: sees its own changes; others see them, all at once, from `commit` on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changes: list[Change] = []
        self._revision = store.revision + 1

    @property
    def revision(self) -> int:
        """The store's revision as this transaction sees it: one higher as soon as it has changed something."""
        return self._revision if self._changes else self._revision - 1

    def put(self, key: bytes, value: bytes, lease: int = 0) -> KeyValue | None:
        """Write a key and give what was there; LeaseNotFoundError, before anything is changed."""
        store = self._store
        if lease:
            store.leases.get(lease)
        old = store.history.get(key)
        if old is None:
            new = KeyValue(key, value, self._revision, self._revision, 1, lease)
        else:
            new = KeyValue(key, value, old.create_revision, self._revision, old.version + 1, lease)
            if old.lease:
                store.leases.detach(key, old.lease)
        if lease:
            store.leases.attach(key, lease)
        self._changes.append(store.history.append(new, len(self._changes)))
        return old

    def delete_range(self, key: bytes, range_end: bytes = b"") -> list[KeyValue]:
        """Delete a key or a range of keys and give what was there."""
        store = self._store
        there = store.history.select(KeyRange.of(key, range_end))
        for old in there:
            if old.lease:
                store.leases.detach(old.key, old.lease)
            tombstone = KeyValue(old.key, b"", 0, self._revision, 0)
            self._changes.append(store.history.append(tombstone, len(self._changes)))
        return there

    def commit(self) -> None:
        """Make the changes the store's newest revision and tell the watchers."""
        store = self._store
        store.raft_index += 1
        if self._changes:
            store.revision = self._revision
            if store.on_commit is not None:
                store.on_commit(self._changes)
