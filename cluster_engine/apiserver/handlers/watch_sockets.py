"""A watch over a WebSocket: each event is a text message of its own.

    GET /api/v1/pods?watch=1 HTTP/1.1         HTTP/1.1 101 Switching Protocols
    Origin: https://example                   81 7e 01 d2  {"type":"ADDED","object":{…}}
    Upgrade: websocket                        88 02 03 e8  the watch is over

The server is golang.org/x/net/websocket's: whoever does not say an Origin is refused (403, without a word), any Origin
will do; of subprotocols there may be one, which is agreed to whatever it is. What the client sends is ignored.

Modelled on HandleWS in apiserver/pkg/endpoints/handlers/watch.go. Left out: protobuf (binary messages), bearer tokens
in the name of a subprotocol.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable

from cluster_engine.apiserver.serving.exchange import Request, Response, Writer
from cluster_engine.streaming import websocket
from cluster_engine.streaming.duplex import Duplex
from cluster_engine.streaming.websocket import HandshakeError, WebSocket

FORBIDDEN = Response(403, "")
BAD_REQUEST = Response(400, "", headers=(("sec-websocket-version", "13"),))


def is_asked_for(request: Request) -> bool:
    """Return whether a request is to become a WebSocket (wsstream.IsWebSocketRequest)."""
    return request.asks_for_upgrade and request.header("upgrade").lower() == "websocket"


def over_websocket(request: Request, response: Response) -> Response:
    """Answer a watch over a WebSocket; `response` is the one that would go on over HTTP."""
    events = response.stream
    if events is None:
        return response
    if not request.header("origin"):
        return FORBIDDEN
    try:
        headers = websocket.accept_any(request.headers)
    except HandshakeError:
        return BAD_REQUEST

    async def switch(duplex: Duplex) -> None:
        socket = WebSocket(duplex, is_client=False)
        messages = Messages(socket)
        ways = {
            asyncio.create_task(messages.send_all()): "out",
            asyncio.create_task(_ignore(socket)): "in",
            asyncio.create_task(_told(messages, events)): "events",
        }
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()  # a bug of ours is told as one
        finally:
            messages.closed = True
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
            await socket.close()

    return Response(101, "", headers=tuple(headers), upgrade=switch)


async def _told(messages: "Messages", events: Callable[[Writer], Awaitable[None]]) -> None:
    await events(messages)
    await messages.drain()


async def _ignore(socket: WebSocket) -> None:
    """Read until the client is gone."""
    while await socket.receive() is not None:
        pass


class Messages:
    """A `Writer` whose lines leave as text messages, one each."""

    def __init__(self, socket: WebSocket) -> None:
        self.backlog = 0
        self.closed = False
        self._socket = socket
        self._lines: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def waiting(self) -> int:
        """See `Writer`."""
        return len(self._lines)

    def write(self, data: bytes) -> None:
        """See `Writer`."""
        if self.closed or not data:
            return
        for line in data.splitlines(keepends=True):
            self._lines.append(line)
        self.backlog += len(data)
        self._empty.clear()
        self._changed.set()

    async def drain(self) -> None:
        """See `Writer`."""
        if not self.closed:
            await self._empty.wait()

    async def send_all(self) -> None:
        """Send what is written, until the client has gone."""
        with contextlib.suppress(ConnectionError):
            while True:
                await self._changed.wait()
                self._changed.clear()
                while self._lines:
                    line = self._lines.popleft()
                    await self._socket.send_text(line.decode())
                    self.backlog -= len(line)
                self._empty.set()
        self.closed = True
        self._empty.set()
