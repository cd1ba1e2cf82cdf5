"""etcd's gRPC services on one store for who uses it: KV, Lease (Watch is `watch_service`, the rest `administration`).

Each method takes the request of the wire and gives the response, or raises an `EtcdError`, which grpclib writes into
the trailers as status and message. Modelled on etcd's `server/etcdserver/api/v3rpc`. How a change comes about, and
when a read is sure to see those before it, is the `agreement`'s.

Leases run out by the event loop's time, at the member that leads: one task sleeps until the next is due.

    LeaseGrant(TTL=10) at 0 s      the task sleeps until 10 s
    LeaseKeepAlive at 8 s          the task still wakes at 10 s, finds nothing due and sleeps until 18 s
    no more keep-alives            at 18 s the lease's keys go, in one revision, and watchers hear of it
    another member leads           every lease's time starts anew there
"""

import asyncio
from typing import Any

from grpclib.server import Stream

from cluster_engine.etcd import apply
from cluster_engine.etcd.agreement import Agreement
from cluster_engine.etcd.applier import Log, now
from cluster_engine.etcd.errors import EtcdError
from cluster_engine.etcd.store import Store
from cluster_engine.rpc import etcd_pb2 as pb


class Headers:
    """Fills response headers: who answers, and at which revision unless the response already says."""

    def __init__(self, store: Store, agreement: Agreement) -> None:
        self._store = store
        self._agreement = agreement

    def fill(self, header: pb.ResponseHeader) -> None:
        """Complete one header in place."""
        header.cluster_id = self._agreement.cluster_id
        header.member_id = self._agreement.member_id
        header.raft_term = self._agreement.term
        if not header.revision:
            header.revision = self._store.revision

    def member(self, header: pb.ResponseHeader) -> None:
        """Complete the header of an answer about members, which knows no revision."""
        self.fill(header)
        header.revision = 0


class KVService:
    """Range, Put, DeleteRange, Txn, Compact."""

    def __init__(self, store: Store, headers: Headers, agreement: Agreement) -> None:
        self._store = store
        self._headers = headers
        self._agreement = agreement

    async def Range(self, request: pb.RangeRequest) -> pb.RangeResponse:  # noqa: N802 - named by the wire
        """Read."""
        if not request.serializable:
            await self._agreement.readable()
        response = apply.apply_range(self._store, request)
        self._headers.fill(response.header)
        return response

    async def Put(self, request: pb.PutRequest) -> Any:  # noqa: N802
        """Write one key."""
        return await self._propose(request)

    async def DeleteRange(self, request: pb.DeleteRangeRequest) -> Any:  # noqa: N802
        """Delete a range of keys."""
        return await self._propose(request)

    async def Txn(self, request: pb.TxnRequest) -> Any:  # noqa: N802
        """Compare, then do the one or the other."""
        return await self._propose(request)

    async def Compact(self, request: pb.CompactionRequest) -> Any:  # noqa: N802
        """Forget history."""
        return await self._propose(request)

    async def _propose(self, request: Any) -> Any:
        response = await self._agreement.propose(request)
        self._headers.fill(response.header)
        return response


class LeaseService:
    """LeaseGrant, LeaseRevoke, LeaseKeepAlive, LeaseTimeToLive, LeaseLeases, and the clock behind them."""

    def __init__(self, store: Store, headers: Headers, log: Log, agreement: Agreement) -> None:
        self._store = store
        self._headers = headers
        self._log = log
        self._agreement = agreement
        self._sooner = asyncio.Event()
        self._wakes_at: float | None = None
        agreement.on_leader = self._led

    def _led(self) -> None:
        if self._agreement.leads:
            self._store.leases.renew_all(now())
        self._sooner.set()

    async def run(self) -> None:
        """Let leases run out when they are due, as long as this member leads; until cancelled."""
        while True:
            wakes_at = self._wakes_at = self._store.leases.next_due() if self._agreement.leads else None
            self._sooner.clear()
            try:
                async with asyncio.timeout_at(wakes_at):
                    await self._sooner.wait()
            except TimeoutError:
                # A loop calls timers up to its clock's resolution early.
                await self._expire(now() if wakes_at is None else max(now(), wakes_at))

    async def _expire(self, at: float) -> None:
        for lease_id in self._store.leases.due(at):
            keys = sorted(self._store.leases.get(lease_id).keys)
            try:
                await self._agreement.propose(pb.LeaseRevokeRequest(ID=lease_id))
            except EtcdError:
                continue  # somebody has revoked it, or this member leads no more
            self._log(
                "etcd.lease_expired",
                f"lease {lease_id:x} ran out and took {_count(keys)} with it",
                lease=f"{lease_id:x}",
                keys=[key.decode(errors="replace") for key in keys],
            )

    async def LeaseGrant(self, request: pb.LeaseGrantRequest) -> pb.LeaseGrantResponse:  # noqa: N802
        """Make a lease."""
        response: pb.LeaseGrantResponse = await self._agreement.propose(request)
        if self._wakes_at is None or self._store.leases.get(response.ID).expires_at < self._wakes_at:
            self._sooner.set()
        self._headers.fill(response.header)
        return response

    async def LeaseRevoke(self, request: pb.LeaseRevokeRequest) -> pb.LeaseRevokeResponse:  # noqa: N802
        """End a lease now."""
        response: pb.LeaseRevokeResponse = await self._agreement.propose(request)
        self._headers.fill(response.header)
        return response

    async def LeaseKeepAlive(  # noqa: N802
        self, stream: Stream[pb.LeaseKeepAliveRequest, pb.LeaseKeepAliveResponse]
    ) -> None:
        """Start leases' time anew, as often as asked."""
        async for request in stream:
            response = await self._agreement.keep_alive(request)
            self._headers.fill(response.header)
            await stream.send_message(response)

    async def LeaseTimeToLive(  # noqa: N802
        self, request: pb.LeaseTimeToLiveRequest
    ) -> pb.LeaseTimeToLiveResponse:
        """Tell how long a lease has left."""
        response = await self._agreement.time_to_live(request)
        self._headers.fill(response.header)
        return response

    async def LeaseLeases(self, request: pb.LeaseLeasesRequest) -> pb.LeaseLeasesResponse:  # noqa: N802
        """List all leases."""
        response = pb.LeaseLeasesResponse(leases=[pb.LeaseStatus(ID=lease_id) for lease_id in self._store.leases])
        self._headers.fill(response.header)
        return response


def _count(keys: list[bytes]) -> str:
    return "1 key" if len(keys) == 1 else f"{len(keys)} keys"
