"""TLS as a layer: the protocol of the connection below, the transport of the program above.

Theory of operation. Ciphertext that arrives is fed to the connection's engine (`world/tls.py`); what the engine has to
say, in the handshake or because the program wrote, goes out below. The program above is told of its connection once the
handshake is done, and never sees a byte of it.

    connection_made → handshake … established → above.connection_made → data_received / write → close_notify, FIN

ClientHello and ServerHello are answered after the time that key agreement and signatures take (`world/work.py`).
A failed handshake sends the engine's alert, closes the connection and reports ssl.SSLError to the client that waits.
A server gives a client HANDSHAKE_SECONDS, as Go's net/http does with the API server's ReadHeaderTimeout.
What it leaves out: waiting for the peer's close_notify (Go does not either).
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from cluster_engine.world.patience import Patience
from cluster_engine.world.process import current_process
from cluster_engine.world.tls import Engine

PLAIN_HTTP = (b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO", b"DELET", b"PATCH")
HANDSHAKE_SECONDS = 32.0
HANDSHAKE_RECORD = 22
HTTPS_WANTED = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


class TLSTransport(asyncio.Transport):
    """What the program above writes to."""

    def __init__(self, layer: "TLSLayer") -> None:
        super().__init__()
        self._layer = layer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """TLS's own facts, then those of the connection below."""
        found = self._layer.engine.info(name)
        return self._layer.below.get_extra_info(name, default) if found is None else found

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send."""
        self._layer.send(bytes(data))

    def can_write_eof(self) -> bool:
        """False: TLS here closes both ways at once."""
        return False

    def close(self) -> None:
        """Say close_notify, then FIN."""
        self._layer.close()

    def abort(self) -> None:
        """RST."""
        self._layer.below.abort()

    def is_closing(self) -> bool:
        """See asyncio."""
        return self._layer.closing or self._layer.below.is_closing()

    def set_protocol(self, protocol: Any) -> None:
        """See asyncio."""
        self._layer.above = protocol

    def get_protocol(self) -> Any:
        """See asyncio."""
        return self._layer.above

    def pause_reading(self) -> None:
        """See asyncio."""
        self._layer.below.pause_reading()

    def resume_reading(self) -> None:
        """See asyncio."""
        self._layer.below.resume_reading()

    def is_reading(self) -> bool:
        """See asyncio."""
        return bool(self._layer.below.is_reading())

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """See asyncio."""
        self._layer.below.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Ciphertext queued below."""
        return int(self._layer.below.get_write_buffer_size())


class TLSLayer(asyncio.Protocol):
    """Protocol of the connection below, transport of the program above. `established` ends when the handshake does."""

    def __init__(self, make_protocol: Callable[[], Any], engine: Engine, *, tell_made: bool = True) -> None:
        self.engine = engine
        self.above: Any = None
        self.below: Any = None
        self.closing = False
        self.transport = TLSTransport(self)
        self.established: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._make_protocol = make_protocol
        self._tell_made = tell_made
        self._is_server = engine.is_server
        self._reason: BaseException | None = None
        self._patience: Patience | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self.below = transport
        if self._is_server:
            peer_time = transport.get_extra_info("peer_time")
            self._patience = Patience(peer_time, HANDSHAKE_SECONDS, self._handshake_took_too_long)
        self._shake_hands()

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if not self.established.done():
            if self._is_server and data.startswith(PLAIN_HTTP):
                self._answer_plain_http()
                return
            if data[0] == HANDSHAKE_RECORD and (seconds := current_process.get().effort.seconds("tls.handshake")):
                self.below.pause_reading()
                asyncio.get_running_loop().call_later(seconds, self._worked, data)
                return
        self._take(data)

    def _worked(self, data: bytes) -> None:
        """Go on after the time that keys and signatures have taken; what came meanwhile is read after it."""
        if not self.closing:
            self._take(data)
            self.below.resume_reading()

    def _take(self, data: bytes) -> None:
        self.engine.feed(data)
        if not self.established.done():
            self._shake_hands()
        if self.established.done() and not self.closing:
            self._read()

    def _answer_plain_http(self) -> None:
        """Tell somebody who forgot the s of https, as Go does (net/http, tlsRecordHeaderLooksLikeHTTP)."""
        self.below.write(HTTPS_WANTED)
        self.closing = True
        self.below.close()

    def _shake_hands(self) -> None:
        try:
            done = self.engine.handshake()
        except ssl.SSLError as error:
            self._fail(error)
            return
        self._flush()
        if done:
            self._stop_waiting()
            self.established.set_result(None)
            self.above = self._make_protocol()
            if self._tell_made:
                self.above.connection_made(self.transport)

    def _handshake_took_too_long(self) -> None:
        self._reason = TimeoutError("TLS handshake timeout")
        self.closing = True
        self.below.close()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _read(self) -> None:
        try:
            plaintext = self.engine.read()
        except EOFError:
            self._peer_closed()
            return
        except ssl.SSLError as error:
            self._fail(error)
            return
        self._flush()
        if plaintext:
            if self._is_server and (overhear := self.below.get_extra_info("overhear")) is not None:
                overhear(plaintext, self.engine)
            self.above.data_received(plaintext)

    def _peer_closed(self) -> None:
        if not self.above.eof_received():
            self.close()

    def _fail(self, error: ssl.SSLError) -> None:
        self.closing = True
        self._flush()
        if not self.established.done():
            self.established.set_exception(error)
            self.established.exception()  # a server has nobody who waits for it
        self._reason = error
        self.below.close()

    def _flush(self) -> None:
        if ciphertext := self.engine.outgoing():
            self.below.write(ciphertext)

    def send(self, plaintext: bytes) -> None:
        """Encrypt and send, unless closing."""
        if self.closing or not plaintext:
            return
        self.engine.write(plaintext)
        self._flush()

    def close(self) -> None:
        """Say close_notify and close the connection below."""
        if self.closing:
            return
        self.closing = True
        if self.established.done():
            self.engine.shutdown()
            self._flush()
        self.below.close()

    def eof_received(self) -> bool:
        """See asyncio: TCP's end without close_notify is an end all the same."""
        if self.established.done() and not self.closing and self.above is not None:
            self._peer_closed()
        return False

    def connection_lost(self, reason: BaseException | None) -> None:
        """See asyncio."""
        self.closing = True
        self._stop_waiting()
        reason = self._reason or reason
        if not self.established.done():
            self.established.set_exception(reason or ConnectionResetError("the peer closed during the TLS handshake"))
            self.established.exception()
        elif self.above is not None:
            self.above.connection_lost(reason)

    def pause_writing(self) -> None:
        """See asyncio."""
        if self.above is not None:
            self.above.pause_writing()

    def resume_writing(self) -> None:
        """See asyncio."""
        if self.above is not None:
            self.above.resume_writing()


async def wrap_client(
    connect: Callable[[Callable[[], Any]], Awaitable[tuple[Any, Any]]], make_protocol: Callable[[], Any], engine: Engine
) -> tuple[Any, Any]:
    """Connect with TLS; give transport and protocol once the handshake is done. ssl.SSLError when it fails."""
    _, layer = await connect(lambda: TLSLayer(make_protocol, engine))
    try:
        await layer.established
    except asyncio.CancelledError:
        layer.below.abort()
        raise
    return layer.transport, layer.above
