"""The multi-version memory of the store: every state of every key, back to the last compaction.

Modelled on etcd's `mvcc` (key index and backend): a write never overwrites. It adds a record under the next *revision*,
one counter for the whole store, and a deletion adds a *tombstone*, a record of version 0. So the state at any revision
since the last compaction can still be read, and a watch that was away can be told what it missed.

    revision   write          records of key a (mod, create, version)      what a read sees
    2          put a=x        (2, 2, 1)                                     at 2: x
    3          put b=y        -                                             at 3: a=x b=y
    4          put a=z        (4, 2, 2)                                     at 4: z, at 3 still x
    5          delete a       (5, -, tombstone)                             at 5: nothing, at 4 still z
    6          put a=w        (6, 6, 1)       a new life: create 6, version 1
    compact 5                 only (6, 6, 1) is left; reads before 5 are refused, watches from before 5 cancelled

All changes of one transaction share the main revision and are numbered within it by `sub`. A key changes at most once
in a revision (transactions are checked for that), so `mod_revision` alone orders the records of one key.

Left out: the B+tree file below it (bbolt), so compaction is at once and defragmentation has nothing to do.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from operator import attrgetter

import msgspec

FROM_KEY_ON = b"\0"
"""As `range_end`: no upper bound."""

RECORD_BYTES = 256
"""What a record takes beside its key and value (`kvOverhead`)."""

_mod_revision = attrgetter("mod_revision")
_revision = attrgetter("revision")


class KeyValue(msgspec.Struct, frozen=True):
    """A key as it was at one revision; with version 0 a tombstone, of which only key and mod_revision count."""

    key: bytes
    value: bytes
    create_revision: int
    mod_revision: int
    version: int
    lease: int = 0


class Change(msgspec.Struct, frozen=True):
    """One key's step from `previous` (None: it did not exist) to `kv`, the `sub`-th of the revision."""

    revision: int
    sub: int
    kv: KeyValue
    previous: KeyValue | None

    @property
    def deletes(self) -> bool:
        """Whether the key is gone after it."""
        return self.kv.version == 0


class KeyRange(msgspec.Struct, frozen=True):
    """The keys from `key` on and before `end`; `end` None is the one key, b"" no upper bound."""

    key: bytes
    end: bytes | None

    @classmethod
    def of(cls, key: bytes, range_end: bytes) -> "KeyRange":
        """Read `range_end` as etcd's requests mean it: empty is one key, a zero byte is every key from `key` on."""
        if not range_end:
            return cls(key, None)
        return cls(key, b"" if range_end == FROM_KEY_ON else range_end)

    def __contains__(self, key: bytes) -> bool:
        if self.end is None:
            return key == self.key
        return key >= self.key and (not self.end or key < self.end)


def prefix_end(prefix: bytes) -> bytes:
    r"""Return the `range_end` of all keys that begin with `prefix`: b"a/" -> b"a0", b"a\xff" -> b"b"."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else FROM_KEY_ON


class History:
    """Records by key, keys in order, and changes in order of revision; knows nothing of transactions or leases.

    `size_bytes` is what all records take, as a database file would hold them.
    """

    def __init__(self) -> None:
        self._records: dict[bytes, list[KeyValue]] = {}
        self._keys: list[bytes] = []
        self._log: list[Change] = []
        self.size_bytes = 0

    @property
    def key_count(self) -> int:
        """Count the keys that are there, or were since the last compaction."""
        return len(self._keys)

    def get(self, key: bytes, revision: int | None = None) -> KeyValue | None:
        """Read one key, now or at `revision`; None where it did not exist."""
        records = self._records.get(key)
        if not records:
            return None
        if revision is None or records[-1].mod_revision <= revision:
            kv = records[-1]
        else:
            newer = bisect_right(records, revision, key=_mod_revision)
            if newer == 0:
                return None
            kv = records[newer - 1]
        return kv if kv.version else None

    def newest(self, key: bytes) -> KeyValue | None:
        """Return a key's last record, which may be a tombstone."""
        return self._records[key][-1] if key in self._records else None

    def records(self) -> list[KeyValue]:
        """Return all records, oldest first, those of one revision in the order in which they were made."""
        order = {(change.kv.key, change.revision): change.sub for change in self._log}
        everything = (kv for records in self._records.values() for kv in records)
        return sorted(everything, key=lambda kv: (kv.mod_revision, order.get((kv.key, kv.mod_revision), 0), kv.key))

    def select(self, wanted: KeyRange, revision: int | None = None) -> list[KeyValue]:
        """Read the keys of a range in their order, now or at `revision`."""
        if wanted.end is None:
            kv = self.get(wanted.key, revision)
            return [] if kv is None else [kv]
        low = bisect_left(self._keys, wanted.key)
        high = bisect_left(self._keys, wanted.end) if wanted.end else len(self._keys)
        return [kv for key in self._keys[low:high] if (kv := self.get(key, revision)) is not None]

    def append(self, kv: KeyValue, sub: int) -> Change:
        """Remember `kv`, whose mod_revision is no older than anything remembered."""
        records = self._records.get(kv.key)
        if records is None:
            records = self._records[kv.key] = []
            insort(self._keys, kv.key)
        previous = records[-1] if records and records[-1].version else None
        records.append(kv)
        self.size_bytes += _size(kv)
        change = Change(kv.mod_revision, sub, kv, previous)
        self._log.append(change)
        return change

    def changes(self, since: int) -> Sequence[Change]:
        """Return the changes of revision `since` and later, oldest first."""
        return self._log[bisect_left(self._log, since, key=_revision) :]

    def compact(self, revision: int) -> int:
        """Forget what only a read before `revision` could see; give the number of records forgotten.

        Changes *at* `revision` stay, for watches that start there; what they replaced does not.
        """
        kept_from = bisect_left(self._log, revision, key=_revision)
        replaced_before = bisect_right(self._log, revision, key=_revision)
        keys = dict.fromkeys(change.kv.key for change in self._log[:replaced_before])
        forgotten = sum(self._trim(key, revision) for key in keys)
        boundary = [Change(c.revision, c.sub, c.kv, None) for c in self._log[kept_from:replaced_before]]
        self._log[:replaced_before] = boundary
        return forgotten

    def _trim(self, key: bytes, revision: int) -> int:
        records = self._records.get(key)
        if records is None:
            return 0
        newest = bisect_right(records, revision, key=_mod_revision) - 1
        if newest < 0:
            return 0
        drop = newest if records[newest].version else newest + 1
        self.size_bytes -= sum(map(_size, records[:drop]))
        if drop == len(records):
            del self._records[key]
            self._keys.pop(bisect_left(self._keys, key))
        else:
            del records[:drop]
        return drop


def _size(kv: KeyValue) -> int:
    return len(kv.key) + len(kv.value) + RECORD_BYTES
