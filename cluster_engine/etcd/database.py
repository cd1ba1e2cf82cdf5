"""The database's file: a store as bytes, and the store that such bytes are.

A member keeps its store below its data directory, in `member/snap/db`. While etcd runs, and after, that file is bound
to the store (`FileSystem.bind`): moving the directory moves the store, copying it makes bytes of it, deleting it loses
it. At its start etcd takes the store that lies there, reads one from bytes, or makes an empty one.

    MAGIC                                              which form this is
    revision, compacted, index                         numbers of 8 bytes
    alarm, number of leases                            0: none, 1: no space, else also who raised it
    id, seconds to live                                for each lease
    length (4 bytes), mvccpb.KeyValue                  for each record, oldest first; a length of 0 ends them
    zeros                                              up to a multiple of PAGE_BYTES

A snapshot (`etcdctl snapshot save`) is these bytes and their SHA-256, as in reality, so that whoever has only copied
the file is found out by its length. What is read may be anybody's: sizes, revisions and leases are checked, and no more
is kept than etcd's quota allows. In reality the file is bbolt's, a B+tree with buckets for keys, leases, members and
users.
"""

import struct
import zlib
from collections.abc import Iterator
from hashlib import sha256

from google.protobuf.message import DecodeError
from msgspec.structs import replace

from cluster_engine.etcd import quota
from cluster_engine.etcd.history import KeyValue
from cluster_engine.etcd.leases import TTL_SECONDS_MAX
from cluster_engine.etcd.store import Store
from cluster_engine.rpc import kv_pb2
from cluster_engine.world.files import FileSystem

MAGIC = b"etcd in glass, 2"
PAGE_BYTES = 4096
HASH_BYTES = 32
LEASES_MAX = 10_000
REVISION_MAX = 2**62
_NO_SPACE = 1
_NUMBERS = struct.Struct(">QQQQQ")
_LEASE = struct.Struct(">qQ")
_LENGTH = struct.Struct(">I")


class DatabaseError(ValueError):
    """Bytes that are no database."""


def path_in(data_directory: str) -> str:
    """Return the file in which a data directory has its database."""
    return f"{data_directory.rstrip('/')}/member/snap/db"


def open_store(files: FileSystem, data_directory: str) -> Store:
    """Return the store of a data directory, an empty one where there is none. DatabaseError, OSError."""
    path = path_in(data_directory)
    bound = files.bound(path)
    if isinstance(bound, Database):
        return bound.store
    store = read_database(files.read(path)) if files.is_file(path) else Store()
    files.bind(path, Database(store))
    return store


class Database:
    """A store as its file; see `world.files.Content`."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __bytes__(self) -> bytes:
        store = self.store
        leases = [store.leases.get(lease) for lease in store.leases]
        alarm = store.alarmed_by or _NO_SPACE * store.has_no_space
        written = [MAGIC, _NUMBERS.pack(store.revision, store.compacted, store.raft_index, alarm, len(leases))]
        written += [_LEASE.pack(lease.id, lease.ttl) for lease in leases]
        for record in _records(store):
            written += [_LENGTH.pack(len(record)), record]
        data = b"".join([*written, _LENGTH.pack(0)])
        return data + bytes(-len(data) % PAGE_BYTES)


def as_of(store: Store, revision: int) -> Store:
    """Return the store as it was at an earlier revision, but for leases, as a snapshot of then would restore it."""
    earlier = Store()
    earlier.raft_term, earlier.raft_index = store.raft_term, store.raft_index
    earlier.revision = max(revision, store.compacted, 1)
    earlier.compacted = store.compacted
    for id_ in store.leases:
        if (lease := store.leases.get(id_)) is not None:
            earlier.leases.grant(lease.ttl, lease.id, 0.0)
    number, last = 0, 0
    for kv in store.history.records():
        if kv.mod_revision > earlier.revision:
            break
        number = number + 1 if kv.mod_revision == last else 0
        last = kv.mod_revision
        kept = kv if not kv.lease or kv.lease in earlier.leases else replace(kv, lease=0)
        _append(earlier, kept, number)
    return earlier


def snapshot(store: Store) -> bytes:
    """Return a store's snapshot: its database's file, and the hash of it."""
    data = bytes(Database(store))
    return data + sha256(data).digest()


def hash_of(store: Store, revision: int) -> int:
    """Return the checksum of all that was written up to a revision: members that agree have the same."""
    checksum = zlib.crc32(b"key")
    for kv in store.history.records():
        if kv.mod_revision <= revision:
            checksum = zlib.crc32(_message(kv), checksum)
    return checksum


def read_database(data: bytes) -> Store:
    """Return the store that these bytes are. DatabaseError."""
    try:
        return _read(data)
    except (struct.error, DecodeError) as error:
        raise DatabaseError("invalid database") from error


def _read(data: bytes) -> Store:
    if not data.startswith(MAGIC):
        raise DatabaseError("invalid database")
    store = Store()
    at = len(MAGIC)
    store.revision, store.compacted, store.raft_index, alarm, leases = _NUMBERS.unpack_from(data, at)
    store.has_no_space, store.alarmed_by = bool(alarm), alarm if alarm != _NO_SPACE else 0
    at += _NUMBERS.size
    _check(1 <= store.revision < REVISION_MAX and store.compacted <= store.revision and leases <= LEASES_MAX)
    _check(store.raft_index < REVISION_MAX)
    for _ in range(leases):
        id_, ttl = _LEASE.unpack_from(data, at)
        at += _LEASE.size
        _check(id_ > 0 and id_ not in store.leases and ttl <= TTL_SECONDS_MAX)
        store.leases.grant(ttl, id_, 0.0)
    number, revision = 0, 0
    while length := _LENGTH.unpack_from(data, at)[0]:
        at += _LENGTH.size
        kv = _record(data[at : at + length])
        at += length
        number = number + 1 if kv.mod_revision == revision else 0
        _check(revision <= kv.mod_revision <= store.revision)
        revision = kv.mod_revision
        _append(store, kv, number)
    if store.compacted:
        store.history.compact(store.compacted)
    return store


def _append(store: Store, kv: KeyValue, number: int) -> None:
    older = store.history.newest(kv.key)
    _check(older is None or older.mod_revision < kv.mod_revision)
    if older is not None and older.lease:
        store.leases.detach(kv.key, older.lease)
    if kv.lease:
        _check(kv.lease in store.leases)
        store.leases.attach(kv.key, kv.lease)
    store.history.append(kv, number)
    _check(quota.used_bytes(store) <= quota.QUOTA_BYTES + 2 * quota.RESERVE_BYTES)


def _record(data: bytes) -> KeyValue:
    read = kv_pb2.KeyValue.FromString(data)
    kv = KeyValue(read.key, read.value, read.create_revision, read.mod_revision, read.version, read.lease)
    _check(kv.key and kv.version >= 0 and 0 <= kv.create_revision <= kv.mod_revision)
    return kv


def _check(holds: object) -> None:
    if not holds:
        raise DatabaseError("invalid database")


def _records(store: Store) -> Iterator[bytes]:
    return map(_message, store.history.records())


def _message(kv: KeyValue) -> bytes:
    return kv_pb2.KeyValue(
        key=kv.key,
        create_revision=kv.create_revision,
        mod_revision=kv.mod_revision,
        version=kv.version,
        value=kv.value,
        lease=kv.lease,
    ).SerializeToString()
