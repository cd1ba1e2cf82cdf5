"""A worker: keeps clusters running, each in a process of its own. `python -m visualizer.hosting.worker --pipe 5`.

It runs no cluster and knows no engine; it stands between the bus and the processes that do (`cluster_process.py`),
which a fork server makes for it (`processes.py`). So whatever becomes of a cluster, its memory, its processor time and
its crashes are its own. The fork server is warm before the worker holds its lease `worker:<name>`: whoever sees the
lease may count on a cluster within a second. From then on it follows its inbox and hands each `Ask` down, in order.
Clusters that come back are replayed a few at a time, so that the first are up early; new ones do not wait.

Every `RENEW_SECONDS` it renews its leases and looks after its processes (`watchdog.py`). A cluster whose lease somebody
else holds is ended without a word: it was given up while this worker was not heard of. One that was stopped for longer
than its leases last (a suspended machine) asks for them before it does anything else.

Started by a server, the pipe is also its life line: at the end of the pipe it stops its clusters and exits.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable

import msgspec

from visualizer import environment
from visualizer.hosting import messages
from visualizer.hosting.bus import Bus, BusLost
from visualizer.hosting.cluster_process import ClusterProcess
from visualizer.hosting.loads import has_room, load_of, monotonic_through_sleep
from visualizer.hosting.messages import Ask, Create, Reply, Stop
from visualizer.hosting.pipe_bus import PipeBus
from visualizer.hosting.processes import ForkedProcesses, Processes
from visualizer.hosting.refused import GONE, Refused
from visualizer.hosting.watchdog import MEMORY_BYTES_MAX

logger = logging.getLogger(__name__)

REPLAYS_AT_ONCE = max(2, os.cpu_count() or 1)
REPLAY_TURN_SECONDS = 10.0  # one that takes longer goes on beside the next, and holds up nobody
DONE = Reply(0, b"{}")
MEBIBYTE = 1024 * 1024


class Worker:
    """Has clusters run until it is cancelled or stopped."""

    def __init__(
        self,
        name: str,
        bus: Bus,
        processes: Processes,
        *,
        clusters_max: int = environment.CLUSTERS_PER_WORKER.default,
        memory_bytes_max: int = MEMORY_BYTES_MAX,
        gateway_host: str = "",
        now: Callable[[], float] = monotonic_through_sleep,
    ) -> None:
        self.name = name
        self.gateway_host = gateway_host  # by which others reach this machine; "": who asks knows
        self.clusters: dict[str, ClusterProcess] = {}
        self._bus = bus
        self._processes = processes
        self._clusters_max = clusters_max
        self._memory_bytes_max = memory_bytes_max
        self._now = now
        self._tasks: set[asyncio.Task[None]] = set()
        self._replaying = asyncio.Semaphore(REPLAYS_AT_ONCE)
        self._stopped = False

    async def run(self) -> None:
        """Serve the inbox; ends only by cancellation or when the bus is lost for good."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._renew_for_ever(), name="renew")
                group.create_task(self._serve_inbox(), name="inbox")
        finally:
            for task in self._tasks:
                task.cancel()
            await self._processes.aclose()

    async def stop(self, reason: str) -> None:
        """Stop all clusters and give back the leases."""
        await asyncio.gather(*(self._end(cluster, Stop(reason)) for cluster in list(self.clusters.values())))
        self._stopped = True
        with contextlib.suppress(BusLost):
            await self._bus.release(messages.worker_name(self.name), self.name)
            await self._bus.drop(messages.worker_name(self.name))

    # Leases ---------------------------------------------------------------------------------------------------------

    async def _renew_for_ever(self) -> None:
        while True:
            try:
                await self._renew()
            except BusLost as problem:
                logger.warning("worker %s cannot renew its leases: %s", self.name, problem)
            await asyncio.gather(*(cluster.check(self._now()) for cluster in list(self.clusters.values())))
            await asyncio.sleep(messages.RENEW_SECONDS)

    async def _renew(self) -> None:
        await self._bus.hold(messages.worker_name(self.name), self.name, messages.LEASE_SECONDS)
        if self._stopped:  # meanwhile, and its lease may have been free
            await self._bus.release(messages.worker_name(self.name), self.name)
            return
        await self._bus.append(messages.LOADS, messages.pack(load_of(self.name)))
        for cluster in list(self.clusters.values()):
            held = await self._hold(cluster)
            if self.clusters.get(cluster.id) is not cluster:  # it has ended meanwhile, and its lease may have been free
                await self._bus.release(*cluster.held)
            elif not held:
                logger.warning("worker %s has lost the lease of cluster %s and ends it", self.name, cluster.id)
                del self.clusters[cluster.id]
                self._spawn(cluster.kill_silently())

    async def _hold(self, cluster: ClusterProcess) -> bool:
        asked = self._now()  # before: the lease may begin at any time after
        if held := await self._bus.hold(*cluster.held, messages.LEASE_SECONDS):
            cluster.held_until = asked + messages.LEASE_SECONDS
        return held

    async def _still_holds(self, cluster: ClusterProcess) -> bool:
        """Whether a cluster is this worker's to act on: who has been stopped for long must ask first."""
        if self._now() >= cluster.held_until:
            await self._renew()
        return self.clusters.get(cluster.id) is cluster

    # The inbox ------------------------------------------------------------------------------------------------------

    async def _serve_inbox(self) -> None:
        async with contextlib.aclosing(self._bus.follow(messages.worker_name(self.name))) as inbox:
            async for frames in inbox:
                for ask in messages.asks(frames):
                    await self._serve(ask)

    async def _serve(self, ask: Ask) -> None:
        try:
            await self._put(ask)
        except Refused as refusal:
            await self._reply(ask, Reply(ask.id, refusal=str(refusal)))
        except BusLost as problem:
            logger.warning("worker %s does nothing without the bus: %s", self.name, problem)

    async def _put(self, ask: Ask) -> None:
        """Put a question to its cluster, in the order in which they come; the answer comes later."""
        cluster = self.clusters.get(ask.cluster)
        if isinstance(ask.question, Create):
            await self._create(ask.cluster, ask.question)
            await self._reply(ask, DONE)
        elif cluster is None or cluster.life != ask.life or not await self._still_holds(cluster):
            raise Refused(GONE)
        elif isinstance(ask.question, Stop):
            self._spawn(self._stop(cluster, ask, ask.question))
        elif cluster.resumes and not cluster.up.is_set():
            raise Refused("This cluster is still starting; please try again in a moment.")
        else:
            cluster.ask(ask)

    async def _stop(self, cluster: ClusterProcess, ask: Ask, stop: Stop) -> None:
        await self._end(cluster, stop)
        await self._reply(ask, DONE)

    async def _reply(self, ask: Ask, reply: Reply) -> None:
        try:
            await self._bus.append(ask.reply_to, messages.pack(msgspec.structs.replace(reply, id=ask.id)))
        except BusLost as problem:
            logger.warning("an answer is lost: %s", problem)

    # Clusters -------------------------------------------------------------------------------------------------------

    async def _create(self, identifier: str, create: Create) -> None:
        running = self.clusters.get(identifier)
        if running is not None and running.life == create.life:
            return
        if running is not None:
            raise Refused("Another life of this cluster has not ended yet.")
        if len(self.clusters) >= self._clusters_max or not has_room():
            raise Refused("This worker runs as many clusters as it may.")
        if self.gateway_host:
            create = msgspec.structs.replace(create, gateway_names=[self.gateway_host])
        cluster = ClusterProcess(identifier, create, self._bus, self.name, self._memory_bytes_max)
        try:
            if not await self._hold(cluster):
                raise Refused("Another worker runs this cluster.")
            self.clusters[identifier] = cluster
            await self._bus.append(messages.CLUSTERS, messages.pack(messages.Announced(identifier)))
        except BusLost as problem:
            raise Refused("The bus was lost.") from problem
        self._spawn(self._run(cluster))

    async def _run(self, cluster: ClusterProcess) -> None:
        """Run one cluster to its end; the lease outlives its last word, so that nobody calls it lost."""
        try:
            if cluster.resumes:
                self._spawn(self._hold_a_turn(cluster))
                await cluster.turn.wait()
            await cluster.run(self._processes.begin, self.gateway_host)
            if self.clusters.get(cluster.id) is cluster:
                del self.clusters[cluster.id]
            with contextlib.suppress(BusLost):
                await self._bus.release(*cluster.held)
        finally:
            cluster.released.set()  # also where this worker itself ends

    async def _hold_a_turn(self, cluster: ClusterProcess) -> None:
        """Let a cluster come back once fewer than `REPLAYS_AT_ONCE` others do; one that takes long holds up nobody."""
        async with self._replaying:
            cluster.turn.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPLAY_TURN_SECONDS):
                    await cluster.up.wait()

    async def _end(self, cluster: ClusterProcess, stop: Stop) -> None:
        """Have a cluster say its last words and end; its lease is free then."""
        await cluster.stop_and_wait(stop)
        await cluster.released.wait()

    def _spawn(self, work: Awaitable[None]) -> "asyncio.Task[None]":
        async def outermost() -> None:
            try:
                await work
            except Exception:
                logger.exception("worker %s: a task broke", self.name)

        task = asyncio.create_task(outermost())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


