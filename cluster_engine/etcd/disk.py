"""How long etcd takes to write: a write counts once the write-ahead log is on the disk (`fsync`) and it is applied.

Theory of operation. etcd's raft loop writes what has been proposed and calls fsync; proposals that come meanwhile share
the next one (group commit). What is on the disk is then applied, one entry after the other. Reads are asked through the
same loop, so they wait for the fsync that is under way, and for no more. An fsync takes the host's `fsync_seconds` when
a fault has set them, else what `etcd.fsync` draws: nothing in a world without effort, and then nobody waits.

Without a majority of the members (`members`) nothing is ever agreed upon: both wait for TIMEOUT_SECONDS in vain.

    fsync takes 1 s     write at 0.0 → done at 1.0     writes at 0.2, 0.9 → both done at 2.0     read at 0.3 → at 1.0

Modelled on etcd's `server/etcdserver/raft.go` (`raftNode.start`) and `server/storage/wal`. Left out: the backend's own
commits (every 100 ms, beside the requests). Several members write by themselves (`consensus`).
"""

import asyncio

from cluster_engine.etcd.errors import RequestTimedOutError
from cluster_engine.etcd.members import Members
from cluster_engine.world.process import Process

BUCKETS = tuple(0.001 * 2**n for n in range(14))
TIMEOUT_SECONDS = 7.0
"""etcd's ReqTimeout: 5 s for the disk, and two election timeouts."""


def fsync_seconds(process: Process) -> float:
    """Draw how long an fsync takes on a process's host now, and count it."""
    seconds = process.host.fsync_seconds or process.effort.seconds("etcd.fsync")
    process.metrics.histogram(
        "etcd_disk_wal_fsync_duration_seconds", "The latency distributions of fsync called by WAL.", BUCKETS
    ).observe(seconds)
    return seconds


class Disk:
    """The disk under one etcd."""

    def __init__(self, process: Process, members: Members) -> None:
        self._process = process
        self._members = members
        self._busy_until = 0.0
        self._next_until = 0.0
        self._applied_until = 0.0

    async def written(self) -> None:
        """Wait until what is proposed now is on the disk and its turn to be applied has come. RequestTimedOutError."""
        await self.agreed()
        now = asyncio.get_running_loop().time()
        if now >= self._next_until:
            self._busy_until = self._next_until = now + fsync_seconds(self._process)
        elif now >= self._busy_until:
            self._busy_until, self._next_until = self._next_until, self._next_until + fsync_seconds(self._process)
        elif self._next_until == self._busy_until:
            self._next_until = self._busy_until + fsync_seconds(self._process)
        applied_from = max(self._next_until, self._applied_until)
        self._applied_until = applied_from + self._process.effort.seconds("etcd.apply")
        await self._until(self._applied_until)

    async def idle(self) -> None:
        """Wait until the fsync under way is done: a read has to know how far the log has come. RequestTimedOutError."""
        await self.agreed()
        now = asyncio.get_running_loop().time()
        if now < self._next_until:
            await self._until(self._busy_until if now < self._busy_until else self._next_until)
        await self._process.work("etcd.range")

    async def agreed(self) -> None:
        """Raise RequestTimedOutError, after a time, unless a majority of the members can agree."""
        if not self._members.have_quorum:
            await asyncio.sleep(TIMEOUT_SECONDS)
            raise RequestTimedOutError

    async def _until(self, time: float) -> None:
        delay = time - asyncio.get_running_loop().time()
        if delay > 0:
            await asyncio.sleep(delay)
