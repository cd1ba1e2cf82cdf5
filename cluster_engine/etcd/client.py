"""A client of etcd v3, as much of it as an API server needs.

Modelled on etcd's `clientv3`: one HTTP/2 connection that carries all calls and watches, opened by the first call and
opened again by the first one after it broke. Answers are the protobuf messages of the wire. What etcd refuses comes
as the `EtcdError` it raised; trouble on the way comes as ConnectionError, and then nobody knows whether a write
happened.

    client = EtcdClient("127.0.0.1", 2379, ssl)
    won = await client.txn([unchanged(key, 7)], [put(key, b"...")], [get(key)])
    won.succeeded, won.header.revision              or won.responses[0].response_range.kvs, the newer state
    async with client.watch(b"/registry/pods/", prefix_end(b"/registry/pods/"), start_revision=8) as watch:
        async for response in watch:                CompactedError when 8 is gone: list again
            ...

grpclib lets a server take a hundred calls at a time on a connection, watches included: the hundred and first waits.

Left out: several endpoints and their balancing, retries (who calls knows what may be repeated), keep-alive pings
(client and server share a host). Deadlines are the caller's, by `asyncio.timeout`.
"""

import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from google.protobuf.descriptor import ServiceDescriptor
from grpclib.client import Stream
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from cluster_engine.etcd.errors import CompactedError, from_grpc
from cluster_engine.etcd.history import prefix_end
from cluster_engine.rpc import etcd_pb2 as pb
from cluster_engine.rpc.endpoints import Channel
from cluster_engine.rpc.grpc import Call, call

__all__ = ["EtcdClient", "Watch", "delete", "get", "not_there", "prefix_end", "put", "unchanged"]


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


class EtcdClient:
    """One connection to one etcd, made when first needed. Must be closed."""

    def __init__(self, host: str, port: int, ssl: ssl.SSLContext | None) -> None:
        self._channel = Channel(host, port, ssl=ssl)
        kv, lease, maintenance = _service("KV"), _service("Lease"), _service("Maintenance")
        self._range = self._call(kv, "Range")
        self._put = self._call(kv, "Put")
        self._delete_range = self._call(kv, "DeleteRange")
        self._txn = self._call(kv, "Txn")
        self._compact = self._call(kv, "Compact")
        self._lease_grant = self._call(lease, "LeaseGrant")
        self._lease_revoke = self._call(lease, "LeaseRevoke")
        self._status = self._call(maintenance, "Status")
        self._watch = self._call(_service("Watch"), "Watch")

    async def connect(self) -> None:
        """Open the connection, if it is not open. ConnectionError, OSError, ssl.SSLError."""
        await self._channel.__connect__()

    def _call(self, service: ServiceDescriptor, method: str) -> Call:
        return call(self._channel, service.methods_by_name[method])

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
        with translated():
            response: pb.RangeResponse = await self._range(request)
        return response

    async def put(self, key: bytes, value: bytes, *, lease: int = 0) -> pb.PutResponse:
        """Write a key, whatever it was."""
        with translated():
            response: pb.PutResponse = await self._put(pb.PutRequest(key=key, value=value, lease=lease))
        return response

    async def delete(self, key: bytes, range_end: bytes = b"") -> pb.DeleteRangeResponse:
        """Delete a key or a range, whatever it was."""
        with translated():
            response: pb.DeleteRangeResponse = await self._delete_range(
                pb.DeleteRangeRequest(key=key, range_end=range_end)
            )
        return response

    async def txn(
        self,
        compare: Iterable[pb.Compare],
        success: Iterable[pb.RequestOp],
        failure: Iterable[pb.RequestOp] = (),
    ) -> pb.TxnResponse:
        """If all of `compare` holds do `success`, else `failure`; atomically."""
        with translated():
            response: pb.TxnResponse = await self._txn(pb.TxnRequest(compare=compare, success=success, failure=failure))
        return response

    async def compact(self, revision: int) -> pb.CompactionResponse:
        """Let etcd forget what only reads before `revision` could see. CompactedError when it has already."""
        with translated():
            response: pb.CompactionResponse = await self._compact(pb.CompactionRequest(revision=revision))
        return response

    async def lease_grant(self, ttl: int) -> int:
        """Make a lease of `ttl` seconds and give its ID."""
        with translated():
            response: pb.LeaseGrantResponse = await self._lease_grant(pb.LeaseGrantRequest(TTL=ttl))
        return response.ID

    async def lease_revoke(self, lease_id: int) -> None:
        """End a lease and delete its keys. LeaseNotFoundError."""
        with translated():
            await self._lease_revoke(pb.LeaseRevokeRequest(ID=lease_id))

    async def status(self) -> pb.StatusResponse:
        """Ask the member how it is."""
        with translated():
            response: pb.StatusResponse = await self._status(pb.StatusRequest())
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
        with translated():
            async with self._watch.open() as stream:
                await stream.send_message(pb.WatchRequest(create_request=create))
                created = await stream.recv_message()
                if created is None or created.canceled:
                    raise ConnectionError(f"etcd refused to watch: {created.cancel_reason if created else 'no answer'}")
                try:
                    yield Watch(stream, created.header.revision)
                finally:
                    await _hang_up(stream)

    async def aclose(self) -> None:
        """Close the connection; every watch on it ends with ConnectionError."""
        self._channel.close()


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


def _service(name: str) -> ServiceDescriptor:
    return pb.DESCRIPTOR.services_by_name[name]


@contextmanager
def translated() -> Iterator[None]:
    """Turn what grpclib raises into refusals of etcd's and troubles of the network."""
    try:
        yield
    except StreamTerminatedError as error:
        raise ConnectionError(f"etcd: {error}") from error
    except GRPCError as error:
        if error.status is Status.UNAVAILABLE:
            raise ConnectionError(f"etcd: {error.message}") from error
        raise from_grpc(error) from error
