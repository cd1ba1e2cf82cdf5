"""What a worker and the process of one cluster say to each other, over a socket pair.

The process of a cluster has no bus. It is given its `Begin`, then questions in the order in which they came, and hands
up what it has to say; its worker puts that on the bus, under the lease of the cluster's life. A `Ping` goes through the
cluster's own thread, between two of its callbacks: whoever does not answer is not merely busy. Frames are msgpack
behind a length of four bytes. When either process ends, the other sees the end of the file.

    worker → process    Begin, Ask (hosting.messages), Ping
    process → worker    Told (onto the cluster's stream), Replied (to who asked), Up, Pong
"""

import asyncio
import socket
from typing import NamedTuple, TypeVar

import msgspec

from visualizer.hosting.messages import Ask, Create

FRAME_BYTES_MAX = 64 * 1024 * 1024
T = TypeVar("T")


class LinkLost(Exception):  # noqa: N818
    """The other process is gone, or what it says makes no sense."""


class Begin(msgspec.Struct, tag=True, frozen=True):
    """Start this cluster; `gateway_host` is by which others reach this machine ("": who asks knows)."""

    cluster: str
    create: Create
    gateway_host: str = ""


class Ping(msgspec.Struct, tag=True, frozen=True):
    """Say that you are there, and the time."""

    n: int


class Question(msgspec.Struct, tag=True, frozen=True):
    """Put a question to the cluster; its answer carries the worker's number `n` of it."""

    n: int
    ask: Ask


class Told(msgspec.Struct, tag=True, frozen=True):
    """A message for the cluster's stream."""

    message: bytes


class Replied(msgspec.Struct, tag=True, frozen=True):
    """The packed `Reply` to question `n`, for the web process that reads stream `to`."""

    n: int
    to: str
    message: bytes


class Up(msgspec.Struct, tag=True, frozen=True):
    """The cluster runs, and its past, if it has one, is replayed."""


class Pong(msgspec.Struct, tag=True, frozen=True):
    """The cluster's thread has come to this ping."""

    n: int


Down = Begin | Question | Ping
Upwards = Told | Replied | Up | Pong

_encode = msgspec.msgpack.Encoder().encode
down = msgspec.msgpack.Decoder(Down)
up = msgspec.msgpack.Decoder(Upwards)


class Ends(NamedTuple):
    """One end of a link: a transport for each way, so that a write that fails takes nothing along that has arrived.

    (asyncio's own stream gives up what it has read and not yet handed out when the other side is gone at a write.)
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    reading: asyncio.StreamWriter  # keeps the reader's transport

    def close(self) -> None:
        """Let go of both."""
        self.writer.close()
        self.reading.close()


async def ends(link: socket.socket) -> Ends:
    """Make an end of a link out of a connected socket, which is handed over."""
    reader, reading = await asyncio.open_connection(sock=link.dup())
    _, writer = await asyncio.open_connection(sock=link)
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # nothing has been said before both ends are open
    return Ends(reader, writer, reading)


async def read(reader: asyncio.StreamReader, decoder: "msgspec.msgpack.Decoder[T]") -> T:
    """Read one frame. Raise `LinkLost`."""
    try:
        size = int.from_bytes(await reader.readexactly(4), "big")
        if size > FRAME_BYTES_MAX:
            raise LinkLost(f"a frame of {size} bytes")
        return decoder.decode(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, OSError, msgspec.DecodeError) as problem:
        raise LinkLost("the other process is gone") from problem


def write(writer: asyncio.StreamWriter, frame: Down | Upwards) -> None:
    """Write one frame; `drain` waits until the other side has room."""
    body = _encode(frame)
    writer.write(len(body).to_bytes(4, "big") + body)


async def drain(writer: asyncio.StreamWriter) -> None:
    """Wait until there is room. Raise `LinkLost`."""
    try:
        await writer.drain()
    except OSError as problem:
        raise LinkLost("the other process is gone") from problem
