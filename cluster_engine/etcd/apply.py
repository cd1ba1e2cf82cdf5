"""From a request to its response: what etcd does between the gRPC service and the store.

Modelled on etcd's `v3rpc/key.go` (what is checked on arrival) and `etcdserver/apply.go` (how it is carried out). Both
ends are the protobuf messages of the wire. A transaction is refused as a whole before it has changed anything: first
its form is checked, then its comparisons are decided, those of nested transactions too, all against the state before;
then what the chosen branches ask for is checked; only then is it carried out.

    compare  mod_revision(/registry/pods/default/web) = 7
    success  put /registry/pods/default/web
    failure  range /registry/pods/default/web

is how a Kubernetes API server updates an object: optimistic locking by resourceVersion. If the key is still as it was
read, it is written; if not, the answer brings the newer state in the same round trip.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter, eq, gt, lt, ne
from typing import Any

from google.protobuf.message import Message

from cluster_engine.etcd import quota
from cluster_engine.etcd.errors import (
    DuplicateKeyError,
    EmptyKeyError,
    InvalidSortOptionError,
    KeyNotFoundError,
    LeaseProvidedError,
    RequestTooLargeError,
    TooManyOperationsError,
    ValueProvidedError,
)
from cluster_engine.etcd.history import KeyRange, KeyValue
from cluster_engine.etcd.store import Store, Write
from cluster_engine.rpc import etcd_pb2 as pb
from cluster_engine.rpc import kv_pb2

REQUEST_BYTES_MAX = 1536 * 1024
OPERATIONS_MAX = 128

_NOTHING = KeyValue(b"", b"", 0, 0, 0)

_SORT_BY: Mapping[int, Callable[[KeyValue], Any]] = {
    pb.RangeRequest.KEY: attrgetter("key"),
    pb.RangeRequest.VERSION: attrgetter("version"),
    pb.RangeRequest.CREATE: attrgetter("create_revision"),
    pb.RangeRequest.MOD: attrgetter("mod_revision"),
    pb.RangeRequest.VALUE: attrgetter("value"),
}
_COMPARISONS: Mapping[int, Callable[[Any, Any], bool]] = {
    pb.Compare.EQUAL: eq,
    pb.Compare.GREATER: gt,
    pb.Compare.LESS: lt,
    pb.Compare.NOT_EQUAL: ne,
}
_TARGETS: Mapping[int, str] = {
    pb.Compare.VERSION: "version",
    pb.Compare.CREATE: "create_revision",
    pb.Compare.MOD: "mod_revision",
    pb.Compare.VALUE: "value",
    pb.Compare.LEASE: "lease",
}


def message_of(kv: KeyValue) -> kv_pb2.KeyValue:
    """Return the wire's form of a record."""
    return kv_pb2.KeyValue(
        key=kv.key,
        value=kv.value,
        create_revision=kv.create_revision,
        mod_revision=kv.mod_revision,
        version=kv.version,
        lease=kv.lease,
    )


def apply_range(store: Store, request: pb.RangeRequest) -> pb.RangeResponse:
    """Read."""
    _check_range(request)
    return _range(store, request, store.revision)


def apply_put(store: Store, request: pb.PutRequest) -> pb.PutResponse:
    """Write one key."""
    _check_size(request)
    _check_put(request)
    _check_applicable(store, request)
    quota.check_puts(store, [request])
    write = store.begin()
    response = _put(store, write, request)
    write.commit()
    return response


def apply_delete_range(store: Store, request: pb.DeleteRangeRequest) -> pb.DeleteRangeResponse:
    """Delete a range of keys."""
    _check_size(request)
    _check_delete(request)
    write = store.begin()
    response = _delete(write, request)
    write.commit()
    return response


def apply_txn(store: Store, request: pb.TxnRequest) -> pb.TxnResponse:
    """Decide and carry out a transaction."""
    check_form(request)
    decisions = list(_decide(store, request))
    chosen = list(_chosen(request, iter(decisions)))
    for operation in chosen:
        _check_applicable(store, operation)
    quota.check_puts(store, [operation for operation in chosen if isinstance(operation, pb.PutRequest)])
    write = store.begin()
    response = _txn(store, write, request, iter(decisions))
    write.commit()
    return response


