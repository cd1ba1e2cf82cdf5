"""The supervisor: keeps this server's own workers alive, and takes them along when it goes.

Each worker is a child process on one end of a socket pair. Over it the child uses this process's bus (`lend`), or, with
Redis, only learns when the server is gone. The pair is enough: a server that is killed closes its end, and the child
stops. A child that dies is replaced after a pause that doubles up to `RESTART_SECONDS_MAX`; what it ran is reported.
One that hangs is killed first.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable

from visualizer import ending
from visualizer.hosting import messages
from visualizer.hosting.bus import Bus, BusLost
from visualizer.hosting.pipe_bus import lend

logger = logging.getLogger(__name__)

RESTART_SECONDS = 0.2
RESTART_SECONDS_MAX = 30.0
STEADY_SECONDS = 30.0  # a worker that lived so long is restarted quickly again
HUNG_SECONDS = 20.0
STOP_SECONDS = 8.0
LAST_WORDS_SECONDS = 2.0  # what a dead worker wrote into its pipe is still read

Gone = Callable[[str], Awaitable[None]]  # is told each cluster whose worker died


class Supervisor:
    """Keeps `count` workers running until it is stopped."""

    def __init__(self, bus: Bus, count: int, *, gone: Gone, engine: str, redis_url: str = "") -> None:
        self._bus = bus
        self._count = count
        self._gone = gone
        self._options = ["--engine", engine]
        self._environment = worker_environment(redis_url)
        self._tasks: list[asyncio.Task[None]] = []
        self._children: dict[str, asyncio.subprocess.Process] = {}
        self._stopping = False

    def start(self) -> None:
        """Start the workers."""
        self._tasks = [asyncio.create_task(self._keep(slot), name=f"keep worker {slot}") for slot in range(self._count)]

    async def stop(self) -> None:
        """End the workers: politely, then by force."""
        self._stopping = True
        for child in self._children.values():
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
        for child in self._children.values():
            with contextlib.suppress(ProcessLookupError):
                child.kill()
        await ending.end(self._tasks)

    def processes(self) -> list[int]:
        """The process ids of the workers that run now."""
        return [child.pid for child in self._children.values()]

    async def _keep(self, slot: int) -> None:
        pause = RESTART_SECONDS
        while not self._stopping:
            worker = f"{slot}-{secrets.token_hex(4)}"
            started = asyncio.get_running_loop().time()
            code = await self._run(worker)
            if self._stopping:
                return
            logger.error("worker %s ended with %s; another takes its place", worker, code)
            await self._clear_up(worker)
            steady = asyncio.get_running_loop().time() - started > STEADY_SECONDS
            pause = RESTART_SECONDS if steady else min(2 * pause, RESTART_SECONDS_MAX)
            await asyncio.sleep(pause)

    async def _run(self, worker: str) -> int:
        """Run one worker to its end."""
        ours, theirs = socket.socketpair()
        with theirs:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "visualizer.hosting.worker", "--name", worker, "--pipe", str(theirs.fileno())),
                *self._options,
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                env=self._environment,
            )
        self._children[worker] = child
        lending = asyncio.create_task(lend(self._bus, *await asyncio.open_connection(sock=ours)))
        watching = asyncio.create_task(self._kill_when_hung(worker, child))
        try:
            code = await child.wait()
            await asyncio.wait([lending], timeout=LAST_WORDS_SECONDS)
            return code
        finally:
            del self._children[worker]
            watching.cancel()
            lending.cancel()
            await asyncio.gather(watching, lending, return_exceptions=True)

    async def _kill_when_hung(self, worker: str, child: asyncio.subprocess.Process) -> None:
        """A worker that has been ready and then renews its lease no more for long does nothing else either."""
        lease = messages.worker_name(worker)
        heard_at: float | None = None
        while True:
            await asyncio.sleep(messages.RENEW_SECONDS)
            with contextlib.suppress(BusLost):
                now = asyncio.get_running_loop().time()
                if await self._bus.holder(lease) == worker:
                    heard_at = now
                elif heard_at is not None and now - heard_at > HUNG_SECONDS:
                    logger.error("worker %s has not been heard of for %d s and is killed", worker, HUNG_SECONDS)
                    child.kill()

    async def _clear_up(self, worker: str) -> None:
        """Give back what a dead worker held, and tell which clusters are gone with it."""
        with contextlib.suppress(BusLost):
            await self._bus.release(messages.worker_name(worker), worker)
            held = await self._bus.leases(messages.cluster_name(""))
            for lease, holder in held.items():
                if messages.worker_and_life(holder)[0] != worker:
                    continue
                await self._bus.release(lease, holder)
                await self._gone(lease.removeprefix(messages.cluster_name("")))
            await self._bus.drop(messages.worker_name(worker))


def worker_environment(redis_url: str) -> dict[str, str]:
    """The environment of a worker: ours, and where Redis is, whose password is nothing for a list of processes."""
    return {**os.environ, **({"REDIS_URL": redis_url} if redis_url else {})}
