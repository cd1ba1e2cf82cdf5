"""curl's connections: a name becomes an address, TCP, TLS; and a connection is used again for the next address.

    *   Trying 10.0.0.1:6443...
    * Connected to 10.0.0.1 (10.0.0.1) port 6443 (#0)

A `Wire` is bytes both ways. HTTP/1.1 reads it; for HTTP/2 it is handed over to `client.http2`'s connection.
Modelled on lib/connect.c and lib/url.c. Left out: more than one address for a name, DNS caches, keep-alive probes.
"""

import asyncio
import errno
import ssl
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from cluster_engine.client.http2 import Http2Connection
from cluster_engine.programs.curl.arguments import Options
from cluster_engine.programs.curl.errors import (
    COULDNT_CONNECT,
    COULDNT_RESOLVE_HOST,
    COULDNT_RESOLVE_PROXY,
    OPERATION_TIMEDOUT,
    RECV_ERROR,
    SSL_CONNECT_ERROR,
    CurlError,
)
from cluster_engine.programs.curl.tls import OPENSSL, Handshake, ReadFile, Say, server_name
from cluster_engine.programs.curl.url import URL, whole

CONNECT_TIMEOUT_SECONDS = 300.0
HELD_BYTES_MAX = 256 * 1024


class Wire(asyncio.Protocol):
    """Bytes both ways, held until they are read; whoever sends more than HELD_BYTES_MAX ahead has to wait."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.ended = False
        self.failure: BaseException | None = None
        self._held = bytearray()
        self._changed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self._held += data
        if len(self._held) > HELD_BYTES_MAX:
            self.transport.pause_reading()
        self._changed.set()

    def eof_received(self) -> bool:
        """See asyncio."""
        self.ended = True
        self._changed.set()
        return False

    def connection_lost(self, error: BaseException | None) -> None:
        """See asyncio."""
        self.ended = True
        self.failure = self.failure or error
        self._changed.set()
        self._writable.set()

    def pause_writing(self) -> None:
        """See asyncio."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """See asyncio."""
        self._writable.set()

    async def read(self) -> bytes:
        """Return what has come, b"" at the end. What ended the connection is raised: OSError, ssl.SSLError."""
        while not self._held and not self.ended:
            self._changed.clear()
            await self._changed.wait()
        if not self._held and self.failure is not None:
            raise self.failure
        data = bytes(self._held)
        self._held.clear()
        if not self.ended:
            self.transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Send, and wait until there is room for more."""
        if not self.ended:
            self.transport.write(data)
        await self._writable.wait()

    def hand_over(self, protocol: asyncio.Protocol) -> None:
        """Let another protocol have the connection, and what has come already."""
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        if self._held:
            protocol.data_received(bytes(self._held))
            self._held.clear()
        if self.ended:
            protocol.connection_lost(self.failure if isinstance(self.failure, Exception) else None)


class Proxy(msgspec.Struct, frozen=True):
    """A proxy: where it is, as whom it is asked, and whether it only joins a connection (`tunnels`)."""

    host: str
    port: int
    user: str
    tunnels: bool


class Proxies(Protocol):
    """What knows through whom an address is asked."""

    def of(self, url: URL) -> Proxy | None:
        """Return the proxy for an address. CurlError."""
        ...

    async def tunnel(self, wire: Wire, proxy: Proxy, host: str, port: int) -> tuple[int, str]:
        """Have a proxy join a connection to a host's port; give the status and head of its answer. CurlError."""
        ...


class Times(msgspec.Struct):
    """When things happened, in seconds since the transfer began."""

    resolved: float = 0.0
    connected: float = 0.0
    secured: float = 0.0
    ready: float = 0.0
    first_byte: float = 0.0