def check_form(request: Message) -> None:
    """Raise what a request is refused for on arrival, whatever is stored."""
    if isinstance(request, pb.TxnRequest):
        _check_size(request)
        _check_txn(request, OPERATIONS_MAX)
        _check_changes_once(request.success)
        _check_changes_once(request.failure)
    elif type(request) in _CHECKS:
        _check_size(request)
        _CHECKS[type(request)](request)


def is_read(request: pb.TxnRequest) -> bool:
    """Return whether a transaction changes nothing, whichever way it goes."""
    for operation in (*request.success, *request.failure):
        inner = _inner(operation)
        if isinstance(inner, pb.TxnRequest) and is_read(inner):
            continue
        if inner is not None and not isinstance(inner, pb.RangeRequest):
            return False
    return True


# The form of a request, whatever is stored


def _check_size(request: Message) -> None:
    if request.ByteSize() > REQUEST_BYTES_MAX:
        raise RequestTooLargeError


def _check_range(request: pb.RangeRequest) -> None:
    if not request.key:
        raise EmptyKeyError
    if request.sort_target not in _SORT_BY or request.sort_order not in pb.RangeRequest.SortOrder.values():
        raise InvalidSortOptionError


def _check_put(request: pb.PutRequest) -> None:
    if not request.key:
        raise EmptyKeyError
    if request.ignore_value and request.value:
        raise ValueProvidedError
    if request.ignore_lease and request.lease:
        raise LeaseProvidedError


def _check_delete(request: pb.DeleteRangeRequest) -> None:
    if not request.key:
        raise EmptyKeyError


def _check_txn(request: pb.TxnRequest, operations_max: int) -> None:
    operations = max(len(request.compare), len(request.success), len(request.failure))
    if operations > operations_max:
        raise TooManyOperationsError
    if any(not compare.key for compare in request.compare):
        raise EmptyKeyError
    for branch in (request.success, request.failure):
        for operation in branch:
            inner = _inner(operation)
            if isinstance(inner, pb.TxnRequest):
                _check_txn(inner, operations_max - operations)
            elif inner is not None:
                _CHECKS[type(inner)](inner)


_CHECKS: Mapping[type, Callable[[Any], None]] = {
    pb.RangeRequest: _check_range,
    pb.PutRequest: _check_put,
    pb.DeleteRangeRequest: _check_delete,
}


def _check_changes_once(branch: Iterable[pb.RequestOp]) -> tuple[dict[bytes, None], list[KeyRange]]:
    """Raise DuplicateKeyError if two operations that can both happen change one key; give the puts and deletes."""
    puts: dict[bytes, None] = {}
    deletes: list[KeyRange] = []
    for operation in branch:
        for more_puts, more_deletes in _changes_of(_inner(operation)):
            for key in more_puts:
                if key in puts or any(key in deleted for deleted in deletes):
                    raise DuplicateKeyError
            if any(key in deleted for deleted in more_deletes for key in puts):
                raise DuplicateKeyError
            puts.update(more_puts)
            deletes.extend(more_deletes)
    return puts, deletes


def _changes_of(operation: Message | None) -> Iterator[tuple[dict[bytes, None], list[KeyRange]]]:
    if isinstance(operation, pb.PutRequest):
        yield {operation.key: None}, []
    elif isinstance(operation, pb.DeleteRangeRequest):
        yield {}, [KeyRange.of(operation.key, operation.range_end)]
    elif isinstance(operation, pb.TxnRequest):
        # The two branches exclude each other, so they may change the same key.
        then_puts, then_deletes = _check_changes_once(operation.success)
        else_puts, else_deletes = _check_changes_once(operation.failure)
        yield then_puts | else_puts, then_deletes + else_deletes


def _inner(operation: pb.RequestOp) -> Any:
    which = operation.WhichOneof("request")
    return None if which is None else getattr(operation, which)


# The decision, against the state before


def _decide(store: Store, request: pb.TxnRequest) -> Iterator[bool]:
    """Say for a transaction, then for each nested one on the way taken, whether its comparisons hold."""
    holds = all(_holds(store, compare) for compare in request.compare)
    yield holds
    for operation in request.success if holds else request.failure:
        inner = _inner(operation)
        if isinstance(inner, pb.TxnRequest):
            yield from _decide(store, inner)


def _holds(store: Store, compare: pb.Compare) -> bool:
    kvs = store.history.select(KeyRange.of(compare.key, compare.range_end))
    target = _TARGETS.get(compare.target)
    comparison = _COMPARISONS.get(compare.result)
    if target is None or comparison is None:
        return True  # etcd too lets pass what it does not know
    if not kvs and target == "value":
        return False  # no value is not the empty value
    expected = getattr(compare, target)
    return all(comparison(getattr(kv, target), expected) for kv in kvs or (_NOTHING,))


