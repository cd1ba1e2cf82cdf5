"""nc: connections and datagrams with standard input and output, as a client, or listening for one (-l).

    nc -zv 10.0.0.1 6443             Connection to 10.0.0.1 6443 port [tcp/*] succeeded!
    echo hello | nc -N 10.0.0.1 9000
    nc -l -p 9000                    prints what comes

Modelled on OpenBSD's netcat 1.219 as Debian has it. A client stays until the other side closes, or until -q seconds
after its input has ended, or with -N closes its side then. Left out: proxies, unix sockets (-U), -k with input.
"""

import asyncio
import contextlib
import socket

import msgspec

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.network.services import PORT_MAX, port_name, port_number
from cluster_engine.programs.network.sockets import names_of, resolve
from cluster_engine.programs.options import OptionError, read_options

SHORT = "46CDdFhklNnrStUuvZzI:i:M:m:O:P:p:q:s:T:V:W:w:X:x:"
USAGE = """usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]
\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]
\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]
\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]
\t  [destination] [port]
"""
READ_BYTES = 16 * 1024
PORTS_MAX = 1024
UDP_WAIT_SECONDS = 1.0
DATAGRAM_SECONDS = 0.0001
"""What sending one takes: no window holds a flood of them back."""


class NcError(Exception):
    """What nc says after its name."""


class Asked(msgspec.Struct):
    """What was asked for. `wait` is how many seconds a connection, and silence, may take."""

    host: str
    ports: list[int]
    flags: set[str] = msgspec.field(default_factory=set)
    wait: float | None = None
    quit: float | None = None


def read(words: list[str]) -> Asked:
    """Read the words after `nc`. OptionError; NcError; ValueError where there is nothing to do."""
    options, arguments = read_options("nc", words, SHORT, {})
    values, flags = dict(options), {letter for letter, _ in options}
    wait = _seconds(values["w"], "timeout") if "w" in values else None
    quit_ = _seconds(values["q"], "quit timer") if "q" in values else None
    if "l" in flags:
        port = values.get("p") or (arguments[-1] if arguments else "")
        host = arguments[0] if len(arguments) == 2 or (arguments and "p" in values) else ""
        if not port:
            raise ValueError
        return Asked(host, _ports(port), flags, wait, quit_)
    if not arguments:
        raise ValueError
    if len(arguments) < 2:
        raise NcError("missing port number")
    return Asked(arguments[0], _ports(arguments[1]), flags, wait, quit_)


def _seconds(text: str, what: str) -> float | None:
    if what == "quit timer" and text.startswith("-") and text[1:].isdigit():
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NcError(f"{what} invalid: {text}" if what != "timeout" else f"timeout invalid: {text}")
    return float(text)


def _ports(text: str) -> list[int]:
    first, dash, last = text.partition("-")
    if dash and first.isdigit() and last.isdigit():
        low, high = sorted((_port(first), _port(last)))
        return list(range(low, high + 1))[:PORTS_MAX]
    return [_port(text)]


def _port(text: str) -> int:
    try:
        number = port_number(text)
    except ValueError:
        reason = "too large" if text.isascii() and text.isdigit() else "invalid"
        said = f"port number {reason}: {text}" if text.isascii() and text.isdigit() else f'service "{text}" unknown'
        raise NcError(said) from None
    if not 1 <= number <= PORT_MAX:
        raise NcError(f"port number too small: {text}")
    return number


async def nc(invocation: Invocation) -> int:
    """Run nc."""
    try:
        asked = read(list(invocation.argv[1:]))
        if "h" in asked.flags:
            raise ValueError
        if "l" in asked.flags:
            return await _listen(invocation, asked)
        return await _call(invocation, asked)
    except OptionError as problem:
        invocation.err(f"{problem}\n{USAGE}")
    except NcError as problem:
        invocation.err(f"nc: {problem}\n")
    except ValueError:
        invocation.err(USAGE)
    return 1


# -- calling -----------------------------------------------------------------------------------------------------------


async def _call(invocation: Invocation, asked: Asked) -> int:
    protocol = "udp" if "u" in asked.flags else "tcp"
    try:
        address = await resolve(asked.host)
    except socket.gaierror as error:
        raise NcError(f'getaddrinfo for host "{asked.host}" port {asked.ports[0]}: {error.strerror}') from None
    code = 1
    for port in asked.ports:
        try:
            connected = await _connected(asked, protocol, address, port)
        except (OSError, TimeoutError) as error:
            if "v" in asked.flags or "z" not in asked.flags:
                said = error.strerror if isinstance(error, OSError) and error.strerror else "Operation now in progress"
                invocation.err(
                    f"nc: connect to {_spoken(asked.host, address)} port {port} ({protocol}) failed: {said}\n"
                )
            continue
        code = 0
        reader, writer = connected
        if "v" in asked.flags:
            name = "*" if "n" in asked.flags else port_name(port, protocol) or "*"
            where = _spoken(asked.host, address)
            invocation.err(f"Connection to {where} {port} port [{protocol}/{name}] succeeded!\n")
        try:
            if "z" not in asked.flags:
                await _converse(invocation, asked, reader, writer)
        finally:
            writer.close()
        if "z" not in asked.flags:
            return 0
    return code


