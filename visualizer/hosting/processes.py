"""How a worker comes by the processes that its clusters run in.

`ForkedProcesses` has a fork server and asks it for a child each time. The server is started again after it has died,
which ends all its children (the kernel sees to that). Tests that are about clusters and not about processes run them in
their own (tests/web/web_processes.py), behind the same two small interfaces.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
import tempfile
from typing import Any, BinaryIO, Protocol

from visualizer.hosting import process_link, watchdog
from visualizer.hosting.black_box import BlackBox, LastDone

logger = logging.getLogger(__name__)

READY_SECONDS_MAX = 60.0
TRACE_BYTES_MAX = 64 * 1024
TRACE_SECONDS = 0.3


class Process(Protocol):
    """The process of one cluster, from the outside."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ended: "asyncio.Future[int]"  # its exit code; below 0, the signal that ended it

    def look(self) -> watchdog.Sample | None:
        """Look at what it takes; None where that is not known."""

    async def kill(self) -> None:
        """End it by force, having it write down where it is."""

    def last_done(self) -> LastDone:
        """Return the last thing that was done to its cluster."""

    def trace(self) -> str:
        """Return what it wrote down of where it was when it died, or was to be killed; "" for nothing."""

    def close(self) -> None:
        """Let go of all of it, once it has ended."""


class Processes(Protocol):
    """Where processes come from."""

    async def begin(self) -> Process:
        """Start one. OSError when that cannot be done."""

    async def aclose(self) -> None:
        """End what is left."""


class ForkedProcess:
    """A child of the fork server."""

    def __init__(self, server: "ForkedProcesses", link: socket.socket, box: BlackBox, trace: BinaryIO) -> None:
        self.pid = 0
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.link, self.box, self.trace_file = link, box, trace
        self._server = server

    async def open(self) -> None:
        """Connect to its link."""
        self._ends = await process_link.ends(self.link)
        self.reader, self.writer = self._ends.reader, self._ends.writer

    def look(self) -> watchdog.Sample | None:
        """See `Process`."""
        return watchdog.sample(self.pid)

    async def kill(self) -> None:
        """See `Process`."""
        self._server.signal(self.pid, signal.SIGUSR1)  # `fork_server.TRACE_SIGNAL`
        await asyncio.wait([self.ended], timeout=TRACE_SECONDS)
        self._server.signal(self.pid, signal.SIGKILL)

    def last_done(self) -> LastDone:
        """See `Process`."""
        return self.box.read()

    def trace(self) -> str:
        """See `Process`."""
        self.trace_file.seek(0)
        return self.trace_file.read(TRACE_BYTES_MAX).decode("utf-8", "replace")

    def close(self) -> None:
        """See `Process`."""
        self._ends.close()
        self.box.close()
        self.trace_file.close()


class ForkedProcesses:
    """Processes forked by a server of this worker's own."""

    def __init__(self, engine: str, memory_bytes_max: int = watchdog.MEMORY_BYTES_MAX) -> None:
        self._engine = engine
        self._memory_bytes_max = memory_bytes_max
        self._control: socket.socket | None = None
        self._server: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[None] | None = None
        self._forking: ForkedProcess | None = None  # asked for: one at a time
        self._forked: asyncio.Future[None] | None = None
        self._children: dict[int, ForkedProcess] = {}
        self._starting = asyncio.Lock()

    async def begin(self) -> Process:
        """See `Processes`."""
        async with self._starting:
            if self._listening is None or self._listening.done():
                await self._start()
            ours, theirs = socket.socketpair()
            with theirs:
                child = ForkedProcess(self, ours, BlackBox(), tempfile.TemporaryFile())  # noqa: SIM115 (it closes it)
                self._forking, self._forked = child, asyncio.get_running_loop().create_future()
                assert self._control is not None
                descriptors = [theirs.fileno(), child.box.fd, child.trace_file.fileno()]
                socket.send_fds(self._control, [b'{"fork": true}\n'], descriptors)
                await self._forked
        await child.open()
        return child

    async def start(self) -> None:
        """Have the fork server ready before the first cluster comes."""
        async with self._starting:
            await self._start()

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._server = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "visualizer.hosting.fork_server", "--control", str(theirs.fileno()), "--engine", self._engine),
                *("--memory-bytes-max", str(self._memory_bytes_max)),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                env={"MALLOC_ARENA_MAX": "1", **os.environ},
            )
        self._control = ours
        reader, self._control_writer = await asyncio.open_connection(sock=ours.dup())  # closes when it is forgotten
        self._ready = asyncio.get_running_loop().create_future()
        self._listening = asyncio.create_task(self._listen(reader), name="fork server")
        async with asyncio.timeout(READY_SECONDS_MAX):
            await self._ready

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            self._hear(json.loads(line))
        logger.error("the fork server is gone, and its clusters with it")
        self._lose()
        self._let_go()

    def _hear(self, said: dict[str, Any]) -> None:
        match said:
            case {"ready": True} if self._ready is not None:
                self._ready.set_result(None)
            case {"forked": int(pid)} if self._forking is not None and self._forked is not None:
                self._forking.pid = pid
                self._children[pid] = self._forking
                self._forking = None
                if not self._forked.done():
                    self._forked.set_result(None)
            case {"exited": [int(pid), int(code)]} if pid in self._children:
                self._children.pop(pid).ended.set_result(code)

    def _lose(self) -> None:
        """Its children have been killed with it: none of them is to be blamed (SIGHUP stands for that)."""
        for child in self._children.values():
            if not child.ended.done():
                child.ended.set_result(-signal.SIGHUP)
        self._children.clear()
        self._forking = None
        for waiting in (self._ready, self._forked):
            if waiting is not None and not waiting.done():
                waiting.set_exception(OSError("the fork server is gone"))

    def _let_go(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control_writer.close()
            self._control = None

    def signal(self, pid: int, number: int) -> None:
        """Send a child a signal; by its parent, who knows whether it is still the one."""
        if self._control is not None and pid in self._children:
            with contextlib.suppress(OSError):
                self._control.sendall(json.dumps({"signal": [pid, number]}).encode() + b"\n")

    async def aclose(self) -> None:
        """See `Processes`."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self._let_go()
        if self._server is not None:
            with contextlib.suppress(ProcessLookupError):
                self._server.kill()
            await self._server.wait()
        self._lose()