def _chosen(request: pb.TxnRequest, decisions: Iterator[bool]) -> Iterator[Message]:
    """List the puts, deletes and ranges that will be carried out."""
    for operation in request.success if next(decisions) else request.failure:
        inner = _inner(operation)
        if isinstance(inner, pb.TxnRequest):
            yield from _chosen(inner, decisions)
        elif inner is not None:
            yield inner


def _check_applicable(store: Store, request: Message) -> None:
    """Raise what carrying out `request` on the present state would raise."""
    if isinstance(request, pb.RangeRequest):
        store.check_readable(request.revision)
    elif isinstance(request, pb.PutRequest):
        if request.lease:
            store.leases.get(request.lease)
        if (request.ignore_value or request.ignore_lease) and store.history.get(request.key) is None:
            raise KeyNotFoundError


# Carrying out


def _range(store: Store, request: pb.RangeRequest, revision: int) -> pb.RangeResponse:
    found = store.range(request.key, request.range_end, revision=request.revision)
    response = pb.RangeResponse(count=found.count)
    response.header.revision = revision
    if request.count_only:
        return response
    kvs = _sorted(_filtered(found.kvs, request), request)
    if 0 < request.limit < len(kvs):
        kvs = kvs[: request.limit]
        response.more = True
    response.kvs.extend(map(message_of, kvs))
    if request.keys_only:
        for kv in response.kvs:
            kv.ClearField("value")
    return response


def _filtered(kvs: Iterable[KeyValue], request: pb.RangeRequest) -> list[KeyValue]:
    kept = list(kvs)
    if request.max_mod_revision:
        kept = [kv for kv in kept if kv.mod_revision <= request.max_mod_revision]
    if request.min_mod_revision:
        kept = [kv for kv in kept if kv.mod_revision >= request.min_mod_revision]
    if request.max_create_revision:
        kept = [kv for kv in kept if kv.create_revision <= request.max_create_revision]
    if request.min_create_revision:
        kept = [kv for kv in kept if kv.create_revision >= request.min_create_revision]
    return kept


def _sorted(kvs: list[KeyValue], request: pb.RangeRequest) -> list[KeyValue]:
    if request.sort_target == pb.RangeRequest.KEY and request.sort_order != pb.RangeRequest.DESCEND:
        return kvs
    descending = request.sort_order == pb.RangeRequest.DESCEND
    return sorted(kvs, key=_SORT_BY[request.sort_target], reverse=descending)


def _put(store: Store, write: Write, request: pb.PutRequest) -> pb.PutResponse:
    value, lease = request.value, request.lease
    if request.ignore_value or request.ignore_lease:
        current = store.history.get(request.key)
        if current is None:
            raise KeyNotFoundError
        value = current.value if request.ignore_value else value
        lease = current.lease if request.ignore_lease else lease
    old = write.put(request.key, value, lease)
    response = pb.PutResponse()
    response.header.revision = write.revision
    if request.prev_kv and old is not None:
        response.prev_kv.CopyFrom(message_of(old))
    return response


def _delete(write: Write, request: pb.DeleteRangeRequest) -> pb.DeleteRangeResponse:
    deleted = write.delete_range(request.key, request.range_end)
    response = pb.DeleteRangeResponse(deleted=len(deleted))
    response.header.revision = write.revision
    if request.prev_kv:
        response.prev_kvs.extend(map(message_of, deleted))
    return response


def _txn(store: Store, write: Write, request: pb.TxnRequest, decisions: Iterator[bool]) -> pb.TxnResponse:
    holds = next(decisions)
    response = pb.TxnResponse(succeeded=holds)
    for operation in request.success if holds else request.failure:
        inner = _inner(operation)
        answer = response.responses.add()
        if isinstance(inner, pb.RangeRequest):
            answer.response_range.CopyFrom(_range(store, inner, write.revision))
        elif isinstance(inner, pb.PutRequest):
            answer.response_put.CopyFrom(_put(store, write, inner))
        elif isinstance(inner, pb.DeleteRangeRequest):
            answer.response_delete_range.CopyFrom(_delete(write, inner))
        elif isinstance(inner, pb.TxnRequest):
            answer.response_txn.CopyFrom(_txn(store, write, inner, decisions))
    response.header.revision = write.revision
    return response
