"""Bytes both ways: what a connection is once an HTTP/1.1 upgrade has been agreed upon.

    await splice(client, kubelet)       # what a proxy does: carry bytes both ways until either side has ended

Modelled on apimachinery/pkg/util/proxy/upgradeaware.go, which hijacks the connection and copies. A proxy does not look
at what it carries, WebSocket or SPDY.
"""

import asyncio
import contextlib
from typing import Protocol

READ_BYTES_MAX = 64 * 1024


class Duplex(Protocol):
    """Both directions of a connection. After `close` nothing is read or written any more."""

    async def read(self) -> bytes:
        """Return the next bytes, at most READ_BYTES_MAX; b"" once nothing more will come."""
        ...

    async def write(self, data: bytes) -> None:
        """Send bytes; returns when there is room for more. ConnectionError when nobody takes them."""
        ...

    async def close(self) -> None:
        """End it, after what was written."""
        ...


async def splice(left: Duplex, right: Duplex) -> None:
    """Carry bytes both ways until either side has ended, then close both."""

    async def carry(source: Duplex, sink: Duplex) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read():
                await sink.write(data)

    try:
        async with asyncio.TaskGroup() as tasks:
            ways = [tasks.create_task(carry(left, right)), tasks.create_task(carry(right, left))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
    finally:
        await left.close()
        await right.close()
