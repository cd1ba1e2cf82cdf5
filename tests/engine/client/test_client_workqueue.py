import asyncio

import pytest

from cluster_engine.api.status import Refusal
from cluster_engine.client import WorkQueue


def test_a_key_added_twice_is_taken_once_and_in_order(run):
    async def story(world):
        queue = WorkQueue[str]()
        for key in "abab":
            queue.add(key)
        return [await queue.get(), await queue.get(), len(queue)]

    assert run(story) == ["a", "b", 0]


def test_a_key_changed_while_worked_on_comes_back_after_done_only(run):
    async def story(world):
        queue = WorkQueue[str]()
        queue.add("a")
        await queue.get()
        queue.add("a")
        assert len(queue) == 0
        queue.done("a")
        return await queue.get()

    assert run(story) == "a"


def test_a_delayed_key_keeps_the_earliest_time(run):
    async def story(world):
        queue = WorkQueue[str]()
        queue.add_after("a", 10)
        queue.add_after("a", 3)
        queue.add_after("a", 7)
        await queue.get()
        queue.done("a")
        at = world.loop.time()
        await asyncio.sleep(20)
        return at, len(queue)

    assert run(story) == (3, 0)


def test_failures_double_the_wait_up_to_1000_seconds_until_forgotten(run):
    async def story(world):
        queue = WorkQueue[str]()
        waits = []
        for _ in range(20):
            started = world.loop.time()
            queue.add_rate_limited("a")
            await queue.get()
            queue.done("a")
            waits.append(round(world.loop.time() - started, 6))
        queue.forget("a")
        assert queue.failures("a") == 0
        return waits

    waits = run(story)
    assert waits[:4] == [0.005, 0.01, 0.02, 0.04]
    assert waits[-2:] == [1000, 1000]


def test_more_than_a_hundred_failures_at_once_are_spread_over_time(run):
    async def story(world):
        queue = WorkQueue[int]()
        for key in range(120):
            queue.add_rate_limited(key)
        for _ in range(120):
            queue.done(await queue.get())
        return world.loop.time()

    assert run(story) == pytest.approx(2.0)


def test_work_retries_refusals_and_network_trouble_and_then_gives_up(run):
    async def story(world):
        queue = WorkQueue[str]()
        tries = []

        async def sync(key):
            tries.append(key)
            raise Refusal("no", code=409) if len(tries) % 2 else ConnectionResetError()

        worker = asyncio.create_task(queue.work(sync, retries_max=3))
        queue.add("a")
        await asyncio.sleep(100)
        worker.cancel()
        return len(tries)

    assert run(story) == 4


def test_a_bug_in_a_sync_is_not_swallowed(run):
    async def story(world):
        queue = WorkQueue[str]()

        async def sync(key):
            raise KeyError(key)

        queue.add("a")
        await queue.work(sync)

    with pytest.raises(KeyError):
        run(story)
