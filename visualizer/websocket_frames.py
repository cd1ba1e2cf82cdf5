"""Send text frames to one browser, most of them the same for everybody in the room.

A consumer's `send` costs each page a walk through Channels' session middleware, Daphne and autobahn for every frame.
A server that can write frames more directly says so, as ASGI provides, in the scope's `extensions`: what stands there
under `EXTENSION` takes any number of frames at once and waits while the browser does not read (`visualizer.server`
does). Under any other server frames go the common way.

A frame of a server is not masked (RFC 6455, 5.1), so its bytes are the same on every connection: they are made once.

    >>> on_the_wire(("hi",))
    b'\\x81\\x02hi'
"""

import struct
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

EXTENSION = "glassplane.websocket_frames"
KEPT = 8  # of the last writes; whoever else is sent the same is woken in the same moment
TEXT_IN_ONE_PIECE = 0x81  # FIN, opcode 1

SendFrames = Callable[[tuple[str, ...]], Awaitable[None]]


def sender_of(consumer: Any) -> SendFrames:
    """Return the quickest way to send frames to a consumer's page: the server's own, or its `send`."""
    direct: SendFrames | None = consumer.scope.get("extensions", {}).get(EXTENSION)

    async def send(frames: tuple[str, ...]) -> None:
        for frame in frames:
            await consumer.send(text_data=frame)

    return direct or send


@lru_cache(maxsize=KEPT)
def on_the_wire(frames: tuple[str, ...]) -> bytes:
    """Write WebSocket text frames, one after the other."""
    return b"".join(_frame(text.encode()) for text in frames)


def _frame(payload: bytes) -> bytes:
    return bytes([TEXT_IN_ONE_PIECE]) + _length(len(payload)) + payload


def _length(size: int) -> bytes:
    if size < 126:
        return bytes([size])
    return struct.pack("!BH", 126, size) if size < 1 << 16 else struct.pack("!BQ", 127, size)


def write_now(transport: Any, data: bytes) -> None:
    """Write to a Twisted socket itself where nothing waits before; a way through its buffer costs twice the time."""
    if transport.connected and not transport.dataBuffer and getattr(transport, "_tempDataLen", None) == 0:
        sent = transport.writeSomeData(data)
        if isinstance(sent, int):  # else the connection is lost: Twisted finds that out for itself
            data = data[sent:]
    transport.write(data)
