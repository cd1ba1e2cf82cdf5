"""Running containers: one task for each, which writes its lines when their time has come and notes its end.

A container's timeline is known from its start on. The task only waits; kill it and nothing is lost, since `run` takes a
container up at any later moment, writes what was due and ends it with the time at which it ended.

A loop that turns more often than every FAST_TURN_SECONDS is written every FAST_WRITE_SECONDS, as much of it as a log
keeps: `while true; do echo x; done` costs four writes a second.

Modelled on containerd-shim-runc. Left out: cgroups, checkpoints.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from cluster_engine.containerd import logs
from cluster_engine.containerd.store import Container
from cluster_engine.containerd.timeline import Line
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.files import FileSystem

SIGKILL_CODE = 137
FAST_TURN_SECONDS = 0.1
FAST_WRITE_SECONDS = 0.25


class Shims:
    """The running containers of a node. `on_exit` is told of each that has ended, after its record says so."""

    def __init__(self, files: FileSystem, now: Callable[[], datetime], on_exit: Callable[[Container], None]) -> None:
        self._files = files
        self._now = now
        self._on_exit = on_exit
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    def serve(self, group: asyncio.TaskGroup) -> None:
        """Use this group for the containers' tasks."""
        self._group = group

    def adopt(self, container: Container) -> None:
        """Follow a container that runs, from now on."""
        assert self._group is not None
        self._tasks[container.id] = self._group.create_task(self._run(container), name=f"shim {container.id[:12]}")

    async def stop(self, container: Container, grace_seconds: float) -> None:
        """SIGTERM, then SIGKILL after the grace; returns once the container has ended.

        Who cancels this call takes back the SIGKILL, not the SIGTERM.
        """
        if container.state != cri.CONTAINER_RUNNING:
            return
        if grace_seconds > 0:
            self._terminate(container)
            await asyncio.wait([self._tasks[container.id]], timeout=grace_seconds)
        self.kill(container)

    def kill(self, container: Container) -> None:
        """SIGKILL."""
        if container.state == cri.CONTAINER_RUNNING:
            self._tasks[container.id].cancel()
            self._end(container, SIGKILL_CODE, self._elapsed(container))

    def crash(self, container: Container, exit_code: int) -> None:
        """Let a running container's program end by itself, now."""
        if container.state == cri.CONTAINER_RUNNING:
            self._tasks[container.id].cancel()
            self._end(container, exit_code, self._elapsed(container))

    def _terminate(self, container: Container) -> None:
        """SIGTERM: a program with a handler for it has another future from now on."""
        timeline, now = container.timeline, self._elapsed(container)
        stop = timeline.on_term
        if stop is None or (timeline.ends_at is not None and timeline.ends_at <= now + stop.seconds):
            return
        said = tuple(line for line in timeline.lines if line.at <= now)
        container.timeline = replace(
            timeline,
            lines=said + tuple(replace(line, at=now + line.at) for line in stop.lines),
            repeat=None,
            ends_at=now + stop.seconds,
            exit_code=stop.exit_code,
            on_term=None,
        )
        self._tasks[container.id].cancel()
        self.adopt(container)

    def _elapsed(self, container: Container) -> float:
        return asyncio.get_running_loop().time() - container.started

    async def _run(self, container: Container) -> None:
        timeline = container.timeline
        while container.lines_written < len(timeline.lines):
            now = timeline.lines[container.lines_written].at
            await self._until(container, now)
            due = [line for line in timeline.lines[container.lines_written :] if line.at <= now]
            self._write(container, due)
            container.lines_written += len(due)
        if timeline.ends_at is not None:
            await self._until(container, timeline.ends_at)
            reason = "OOMKilled" if timeline.out_of_memory else ""
            self._end(container, timeline.exit_code, timeline.ends_at, reason)
        elif timeline.repeat is not None and timeline.repeat.lines:
            await self._repeat(container)

    async def _repeat(self, container: Container) -> None:
        repeat = container.timeline.repeat
        assert repeat is not None
        turn = max(0, int((self._elapsed(container) - repeat.begins_at) // repeat.period))
        turns = 1 if repeat.period >= FAST_TURN_SECONDS else math.ceil(FAST_WRITE_SECONDS / repeat.period)
        kept = math.ceil(logs.LINES_MAX / len(repeat.lines))
        while True:
            turn += turns
            await self._until(container, repeat.begins_at + (turn - 1) * repeat.period + repeat.lines[-1].at)
            lines = []
            for nth in range(turn - min(turns, kept), turn):
                begins_at = repeat.begins_at + nth * repeat.period
                lines += [replace(line, at=begins_at + line.at) for line in repeat.lines]
            self._write(container, lines)

    async def _until(self, container: Container, at: float) -> None:
        await asyncio.sleep(max(0.0, container.started + at - asyncio.get_running_loop().time()))

    def _write(self, container: Container, lines: list[Line]) -> None:
        logs.append(self._files, container.log_path, lines, self._begun(container))

    def _begun(self, container: Container) -> datetime:
        return self._now() - timedelta(seconds=self._elapsed(container))

    def _end(self, container: Container, exit_code: int, elapsed: float, reason: str = "") -> None:
        container.state = cri.CONTAINER_EXITED
        container.exit_code = exit_code
        container.finished_at = nanoseconds(self._begun(container) + timedelta(seconds=elapsed))
        container.reason = reason or ("Completed" if exit_code == 0 else "Error")
        self._tasks.pop(container.id, None)
        self._on_exit(container)


def nanoseconds(moment: datetime) -> int:
    """Write a moment as CRI does."""
    return int(moment.timestamp() * 1_000_000) * 1000
