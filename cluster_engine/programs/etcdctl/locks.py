"""etcdctl lock and elect: one at a time, by a lease and the order of revisions.

Each who wants the lock puts a key of its own below the name, on a lease that it keeps alive. The oldest key holds the
lock; everybody else waits until the key before theirs is deleted, by its owner or by its lease.

    lock m                  m/694d00000001      until Ctrl-C
    lock m echo mine        mine                and gives the lock back

Modelled on client/v3/concurrency (session.go, mutex.go, election.go) and lock_command.go, elect_command.go (3.5).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from cluster_engine.etcd.history import prefix_end
from cluster_engine.programs.etcdctl.failures import FailedError, bad_arguments
from cluster_engine.programs.etcdctl.requests import raw
from cluster_engine.programs.etcdctl.session import Session
from cluster_engine.programs.kubectl.flags import Flag, Parsed
from cluster_engine.rpc import etcd_pb2 as pb

LOCK_FLAGS = (Flag("ttl", kind="int", default=10),)
ELECT_FLAGS = (Flag("listen", "l", kind="bool"),)
ELECTION_TTL_SECONDS = 60


async def lock(session: Session, words: Sequence[str], flags: Parsed) -> int:
    """etcdctl lock NAME [COMMAND ...]."""
    if not words:
        raise bad_arguments("lock takes a lock name argument and an optional command to execute")
    name, *command = words
    async with _held(session, name, b"", flags["ttl"]) as (key, revision):
        if not command:
            session.out(f"{key}\n\n")
            await session.invocation.drain()
            await asyncio.Event().wait()
        invocation = session.invocation
        environment = {"ETCD_LOCK_KEY": key, "ETCD_LOCK_REV": str(revision)}
        try:
            return await invocation.execute(command, invocation.streams, {**invocation.environment, **environment})
        except FileNotFoundError:
            raise FailedError(f'exec: "{command[0]}": executable file not found in $PATH') from None


async def elect(session: Session, words: Sequence[str], flags: Parsed) -> int:
    """etcdctl elect NAME PROPOSAL, or -l NAME: who leads, whenever that changes."""
    if len(words) not in (1, 2):
        raise bad_arguments("elect takes one election name argument and an optional proposal argument")
    if len(words) == 1 and not flags["listen"]:
        raise bad_arguments("no proposal argument but -l not set")
    if len(words) == 2 and flags["listen"]:
        raise bad_arguments("proposal given but -l is set")
    if flags["listen"]:
        return await _listen(session, words[0])
    async with _held(session, words[0], raw(words[1]), ELECTION_TTL_SECONDS) as (key, _):
        session.out(f"{key}\n{words[1]}\n")
        await session.invocation.drain()
        await asyncio.Event().wait()
    return 0


@contextlib.asynccontextmanager
async def _held(session: Session, name: str, value: bytes, ttl: int) -> AsyncIterator[tuple[str, int]]:
    """Hold the lock within this: its key, and the revision at which that was made."""
    if ttl <= 0:
        ttl = ELECTION_TTL_SECONDS
    lease = (await session.call("Lease", "LeaseGrant", pb.LeaseGrantRequest(TTL=ttl))).ID
    keeping = asyncio.create_task(_keep(session, lease, ttl))
    try:
        key = raw(f"{name}/{lease:x}")
        put = pb.RequestOp(request_put=pb.PutRequest(key=key, value=value, lease=lease))
        done = await session.call("KV", "Txn", pb.TxnRequest(success=[put]))
        revision = done.header.revision
        await _until_first(session, raw(f"{name}/"), revision)
        yield key.decode("utf-8", "surrogateescape"), revision
    finally:
        keeping.cancel()
        with contextlib.suppress(FailedError):
            await session.call("Lease", "LeaseRevoke", pb.LeaseRevokeRequest(ID=lease))


async def _keep(session: Session, lease: int, ttl: int) -> None:
    with contextlib.suppress(FailedError):
        async with session.etcd.stream("Lease", "LeaseKeepAlive") as stream:
            while True:
                await stream.send_message(pb.LeaseKeepAliveRequest(ID=lease))
                if await stream.recv_message() is None:
                    return
                await asyncio.sleep(ttl / 3)


async def _until_first(session: Session, prefix: bytes, revision: int) -> None:
    """Wait until no key below the prefix is older than the one that was made at a revision."""
    end = prefix_end(prefix)
    while True:
        older = pb.RangeRequest(
            key=prefix,
            range_end=end,
            limit=1,
            max_create_revision=revision - 1,
            sort_order=pb.RangeRequest.DESCEND,
            sort_target=pb.RangeRequest.CREATE,
        )
        found = await session.call("KV", "Range", older)
        if not found.kvs:
            return
        await _until_deleted(session, found.kvs[0].key, found.header.revision)


async def _until_deleted(session: Session, key: bytes, revision: int) -> None:
    create = pb.WatchCreateRequest(key=key, start_revision=revision + 1)
    async with session.etcd.stream("Watch", "Watch") as stream:
        await stream.send_message(pb.WatchRequest(create_request=create))
        while (response := await stream.recv_message()) is not None:
            if response.canceled or any(event.type for event in response.events):
                return
    raise FailedError("watch closed")


async def _listen(session: Session, name: str) -> int:
    prefix = raw(f"{name}/")
    end = prefix_end(prefix)
    leader = b""
    first = pb.RangeRequest(
        key=prefix, range_end=end, limit=1, sort_order=pb.RangeRequest.ASCEND, sort_target=pb.RangeRequest.CREATE
    )
    async with session.etcd.stream("Watch", "Watch") as stream:
        await stream.send_message(pb.WatchRequest(create_request=pb.WatchCreateRequest(key=prefix, range_end=end)))
        while (await stream.recv_message()) is not None:
            found = (await session.call("KV", "Range", first)).kvs
            if found and found[0].key != leader:
                leader = found[0].key
                session.out(leader + b"\n" + found[0].value + b"\n")
                await session.invocation.drain()
    return 0
