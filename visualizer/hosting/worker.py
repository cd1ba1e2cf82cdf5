"""A worker: a process that runs clusters. `python -m visualizer.hosting.worker --name w1 --pipe 5` (or `--redis URL`).

It knows the engine and the bus, and neither Django nor a database: a worker with its first cluster is to stay under
120 MiB. It loads the engine before it holds its lease `worker:<name>`, so that whoever sees the lease may count on a
cluster within a second. From then on it follows its inbox and answers each `Ask`; questions are put to a cluster in the
order in which they came. Clusters that come back are replayed a few at a time, so that the first are up early and none
takes all of the processor; new ones do not wait. Every `RENEW_SECONDS` it renews its leases. A cluster whose lease
somebody else holds is stopped without a word: it was given up while this worker was not heard of.

Started by a server, the pipe is also its life line: at the end of the pipe it stops its clusters and exits.
"""

import argparse
import asyncio
import contextlib
import importlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Any

import msgspec

from cluster_engine.collecting import collect_seldom
from visualizer import gateway
from visualizer.hosting import messages
from visualizer.hosting.bus import Bus, BusLost
from visualizer.hosting.hosted_cluster import Engine, HostedCluster, Refused
from visualizer.hosting.messages import Ask, Create, Reply
from visualizer.hosting.pipe_bus import PipeBus

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 20.0
BEGIN_SECONDS = 1.0
RETRY_SECONDS = 0.5
REPLAYS_AT_ONCE = 2
REPLAY_TURN_SECONDS = 10.0  # one that takes longer goes on beside the next, and holds up nobody


def load_engine(name: str) -> Engine:
    """Import `module:Class`, which has a `ClusterSpec` beside it, and make it an `Engine`."""
    module_name, class_name = name.split(":")
    module = importlib.import_module(module_name)
    made, spec = getattr(module, class_name), module.ClusterSpec

    def engine(
        *,
        nodes: int,
        seed: int,
        pace: float | None,
        epoch: datetime | None,
        gateway_names: tuple[str, ...],
        **others: Any,
    ) -> Any:
        return made(spec(nodes=nodes, seed=seed, pace=pace, epoch=epoch, gateway_names=gateway_names), **others)

    return engine


