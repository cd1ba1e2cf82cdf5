"""A member whose disk is full raises the alarm NOSPACE, and takes it back once there is room again.

Theory of operation. A host's disk says whether it has room (`Space`, which a fault turns). The member that runs there
proposes an AlarmRequest like any other change: all members have the alarm from the same entry of the log on, so all
refuse the same puts. As long as nothing can be agreed upon it proposes again, and a member that was down when the disk
filled up does so after its start.

    space.tell(full=True)     -> AlarmRequest ACTIVATE of this member     etcdserver: mvcc: database space exceeded
    space.tell(full=False)    -> AlarmRequest DEACTIVATE, as `etcdctl alarm disarm` asks for

Modelled on etcd's server/etcdserver/server.go (applyEntryNormal), where it is the quota that a put has no room in.
"""

import asyncio
from typing import Any

from cluster_engine.etcd.agreement import Agreement
from cluster_engine.etcd.errors import EtcdError
from cluster_engine.rpc import etcd_pb2 as pb

AGAIN_SECONDS = 1.0
_ON_DISK = "etcd.space"


class Space:
    """Whether a disk is full, and that this has changed."""

    def __init__(self) -> None:
        self.is_full = False
        self.changed = asyncio.Event()

    def tell(self, *, full: bool) -> None:
        """Let the disk be full, or have room."""
        self.is_full = full
        self.changed.set()


def space_of(disk: dict[str, Any]) -> Space:
    """Return the space of a host's disk."""
    space: Space = disk.setdefault(_ON_DISK, Space())
    return space


async def watch(space: Space, agreement: Agreement) -> None:
    """Have the alarm say what the disk says, until cancelled."""
    while True:
        await space.changed.wait()
        is_full = space.is_full
        action = pb.AlarmRequest.ACTIVATE if is_full else pb.AlarmRequest.DEACTIVATE
        try:
            await agreement.propose(pb.AlarmRequest(action=action, memberID=agreement.member_id, alarm=pb.NOSPACE))
        except EtcdError:
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            if space.is_full == is_full:
                space.changed.clear()