class Connection(msgspec.Struct):
    """An open connection, the `number`-th of its program."""

    number: int
    key: tuple[str, str, int, str, Proxy | None]
    shown_host: str
    wire: Wire
    local: tuple[str, int]
    remote: tuple[str, int]
    handshake: Handshake | None = None
    http2: Http2Connection | None = None
    requests: int = 0
    proxy: Proxy | None = None
    tunnel_status: int = 0
    tunnel_head: str = ""
    """What the proxy has answered, until it is told."""
    times: Times = msgspec.field(default_factory=Times)

    @property
    def is_usable(self) -> bool:
        """Whether another request can be sent on it."""
        return self.http2.is_usable if self.http2 is not None else not self.wire.ended

    def close(self) -> None:
        """Say close_notify where there is TLS, then FIN; while the program goes on, it is told of."""
        if self.handshake is not None:
            self.handshake.tells_close = True
        if self.http2 is not None:
            self.http2.close()
        self.wire.transport.close()

    def failure(self, error: OSError) -> CurlError:
        """Return what curl says of a connection that has ended in an error."""
        if isinstance(error, ssl.SSLError) and self.handshake is not None:
            return self.handshake.failed_later(error)
        text = error.strerror or "Connection reset by peer"
        if self.handshake is not None:
            return CurlError(RECV_ERROR, f"OpenSSL SSL_read: {text}, errno {error.errno or errno.ECONNRESET}")
        return CurlError(RECV_ERROR, f"Recv failure: {text}")