# The process ----------------------------------------------------------------------------------------------------------


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m visualizer.hosting.worker", description="Run clusters.")
    parser.add_argument("--name", default=f"{socket.gethostname()}-{os.getpid()}", help="unique among all workers")
    parser.add_argument("--pipe", type=int, metavar="FD", help="the socket of the server that started this worker")
    parser.add_argument(
        "--redis",
        metavar="URL",
        type=environment.REDIS_URL.parse,
        default=environment.REDIS_URL.read() or None,
        help="default: $REDIS_URL",
    )
    parser.add_argument("--engine", default="cluster_engine.thread:ClusterThread", metavar="MODULE:CLASS")
    clusters_max, memory_mib = environment.CLUSTERS_PER_WORKER, environment.CLUSTER_MEMORY_MIB
    gateway_host = environment.GATEWAY_HOST
    parser.add_argument("--clusters-max", metavar="N", type=clusters_max.parse, default=clusters_max.read())
    parser.add_argument(
        "--cluster-memory-mib",
        metavar="MIB",
        type=memory_mib.parse,
        default=memory_mib.read(),
        help="what one cluster may take, beyond what all share",
    )
    parser.add_argument("--gateway-host", metavar="NAME", type=gateway_host.parse, default=gateway_host.read() or None)
    options = parser.parse_args()
    if options.pipe is None and not options.redis:
        raise environment.Misfit("A worker that no server starts needs REDIS_URL, the bus over which servers reach it.")
    return options


