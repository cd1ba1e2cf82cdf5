"""Bounds on connections, kept before anything of a request is kept: how many, how long, how much.

Twisted hands Daphne a request once its body is there, however large, in a temporary file; it lets a connection live
as long as a byte comes each minute; and it counts nobody. This channel stands in the place of Twisted's:

    connections   at most `settings.CONNECTIONS_PER_ADDRESS` from one address (not behind proxies: there all come from
                  one), and `Room.most` together; one more is answered 503 and closed
    head          `HEAD_SECONDS` from the first byte, or from the connection, until the empty line; then 408
    body          `BODY_SECONDS`, and `BODY_BYTES_MAX`, whether announced (Content-Length) or not (chunked)
    idle          `IDLE_SECONDS` between two requests

A body that is too large is not read: its request is handled at once, without a body and marked (`TOO_LARGE` in the
scope's extensions), so that the application says 413 in its own words and in the reader's language. What the browser
goes on sending is thrown away for `LINGER_SECONDS`: who closes at once resets the connection, and the answer is lost
with it (RFC 9112, section 9.6; nginx calls it lingering_close).
"""

import logging
import resource
from io import BytesIO
from typing import Any
from weakref import WeakSet

from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.web import http

from visualizer import addresses

logger = logging.getLogger(__name__)

BODY_BYTES_MAX = 1024 * 1024
HEAD_SECONDS, BODY_SECONDS, IDLE_SECONDS, LINGER_SECONDS = 15.0, 60.0, 60.0, 5.0
FILES_KEPT = 256  # for the database, the bus, children, static files
ADDRESSES_MAX = 10_000  # of which it is remembered that they have had connections

_Channel: Any = http.HTTPChannel  # half of it has types, and they name an abstract transport
SLOW = b"This request took too long to arrive."
FULL = b"Too many connections are open from where you are. Please close some, or try again in a moment."


class Room:
    """Which connections are open, and whether there is room for one more. A WebSocket goes on being its connection."""

    def __init__(self, most: int, of_one_address: int | None) -> None:
        self.most = most
        self._of_one_address = of_one_address  # None: not counted by address
        self._open: WeakSet[Any] = WeakSet()
        self._by_address: dict[str, WeakSet[Any]] = {}

    def take(self, address: str, transport: Any) -> bool:
        """Count one more connection; False, and not counted, when there is no room for it."""
        theirs = self._by_address.setdefault(address, WeakSet())
        if self._is_full(self._open, self.most) or self._is_full(theirs, self._of_one_address):
            return False
        self._open.add(transport)
        theirs.add(transport)
        if len(self._by_address) > ADDRESSES_MAX:
            self._by_address = {one: transports for one, transports in self._by_address.items() if len(transports)}
        return True

    @staticmethod
    def _is_full(transports: "WeakSet[Any]", most: int | None) -> bool:
        if most is None or len(transports) < most:
            return False
        for transport in [one for one in transports if not one.connected]:  # closed, and not yet collected
            transports.discard(transport)
        return len(transports) >= most


def files_max() -> int:
    """Raise the number of files this process may have open to what it may be raised to; give how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Request(WebRequest):  # type: ignore[misc]
    """Daphne's request, whose body is kept in memory up to its bound."""

    too_large = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        """Take what was announced; None is a body that is sent in chunks."""
        self.content = BytesIO()
        self.too_large = length is not None and length > BODY_BYTES_MAX

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        """Keep a part of the body."""
        if self.content.tell() + len(data) > BODY_BYTES_MAX:
            self.too_large = True
        if not self.too_large:
            self.content.write(data)


class Channel(_Channel):  # type: ignore[misc]
    """One connection, as long as it speaks HTTP."""

    _idle = False  # between two requests
    _dropping = False  # what comes is the rest of a body that is not wanted

    def connectionMade(self) -> None:  # noqa: N802
        """Begin to count the time; turn away one too many."""
        super().connectionMade()
        self.setTimeout(HEAD_SECONDS)
        if not self.factory.room.take(addresses.key(self.transport.getPeer().host), self.transport):
            self._say(b"503 Service Unavailable", FULL)
            super().loseConnection()  # at once: who lingers would be one connection more
            self._dropping = True

    def resetTimeout(self) -> None:  # noqa: N802
        """Give no more time for a byte: Twisted calls this whenever something comes."""

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Take what comes."""
        if self._idle:
            self._idle = False
            self.setTimeout(HEAD_SECONDS)
        if not self._dropping:
            super().dataReceived(data)

    def allHeadersReceived(self) -> None:  # noqa: N802
        """Go on with the body, unless it is announced to be too large."""
        super().allHeadersReceived()
        self.setTimeout(BODY_SECONDS)
        if self.requests[-1].too_large:
            self._drop()
            self.length = 0  # so that the request is handled now

    def _send100Continue(self) -> None:  # noqa: N802
        if not self.requests[-1].too_large:
            super()._send100Continue()

    def rawDataReceived(self, data: bytes) -> None:  # noqa: N802
        """Take a part of a body; once it is too large, handle its request."""
        if self._dropping:
            return
        super().rawDataReceived(data)
        if not self._handlingRequest and self.requests and self.requests[-1].too_large:
            self._drop()
            self.allContentReceived()

    def _drop(self) -> None:
        self._dropping, self.persistent = True, False

    def requestDone(self, request: Any) -> None:  # noqa: N802
        """Wait for the next request, or end."""
        self._idle, self._savedTimeOut = bool(self.persistent), IDLE_SECONDS
        super().requestDone(request)

    def loseConnection(self) -> None:  # noqa: N802
        """Close; where somebody is still sending, say that we are done and let them finish."""
        if not self._dropping:
            super().loseConnection()
            return
        self._networkProducer.unregisterProducer()
        self.transport.loseWriteConnection()
        self.setTimeout(LINGER_SECONDS)

    def timeoutConnection(self) -> None:  # noqa: N802
        """End what took too long; a request that had begun is answered."""
        if self._dropping:
            self.transport.abortConnection()
            return
        if self.requests:
            self._say(b"408 Request Timeout", SLOW)
        super().timeoutConnection()

    def _say(self, status: bytes, words: bytes) -> None:
        """Answer where there is no request that the application could."""
        head = [b"HTTP/1.1 " + status, b"Content-Type: text/plain; charset=utf-8", b"Connection: close"]
        head.append(b"Content-Length: %d" % len(words))
        self.transport.write(b"\r\n".join([*head, b"", words]))


class Factory(HTTPFactory):  # type: ignore[misc]
    """Makes the channels of a server, all in one room."""

    protocol = Channel

    def __init__(self, server: Any, room: Room) -> None:
        super().__init__(server)
        self.room = room

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802
        """Make the channel of a new connection."""
        channel = super().buildProtocol(addr)
        channel.requestFactory = Request
        return channel
