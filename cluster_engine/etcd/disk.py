"""How long etcd waits for its disk: a write counts once the write-ahead log is on it (`fsync`).

Theory of operation. etcd's raft loop writes what has been proposed and calls fsync; proposals that come meanwhile share
the next one (group commit). Reads are asked through the same loop, so they wait for the fsync that is under way, and
for no more. With `fsync_seconds` 0, as a host here has it unless a fault says otherwise, nobody waits.

    fsync takes 1 s     write at 0.0 → done at 1.0     writes at 0.2, 0.9 → both done at 2.0     read at 0.3 → at 1.0

Modelled on etcd's `server/etcdserver/raft.go` (`raftNode.start`) and `server/storage/wal`. Left out: the backend's own
commits (every 100 ms, beside the requests), the elections that a slow disk brings about among several members.
"""

import asyncio

from cluster_engine.world.process import Host


class Disk:
    """The disk under one etcd."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._busy_until = 0.0
        self._next_until = 0.0

    async def written(self) -> None:
        """Wait until what is proposed now is on the disk."""
        seconds, now = self._host.fsync_seconds, asyncio.get_running_loop().time()
        if not seconds and now >= self._next_until:
            return
        if now >= self._next_until:
            self._busy_until = self._next_until = now + seconds
        elif now >= self._busy_until:
            self._busy_until, self._next_until = self._next_until, self._next_until + seconds
        elif self._next_until == self._busy_until:
            self._next_until = self._busy_until + seconds
        await self._until(self._next_until)

    async def idle(self) -> None:
        """Wait until the fsync under way is done: a read has to know how far the log has come."""
        now = asyncio.get_running_loop().time()
        if now < self._next_until:
            await self._until(self._busy_until if now < self._busy_until else self._next_until)

    async def _until(self, time: float) -> None:
        delay = time - asyncio.get_running_loop().time()
        if delay > 0:
            await asyncio.sleep(delay)
