"""etcd's gRPC services for who looks after it: Cluster, Maintenance, Auth.

    Snapshot        the database's file as it is at this moment, in pieces of PIECE_BYTES, and its SHA-256 (`database`)
    HashKV          a checksum of the history, by which members are compared
    Alarm           NOSPACE, which goes by itself too
    MemberAdd …     changes of the membership, of which one member only ever runs (`members`)
    AuthStatus …    authentication is not enabled, and there are neither users nor roles; making some is left out

Modelled on etcd's `server/etcdserver/api/v3rpc`: member.go, maintenance.go, auth.go. The checksum is zlib's CRC-32 of
our records; etcd's is Castagnoli's of its own.
"""

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from cluster_engine.etcd import database
from cluster_engine.etcd.agreement import Agreement
from cluster_engine.etcd.disk import Disk
from cluster_engine.etcd.errors import (
    BadMemberURLError,
    RoleNotFoundError,
    RootUserNotExistError,
    UserNotFoundError,
)
from cluster_engine.etcd.members import Member, Members
from cluster_engine.etcd.services import Headers
from cluster_engine.etcd.store import Store
from cluster_engine.rpc import etcd_pb2 as pb
from cluster_engine.world.process import Process

VERSION = "3.5.16"
PIECE_BYTES = 32 * 1024
URLS_MAX, URL_CHARACTERS_MAX = 16, 256
Response = TypeVar("Response", bound=Any)


class ClusterService:
    """Who the members are, and changing that."""

    def __init__(self, headers: Headers, members: Members, disk: Disk, process: Process, agreement: Agreement) -> None:
        self._headers = headers
        self._agreement = agreement
        self._members = members
        self._disk = disk
        self._process = process

    async def MemberAdd(self, request: pb.MemberAddRequest) -> pb.MemberAddResponse:  # noqa: N802 - named by the wire
        """Add a member."""
        _check_urls(request.peerURLs)
        await self._changeable()
        seconds = int(self._process.now().timestamp())
        added = self._members.add(request.peerURLs, is_learner=request.isLearner, seconds=seconds)
        return self._answer(pb.MemberAddResponse(member=_told(added)))

    async def MemberRemove(self, request: pb.MemberRemoveRequest) -> pb.MemberRemoveResponse:  # noqa: N802
        """Take a member away."""
        await self._changeable()
        self._members.remove(request.ID)
        return self._answer(pb.MemberRemoveResponse())

    async def MemberUpdate(self, request: pb.MemberUpdateRequest) -> pb.MemberUpdateResponse:  # noqa: N802
        """Give a member other peer URLs."""
        _check_urls(request.peerURLs)
        await self._changeable()
        self._members.update(request.ID, request.peerURLs)
        return self._answer(pb.MemberUpdateResponse())

    async def MemberPromote(self, request: pb.MemberPromoteRequest) -> pb.MemberPromoteResponse:  # noqa: N802
        """Refuse to give a learner a vote."""
        await self._changeable(writes=False)
        self._members.promote(request.ID)
        return self._answer(pb.MemberPromoteResponse())

    async def MemberList(self, request: pb.MemberListRequest) -> pb.MemberListResponse:  # noqa: N802
        """List the members."""
        if request.linearizable:
            await self._agreement.readable()
        return self._answer(pb.MemberListResponse())

    async def _changeable(self, *, writes: bool = True) -> None:
        """Wait until the membership may be changed: never, where several members run."""
        if self._agreement.are_members_fixed:
            raise GRPCError(Status.UNIMPLEMENTED, "the members of a cluster of several are fixed here")
        if writes:
            await self._disk.written()

    def _answer(self, response: Response) -> Response:
        response.members.extend(map(_told, self._members))
        self._headers.member(response.header)
        return response