class Connections:
    """The connections of one run of curl. `opened` counts them."""

    def __init__(self, options: Options, read: ReadFile, say: Say, handle: Callable[[], int]) -> None:
        self._options, self._read, self._say, self._handle = options, read, say, handle
        self._idle: list[Connection] = []
        self.opened = 0
        self.proxies: Proxies | None = None
        self.key_log: Callable[[str], None] | None = None
        """Who hears the lines of SSLKEYLOGFILE."""

    async def get(self, url: URL, began: float) -> Connection:
        """Return a connection to where an address leads. CurlError."""
        try:
            proxy = None if self.proxies is None else self.proxies.of(url)
        except CurlError as error:
            self._say(str(error))
            self._say("Closing connection -1")
            raise
        host, port = self._target(url)
        key = (url.scheme, host, port, self._options.unix_socket, proxy)
        if proxy is not None and not proxy.tunnels:
            key = ("", "", 0, "", proxy)  # for whatever is asked of the proxy itself
        for connection in self._idle:
            if connection.key == key and connection.is_usable:
                self._tell_again(connection)
                self._idle.remove(connection)
                return connection
        return await self._open(url, (host, port), key, began)

    def keep(self, connection: Connection) -> None:
        """Keep a connection for the next address."""
        self._idle.append(connection)

    def close(self) -> None:
        """Close what is kept."""
        for connection in self._idle:
            connection.handshake = None
            connection.close()

    def _tell_again(self, connection: Connection) -> None:
        if connection.http2 is not None:
            self._say(f"Found bundle for host: {self._handle():#x} [can multiplex]")
        else:
            self._say(f"Found bundle for host: {self._handle():#x} [serially]")
            if not self._options.http.startswith("1"):
                self._say("Can not multiplex, even if we wanted to")
        what = "host" if connection.proxy is None else "proxy"
        self._say(f"Re-using existing connection #{connection.number} with {what} {connection.shown_host}")

    def _target(self, url: URL) -> tuple[str, int]:
        """Return host and port to connect to, by --connect-to."""
        for rule in self._options.connect_to:
            host, port, to_host, to_port = _four(rule)
            if host in ("", url.host) and port in ("", str(url.port)):
                return to_host or url.host, whole(to_port) or url.port
        return url.host, url.port

    async def _open(
        self, url: URL, target: tuple[str, int], key: tuple[str, str, int, str, Proxy | None], began: float
    ) -> Connection:
        loop, number = asyncio.get_running_loop(), self.opened
        self.opened += 1
        *_, proxy = key
        host, port = target if proxy is None else (proxy.host, proxy.port)
        shown = url.host if (host, port) == (url.host, url.port) else "(nil)" if proxy is None else proxy.host
        if shown == "(nil)":
            self._say(f"Connecting to hostname: {host}")
            self._say(f"Connecting to port: {port}")
        limit = self._options.connect_timeout or CONNECT_TIMEOUT_SECONDS
        times = Times()
        connection: Connection | None = None
        try:
            async with asyncio.timeout(limit):
                wire, address = await self._dial(host, port, times, began, through=proxy)
                times.connected = loop.time() - began
                self._say(f"Connected to {shown} ({address}) port {port} (#{number})")
                local = wire.transport.get_extra_info("sockname") or ("", 0)
                connection = Connection(
                    number, key, shown, wire, (str(local[0]), int(local[1])), (address, port), proxy=proxy, times=times
                )
                if self.proxies is not None and proxy is not None and proxy.tunnels:
                    connection.tunnel_status, connection.tunnel_head = await self.proxies.tunnel(wire, proxy, *target)
                await self._secure(connection, url)
        except TimeoutError:
            text = f"Connection timeout after {int((loop.time() - began) * 1000)} ms"
            text = text if connection is None else "SSL connection timeout"
            raise self._ended(number, connection, CurlError(OPERATION_TIMEDOUT, text)) from None
        except CurlError as error:
            self._ended(number, connection, error)
            raise
        times.ready = loop.time() - began
        return connection

    def _ended(self, number: int, connection: Connection | None, error: CurlError) -> CurlError:
        self._say(str(error))
        self._say(f"Closing connection {number}")
        if connection is not None:
            connection.close()
        return error

    async def _dial(
        self, host: str, port: int, times: Times, began: float, *, through: Proxy | None
    ) -> tuple[Wire, str]:
        loop = asyncio.get_running_loop()
        if path := self._options.unix_socket:
            self._say(f"  Trying {path}:0...")
            address = path
        else:
            address = await self._resolve(host, port, through=through)
            times.resolved = loop.time() - began
            self._say(f"  Trying {address}:{port}...")
        try:
            if path:
                _, wire = await loop.create_unix_connection(Wire, path)
            else:
                _, wire = await loop.create_connection(Wire, address, port)
        except OSError as error:
            why = error.strerror or "Connection timed out"
            if path:
                self._say(f"Immediate connect fail for {path}: No such file or directory")
            else:
                self._say(f"connect to {address} port {port} failed: {why}")
            milliseconds = int((loop.time() - began) * 1000)
            text = f"Failed to connect to {host} port {port} after {milliseconds} ms: Couldn't connect to server"
            raise CurlError(COULDNT_CONNECT, text) from error
        return wire, address

    async def _resolve(self, host: str, port: int, *, through: Proxy | None) -> str:
        for rule in self._options.resolve:
            name, _, rest = rule.lstrip("+").partition(":")
            at, _, address = rest.partition(":")
            if name in (host, "*") and at == str(port):
                self._say(f"Hostname {host} was found in DNS cache")
                return address.strip("[]")
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port)
        except (OSError, UnicodeError):
            if through is not None:
                raise CurlError(COULDNT_RESOLVE_PROXY, f"Could not resolve proxy: {host}") from None
            raise CurlError(COULDNT_RESOLVE_HOST, f"Could not resolve host: {host}") from None
        return str(found[0][4][0])

    async def _secure(self, connection: Connection, url: URL) -> None:
        options = self._options
        prior = options.http == "2-prior-knowledge"
        agreed = ""
        if url.scheme == "https":
            offered = ["http/1.1"] if options.http.startswith("1") else ["h2", "http/1.1"]
            handshake = Handshake(options, self._read, self._say, offered if options.alpn else [])
            handshake.tls.on_secret = self.key_log
            connection.handshake = handshake
            try:
                connection.wire.transport = await asyncio.get_running_loop().start_tls(
                    connection.wire.transport,
                    connection.wire,
                    handshake.tls,  # type: ignore[arg-type]
                    server_hostname=server_name(url.host),
                )
            except ssl.SSLError as error:
                raise handshake.failed(error) from error
            except TimeoutError:
                raise
            except OSError as error:
                text = f"OpenSSL SSL_connect: {error.strerror} in connection to {url.host}:{url.port} "
                if error.strerror is None:
                    text = f"{OPENSSL}: error:0A000126:SSL routines::unexpected eof while reading"
                raise CurlError(SSL_CONNECT_ERROR, text) from error
            agreed = handshake.done(url.host)
            connection.times.secured = connection.times.connected
        if agreed == "h2" or prior:
            connection.http2 = Http2Connection(pings=False)
            connection.wire.hand_over(connection.http2)
        if url.scheme == "https" and options.alpn:
            told = {"h2": "HTTP/2", "http/1.1": "HTTP/1.1"}.get(agreed, "HTTP/1.x")
            self._say(f"using {told}")


def _four(rule: str) -> tuple[str, str, str, str]:
    """Split HOST1:PORT1:HOST2:PORT2."""
    parts = [*rule.split(":"), "", "", "", ""]
    return parts[0], parts[1], parts[2], parts[3]
