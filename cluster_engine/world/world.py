"""One world: a loop, a network, the hosts on it and what runs there.

    async def story(world):
        host = world.add_host("a", "10.0.0.1")
        process = world.spawn(host, "server", main)
        await process.wait_ready()
        await world.until(lambda: host.disk.get("done"), within_seconds=60)

A bug of ours crashes the process it is in, or ends the world: then `failed` has it, and whoever runs the world raises
it (`bugs`).
"""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cluster_engine.world.bugs import APOLOGY, KIND, described, first_of, trace_of
from cluster_engine.world.clock import DeadlockError
from cluster_engine.world.files import FileSystem
from cluster_engine.world.loop import ClusterLoop, OwnedTask
from cluster_engine.world.network import Network
from cluster_engine.world.process import Host, Main, Process, current_process
from cluster_engine.world.tap import GuardedTap, Note, Tap

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """Belongs to one ClusterLoop. `seed` decides all chance but keys and nonces; `epoch` is the date at time 0.

    `effort` multiplies what work costs (`world/work.py`) and may be set at any time; 0, as at the beginning: nothing.
    `position` gives the number of the latest entry that the tap has written, 0 where there is none. One that
    `is_strict` ends with every bug of ours, also where the product would go on.
    """

    is_strict = False

    def __init__(
        self,
        loop: ClusterLoop,
        *,
        seed: int = 1,
        epoch: datetime = EPOCH,
        tap: Tap | None = None,
        position: Callable[[], int] = lambda: 0,
    ) -> None:
        self.loop = loop
        self.seed = seed
        self.effort = 0.0
        self.epoch = epoch
        self.rng = random.Random(f"{seed}")
        self.network = loop.network = Network(loop, random.Random(f"{seed}/network"))
        self.network.tap = None if tap is None else GuardedTap(tap, lambda bug: self.end_with(bug, "the lens"))
        self._position = position
        self.failed: asyncio.Future[None] = loop.create_future()
        self.add_machine: Callable[[str], Host] | None = None
        """Switches on one more machine of that name ("": one is found); ValueError. None: there are no more."""
        self._incarnations: dict[str, int] = {}
        self._movement: list[asyncio.Future[None]] = []
        self._moved_at = -1.0
        loop.set_exception_handler(self._unhandled)
        loop.clock.before_waiting.append(self._wake_watchers)
        loop.clock.on_deadlock = self._deadlocked

    # -- building -----------------------------------------------------------------------------------------------------

    def add_host(self, name: str, address: str) -> Host:
        """Plug a host into the network."""
        return self.network.add_host(name, address)

    def host(self, name: str) -> Host:
        """Find a host; KeyError when there is none."""
        return self.network.hosts[name]

    def spawn(
        self,
        host: Host,
        name: str,
        main: Main,
        *,
        part_of_world: bool = False,
        told: bool = True,
        files: FileSystem | None = None,
    ) -> Process:
        """Start a program on a host, now. Bugs of one that is `part_of_world` end the world.

        It is a participant of the journal's where it is `told` of. It sees the host's files, or those given.
        """
        incarnation = self._incarnations[f"{host.name}/{name}"] = self._incarnations.get(f"{host.name}/{name}", 0) + 1
        process = Process(self, host, name, main, incarnation, part_of_world=part_of_world, told=told, files=files)
        host.processes[process.pid] = host.machine.processes[process.pid] = process
        if told:
            process.note(
                "process.started",
                f"{name} starts on {host.name}",
                name=name,
                host=host.name,
                address=host.address,
                pid=process.pid,
            )
        process.start()
        return process

    # -- time ---------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Tell the true time, UTC. Hosts may be skewed from it."""
        return self.epoch + timedelta(seconds=self.loop.time())

    async def until(self, predicate: Callable[[], Any], within_seconds: float = 60.0) -> Any:
        """Wait until `predicate()` is true, asked whenever the world has come to rest; give its value.

        TimeoutError after `within_seconds` virtual seconds, naming the predicate.
        """
        deadline = self.loop.time() + within_seconds
        timer = self.loop.call_at(deadline, lambda: None)
        try:
            while not (value := predicate()):
                if self.loop.time() >= deadline:
                    name = getattr(predicate, "__qualname__", repr(predicate))
                    raise TimeoutError(f"{name} did not come true within {within_seconds} s of virtual time")
                rest = self.loop.create_future()
                self._movement.append(rest)
                await rest
            return value
        finally:
            timer.cancel()

    def _wake_watchers(self) -> bool:
        if not self._movement or self._moved_at == self.loop.time():
            return False
        self._moved_at = self.loop.time()
        woken, self._movement = self._movement, []
        for rest in woken:
            if not rest.done():
                rest.set_result(None)
        return True

    # -- what is told -------------------------------------------------------------------------------------------------

    def note(self, kind: str, text: str, fields: dict[str, Any], process: Process | None = None) -> None:
        """Put a note into whatever taps this world."""
        tap = self.network.tap
        if tap is None:
            return
        owner, host = (process.id, process.host.name) if process else ("", "")
        tap.note(Note(self.loop.time(), owner, host, kind, text, fields))

    def bug(self, error: Exception, doing: str, *, process: Process | None = None, host: str = "") -> str:
        """Note a bug of ours in a process, or in what was done on a host; return the sentence for who waits for it."""
        what = described(error)
        fields = {"error": what, "trace": trace_of(error), "doing": doing, "host": host}
        told = {key: value for key, value in fields.items() if value}
        self.note(KIND, f"a bug of Glassplane, not of Kubernetes: {what}", told, process)
        first = first_of(error)
        if self.is_strict or isinstance(first, MemoryError) or (process is not None and process.part_of_world):
            self.end_with(first, doing)
        position = self._position()
        return f"{APOLOGY}: {what}" + (f" (entry {position} of the journal)" if position else "")

    def end_with(self, bug: BaseException, doing: str) -> None:
        """End the world; only the first bug says why."""
        if not self.failed.done():
            bug.add_note(f"in {doing} at {self.loop.time():.6f} s of virtual time, seed {self.seed}")
            self.failed.set_exception(bug)

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take what asyncio could hand to nobody. Lost connections and cancellations are life; the rest is a bug.

        It is the bug of the process in whose context it happened, if that was any.
        """
        error = context.get("exception")
        message = str(context.get("message", "asyncio reported an error without saying which"))
        if error is None and message.startswith("Unclosed"):
            return  # what a killed program held open, found by Python's collector: the kernel has closed it
        if isinstance(error, OSError | asyncio.CancelledError):
            return
        bug = error if isinstance(error, Exception) else RuntimeError(message)
        process = _process_of(context)
        if process is None:
            self.end_with(bug, message)
        elif process.is_alive:
            process.crash(bug)
        else:
            self.bug(bug, message, process=process)

    def _deadlocked(self) -> bool:
        if self.failed.done():
            return False
        self.failed.set_exception(DeadlockError("nothing is ready and no timer is set" + self._describe_waits()))
        return True

    def _describe_waits(self) -> str:
        tasks = sorted(asyncio.all_tasks(self.loop), key=lambda task: task.get_name())
        waits = [f"\n  {task.get_name()} waits at {_innermost(task.get_coro())}" for task in tasks]
        return "; every task waits:" + "".join(waits)


def _process_of(context: dict[str, Any]) -> Process | None:
    """Find the process in whose context something happened that asyncio tells of."""
    for told in (context.get("task"), context.get("future")):
        if isinstance(told, OwnedTask):
            return told.owner
    handle = context.get("handle")
    there = context.get("context") or getattr(handle, "_context", None)
    return None if there is None else there.get(current_process)


def _innermost(coroutine: Any) -> str:
    while getattr(coroutine.cr_await, "cr_frame", None) is not None:
        coroutine = coroutine.cr_await
    return f"{coroutine.cr_code.co_filename}:{coroutine.cr_frame.f_lineno}"
