"""Processes that are none: each cluster runs in the test's own, at the other end of a real link."""

import asyncio
import socket
from typing import Any

from visualizer.hosting import process_link, watchdog
from visualizer.hosting.black_box import BlackBox, LastDone
from visualizer.hosting.cluster_main import serve
from visualizer.hosting.hosted_cluster import Engine


class OwnProcess:
    """One cluster, in a task."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.box = BlackBox()

    async def begin(self) -> "OwnProcess":
        ours, theirs = socket.socketpair()
        self._ends = await process_link.ends(ours)
        self.reader, self.writer = self._ends.reader, self._ends.writer
        theirs_ends = await process_link.ends(theirs)
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(serve(theirs_ends, self.engine, self.box))
        self.task.add_done_callback(self._done)
        return self

    def _done(self, task: "asyncio.Task[None]") -> None:
        broke = not task.cancelled() and task.exception() is not None
        self.ended.set_result(-9 if task.cancelled() else 70 if broke else 0)

    def look(self) -> watchdog.Sample | None:
        return watchdog.Sample(0.0, 0, stopped=False)

    async def kill(self) -> None:
        self.task.cancel()

    def last_done(self) -> LastDone:
        return self.box.read()

    def trace(self) -> str:
        return ""

    def close(self) -> None:
        self._ends.close()
        self.box.close()


class OwnProcesses:
    """Where they come from; `threads` are those of all clusters, in the order in which they began."""

    def __init__(self, engine: Engine) -> None:
        self.threads: list[Any] = []
        self.processes: list[OwnProcess] = []

        def remembered(**fields: Any) -> Any:
            self.threads.append(engine(**fields))
            return self.threads[-1]

        self._engine = remembered

    async def begin(self) -> OwnProcess:
        process = await OwnProcess(self._engine).begin()
        self.processes.append(process)
        return process

    async def aclose(self) -> None:
        for process in self.processes:
            process.task.cancel()
        await asyncio.gather(*(process.task for process in self.processes), return_exceptions=True)