class MaintenanceService:
    """Status, Alarm, Defragment (nothing to do), HashKV, Snapshot, MoveLeader."""

    def __init__(self, store: Store, headers: Headers, agreement: Agreement) -> None:
        self._store = store
        self._headers = headers
        self._agreement = agreement

    async def Status(self, request: pb.StatusRequest) -> pb.StatusResponse:  # noqa: N802
        """Tell version, size and place in Raft."""
        store = self._store
        size = store.history.size_bytes
        agreement = self._agreement
        errors = [f"memberID:{store.alarmed_by or agreement.member_id} alarm:NOSPACE "] if store.has_no_space else []
        if not agreement.leader:
            errors.insert(0, "etcdserver: no leader")
        response = pb.StatusResponse(
            version=VERSION,
            dbSize=size,
            dbSizeInUse=size,
            leader=agreement.leader,
            raftIndex=agreement.index,
            raftAppliedIndex=store.raft_index,
            raftTerm=agreement.term,
            errors=errors,
        )
        self._headers.fill(response.header)
        return response

    async def Alarm(self, request: pb.AlarmRequest) -> pb.AlarmResponse:  # noqa: N802
        """List the alarms; raise that there is no space, by hand; or take it back, until a write finds no room."""
        request.memberID = self._agreement.member_id
        if request.action == pb.AlarmRequest.GET:
            response = pb.AlarmResponse()
            if self._store.has_no_space:
                response.alarms.add(memberID=self._store.alarmed_by or request.memberID, alarm=pb.NOSPACE)
        else:
            response = await self._agreement.propose(request)
        self._headers.fill(response.header)
        return response

    async def Defragment(self, request: pb.DefragmentRequest) -> pb.DefragmentResponse:  # noqa: N802
        """Give freed space back."""
        response = pb.DefragmentResponse()
        self._headers.fill(response.header)
        return response

    async def HashKV(self, request: pb.HashKVRequest) -> pb.HashKVResponse:  # noqa: N802
        """Give the checksum of the history up to a revision."""
        store = self._store
        store.check_readable(request.revision)
        checksum = database.hash_of(store, request.revision or store.revision)
        response = pb.HashKVResponse(hash=checksum, compact_revision=store.compacted or -1)
        self._headers.fill(response.header)
        return response

    async def Snapshot(self, stream: Stream[pb.SnapshotRequest, pb.SnapshotResponse]) -> None:  # noqa: N802
        """Send the database's file."""
        await stream.recv_message()
        data = database.snapshot(self._store)
        for begin in range(0, len(data), PIECE_BYTES):
            piece = data[begin : begin + PIECE_BYTES]
            response = pb.SnapshotResponse(remaining_bytes=len(data) - begin - len(piece), blob=piece)
            self._headers.fill(response.header)
            await stream.send_message(response)

    async def MoveLeader(self, request: pb.MoveLeaderRequest) -> pb.MoveLeaderResponse:  # noqa: N802
        """Have another member lead."""
        await self._agreement.move_leader(request.targetID)
        response = pb.MoveLeaderResponse()
        self._headers.fill(response.header)
        return response


class AuthService:
    """What an etcd answers whose authentication was never enabled, and which has neither users nor roles."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    async def AuthStatus(self, request: pb.AuthStatusRequest) -> pb.AuthStatusResponse:  # noqa: N802
        """Say that it is not enabled."""
        return self._answer(pb.AuthStatusResponse(authRevision=1))

    async def AuthEnable(self, request: pb.AuthEnableRequest) -> pb.AuthEnableResponse:  # noqa: N802
        """Refuse, for want of a root user."""
        raise RootUserNotExistError

    async def AuthDisable(self, request: pb.AuthDisableRequest) -> pb.AuthDisableResponse:  # noqa: N802
        """Leave it as it is."""
        return self._answer(pb.AuthDisableResponse())

    async def UserList(self, request: pb.AuthUserListRequest) -> pb.AuthUserListResponse:  # noqa: N802
        """List no users."""
        return self._answer(pb.AuthUserListResponse())

    async def UserGet(self, request: pb.AuthUserGetRequest) -> pb.AuthUserGetResponse:  # noqa: N802
        """Find no user."""
        raise UserNotFoundError

    async def UserDelete(self, request: pb.AuthUserDeleteRequest) -> pb.AuthUserDeleteResponse:  # noqa: N802
        """Find no user."""
        raise UserNotFoundError

    async def RoleList(self, request: pb.AuthRoleListRequest) -> pb.AuthRoleListResponse:  # noqa: N802
        """List no roles."""
        return self._answer(pb.AuthRoleListResponse())

    async def RoleGet(self, request: pb.AuthRoleGetRequest) -> pb.AuthRoleGetResponse:  # noqa: N802
        """Find no role."""
        raise RoleNotFoundError

    async def RoleDelete(self, request: pb.AuthRoleDeleteRequest) -> pb.AuthRoleDeleteResponse:  # noqa: N802
        """Find no role."""
        raise RoleNotFoundError

    def _answer(self, response: Response) -> Response:
        self._headers.fill(response.header)
        return response


def _told(member: Member) -> pb.Member:
    return pb.Member(
        ID=member.id,
        name=member.name,
        peerURLs=member.peer_urls,
        clientURLs=member.client_urls,
        isLearner=member.is_learner,
    )


def _check_urls(urls: Sequence[str]) -> None:
    """Raise BadMemberURLError unless these are peer URLs: a scheme, a host and a port each."""
    if not 0 < len(urls) <= URLS_MAX or not all(map(_is_peer_url, urls)):
        raise BadMemberURLError


def _is_peer_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and port is not None and not parts.path
    return is_whole and len(url) <= URL_CHARACTERS_MAX and url.isprintable()
