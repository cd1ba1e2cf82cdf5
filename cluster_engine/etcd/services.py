"""etcd's gRPC services on one store for who uses it: KV, Lease (Watch is `watch_service`, the rest `administration`).

Each method takes the request of the wire and gives the response, or raises an `EtcdError`, which grpclib writes into
the trailers as status and message. Modelled on etcd's `server/etcdserver/api/v3rpc`. One member runs, so that nothing
has to be agreed upon first unless more were added (`members`); writes, and reads that are to see them, wait for its
disk and its turn (`disk`).

Leases run out by the event loop's time: one task sleeps until the next is due.

    LeaseGrant(TTL=10) at 0 s      the task sleeps until 10 s
    LeaseKeepAlive at 8 s          the task still wakes at 10 s, finds nothing due and sleeps until 18 s
    no more keep-alives            at 18 s the lease's keys go, in one revision, and watchers hear of it
"""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from grpclib.server import Stream

from cluster_engine.etcd import apply, quota
from cluster_engine.etcd.disk import Disk
from cluster_engine.etcd.errors import LeaseNotFoundError, NoSpaceError
from cluster_engine.etcd.history import KeyValue
from cluster_engine.etcd.members import CLUSTER_ID, MEMBER_ID
from cluster_engine.etcd.store import Store
from cluster_engine.rpc import etcd_pb2 as pb


class Log(Protocol):
    """Where the server tells what it did on its own account."""

    def __call__(self, kind: str, text: str, /, **fields: Any) -> None:
        """Note one thing done."""


