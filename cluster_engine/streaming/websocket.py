"""WebSocket (RFC 6455) over a connection that has been upgraded: whole binary messages, both ways.

`wsproto` frames; this module does the handshake's headers, answers pings, puts fragments together and says goodbye.

    GET /exec/abc HTTP/1.1                          HTTP/1.1 101 Switching Protocols
    Upgrade: websocket                              Upgrade: websocket
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
    Sec-WebSocket-Protocol: v5.channel.k8s.io       Sec-WebSocket-Protocol: v5.channel.k8s.io

Modelled on apimachinery/pkg/util/httpstream/wsstream. Left out: extensions (compression), text channels in base64.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cluster_engine.streaming.duplex import Duplex

if TYPE_CHECKING:  # else it is loaded with the first WebSocket: a cluster starts without it
    from wsproto.events import BytesMessage, Event, TextMessage

MESSAGE_BYTES_MAX = 1024 * 1024
PROTOCOL_HEADER = "sec-websocket-protocol"
NORMAL_CLOSURE, TOO_BIG = 1000, 1009

HeaderMap = Mapping[str, tuple[str, ...]]


class HandshakeError(Exception):
    """A request that cannot become a WebSocket; the text is for whoever sent it."""


def is_asked_for(headers: HeaderMap) -> bool:
    """Return whether a request asks for a WebSocket."""
    return any("websocket" in value.lower() for value in headers.get("upgrade", ()))


def accept(headers: HeaderMap, protocols: Sequence[str]) -> tuple[str, list[tuple[str, str]]]:
    """Choose the first of the client's subprotocols that is served; give it and the answer's headers. HandshakeError.

    `headers` are the request's, names in lower case.
    """
    from wsproto.utilities import generate_accept_token

    asked = [one.strip() for value in headers.get(PROTOCOL_HEADER, ()) for one in value.split(",")]
    chosen = next((one for one in asked if one in protocols), None)
    if chosen is None:
        said = ", ".join(protocols)
        raise HandshakeError(f"requested protocol(s) are not supported: [{' '.join(asked)}]; supports [{said}]")
    key = (headers.get("sec-websocket-key") or ("",))[0]
    if not key or headers.get("sec-websocket-version") != ("13",):
        raise HandshakeError("missing or bad WebSocket-Version")
    accepted = generate_accept_token(key.encode("latin-1")).decode()
    answer = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accepted)]
    return chosen, [*answer, ("Sec-WebSocket-Protocol", chosen)]


def accept_any(headers: HeaderMap) -> list[tuple[str, str]]:
    """Agree to the one subprotocol that the client asks for, or to none; give the answer's headers. HandshakeError.

    As golang.org/x/net/websocket does of itself.
    """
    from wsproto.utilities import generate_accept_token

    asked = [one.strip() for value in headers.get(PROTOCOL_HEADER, ()) for one in value.split(",") if one.strip()]
    key = (headers.get("sec-websocket-key") or ("",))[0]
    if not key or headers.get("sec-websocket-version") != ("13",) or len(asked) > 1:
        raise HandshakeError("missing or bad WebSocket-Version")
    accepted = generate_accept_token(key.encode("latin-1")).decode()
    answer = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accepted)]
    return [*answer, *(("Sec-WebSocket-Protocol", one) for one in asked)]


def request_headers(protocols: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Return the headers with which a client asks."""
    from wsproto.utilities import generate_nonce

    return [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", generate_nonce().decode()),
        *([("Sec-WebSocket-Protocol", ",".join(protocols))] if protocols else []),
    ]


class WebSocket:
    """Whole messages over a `Duplex`, at most MESSAGE_BYTES_MAX each. `is_client` masks, as a client must."""

    def __init__(self, duplex: Duplex, *, is_client: bool) -> None:
        from wsproto.connection import Connection, ConnectionType

        self._duplex = duplex
        self._frames = Connection(ConnectionType.CLIENT if is_client else ConnectionType.SERVER)
        self._events: Iterator[Event] = iter(())
        self._parts: list[bytes] = []
        self._size = 0
        self._closed = False

    async def receive(self) -> bytes | None:
        """Return the next message; None once the peer has closed or gone."""
        from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
        from wsproto.utilities import RemoteProtocolError

        while not self._closed:
            for event in self._events:
                if isinstance(event, BytesMessage | TextMessage):
                    if (message := await self._whole(event)) is not None:
                        return message
                elif isinstance(event, Ping):
                    await self._write(self._frames.send(event.response()))
                elif isinstance(event, CloseConnection):
                    await self.close(event.code)
            if self._closed or not (data := await self._duplex.read()):
                return None
            try:
                self._frames.receive_data(data)
                self._events = iter([*self._frames.events()])
            except RemoteProtocolError as error:
                await self.close(int(getattr(error, "code", NORMAL_CLOSURE) or NORMAL_CLOSURE))
        return None

    async def _whole(self, event: "BytesMessage | TextMessage") -> bytes | None:
        data = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
        self._size += len(data)
        if self._size > MESSAGE_BYTES_MAX:
            await self.close(TOO_BIG)
            return None
        self._parts.append(data)
        if not event.message_finished:
            return None
        message = b"".join(self._parts)
        self._parts, self._size = [], 0
        return message

    async def send(self, data: bytes) -> None:
        """Send a message; returns when there is room for more. ConnectionError when it is closed."""
        from wsproto.events import BytesMessage

        if self._closed:
            raise ConnectionResetError("the WebSocket is closed")
        await self._write(self._frames.send(BytesMessage(data)))

    async def send_text(self, text: str) -> None:
        """Send a message of text; see `send`."""
        from wsproto.events import TextMessage

        if self._closed:
            raise ConnectionResetError("the WebSocket is closed")
        await self._write(self._frames.send(TextMessage(text)))

    async def close(self, code: int = NORMAL_CLOSURE) -> None:
        """Say goodbye and end the connection; once is enough."""
        from wsproto.events import CloseConnection
        from wsproto.utilities import LocalProtocolError

        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(LocalProtocolError, ConnectionError):
            await self._duplex.write(self._frames.send(CloseConnection(code)))
        await self._duplex.close()

    async def _write(self, data: bytes) -> None:
        await self._duplex.write(data)


class Tunnel:
    """A `Duplex` through a WebSocket: another protocol's bytes, cut into messages anyhow."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def read(self) -> bytes:
        """See `Duplex`."""
        while (message := await self._socket.receive()) is not None:
            if message:
                return message
        return b""

    async def write(self, data: bytes) -> None:
        """See `Duplex`."""
        await self._socket.send(data)

    async def close(self) -> None:
        """See `Duplex`."""
        await self._socket.close()
