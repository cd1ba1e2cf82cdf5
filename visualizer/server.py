"""Daphne, with what Glassplane needs of it: bounds on connections, back-pressure on WebSockets, a clean start and end.

Daphne writes each frame into Twisted's buffer and says it is sent, so a browser that does not read would fill this
process's memory. Here the transport tells each WebSocket when its buffer is full, and `send` waits until it is not:
the hub's cursors then do the rest. Frames are not compressed (permessage-deflate costs 2.4–3.5 times the CPU, and is
off in Daphne unless asked for); whole recordings go over HTTP, compressed there. What bounds connections and bodies is
in connections.py.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import daphne.server
from autobahn.twisted.websocket import WebSocketServerProtocol
from daphne.server import Server, reactor  # first: it installs Twisted's asyncio reactor
from django.conf import settings
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer  # type: ignore[import-untyped]

from visualizer import connections, ending, websocket_frames
from visualizer.database import keep_connection
from visualizer.error_pages import TOO_LARGE
from visualizer.hosting import web_process

logger = logging.getLogger(__name__)

MESSAGE_BYTES_MAX = 4 * 1024 * 1024  # autobahn holds what we send to it too: a frame of the hub with its last batch
HANDSHAKE_SECONDS = 60  # consumers accept at once; a class that comes back after a restart may still have to queue
BACKLOG = 2048  # connections that wait to be taken; the system may allow fewer (net.core.somaxconn)
STALLED_SECONDS = 60.0  # a browser that reads nothing for so long is gone


@implementer(IPushProducer)
class Flow:
    """Whether one WebSocket's transport has room, told by Twisted."""

    def __init__(self) -> None:
        self._room = asyncio.Event()
        self._room.set()

    def pauseProducing(self) -> None:  # noqa: N802
        """The buffer is full."""
        self._room.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        """The buffer is empty again."""
        self._room.set()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is gone: nobody shall wait for it."""
        self._room.set()

    def is_full(self) -> bool:
        """Whether there is no room just now."""
        return not self._room.is_set()

    async def room(self) -> None:
        """Wait until there is room."""
        await self._room.wait()


class GlassplaneServer(Server):  # type: ignore[misc]
    """Daphne's server with back-pressure, a short way out for WebSockets, and the hosting side beside it."""

    cannot_listen: OSError | None = None

    def listen_error(self, failure: Any) -> None:
        """Keep why, and stop."""
        self.cannot_listen = failure.value.socketError
        super().listen_error(failure)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Start what answers a connection; a WebSocket's is offered the short way out."""
        if scope["type"] == "websocket":
            scope = {**scope, "extensions": {websocket_frames.EXTENSION: partial(send_frames, protocol)}}
        elif protocol.too_large:
            scope = {**scope, "extensions": {TOO_LARGE: {}}}
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Hand a message to the connection, then wait while its buffer is full."""
        goes_on = bool(message.get("more_body"))
        if message["type"] == "http.response.body" and not goes_on:
            end_flow(protocol)
        await super().handle_reply(protocol, message)
        if message["type"] == "websocket.send" and getattr(protocol, "transport", None) is not None:
            await room_of(protocol)
        elif message["type"] == "http.response.body" and goes_on:
            await room_of_response(protocol)

    def kill_all_applications(self) -> Any:
        """End the requests and pages that are open, then the hosting side."""
        return Deferred.fromFuture(asyncio.ensure_future(self._end()))

    async def _end(self) -> None:
        running = [one["application_instance"] for one in self.connections.values() if "application_instance" in one]
        await ending.end(running)
        await web_process.current().stop()
        web_process.use(None)


async def send_frames(protocol: Any, frames: tuple[str, ...]) -> None:
    """Write frames at once, beside autobahn, which would do for each connection what is the same for all."""
    if protocol.state == WebSocketServerProtocol.STATE_OPEN:
        websocket_frames.write_now(protocol.transport, websocket_frames.on_the_wire(frames))
        await room_of(protocol)


async def room_of(protocol: Any) -> None:
    """Wait while a connection's buffer is full; give it up when it stays so."""
    flow = getattr(protocol, "glassplane_flow", None)
    if flow is None:
        flow = protocol.glassplane_flow = Flow()
        protocol.transport.unregisterProducer()  # the HTTP channel's, from before the upgrade
        protocol.transport.registerProducer(flow, True)
    await _wait(flow, protocol.transport)


async def room_of_response(request: Any) -> None:
    """Wait while the buffer of a response that is sent in parts is full; give it up when it stays so."""
    if request.channel is None or request.finished:
        return
    flow = getattr(request, "glassplane_flow", None)
    if flow is None:
        flow = request.glassplane_flow = Flow()
        request.registerProducer(flow, True)
    await _wait(flow, request.channel)


def end_flow(request: Any) -> None:
    """Let a response that was sent in parts end."""
    if getattr(request, "glassplane_flow", None) is not None and request.channel is not None:
        request.unregisterProducer()
        request.glassplane_flow = None


async def _wait(flow: Flow, connection: Any) -> None:
    if flow.is_full():
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await flow.room()
        except TimeoutError:
            connection.abortConnection()


def serve(application: Any, endpoints: list[str], ready: Callable[[tuple[str, int]], None]) -> None:
    """Serve until SIGINT or SIGTERM, telling `ready` the address. Raise OSError when it cannot listen."""
    places = connections.files_max() - connections.FILES_KEPT
    room = connections.Room(places, None if settings.PROXIES else settings.CONNECTIONS_PER_ADDRESS)
    daphne.server.HTTPFactory = partial(connections.Factory, room=room)  # by this name `Server.run` makes its factory
    server = GlassplaneServer(
        application,
        endpoints=[f"{endpoint}:backlog={BACKLOG}" for endpoint in endpoints],
        server_name="",  # no answer says what serves it
        websocket_max_message_size=MESSAGE_BYTES_MAX,
        websocket_max_frame_size=MESSAGE_BYTES_MAX,
        websocket_handshake_timeout=HANDSHAKE_SECONDS,
        websocket_connect_timeout=HANDSHAKE_SECONDS,
    )

    async def start() -> None:
        await keep_connection()
        web_process.current()
        ready(server.listening_addresses[0])

    reactor.callWhenRunning(lambda: asyncio.ensure_future(start()))
    server.run()
    if server.cannot_listen is not None:
        raise server.cannot_listen