class Headers:
    """Fills response headers: who answers, and at which revision unless the response already says."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def fill(self, header: pb.ResponseHeader) -> None:
        """Complete one header in place."""
        header.cluster_id = CLUSTER_ID
        header.member_id = MEMBER_ID
        header.raft_term = self._store.raft_term
        if not header.revision:
            header.revision = self._store.revision

    def member(self, header: pb.ResponseHeader) -> None:
        """Complete the header of an answer about members, which knows no revision."""
        self.fill(header)
        header.revision = 0


class KVService:
    """Range, Put, DeleteRange, Txn, Compact."""

    def __init__(self, store: Store, headers: Headers, log: Log, disk: Disk) -> None:
        self._store = store
        self._headers = headers
        self._log = log
        self._disk = disk

    async def Range(self, request: pb.RangeRequest) -> pb.RangeResponse:  # noqa: N802 - named by the wire
        """Read."""
        if not request.serializable:
            await self._disk.idle()
        response = apply.apply_range(self._store, request)
        self._headers.fill(response.header)
        return response

    async def Put(self, request: pb.PutRequest) -> pb.PutResponse:  # noqa: N802
        """Write one key."""
        await self._disk.written()
        with self._alarmed():
            response = apply.apply_put(self._store, request)
        self._headers.fill(response.header)
        return response

    async def DeleteRange(self, request: pb.DeleteRangeRequest) -> pb.DeleteRangeResponse:  # noqa: N802
        """Delete a range of keys."""
        await self._disk.written()
        response = apply.apply_delete_range(self._store, request)
        self._headers.fill(response.header)
        return response

    async def Txn(self, request: pb.TxnRequest) -> pb.TxnResponse:  # noqa: N802
        """Compare, then do the one or the other."""
        await self._disk.written()
        with self._alarmed():
            response = apply.apply_txn(self._store, request)
        self._headers.fill(response.header)
        return response

    async def Compact(self, request: pb.CompactionRequest) -> pb.CompactionResponse:  # noqa: N802
        """Forget history."""
        await self._disk.agreed()
        forgotten = self._store.compact(request.revision)
        quota.look_again(self._store)
        self._log(
            "etcd.compacted",
            f"history before revision {request.revision} is gone: {forgotten} superseded records",
            revision=request.revision,
            records=forgotten,
        )
        response = pb.CompactionResponse()
        self._headers.fill(response.header)
        return response

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


class LeaseService:
    """LeaseGrant, LeaseRevoke, LeaseKeepAlive, LeaseTimeToLive, LeaseLeases, and the clock behind them."""

    def __init__(self, store: Store, headers: Headers, log: Log, disk: Disk) -> None:
        self._store = store
        self._headers = headers
        self._log = log
        self._disk = disk
        self._sooner = asyncio.Event()
        self._wakes_at: float | None = None

    async def run(self) -> None:
        """Let leases run out when they are due; until cancelled."""
        while True:
            wakes_at = self._wakes_at = self._store.leases.next_due()
            self._sooner.clear()
            try:
                async with asyncio.timeout_at(wakes_at):
                    await self._sooner.wait()
            except TimeoutError:
                # A loop calls timers up to its clock's resolution early.
                self._expire(_now() if wakes_at is None else max(_now(), wakes_at))

    def _expire(self, now: float) -> None:
        for lease_id, deleted in self._store.expire(now):
            self._log(
                "etcd.lease_expired",
                f"lease {lease_id:x} ran out and took {_count(deleted)} with it",
                lease=f"{lease_id:x}",
                keys=[kv.key.decode(errors="replace") for kv in deleted],
            )

    async def LeaseGrant(self, request: pb.LeaseGrantRequest) -> pb.LeaseGrantResponse:  # noqa: N802
        """Make a lease."""
        await self._disk.agreed()
        quota.check_lease(self._store)
        lease = self._store.grant(request.TTL, request.ID, _now())
        if self._wakes_at is None or lease.expires_at < self._wakes_at:
            self._sooner.set()
        response = pb.LeaseGrantResponse(ID=lease.id, TTL=lease.ttl)
        self._headers.fill(response.header)
        return response

    async def LeaseRevoke(self, request: pb.LeaseRevokeRequest) -> pb.LeaseRevokeResponse:  # noqa: N802
        """End a lease now."""
        await self._disk.agreed()
        self._store.revoke(request.ID)
        response = pb.LeaseRevokeResponse()
        self._headers.fill(response.header)
        return response

    async def LeaseKeepAlive(  # noqa: N802
        self, stream: Stream[pb.LeaseKeepAliveRequest, pb.LeaseKeepAliveResponse]
    ) -> None:
        """Start leases' time anew, as often as asked."""
        async for request in stream:
            response = pb.LeaseKeepAliveResponse(ID=request.ID)
            try:
                response.TTL = self._store.leases.keep_alive(request.ID, _now()).ttl
            except LeaseNotFoundError:
                response.TTL = 0
            self._headers.fill(response.header)
            await stream.send_message(response)

    async def LeaseTimeToLive(  # noqa: N802
        self, request: pb.LeaseTimeToLiveRequest
    ) -> pb.LeaseTimeToLiveResponse:
        """Tell how long a lease has left."""
        response = pb.LeaseTimeToLiveResponse(ID=request.ID)
        try:
            lease = self._store.leases.get(request.ID)
        except LeaseNotFoundError:
            response.TTL = -1
        else:
            response.TTL = lease.remaining_seconds(_now())
            response.grantedTTL = lease.ttl
            if request.keys:
                response.keys.extend(sorted(lease.keys))
        self._headers.fill(response.header)
        return response

    async def LeaseLeases(self, request: pb.LeaseLeasesRequest) -> pb.LeaseLeasesResponse:  # noqa: N802
        """List all leases."""
        response = pb.LeaseLeasesResponse(leases=[pb.LeaseStatus(ID=lease_id) for lease_id in self._store.leases])
        self._headers.fill(response.header)
        return response


def _now() -> float:
    return asyncio.get_running_loop().time()


def _count(deleted: Sequence[KeyValue]) -> str:
    return "1 key" if len(deleted) == 1 else f"{len(deleted)} keys"