def _spoken(host: str, address: str) -> str:
    return host if host == address else f"{host} ({address})"


async def _connected(asked: Asked, protocol: str, address: str, port: int) -> "tuple[Reading, Writing]":
    if protocol == "udp":
        messages = _Datagrams()
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: messages, remote_addr=(address, port))
        if "z" in asked.flags:  # a port that is closed says so; of one that is silent nobody knows
            for _ in range(2):
                messages.write(b"X")
                await asyncio.sleep(UDP_WAIT_SECONDS / 2)
            if messages.error is not None:
                messages.close()
                raise messages.error
        return messages, messages
    async with asyncio.timeout(asked.wait):
        return await asyncio.open_connection(address, port)


class _Datagrams(asyncio.DatagramProtocol):
    """A connected UDP socket, read and written like a stream."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[bytes] = asyncio.Queue(64)
        self.error: OSError | None = None
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: object) -> None:
        """See asyncio; what finds no room is lost."""
        with contextlib.suppress(asyncio.QueueFull):
            self._messages.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        """See asyncio."""
        self.error = exc if isinstance(exc, OSError) else None
        with contextlib.suppress(asyncio.QueueFull):
            self._messages.put_nowait(b"")

    async def read(self, _: int = -1) -> bytes:
        """Return the next datagram; b"" once nobody is there."""
        return await self._messages.get()

    def write(self, data: bytes) -> None:
        """Send one."""
        if self._transport is not None:
            self._transport.sendto(data)

    def write_eof(self) -> None:
        """Datagrams have no end."""

    async def drain(self) -> None:
        """Give the wire its time."""
        await asyncio.sleep(DATAGRAM_SECONDS)

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()


Reading = asyncio.StreamReader | _Datagrams
Writing = asyncio.StreamWriter | _Datagrams


# -- talking -----------------------------------------------------------------------------------------------------------


async def _converse(invocation: Invocation, asked: Asked, reader: Reading, writer: Writing) -> None:
    """Pass both directions on until the other side has closed, or as -q and -w say."""

    async def send() -> None:
        with contextlib.suppress(OSError):
            if "d" not in asked.flags:
                async for piece in invocation.pieces():
                    data = piece.replace(b"\n", b"\r\n") if "C" in asked.flags else piece
                    for begin in range(0, len(data), READ_BYTES):
                        writer.write(data[begin : begin + READ_BYTES])
                        await writer.drain()
                if "N" in asked.flags:
                    writer.write_eof()
        if asked.quit is not None:
            await asyncio.sleep(asked.quit)
            return
        await asyncio.get_running_loop().create_future()

    async def receive() -> None:
        with contextlib.suppress(OSError, TimeoutError):
            while True:
                async with asyncio.timeout(asked.wait):
                    piece = await reader.read(READ_BYTES)
                if not piece:
                    return
                invocation.out(piece)
                await invocation.drain()

    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(send()), loop.create_task(receive())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


# -- listening ---------------------------------------------------------------------------------------------------------


async def _listen(invocation: Invocation, asked: Asked) -> int:
    host, port = asked.host or "0.0.0.0", asked.ports[0]
    names = {} if "n" in asked.flags else names_of(invocation.process.host)
    callers: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue(1)

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if callers.full():
            writer.close()
        else:
            callers.put_nowait((reader, writer))

    if "u" in asked.flags:
        return await _listen_for_datagrams(invocation, host, port)
    try:
        server = await asyncio.start_server(accepted, host, port)
    except OSError as error:
        raise NcError(str(error.strerror)) from None
    try:
        if "v" in asked.flags:
            invocation.err(f"Listening on {names.get(host, host)} {port}\n")
        while True:
            reader, writer = await callers.get()
            if "k" not in asked.flags:
                server.close()
            if "v" in asked.flags:
                address, from_port = writer.get_extra_info("peername")
                invocation.err(f"Connection received on {names.get(address, address)} {from_port}\n")
            try:
                await _converse(invocation, asked, reader, writer)
            finally:
                writer.close()
            if "k" not in asked.flags:
                return 0
    finally:
        server.close()


async def _listen_for_datagrams(invocation: Invocation, host: str, port: int) -> int:
    messages = _Datagrams()
    try:
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: messages, local_addr=(host, port))
    except OSError as error:
        raise NcError(str(error.strerror)) from None
    try:
        while True:
            invocation.out(await messages.read())
            await invocation.drain()
    finally:
        messages.close()
