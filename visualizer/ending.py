"""Ending tasks for good: a cancellation may be swallowed by what a task awaits, so it is asked again, but not for ever.

await end([task, other])        both have ended, or are named in the log after `SECONDS`
await kill(process)             it is gone, also where who waits is asked again and again to end meanwhile
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

logger = logging.getLogger(__name__)

SECONDS = 3.0
AGAIN_SECONDS = 0.3


async def end(tasks: "Iterable[asyncio.Future[Any]]", seconds: float = SECONDS) -> None:
    """Cancel tasks until they have ended; give up, and say so, when they do not within `seconds`."""
    running = {task for task in tasks if not task.done()}
    for _ in range(max(1, round(seconds / AGAIN_SECONDS))):
        for task in running:
            task.cancel()
        if not running:
            return
        _done, running = await asyncio.wait(running, timeout=AGAIN_SECONDS)
    for task in running:
        logger.error("this does not end: %r", task)


async def kill(process: asyncio.subprocess.Process) -> None:
    """Kill a process, if it runs, and see it end: it takes but a moment, through which a cancellation waits."""
    if process.returncode is None:
        process.kill()
    gone, cancelled = asyncio.ensure_future(process.wait()), False
    while not gone.done():
        try:
            await asyncio.shield(gone)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