async def serve(options: argparse.Namespace) -> None:
    """Run a worker until SIGTERM, SIGINT or the end of the pipe."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    if options.pipe is None:
        loop.add_signal_handler(signal.SIGINT, ended.set)
    else:  # Ctrl-C in the terminal is the server's; it closes the pipe when it is done
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe: PipeBus | None = None
    if options.pipe is not None:
        ends = await asyncio.open_connection(sock=socket.socket(fileno=options.pipe))
        pipe = PipeBus(*ends, on_lost=ended.set)
    bus = _redis(options.redis) if options.redis else pipe
    assert bus is not None
    memory_bytes_max = options.cluster_memory_mib * MEBIBYTE
    processes = ForkedProcesses(options.engine, memory_bytes_max)
    await processes.start()
    worker = Worker(
        options.name,
        bus,
        processes,
        clusters_max=options.clusters_max,
        memory_bytes_max=memory_bytes_max,
        gateway_host=options.gateway_host or "",
    )
    running = asyncio.create_task(worker.run(), name="worker")
    running.add_done_callback(lambda _: ended.set())
    await ended.wait()
    await worker.stop("server-stopped")
    running.cancel()
    problem = (await asyncio.gather(running, return_exceptions=True))[0]
    if isinstance(problem, Exception) and not _only_lost(problem):
        logger.error("worker %s broke", options.name, exc_info=problem)
    await bus.aclose()
    if pipe is not None and pipe is not bus:
        await pipe.aclose()


def _only_lost(problem: BaseException) -> bool:
    if isinstance(problem, BaseExceptionGroup):
        return all(_only_lost(one) for one in problem.exceptions)
    return isinstance(problem, BusLost)


def _redis(url: str) -> Bus:
    from visualizer.hosting.redis_bus import RedisBus  # only here: the embedded worker does without it

    return RedisBus(url)


def main() -> None:
    """Run the process; leave without waiting for threads that do not end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with environment.ending_at_a_misfit():
        options = arguments()
    asyncio.run(serve(options))
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
