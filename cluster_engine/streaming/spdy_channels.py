"""A command's channels as streams of SPDY, as kubectl before 1.31 has them, with the three calls of a WebSocket.

    X-Stream-Protocol-Version: v4.channel.k8s.io      what client and server agree upon, beside Upgrade: SPDY/3.1
    streamtype: error, stdout, …                      the streams that the client opens, one for each channel

A message is what it is in a WebSocket: its channel's number and bytes. Modelled on
k8s.io/kubelet/pkg/cri/streaming/remotecommand/httpstream.go. Left out: the versions before the fourth.
"""

import asyncio
import contextlib
from collections.abc import Collection, Mapping

from cluster_engine.streaming import channels
from cluster_engine.streaming.spdy import Connection, SpdyError, Stream

UPGRADE = "SPDY/3.1"
VERSION_HEADER = "x-stream-protocol-version"
OPENED_SECONDS = 30.0
TYPES = {
    channels.STDIN: "stdin",
    channels.STDOUT: "stdout",
    channels.STDERR: "stderr",
    channels.ERROR: "error",
    channels.RESIZE: "resize",
}
FROM_CLIENT = {"stdin": channels.STDIN, "resize": channels.RESIZE}


def accept(headers: Mapping[str, tuple[str, ...]], protocol: str) -> list[tuple[str, str]] | None:
    """Return the headers of an answer that agrees to SPDY with a protocol in it; None where that is not asked for."""
    if not any(value.lower() == UPGRADE.lower() for value in headers.get("upgrade", ())):
        return None
    asked = [one.strip() for value in headers.get(VERSION_HEADER, ()) for one in value.split(",")]
    if protocol not in asked:
        return None
    return [("Upgrade", UPGRADE), ("Connection", "Upgrade"), ("X-Stream-Protocol-Version", protocol)]


class SpdyChannels:
    """Messages over a connection's streams. Use it in `async with`: it waits until the client has opened `wanted`."""

    def __init__(self, connection: Connection, wanted: Collection[str]) -> None:
        self._connection = connection
        self._wanted = set(wanted)
        self._streams: dict[str, Stream] = {}
        self._changed = asyncio.Event()
        self._gone = asyncio.Event()
        self._received: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)
        self._reading: list[asyncio.Task[None]] = []
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> "SpdyChannels":
        await self._group.__aenter__()
        self._hearing = self._group.create_task(self._hear())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OPENED_SECONDS):
                while not self._wanted <= self._streams.keys() and not self._gone.is_set():
                    self._changed.clear()
                    await self._changed.wait()
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in (self._hearing, *self._reading):
            task.cancel()
        await self._group.__aexit__(None, None, None)

    async def _hear(self) -> None:
        try:
            async for stream in self._connection.streams():
                name = stream.headers.get("streamtype", "")
                if name in FROM_CLIENT and name not in self._streams:
                    self._reading.append(self._group.create_task(self._read(FROM_CLIENT[name], stream)))
                self._streams.setdefault(name, stream)
                self._changed.set()
        except SpdyError:
            pass  # it has hung up on whoever speaks something else
        finally:
            self._gone.set()
            self._changed.set()
        await self._received.put(None)

    async def _read(self, channel: int, stream: Stream) -> None:
        while data := await stream.read():
            await self._received.put(bytes([channel]) + data)
        if channel == channels.STDIN:
            await self._received.put(bytes([channels.CLOSE, channel]))

    async def receive(self) -> bytes | None:
        """Return the next message; None once the client has gone."""
        return await self._received.get()

    async def send(self, data: bytes) -> None:
        """Send a message. ConnectionError where there is no such stream any more."""
        stream = self._streams.get(TYPES[data[0]])
        if stream is None:
            raise ConnectionResetError("the stream is closed")
        await stream.write(data[1:])

    async def close(self) -> None:
        """End all streams, and the connection."""
        for stream in list(self._streams.values()):
            with contextlib.suppress(ConnectionError):
                await stream.end()
        await self._connection.close()
