"""What is to end ends, or is named."""

import asyncio
import contextlib
from types import SimpleNamespace

import pytest

from visualizer import ending

pytestmark = pytest.mark.asyncio


async def test_a_task_that_swallows_a_cancellation_is_asked_again():
    async def deaf(times: int) -> None:
        for _ in range(times):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    tasks = [asyncio.create_task(deaf(times)) for times in (0, 1, 2)]
    await asyncio.sleep(0)
    await ending.end(tasks)
    assert all(task.done() for task in tasks)


async def test_what_does_not_end_holds_up_nobody_and_is_named(caplog):
    loud = asyncio.Event()

    async def stubborn() -> None:
        while not loud.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await loud.wait()

    task = asyncio.create_task(stubborn(), name="stubborn")
    await asyncio.sleep(0)
    await ending.end([task], seconds=0.3)
    assert "stubborn" in caplog.text
    loud.set()
    await task


async def test_a_process_that_is_killed_is_seen_to_end_however_often_that_is_cancelled():
    killed, gone = asyncio.Event(), asyncio.Event()
    process = SimpleNamespace(returncode=None, kill=killed.set, wait=gone.wait)
    task = asyncio.create_task(ending.kill(process))
    for _ in range(2):
        await killed.wait()
        task.cancel()
        await asyncio.wait([task], timeout=0.01)
        assert not task.done()
    gone.set()
    with pytest.raises(asyncio.CancelledError):
        await task
