"""Port forwarding's words: a pair of SPDY streams for each connection, the whole in a WebSocket.

    streamtype: error, port: 80, requestid: 0      what went wrong at the far end, if anything
    streamtype: data,  port: 80, requestid: 0      the connection's bytes, both ways

Modelled on client-go/tools/portforward and kubelet/pkg/cri/streaming/portforward.
"""

import asyncio
import contextlib

from cluster_engine.streaming.duplex import READ_BYTES_MAX
from cluster_engine.streaming.spdy import Stream

PROTOCOL = "portforward.k8s.io"
TUNNELLED = f"SPDY/3.1+{PROTOCOL}"
TYPE, PORT, REQUEST = "streamtype", "port", "requestid"
ERROR, DATA = "error", "data"


async def join(stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes between a stream and a connection until the stream's far side has said all, then close both."""

    async def upwards() -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(READ_BYTES_MAX):
                await stream.write(data)
            await stream.end()

    async def downwards() -> None:
        with contextlib.suppress(OSError):
            while data := await stream.read():
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()

    try:
        async with asyncio.TaskGroup() as tasks:
            sending, receiving = tasks.create_task(upwards()), tasks.create_task(downwards())
            await asyncio.wait([sending, receiving], return_when=asyncio.FIRST_COMPLETED)
    finally:
        writer.close()
        await stream.close()
