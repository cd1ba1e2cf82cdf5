"""Waiting in tests of the web tier: for what must come true, never for a time."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from patience import PATIENCE_SECONDS as PATIENCE


async def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait until something holds; the condition may be asynchronous."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if inspect.isawaitable(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.005)
