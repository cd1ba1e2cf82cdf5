"""A client of etcd v3, as much of it as an API server needs.

Modelled on etcd's `clientv3`: an HTTP/2 connection to each member that carries all calls and watches, opened by the
first call and opened again by the first one after it broke. Members are asked in turn (gRPC's round_robin); one that
cannot be reached is passed over, and a read that failed is asked again of the next; a write is not, since it may have
happened. A member that has vanished is found out by PINGs, and one that knows no leader ends its watches. Answers are
the protobuf messages of the wire. What etcd refuses comes as the `EtcdError` it raised; trouble on the way comes as
ConnectionError, and then nobody knows whether a write happened.

    client = EtcdClient([("127.0.0.1", 2379)], ssl)
    won = await client.txn([unchanged(key, 7)], [put(key, b"...")], [get(key)])
    won.succeeded, won.header.revision              or won.responses[0].response_range.kvs, the newer state
    async with client.watch(b"/registry/pods/", prefix_end(b"/registry/pods/"), start_revision=8) as watch:
        async for response in watch:                CompactedError when 8 is gone: list again
            ...

grpclib lets a server take a hundred calls at a time on a connection, watches included: the hundred and first waits.

Left out: watches that resume by themselves (who watches knows from where), and for a single member retries and PINGs.
Deadlines are the caller's, by `asyncio.timeout`.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from grpclib.client import Stream
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from cluster_engine.etcd.errors import CompactedError, from_grpc
from cluster_engine.etcd.history import prefix_end
from cluster_engine.rpc import etcd_pb2 as pb
from cluster_engine.rpc.endpoints import Channel, Keepalive
from cluster_engine.rpc.grpc import Call, call

__all__ = ["EtcdClient", "Watch", "delete", "get", "not_there", "prefix_end", "put", "unchanged"]

KEEPALIVE = Keepalive(30.0, 10.0)
CONNECT_SECONDS = 20.0
"""keepaliveTime, keepaliveTimeout and dialTimeout of apiserver/pkg/storage/storagebackend/factory/etcd3.go."""
BACKOFF_SECONDS, BACKOFF_FACTOR, BACKOFF_SECONDS_MAX = 1.0, 1.6, 120.0
"""grpc-go's backoff.DefaultConfig."""
RETRIES_MAX, RETRY_SECONDS = 100, 0.025
"""defaultUnaryMaxRetries and defaultBackoffWaitBetween of client/v3/options.go."""
WITH_LEADER: Mapping[str, str] = {"hasleader": "true"}
"""clientv3.WithRequireLeader, which the API server asks for."""


def unchanged(key: bytes, mod_revision: int) -> pb.Compare:
    """Compare: the key was last written at `mod_revision`."""
    return pb.Compare(key=key, target=pb.Compare.MOD, result=pb.Compare.EQUAL, mod_revision=mod_revision)


def not_there(key: bytes) -> pb.Compare:
    """Compare: the key does not exist."""
    return unchanged(key, 0)


def get(key: bytes, range_end: bytes = b"") -> pb.RequestOp:
    """Operation of a transaction: read."""
    return pb.RequestOp(request_range=pb.RangeRequest(key=key, range_end=range_end))


def put(key: bytes, value: bytes, *, lease: int = 0) -> pb.RequestOp:
    """Operation of a transaction: write."""
    return pb.RequestOp(request_put=pb.PutRequest(key=key, value=value, lease=lease))


def delete(key: bytes, range_end: bytes = b"", *, prev_kv: bool = False) -> pb.RequestOp:
    """Operation of a transaction: delete."""
    return pb.RequestOp(request_delete_range=pb.DeleteRangeRequest(key=key, range_end=range_end, prev_kv=prev_kv))


