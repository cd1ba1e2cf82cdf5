"""How a change of the store comes about: the seam between etcd's services and who decides.

    propose(request)     has a change made, and gives the response of whoever carried it out
    readable()           waits until the store has all that was acknowledged to anybody

`Alone` is the agreement of a single member: its disk is the majority. `consensus` is that of several.

    await agreement.propose(pb.PutRequest(key=b"a", value=b"1"))     -> PutResponse, or an EtcdError
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from google.protobuf.message import Message

from cluster_engine.etcd.applier import Applier
from cluster_engine.etcd.disk import Disk
from cluster_engine.etcd.errors import BadLeaderTransfereeError
from cluster_engine.etcd.members import CLUSTER_ID, MEMBER_ID
from cluster_engine.etcd.store import Store
from cluster_engine.rpc import etcd_pb2 as pb

_WRITES = (pb.PutRequest, pb.DeleteRangeRequest, pb.TxnRequest)


class Agreement(Protocol):
    """What etcd's services need to know of the other members, and of none in particular."""

    on_leader: Callable[[], None]
    """Called when somebody else leads than before, or nobody."""

    @property
    def cluster_id(self) -> int:
        """The cluster's number."""
        ...

    @property
    def member_id(self) -> int:
        """This member's number."""
        ...

    @property
    def leader(self) -> int:
        """The number of the member that leads, 0 when there is none."""
        ...

    @property
    def leads(self) -> bool:
        """Whether this member leads."""
        ...

    @property
    def leader_changes(self) -> int:
        """How often this member has found a leader, since it was started, that it did not have at once before."""
        ...

    @property
    def term(self) -> int:
        """The present term."""
        ...

    @property
    def index(self) -> int:
        """The last entry that is agreed upon."""
        ...

    async def propose(self, request: Message) -> Any:
        """Have `request` carried out and give its response. EtcdError: refused, or nobody knows whether."""
        ...

    async def readable(self) -> None:
        """Wait until a read of the store sees what was acknowledged before. RequestTimedOutError."""
        ...

    async def keep_alive(self, request: pb.LeaseKeepAliveRequest) -> pb.LeaseKeepAliveResponse:
        """Start a lease's time anew, where it runs."""
        ...

    async def time_to_live(self, request: pb.LeaseTimeToLiveRequest) -> pb.LeaseTimeToLiveResponse:
        """Tell how long a lease has left, where its time runs."""
        ...

    async def move_leader(self, to: int) -> None:
        """Have another member lead."""
        ...

    async def without_leader(self) -> None:
        """Return once nobody has led for long."""
        ...

    @property
    def are_members_fixed(self) -> bool:
        """Whether nobody can be added or taken away."""
        ...


class Alone:
    """One member, which agrees with itself once its disk has written."""

    cluster_id = CLUSTER_ID
    member_id = MEMBER_ID
    leads = True
    leader_changes = 1
    are_members_fixed = False

    def __init__(self, store: Store, applier: Applier, disk: Disk) -> None:
        self._store = store
        self._applier = applier
        self._disk = disk
        self.on_leader: Callable[[], None] = lambda: None

    @property
    def leader(self) -> int:
        """Itself, as long as nobody has been added who does not run."""
        return MEMBER_ID if self._store.members.have_quorum else 0

    @property
    def term(self) -> int:
        """Counts its starts."""
        return self._store.raft_term

    @property
    def index(self) -> int:
        """Counts its writes."""
        return self._store.raft_index

    async def propose(self, request: Message) -> Any:
        """See Agreement."""
        if isinstance(request, _WRITES):
            await self._disk.written()
        else:
            await self._disk.agreed()
        return self._applier.apply(request)

    async def readable(self) -> None:
        """See Agreement."""
        await self._disk.idle()

    async def keep_alive(self, request: pb.LeaseKeepAliveRequest) -> pb.LeaseKeepAliveResponse:
        """See Agreement."""
        return self._applier.keep_alive(request)

    async def time_to_live(self, request: pb.LeaseTimeToLiveRequest) -> pb.LeaseTimeToLiveResponse:
        """See Agreement."""
        return self._applier.time_to_live(request)

    async def move_leader(self, to: int) -> None:
        """See Agreement."""
        if to != MEMBER_ID:
            raise BadLeaderTransfereeError

    async def without_leader(self) -> None:
        """See Agreement."""
        await asyncio.Event().wait()
