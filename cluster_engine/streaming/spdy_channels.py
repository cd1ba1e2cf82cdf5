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
TYPES = {channels.STDIN: "stdin", channels.STDOUT: "stdout", channels.STDERR: "stderr", channels.ERROR: "error"}


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
        self._typed_all = False
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
        self._hearing.cancel()
        await self._group.__aexit__(None, None, None)

    async def _hear(self) -> None:
        try:
            async for stream in self._connection.streams():
                self._streams.setdefault(stream.headers.get("streamtype", ""), stream)
                self._changed.set()
        except SpdyError:
            pass  # it has hung up on whoever speaks something else
        finally:
            self._gone.set()
            self._changed.set()

    async def receive(self) -> bytes | None:
        """Return the next message; None once the client has gone."""
        stdin = self._streams.get("stdin")
        if stdin is not None and not self._typed_all:
            if data := await stdin.read():
                return bytes([channels.STDIN]) + data
            self._typed_all = True
            return bytes([channels.CLOSE, channels.STDIN])
        await self._gone.wait()
        return None

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