class _Endpoint:
    """One member, as a client has it: a connection that is made when needed, and rests after it could not be."""

    def __init__(self, host: str, port: int, ssl: ssl.SSLContext | None, keepalive: Keepalive | None) -> None:
        self._channel = Channel(host, port, ssl=ssl)
        self._channel.keepalive = keepalive
        self._calls: dict[str, Call] = {}
        self._failures = 0
        self.rests_until = 0.0

    def method(self, service: str, name: str) -> Call:
        """Return what calls a method."""
        found = self._calls.get(name)
        if found is None:
            description = pb.DESCRIPTOR.services_by_name[service].methods_by_name[name]
            found = self._calls[name] = call(self._channel, description)
        return found

    async def connect(self) -> None:
        """Connect, if it is not connected. OSError, TimeoutError; then it rests, longer each time (grpc-go)."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._channel.__connect__()
        except OSError:
            pause = min(BACKOFF_SECONDS * BACKOFF_FACTOR**self._failures, BACKOFF_SECONDS_MAX)
            self.rests_until = asyncio.get_running_loop().time() + pause
            self._failures += 1
            raise
        self._failures, self.rests_until = 0, 0.0

    def close(self) -> None:
        """Hang up."""
        self._channel.close()


class EtcdClient:
    """A way to one etcd, or to its members in turn; connections are made when first needed. Must be closed."""

    def __init__(self, endpoints: Sequence[tuple[str, int]], ssl: ssl.SSLContext | None) -> None:
        keepalive = KEEPALIVE if len(endpoints) > 1 else None
        self._endpoints = [_Endpoint(host, port, ssl, keepalive) for host, port in endpoints]
        self._turn = 0

    async def connect(self) -> None:
        """Open a connection, if none is open. ConnectionError, OSError, ssl.SSLError."""
        await self._connected()

    async def _connected(self) -> _Endpoint:
        """Return the member whose turn it is, connected; one that cannot be reached is passed over. OSError."""
        if len(self._endpoints) == 1:
            await self._endpoints[0]._channel.__connect__()
            return self._endpoints[0]
        self._turn += 1
        turn, now = self._turn % len(self._endpoints), asyncio.get_running_loop().time()
        in_turn = self._endpoints[turn:] + self._endpoints[:turn]
        awake = [one for one in in_turn if one.rests_until <= now]
        failure: OSError | None = None
        for endpoint in awake or in_turn:
            try:
                await endpoint.connect()
            except OSError as error:
                failure = error
            else:
                return endpoint
        assert failure is not None
        raise failure

    async def _call(self, service: str, name: str, request: Any, *, repeatable: bool = False) -> Any:
        if len(self._endpoints) == 1:
            with translated():
                return await self._endpoints[0].method(service, name)(request)
        for attempt in range(RETRIES_MAX + 1):
            endpoint = await self._connected()
            try:
                with translated():
                    return await endpoint.method(service, name)(request)
            except ConnectionError:
                if not repeatable or attempt == RETRIES_MAX:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
        return None

    async def get(
        self,
        key: bytes,
        *,
        range_end: bytes = b"",
        revision: int = 0,
        limit: int = 0,
        keys_only: bool = False,
        count_only: bool = False,
    ) -> pb.RangeResponse:
        """Read a key or a range, now or at `revision`. CompactedError, FutureRevisionError."""
        request = pb.RangeRequest(
            key=key, range_end=range_end, revision=revision, limit=limit, keys_only=keys_only, count_only=count_only
        )
        response: pb.RangeResponse = await self._call("KV", "Range", request, repeatable=True)
        return response

    async def put(self, key: bytes, value: bytes, *, lease: int = 0) -> pb.PutResponse:
        """Write a key, whatever it was."""
        response: pb.PutResponse = await self._call("KV", "Put", pb.PutRequest(key=key, value=value, lease=lease))
        return response

    async def delete(self, key: bytes, range_end: bytes = b"") -> pb.DeleteRangeResponse:
        """Delete a key or a range, whatever it was."""
        request = pb.DeleteRangeRequest(key=key, range_end=range_end)
        response: pb.DeleteRangeResponse = await self._call("KV", "DeleteRange", request)
        return response

    async def txn(
        self,
        compare: Iterable[pb.Compare],
        success: Iterable[pb.RequestOp],
        failure: Iterable[pb.RequestOp] = (),
    ) -> pb.TxnResponse:
        """If all of `compare` holds do `success`, else `failure`; atomically."""
        request = pb.TxnRequest(compare=compare, success=success, failure=failure)
        response: pb.TxnResponse = await self._call("KV", "Txn", request)
        return response

    async def compact(self, revision: int) -> pb.CompactionResponse:
        """Let etcd forget what only reads before `revision` could see. CompactedError when it has already."""
        response: pb.CompactionResponse = await self._call("KV", "Compact", pb.CompactionRequest(revision=revision))
        return response

    async def lease_grant(self, ttl: int) -> int:
        """Make a lease of `ttl` seconds and give its ID."""
        response: pb.LeaseGrantResponse = await self._call("Lease", "LeaseGrant", pb.LeaseGrantRequest(TTL=ttl))
        return response.ID

    async def lease_revoke(self, lease_id: int) -> None:
        """End a lease and delete its keys. LeaseNotFoundError."""
        await self._call("Lease", "LeaseRevoke", pb.LeaseRevokeRequest(ID=lease_id))

    async def status(self) -> pb.StatusResponse:
        """Ask the member how it is."""
        response: pb.StatusResponse = await self._call("Maintenance", "Status", pb.StatusRequest(), repeatable=True)
        return response

    @asynccontextmanager
    async def watch(
        self,
        key: bytes,
        range_end: bytes = b"",
        start_revision: int = 0,
        *,
        prev_kv: bool = True,
        progress_notify: bool = False,
    ) -> "AsyncIterator[Watch]":
        """Hear of every change of a range from `start_revision` on (0: from now on), on a gRPC stream of its own.

        Entered once etcd has confirmed the watch.
        """
        create = pb.WatchCreateRequest(
            key=key,
            range_end=range_end,
            start_revision=start_revision,
            prev_kv=prev_kv,
            progress_notify=progress_notify,
        )
        endpoint = await self._connected()
        metadata = WITH_LEADER if len(self._endpoints) > 1 else None
        with translated():
            async with endpoint.method("Watch", "Watch").open(metadata=metadata) as stream:
                await stream.send_message(pb.WatchRequest(create_request=create))
                created = await stream.recv_message()
                if created is None or created.canceled:
                    raise ConnectionError(f"etcd refused to watch: {created.cancel_reason if created else 'no answer'}")
                try:
                    yield Watch(stream, created.header.revision)
                finally:
                    await _hang_up(stream)

    async def aclose(self) -> None:
        """Close the connections; every watch on them ends with ConnectionError."""
        for endpoint in self._endpoints:
            endpoint.close()


class Watch:
    """An open watch: iterate to get etcd's responses, oldest first, none skipped. `revision` is where it was opened.

    CompactedError (with `compact_revision`) when what it should tell next is gone; ConnectionError when etcd is.
    A response without events says only that all up to `header.revision` was told.
    """

    def __init__(self, stream: Stream[pb.WatchRequest, pb.WatchResponse], revision: int) -> None:
        self._stream = stream
        self.revision = revision

    def __aiter__(self) -> "Watch":
        return self

    async def __anext__(self) -> pb.WatchResponse:
        with translated():
            response = await self._stream.recv_message()
        if response is None:
            raise ConnectionError("etcd ended the watch")
        if response.compact_revision:
            raise CompactedError(response.compact_revision)
        if response.canceled:
            raise ConnectionError(f"etcd canceled the watch: {response.cancel_reason}")
        return response

    async def request_progress(self) -> None:
        """Ask for a response that says how far this watch has come; it arrives in its turn."""
        with translated():
            await self._stream.send_message(pb.WatchRequest(progress_request=pb.WatchProgressRequest()))


async def _hang_up(stream: Stream[pb.WatchRequest, pb.WatchResponse]) -> None:
    with suppress(StreamTerminatedError):  # already broken
        await stream.cancel()


@contextmanager
def translated() -> Iterator[None]:
    """Turn what grpclib raises into refusals of etcd's and troubles of the network."""
    task = asyncio.current_task()
    cancellations = task.cancelling() if task is not None else 0
    try:
        yield
    except StreamTerminatedError as error:
        # grpclib cancels who waits on a lost connection, and catches that: no deadline around may count it.
        while task is not None and task.cancelling() > cancellations:
            task.uncancel()
        raise ConnectionError(f"etcd: {error}") from error
    except GRPCError as error:
        if error.status is Status.UNAVAILABLE:
            raise ConnectionError(f"etcd: {error.message}") from error
        raise from_grpc(error) from error
