"""A WebSocket client that costs next to nothing: what is measured is the server, not two hundred clients in Python.

It knows of RFC 6455 what a bench needs: the opening, unmasked text frames in (not compressed, in one piece), text
frames out under a mask of zeros, and pings, which the server sends to find out who is gone. A frame is searched as
bytes; nobody parses JSON for somebody who only waits.

    >>> list(Frames().take(bytes([0x81, 2]) + b"hi" + bytes([0x81, 1])))
    [(1, b'hi')]
"""

import asyncio
import json
import os
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

TEXT, PING, PONG = 1, 9, 10
Wanted = Callable[[bytes], bool]


class RefusedError(Exception):
    """The server opened no WebSocket."""


class Frames:
    """Cuts bytes into the frames that they hold."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def take(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the frames that are complete: opcode, payload."""
        held = self._bytes
        held += data
        start = 0
        while (end := self._end(start)) is not None:
            head, tail = end
            yield held[start] & 15, bytes(held[head:tail])
            start = tail
        del held[:start]

    def _end(self, start: int) -> tuple[int, int] | None:
        """Where the payload of the frame at `start` begins and ends; None while it is not complete."""
        held = self._bytes
        if len(held) < start + 2:
            return None
        size, head = held[start + 1], start + 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, head = int.from_bytes(held[head : head + width], "big"), head + width
        return (head, head + size) if len(held) >= head + size else None


class LightSocket(asyncio.Protocol):
    """One WebSocket. The first frame for which `wanted` is true sets `seen`; `at` and `frame` keep when and what."""

    def __init__(self, request: bytes, wanted: Wanted | None = None) -> None:
        self.at: float | None = None
        self.frame = b""
        self.seen = asyncio.Event()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wanted = wanted
        self._request, self._answer = request, b""
        self._frames = Frames()

    def expect(self, wanted: Wanted) -> None:
        """Wait for something new."""
        self._wanted, self.at = wanted, None
        self.seen.clear()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message as JSON."""
        self._send(TEXT, json.dumps(message).encode())

    def _send(self, opcode: int, data: bytes) -> None:
        size = bytes([128 | len(data)]) if len(data) < 126 else bytes([128 | 126]) + len(data).to_bytes(2, "big")
        self._transport.write(bytes([128 | opcode]) + size + bytes(4) + data)

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def connection_made(self, transport: Any) -> None:
        """Ask for a WebSocket."""
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take what comes; the server's answer ends with an empty line."""
        if not self.opened.done():
            self._answer += data
            if b"\r\n\r\n" not in self._answer:
                return
            head, data = self._answer.split(b"\r\n\r\n", 1)
            if not head.startswith(b"HTTP/1.1 101 "):
                self.opened.set_exception(RefusedError(head.decode(errors="replace")))
                return
            self.opened.set_result(None)
        now = time.monotonic()
        for opcode, frame in self._frames.take(data):
            if opcode == PING:
                self._send(PONG, frame)
            elif opcode == TEXT and self._wanted is not None and self._wanted(frame):
                self._wanted, self.at, self.frame = None, now, frame
                self.seen.set()

    def connection_lost(self, _: BaseException | None) -> None:
        """Nothing comes any more."""
        if not self.opened.done():
            self.opened.set_exception(RefusedError("hung up"))


async def connect(url: str, path: str, cookies: str, wanted: Wanted | None = None) -> LightSocket:
    """Open a WebSocket as a page of `url` does; `wanted` is expected from the first frame on."""
    place = urlsplit(url)
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {place.netloc}",
        f"Origin: {url}",
        f"Cookie: {cookies}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {b64encode(os.urandom(16)).decode()}",
    ]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    _, opened = await asyncio.get_running_loop().create_connection(
        lambda: LightSocket(request, wanted), place.hostname, place.port
    )
    await opened.opened
    return opened
