"""The agreement of several members: Raft (`raft/`), driven by time, by what comes from the others and by requests.

Theory of operation. A request is written into an entry (InternalRaftRequest) with a number of its own, and proposed;
once a majority has it on its disk, every member carries it out, in the order of the log, and the member that was asked
finds the number among those that wait and answers. A read makes no entry: it asks how far it has to have applied
(ReadIndex), all reads of one moment together.

    1  what Raft wants on the disk is written, one fsync; a leader's messages go out meanwhile, all others after
    2  what is agreed is carried out, one entry after the other
    3  reads that waited for it go on; the log's old entries are forgotten, since the store's file stands for them

Whoever waits TIMEOUT_SECONDS in vain is told so, and nobody knows then whether its entry comes to be agreed later.
Only the leader knows how long leases last, so keep-alives are carried to it.

Modelled on etcd's server/etcdserver: raft.go, v3_server.go (processInternalRaftRequest, linearizableReadLoop).
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import h11
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as Proto

from cluster_engine.etcd import apply, database
from cluster_engine.etcd.applier import Applier
from cluster_engine.etcd.disk import TIMEOUT_SECONDS, fsync_seconds
from cluster_engine.etcd.errors import (
    BadLeaderTransfereeError,
    EtcdError,
    LeaderChangedError,
    LeaderFailedError,
    LeaderTransferTimedOutError,
    NoLeaderError,
    NotLeaderError,
    RequestTimedOutError,
    TooManyRequestsError,
)
from cluster_engine.etcd.peers import Peers
from cluster_engine.etcd.store import Store
from cluster_engine.raft.messages import Message, Ready, Snapshot
from cluster_engine.raft.node import Node
from cluster_engine.raft.storage import Storage
from cluster_engine.rpc import etcd_pb2 as pb
from cluster_engine.world.process import Process

TICK_SECONDS = 0.1
ELECTION_SECONDS = 1.0
READ_AGAIN_SECONDS = 0.5
LOG_ENTRIES_MAX, LOG_BYTES_MAX = 2000, 8 * 1024 * 1024
KEPT_ENTRIES = 1000
WAITING_MAX = 5000
_FIELDS = {
    pb.PutRequest: "put",
    pb.DeleteRangeRequest: "delete_range",
    pb.TxnRequest: "txn",
    pb.CompactionRequest: "compaction",
    pb.LeaseGrantRequest: "lease_grant",
    pb.LeaseRevokeRequest: "lease_revoke",
    pb.AlarmRequest: "alarm",
    pb.ClusterMemberAttrSetRequest: "cluster_member_attr_set",
}


class Consensus:
    """One member's part in the agreement; see `agreement.Agreement`. `run` must be running."""

    are_members_fixed = True

    def __init__(
        self,
        process: Process,
        store: Store,
        storage: Storage,
        applier: Applier,
        peers: Peers,
        *,
        member_id: int,
        cluster_id: int,
        voters: tuple[int, ...],
    ) -> None:
        self.cluster_id, self.member_id = cluster_id, member_id
        self.on_leader: Callable[[], None] = lambda: None
        self.on_installed: Callable[[int], None] = lambda revision: None
        """Called with the revision at which the store was."""
        self._process = process
        self._store, self._storage, self._applier, self._peers = store, storage, applier, peers
        log = storage.log(store.raft_index)
        self._node = Node(member_id, voters, process.rng, log=log, hard=storage.hard, snapshot=self._snapshot)
        self._log_bytes = sum(len(entry.data) for entry in storage.entries)
        self._news = asyncio.Event()
        self._led_by = 0
        self.leader_changes = 0
        self._led_since = 0.0
        self._leader_changed = asyncio.Event()
        self._applied = asyncio.Condition()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = process.rng.getrandbits(40) << 8
        self._reading: asyncio.Future[None] | None = None
        self._read_wanted = asyncio.Event()
        self._read_answers: dict[bytes, asyncio.Future[int]] = {}
        peers.on_message, peers.on_unreachable = self._take, self._unreachable
        peers.on_snapshot_sent = self._snapshot_sent
        peers.handlers |= {"/leases": self._serve_keep_alive, "/leases/internal": self._serve_time_to_live}

    # -- see Agreement ---------------------------------------------------------------------------------------------

    @property
    def leader(self) -> int:
        """See Agreement."""
        return self._node.leader

    @property
    def leads(self) -> bool:
        """See Agreement."""
        return self._node.leadership is not None

    @property
    def term(self) -> int:
        """See Agreement."""
        return self._node.term

    @property
    def index(self) -> int:
        """See Agreement."""
        return self._node.log.committed

    async def propose(self, request: Proto) -> Any:
        """See Agreement."""
        apply.check_form(request)
        if isinstance(request, pb.TxnRequest) and apply.is_read(request):
            await self.readable()
            return self._applier.apply(request)
        if len(self._waiting) >= WAITING_MAX or self._node.log.committed - self._store.raft_index > WAITING_MAX:
            raise TooManyRequestsError
        self._number += 1
        number = (self.member_id & 0xFFFF) << 48 | self._number & 0xFFFF_FFFF_FFFF
        entry = pb.InternalRaftRequest(header=pb.RequestHeader(ID=number))
        getattr(entry, _FIELDS[type(request)]).CopyFrom(request)
        if isinstance(request, pb.LeaseGrantRequest) and not request.ID:
            entry.lease_grant.ID = number & 0x7FFF_FFFF_FFFF_FFFF
        began = _now()
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                while not self._node.propose(entry.SerializeToString()):
                    await self._next_leader()
                self._news.set()
                return await answer
        except TimeoutError:
            # etcd's parseProposeCtxErr
            lost_at = self._led_since - 2 * ELECTION_SECONDS
            raise LeaderFailedError if lost_at < began < self._led_since else RequestTimedOutError from None
        finally:
            self._waiting.pop(number, None)

    async def readable(self) -> None:
        """See Agreement."""
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_future()
        self._read_wanted.set()
        await asyncio.shield(self._reading)
        await self._process.work("etcd.range")

    async def keep_alive(self, request: pb.LeaseKeepAliveRequest) -> pb.LeaseKeepAliveResponse:
        """See Agreement."""
        if self.leads:
            return self._applier.keep_alive(request)
        answer = await self._ask_leader("/leases", request.SerializeToString())
        return pb.LeaseKeepAliveResponse.FromString(answer) if answer else pb.LeaseKeepAliveResponse(ID=request.ID)

    async def time_to_live(self, request: pb.LeaseTimeToLiveRequest) -> pb.LeaseTimeToLiveResponse:
        """See Agreement."""
        if self.leads:
            return self._applier.time_to_live(request)
        asked = pb.LeaseInternalRequest(LeaseTimeToLiveRequest=request)
        answer = await self._ask_leader("/leases/internal", asked.SerializeToString())
        return pb.LeaseInternalResponse.FromString(answer).LeaseTimeToLiveResponse

    async def move_leader(self, to: int) -> None:
        """See Agreement."""
        if not self.leads:
            raise NotLeaderError
        if to not in self._node.voters:
            raise BadLeaderTransfereeError
        self._node.transfer(to)
        self._news.set()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                while self.leader != to:
                    await self._next_leader()
        except TimeoutError:
            raise LeaderTransferTimedOutError from None

    async def hand_over(self) -> None:
        """Before the end, let another member lead, the one that has the most. Returns in any case."""
        if self._node.leadership is None:
            return
        progress = self._node.leadership.progress
        others = [peer for peer in self._node.voters if peer != self.member_id and progress[peer].is_active]
        if others:
            with contextlib.suppress(EtcdError):
                await self.move_leader(max(others, key=lambda peer: progress[peer].match))

    async def without_leader(self) -> None:
        """Return once there has been no leader for three election timeouts."""
        while True:
            if not self.leader:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(3 * ELECTION_SECONDS):
                        while not self.leader:
                            await self._next_leader()
                if not self.leader:
                    return
            await self._next_leader()

    # -- driving Raft ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Take part, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tick())
            tasks.create_task(self._read())
            await self._drive()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._node.tick()
            self._news.set()

    async def _drive(self) -> None:
        node = self._node
        while True:
            ready = node.ready()
            self._look_at_leader()
            if ready is None:
                self._news.clear()
                await self._news.wait()
                continue
            leads = node.leadership is not None
            if leads:
                self._peers.send(ready.messages)
            await self._save(ready)
            if not leads:
                self._peers.send(ready.messages)
            for entry in ready.committed:
                await self._process.work("etcd.apply")
                self._apply(entry.index, entry.data)
            node.advance(ready)
            for read in ready.reads:
                answer = self._read_answers.pop(read.context, None)
                if answer is not None and not answer.done():
                    answer.set_result(read.index)
            if ready.committed or ready.snapshot is not None:
                self._compact()
                async with self._applied:
                    self._applied.notify_all()

    async def _save(self, ready: Ready) -> None:
        before = self._storage.hard
        must_sync = ready.hard is not None and (ready.hard.term, ready.hard.vote) != (before.term, before.vote)
        if ready.entries or ready.snapshot is not None or must_sync:
            seconds = fsync_seconds(self._process)
            if seconds:
                await asyncio.sleep(seconds)
        if ready.snapshot is not None:
            revision = self._store.revision
            self._store.become(database.read_database(ready.snapshot.data))
            self._store.raft_index = ready.snapshot.index
            self._store.leases.renew_all(_now())
            self._process.note(
                "etcd.snapshot_installed",
                f"has installed the leader's snapshot of entry {ready.snapshot.index}",
                index=ready.snapshot.index,
            )
            self.on_installed(revision)
        self._storage.save(ready)
        self._log_bytes += sum(len(entry.data) for entry in ready.entries)

    def _apply(self, index: int, data: bytes) -> None:
        if data:
            request = _request(data)
            answer = self._waiting.pop(request.header.ID, None)
            fields = [field for field, _ in request.ListFields() if field.name != "header"]
            try:
                response = self._applier.apply(getattr(request, fields[0].name)) if fields else None
            except EtcdError as refusal:
                if answer is not None and not answer.done():
                    answer.set_exception(refusal)
            else:
                if answer is not None and not answer.done():
                    answer.set_result(response)
        self._store.raft_index = index

    def _compact(self) -> None:
        entries = len(self._storage.entries)
        if entries <= LOG_ENTRIES_MAX and self._log_bytes <= LOG_BYTES_MAX:
            return
        kept = KEPT_ENTRIES if self._log_bytes <= LOG_BYTES_MAX else 0
        upto = self._store.raft_index - kept
        if upto > self._storage.start:
            self._storage.compact(upto)
            self._node.log.compact(upto)
            self._log_bytes = sum(len(entry.data) for entry in self._storage.entries)

    def _snapshot(self) -> Snapshot:
        index = self._store.raft_index
        return Snapshot(index, self._node.log.term(index) or 0, bytes(database.Database(self._store)))

    def _take(self, message: Message) -> None:
        """Take a message from another member, or from whoever has a member's certificate."""
        if message.snapshot is not None:
            try:
                database.read_database(message.snapshot.data)
            except database.DatabaseError:
                return
        try:
            self._node.step(message)
        except AssertionError as broken:  # etcd panics: it would rather not run than disagree
            self._process.note("etcd.panic", f"panic: {broken}")
            self._process.exit(2)
        self._news.set()

    def _unreachable(self, peer: int) -> None:
        self._node.unreachable(peer)

    def _snapshot_sent(self, peer: int, arrived: bool) -> None:
        self._node.snapshot_sent(peer, arrived=arrived)
        self._news.set()

    # -- who leads -------------------------------------------------------------------------------------------------

    def _look_at_leader(self) -> None:
        leader = self._node.leader
        if leader == self._led_by:
            return
        self._led_by = leader
        if leader:
            self._led_since = _now()
            self.leader_changes += 1
        if leader == self.member_id:
            self._process.note("etcd.leader", f"leads in term {self._node.term}", term=self._node.term)
        elif not leader:
            self._process.note("etcd.no_leader", f"knows no leader in term {self._node.term}", term=self._node.term)
        changed, self._leader_changed = self._leader_changed, asyncio.Event()
        changed.set()
        self.on_leader()

    async def _next_leader(self) -> None:
        """Wait until who leads has changed."""
        await self._leader_changed.wait()

    # -- reads -----------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            await self._read_wanted.wait()
            self._read_wanted.clear()
            reading, self._reading = self._reading, None
            assert reading is not None
            try:
                index = await self._read_index()
                async with self._applied:
                    await self._applied.wait_for(lambda: self._store.raft_index >= index)  # noqa: B023
            except EtcdError as refusal:
                reading.set_exception(refusal)
                reading.exception()  # whoever asked may be gone
            else:
                reading.set_result(None)

    async def _read_index(self) -> int:
        changed = self._leader_changed
        is_led = bool(self.leader)
        deadline = _now() + TIMEOUT_SECONDS
        self._number += 1
        context = ((self.member_id & 0xFFFF) << 48 | self._number & 0xFFFF_FFFF_FFFF).to_bytes(8)
        answer = self._read_answers[context] = asyncio.get_running_loop().create_future()
        try:
            while _now() < deadline:
                self._node.read(context)
                self._news.set()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(READ_AGAIN_SECONDS):
                        return await asyncio.shield(answer)
                if is_led and changed.is_set():
                    raise LeaderChangedError
            raise RequestTimedOutError
        finally:
            self._read_answers.pop(context, None)

    # -- leases ----------------------------------------------------------------------------------------------------

    async def _ask_leader(self, path: str, body: bytes) -> bytes:
        """Ask the leader about a lease; "" when it does not know it. NoLeaderError, RequestTimedOutError."""
        deadline = _now() + TIMEOUT_SECONDS
        while _now() < deadline:
            leader = self.leader
            if leader and leader != self.member_id:
                with contextlib.suppress(OSError, TimeoutError, h11.ProtocolError):
                    status, answer = await self._peers.ask(leader, path, body)
                    if status == 200:
                        return answer
                    if status == 404:
                        return b""
            await asyncio.sleep(READ_AGAIN_SECONDS)
        raise RequestTimedOutError if self.leader else NoLeaderError

    async def _serve_keep_alive(self, body: bytes) -> tuple[int, bytes]:
        if not self.leads:
            return 500, b"lessor is not primary\n"
        response = self._applier.keep_alive(pb.LeaseKeepAliveRequest.FromString(body))
        return (200, response.SerializeToString()) if response.TTL else (404, b"lease not found\n")

    async def _serve_time_to_live(self, body: bytes) -> tuple[int, bytes]:
        if not self.leads:
            return 500, b"lessor is not primary\n"
        request = pb.LeaseInternalRequest.FromString(body).LeaseTimeToLiveRequest
        answer = pb.LeaseInternalResponse(LeaseTimeToLiveResponse=self._applier.time_to_live(request))
        return 200, answer.SerializeToString()


def _request(data: bytes) -> pb.InternalRaftRequest:
    try:
        return pb.InternalRaftRequest.FromString(data)
    except DecodeError:
        return pb.InternalRaftRequest()  # of no member: nothing is to be done


def _now() -> float:
    return asyncio.get_running_loop().time()
