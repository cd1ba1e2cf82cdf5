"""Run a story in a world of its own and give what it returns: the form of every engine test, and of small scripts.

    async def story(world):
        server = world.add_host("server", "10.0.0.1")
        ...
        return world.loop.time()

    seconds = run_story(story, seed=7)

The story itself runs as a process "story" on a host "outside" (10.0.0.254), so that it may open connections too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

from cluster_engine.world.clock import LEAP, Clock, Machine
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.process import Process
from cluster_engine.world.tap import Tap
from cluster_engine.world.world import EPOCH, World

T = TypeVar("T")


def run_story(
    story: Callable[[World], Awaitable[T]],
    *,
    seed: int = 1,
    tap: Tap | None = None,
    pace: float | None = LEAP,
    epoch: datetime = EPOCH,
    machine: Machine | None = None,
) -> T:
    """Build a world, run `story(world)` in it to its end, kill what still runs, give what it returned.

    Raises what the story raised, or what a program of the world failed with.
    """
    loop = ClusterLoop(Clock(pace, machine))
    try:
        return loop.run_until_complete(_tell(loop, story, seed, tap, epoch))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _tell(
    loop: ClusterLoop, story: Callable[[World], Awaitable[T]], seed: int, tap: Tap | None, epoch: datetime
) -> T:
    world = World(loop, seed=seed, epoch=epoch, tap=tap)
    outcome: asyncio.Future[T] = loop.create_future()

    async def main(_: Process) -> None:
        try:
            result = await story(world)
        except BaseException as error:
            if not outcome.done():
                outcome.set_exception(error)
        else:
            outcome.set_result(result)

    world.spawn(world.add_host("outside", "10.0.0.254"), "story", main, part_of_world=True)
    try:
        ends: list[asyncio.Future[Any]] = [outcome, world.failed]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not outcome.done():
            await world.failed
        return await outcome
    finally:
        await end_all(world)


async def end_all(world: World) -> None:
    """Kill every process of a world and wait until the last task has gone."""
    processes = [process for host in world.network.hosts.values() for process in host.processes.values()]
    for process in processes:
        process.kill()
    for process in processes:
        await process.wait()
    if world.failed.done():
        world.failed.exception()
    else:
        world.failed.cancel()
