"""How much the store may hold: writes beyond it are refused with NOSPACE until compaction has made room.

    QUOTA_BYTES                   new keys and large values are refused from here on
    … and one RESERVE_BYTES       small new values of keys that exist: heartbeats, a deletion's timestamp
    … and another                 a number: the mark by which the API server agrees on compaction; no object is so small

Modelled on etcd's `storage/quota.go` (costs) and the alarm of `etcdserver/apply.go`. In reality the alarm refuses every
put from then on, until an operator has compacted, defragmented and disarmed it; here the reserve keeps the cluster
alive, and the alarm goes by itself. One that somebody raises by hand does refuse every put until it is taken back.

    store of 32 MiB    put /registry/configmaps/default/new      etcdserver: mvcc: database space exceeded
                       put /registry/leases/kube-node-lease/…    done
                       delete, compact                           done, and there is room again
"""

from collections.abc import Iterable

from cluster_engine.etcd.errors import NoSpaceError
from cluster_engine.etcd.history import RECORD_BYTES
from cluster_engine.etcd.store import Store
from cluster_engine.rpc import etcd_pb2 as pb

QUOTA_BYTES = 32 * 1024 * 1024
RESERVE_BYTES = 4 * 1024 * 1024
SMALL_BYTES, TINY_BYTES = 16 * 1024, 320
KEY_BYTES = 5 * 1024
"""What a key counts beside its records: caches and informers of the cluster hold several copies of every object, which
take far more than its bytes in etcd where it is small (measured: 75 KB for a pod of 2 KB with its event)."""


def used_bytes(store: Store) -> int:
    """Say how much of the quota is used."""
    return store.history.size_bytes + KEY_BYTES * store.history.key_count


def check_puts(store: Store, puts: Iterable[pb.PutRequest]) -> None:
    """Raise NoSpaceError, and the alarm, unless the store has room for what is to be put."""
    requests = list(puts)
    cost = sum(len(request.key) + len(request.value) + RECORD_BYTES for request in requests)
    limit = QUOTA_BYTES
    if cost <= TINY_BYTES:
        limit += 2 * RESERVE_BYTES
    elif cost <= SMALL_BYTES and all(store.history.get(request.key) is not None for request in requests):
        limit += RESERVE_BYTES
    if cost and (store.alarmed_by or used_bytes(store) + cost > limit):
        store.has_no_space = True
        raise NoSpaceError


def check_lease(store: Store) -> None:
    """Raise NoSpaceError unless there is room for another lease."""
    if store.alarmed_by or used_bytes(store) > QUOTA_BYTES:
        store.has_no_space = True
        raise NoSpaceError


def look_again(store: Store) -> None:
    """Let the alarm go where there is room again."""
    store.has_no_space = bool(store.alarmed_by) or (store.has_no_space and used_bytes(store) > QUOTA_BYTES)