class Worker:
    """Runs clusters until it is cancelled or stopped."""

    def __init__(self, name: str, bus: Bus, engine: Engine, *, clusters_max: int = 20, gateway_host: str = "") -> None:
        self.name = name
        self.gateway_host = gateway_host  # by which others reach this machine; "": who asks knows
        self.clusters: dict[str, HostedCluster] = {}
        self._bus = bus
        self._engine = engine
        self._clusters_max = clusters_max
        self._tasks: set[asyncio.Task[None]] = set()
        self._replaying = asyncio.Semaphore(REPLAYS_AT_ONCE)

    async def run(self) -> None:
        """Serve the inbox; ends only by cancellation or when the bus is lost for good."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._renew_for_ever(), name="renew")
                group.create_task(self._serve_inbox(), name="inbox")
        finally:
            for task in self._tasks:
                task.cancel()

    async def stop(self, reason: str) -> None:
        """Stop all clusters and give back the leases."""
        await asyncio.gather(*(self._end(cluster, reason) for cluster in list(self.clusters.values())))
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
            await asyncio.sleep(messages.RENEW_SECONDS)

    async def _renew(self) -> None:
        await self._bus.hold(messages.worker_name(self.name), self.name, messages.LEASE_SECONDS)
        for cluster in list(self.clusters.values()):
            cluster.beat()
            if not await self._hold(cluster.id) and cluster.id in self.clusters:
                logger.warning("worker %s has lost the lease of cluster %s and stops it", self.name, cluster.id)
                self._spawn(self._end(cluster, None))

    async def _hold(self, cluster: str) -> bool:
        return await self._bus.hold(messages.cluster_name(cluster), self.name, messages.LEASE_SECONDS)

    # The inbox ------------------------------------------------------------------------------------------------------

    async def _serve_inbox(self) -> None:
        async with contextlib.aclosing(self._bus.follow(messages.worker_name(self.name))) as inbox:
            async for frames in inbox:
                for ask in messages.asks(frames):
                    await self._serve(ask)

    async def _serve(self, ask: Ask) -> None:
        try:
            answer = await self._put(ask)
        except Refused as refusal:
            await self._reply(ask, Reply(ask.id, refusal=str(refusal)))
        else:
            self._spawn(self._answer(ask, answer))

    async def _put(self, ask: Ask) -> Awaitable[Any]:
        """Put a question to its cluster, now; the answer may come later."""
        match ask.question:
            case Create() as create:
                await self._create(ask.cluster, create)
                return _now({})
            case question:
                cluster = self.clusters.get(ask.cluster)
                if cluster is None:
                    raise Refused("This cluster does not run any more.")
                return self._put_to(cluster, question)

    def _put_to(self, cluster: HostedCluster, question: messages.Question) -> Awaitable[Any]:
        thread = cluster.thread
        if not isinstance(question, messages.Stop):
            cluster.refuse_while_resuming()
        match question:
            case messages.Pace(pace):
                return _later(thread.set_pace(pace))
            case messages.Pause():
                return _later(thread.pause())
            case messages.Resume():
                return _later(thread.resume())
            case messages.Step():
                return _later(thread.step(), lambda seq: {"seq": seq})
            case messages.Detail(seq):
                return _found(thread.detail(seq), "There is no such entry any more.")
            case messages.Entries(since, limit):
                return _later(thread.entries(since, limit))
            case messages.Inputs(since):
                return _now(cluster.inputs(since))
            case messages.Kubeconfig(name):
                return _later(thread.kubeconfig(self.gateway_host or name))
            case messages.Stop(reason, successor):
                return self._end(cluster, reason, successor)
            case Create():
                raise AssertionError("Create is answered before")
            case messages.Heal() | messages.HealIncident() | messages.Advance():
                return _begun(cluster.put(question))
            case doing:
                return _later(cluster.put(doing))

    async def _answer(self, ask: Ask, answer: Awaitable[Any]) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reply = Reply(ask.id, msgspec.json.encode(await answer))
        except TimeoutError:
            reply = Reply(ask.id, refusal="The cluster is busy and gave no answer in time.")
        except (LookupError, ValueError) as problem:  # the engine's words for "no such entry" and "that cannot be"
            words = str(problem.args[0] if problem.args else problem)
            reply = Reply(ask.id, refusal=words, missing=isinstance(problem, LookupError))
        except Exception:  # the cluster's outermost edge
            logger.exception("cluster %s: %s broke", ask.cluster, type(ask.question).__name__)
            reply = Reply(ask.id, refusal="This broke inside Glassplane; that is our mistake.")
        await self._reply(ask, reply)

    async def _reply(self, ask: Ask, reply: Reply) -> None:
        try:
            await self._bus.append(ask.reply_to, messages.pack(reply))
        except BusLost as problem:
            logger.warning("an answer is lost: %s", problem)

    # Clusters -------------------------------------------------------------------------------------------------------

    async def _create(self, identifier: str, create: Create) -> None:
        if identifier in self.clusters:
            return
        if len(self.clusters) >= self._clusters_max:
            raise Refused("This worker runs as many clusters as it may.")
        try:
            if not await self._hold(identifier):
                raise Refused("Another worker runs this cluster.")
            if self.gateway_host:
                create = msgspec.structs.replace(create, gateway_names=[self.gateway_host])
            cluster = HostedCluster(
                identifier, create, self._engine, self._bus, on_failure=lambda: self._failed(identifier)
            )
            self.clusters[identifier] = cluster
            await self._bus.append(messages.CLUSTERS, messages.pack(messages.Announced(identifier)))
        except BusLost as problem:
            raise Refused("The bus was lost.") from problem
        self._spawn(self._start(cluster))

    async def _start(self, cluster: HostedCluster) -> None:
        async with self._replaying if cluster.resumes else contextlib.nullcontext():
            if self.clusters.get(cluster.id) is not cluster:  # it was stopped before its turn came
                return
            starting = asyncio.ensure_future(cluster.start())
            await asyncio.wait([starting], timeout=REPLAY_TURN_SECONDS if cluster.resumes else None)
        reason = await starting
        if reason is not None:
            await self._end(cluster, reason)

    def _failed(self, identifier: str) -> None:
        cluster = self.clusters.get(identifier)
        if cluster is not None and cluster.started:
            self._spawn(self._end(cluster, "broken"))

    async def _end(self, cluster: HostedCluster, reason: str | None, successor: str | None = None) -> None:
        """Stop a cluster; the lease outlives its last word, so that nobody calls it lost."""
        if self.clusters.pop(cluster.id, None) is None:
            return
        await cluster.stop(reason, successor)
        with contextlib.suppress(BusLost):
            await self._bus.release(messages.cluster_name(cluster.id), self.name)

    def _spawn(self, work: Awaitable[None]) -> None:
        async def outermost() -> None:
            try:
                await work
            except Exception:
                logger.exception("worker %s: a task broke", self.name)

        task = asyncio.create_task(outermost())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _now(answer: Any) -> Any:
    return answer


async def _later(future: "Future[Any]", shape: Callable[[Any], Any] = lambda value: value) -> Any:
    answer = await asyncio.wrap_future(future)
    return {} if answer is None else shape(answer)


async def _begun(future: "Future[Any]") -> Any:
    """Answer for what may take its time, or for ever while time stands: once it is under way, or at once refused."""
    waiting = asyncio.ensure_future(asyncio.wrap_future(future))
    waiting.add_done_callback(lambda done: done.cancelled() or done.exception())  # it may have nobody left to hear it
    await asyncio.wait([waiting], timeout=BEGIN_SECONDS)
    return waiting.result() if waiting.done() else {}


async def _found(future: "Future[Any]", otherwise: str) -> Any:
    try:
        return await asyncio.wrap_future(future)
    except LookupError as problem:
        raise LookupError(otherwise) from problem


# The process ----------------------------------------------------------------------------------------------------------


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m visualizer.hosting.worker", description="Run clusters.")
    parser.add_argument("--name", default=f"{socket.gethostname()}-{os.getpid()}", help="unique among all workers")
    parser.add_argument("--pipe", type=int, metavar="FD", help="the socket of the server that started this worker")
    parser.add_argument("--redis", metavar="URL", default=os.environ.get("REDIS_URL"), help="default: $REDIS_URL")
    parser.add_argument("--engine", default="cluster_engine.thread:ClusterThread", metavar="MODULE:CLASS")
    parser.add_argument("--clusters-max", type=int, default=int(os.environ.get("CLUSTERS_PER_WORKER") or 20))
    parser.add_argument(
        "--gateway-host", metavar="NAME", type=gateway.checked, default=os.environ.get("GATEWAY_HOST", "")
    )
    options = parser.parse_args()
    if options.pipe is None and not options.redis:
        parser.error("a worker needs --pipe or --redis")
    return options


async def serve(options: argparse.Namespace) -> None:
    """Run a worker until SIGTERM, SIGINT or the end of the pipe."""
    engine = load_engine(options.engine)
    collect_seldom()
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
    worker = Worker(options.name, bus, engine, clusters_max=options.clusters_max, gateway_host=options.gateway_host)
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
    asyncio.run(serve(arguments()))
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
