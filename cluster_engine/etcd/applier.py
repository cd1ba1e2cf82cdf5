"""Carries out what has been agreed upon, on one member's store: equal requests in equal order make equal stores.

What each member decides by itself is only when a lease runs out, and that only the leader acts upon (`leases`).

    applier.apply(pb.PutRequest(key=b"a", value=b"1"))      -> PutResponse; NoSpaceError where there is no room
    applier.apply(pb.LeaseGrantRequest(TTL=10))             -> LeaseGrantResponse

Modelled on etcd's server/etcdserver/apply.go.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from google.protobuf.message import Message

from cluster_engine.etcd import apply, quota
from cluster_engine.etcd.errors import LeaseNotFoundError, NoSpaceError
from cluster_engine.etcd.store import Store
from cluster_engine.rpc import etcd_pb2 as pb


class Log(Protocol):
    """Where the server tells what it did on its own account."""

    def __call__(self, kind: str, text: str, /, **fields: Any) -> None:
        """Note one thing done."""


class Applier:
    """Changes one store, and notes what is worth it."""

    def __init__(self, store: Store, log: Log) -> None:
        self._store = store
        self._log = log
        self._ways: Mapping[type[Message], Callable[[Any], Message]] = {
            pb.PutRequest: self._put,
            pb.DeleteRangeRequest: lambda request: apply.apply_delete_range(store, request),
            pb.TxnRequest: self._txn,
            pb.CompactionRequest: self._compact,
            pb.LeaseGrantRequest: self._grant,
            pb.LeaseRevokeRequest: self._revoke,
            pb.AlarmRequest: self._alarm,
            pb.ClusterMemberAttrSetRequest: self._publish,
        }

    def apply(self, request: Message) -> Message:
        """Carry out one request and give its response, without header but for a revision. EtcdError: refused."""
        return self._ways[type(request)](request)

    def keep_alive(self, request: pb.LeaseKeepAliveRequest) -> pb.LeaseKeepAliveResponse:
        """Start a lease's time anew; TTL 0 where there is none."""
        response = pb.LeaseKeepAliveResponse(ID=request.ID)
        with contextlib.suppress(LeaseNotFoundError):
            response.TTL = self._store.leases.keep_alive(request.ID, now()).ttl
        return response

    def time_to_live(self, request: pb.LeaseTimeToLiveRequest) -> pb.LeaseTimeToLiveResponse:
        """Tell how long a lease has left; -1 where there is none."""
        response = pb.LeaseTimeToLiveResponse(ID=request.ID)
        try:
            lease = self._store.leases.get(request.ID)
        except LeaseNotFoundError:
            response.TTL = -1
        else:
            response.TTL = lease.remaining_seconds(now())
            response.grantedTTL = lease.ttl
            if request.keys:
                response.keys.extend(sorted(lease.keys))
        return response

    def _put(self, request: pb.PutRequest) -> pb.PutResponse:
        with self._alarmed():
            return apply.apply_put(self._store, request)

    def _txn(self, request: pb.TxnRequest) -> pb.TxnResponse:
        with self._alarmed():
            return apply.apply_txn(self._store, request)

    def _compact(self, request: pb.CompactionRequest) -> pb.CompactionResponse:
        forgotten = self._store.compact(request.revision)
        quota.look_again(self._store)
        self._log(
            "etcd.compacted",
            f"history before revision {request.revision} is gone: {forgotten} superseded records",
            revision=request.revision,
            records=forgotten,
        )
        return pb.CompactionResponse()

    def _grant(self, request: pb.LeaseGrantRequest) -> pb.LeaseGrantResponse:
        quota.check_lease(self._store)
        lease = self._store.grant(request.TTL, request.ID, now())
        return pb.LeaseGrantResponse(ID=lease.id, TTL=lease.ttl)

    def _revoke(self, request: pb.LeaseRevokeRequest) -> pb.LeaseRevokeResponse:
        self._store.revoke(request.ID)
        return pb.LeaseRevokeResponse()

    def _alarm(self, request: pb.AlarmRequest) -> pb.AlarmResponse:
        store = self._store
        if request.action == pb.AlarmRequest.ACTIVATE and request.alarm == pb.NOSPACE:
            store.has_no_space, store.alarmed_by = True, request.memberID
        response = pb.AlarmResponse()
        if store.has_no_space:
            response.alarms.add(memberID=store.alarmed_by or request.memberID, alarm=pb.NOSPACE)
        if request.action == pb.AlarmRequest.DEACTIVATE:
            store.has_no_space, store.alarmed_by = False, 0
        return response

    def _publish(self, request: pb.ClusterMemberAttrSetRequest) -> pb.ClusterMemberAttrSetRequest:
        attributes = request.member_attributes
        self._store.members.publish(request.member_ID, attributes.name, attributes.client_urls)
        return request

    @contextlib.contextmanager
    def _alarmed(self) -> Iterator[None]:
        before = self._store.has_no_space
        try:
            yield
        except NoSpaceError:
            if not before:
                size = self._store.history.size_bytes
                self._log("etcd.alarm", f"raises the alarm NOSPACE: the database has {size} bytes", bytes=size)
            raise


def now() -> float:
    """Return the event loop's time, by which leases run out."""
    return asyncio.get_running_loop().time()
