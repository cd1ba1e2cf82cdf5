"""Asking a name server over the network: what dig, nslookup and host do, and what /etc/resolv.conf says of it.

    resolver = Resolver.of("search default.svc.cluster.local svc.cluster.local\\noptions ndots:5")
    list(resolver.candidates("web"))        ["web.default.svc.cluster.local.", "web.svc.cluster.local.", "web."]

Questions go by UDP, an answer that was cut off is asked for again by TCP. Modelled on resolv.conf(5) and BIND 9.18's
libisc. Left out: several servers in turn beyond the first three, EDNS options, DNSSEC.
"""

import asyncio
import contextlib
import errno
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.reversename

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.network.sockets import network

PORT = 53
TIMEOUT_SECONDS = 5.0
TRIES = 3
SERVERS_MAX, SEARCH_MAX, NDOTS_MAX = 3, 6, 15
LOCALHOST = "127.0.0.1"
MESSAGE_BYTES_MAX = 65_535


class NoAnswerError(Exception):
    """Nobody has answered; the lines say how each try failed, as BIND's tools do."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(slots=True)
class Resolver:
    """What /etc/resolv.conf says."""

    servers: list[str] = field(default_factory=list)
    search: list[str] = field(default_factory=list)
    ndots: int = 1

    @staticmethod
    def of(text: str) -> "Resolver":
        """Read a resolv.conf; of what is wrong in it nothing is said, as by the real ones."""
        found = Resolver()
        for line in text.splitlines():
            words = line.split()
            if words[:1] == ["nameserver"] and len(words) > 1 and len(found.servers) < SERVERS_MAX:
                found.servers.append(words[1])
            elif words[:1] in (["search"], ["domain"]):
                found.search = words[1 : SEARCH_MAX + 1]
            elif words[:1] == ["options"]:
                for word in words[1:]:
                    name, _, value = word.partition(":")
                    if name == "ndots" and value.isascii() and value.isdigit() and len(value) < 3:
                        found.ndots = min(int(value), NDOTS_MAX)
        found.servers = found.servers or [LOCALHOST]
        return found

    def candidates(self, name: str) -> Iterator[str]:
        """Yield the names that are asked for in turn where somebody says a short one."""
        if name.endswith("."):
            yield name
            return
        longer = [f"{name}.{suffix.rstrip('.')}." for suffix in self.search]
        yield from [f"{name}.", *longer] if name.count(".") >= self.ndots else [*longer, f"{name}."]


def resolver_of(invocation: Invocation) -> Resolver:
    """Read the resolv.conf of whoever runs the program."""
    with contextlib.suppress(OSError):
        return Resolver.of(invocation.files.read("/etc/resolv.conf").decode("utf-8", "replace"))
    return Resolver.of("")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server has answered: the message, its bytes, and how long it took in seconds."""

    message: dns.message.Message
    size: int
    seconds: float
    server: str
    port: int
    by_tcp: bool = False


class _Question(asyncio.DatagramProtocol):
    def __init__(self, identifier: int) -> None:
        self._identifier = identifier
        self.answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """See asyncio; what answers another question is passed over."""
        if data[:2] == struct.pack("!H", self._identifier) and not self.answered.done():
            self.answered.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """See asyncio."""
        if not self.answered.done():
            self.answered.set_exception(exc)


@dataclass(slots=True)
class Asking:
    """How to ask: which server, how long to wait, how often to try, and whether by TCP."""

    server: str
    port: int = PORT
    timeout: float = TIMEOUT_SECONDS
    tries: int = TRIES
    by_tcp: bool = False
    edns_bytes: int | None = None
    recursion: bool = True
    hears: list[str] = field(default_factory=list)
    """What is to be said of tries that failed, also where a later one did not."""


def query(invocation: Invocation, name: str, kind: str, asking: Asking) -> dns.message.QueryMessage:
    """Make a question. dns.exception.DNSException for a name or type that is none."""
    identifier = invocation.process.rng.getrandbits(16)
    flags = dns.flags.RD if asking.recursion else 0
    extra = {} if asking.edns_bytes is None else {"use_edns": 0, "payload": asking.edns_bytes}
    return dns.message.make_query(dns.name.from_text(name), kind, id=identifier, flags=flags, **extra)  # type: ignore[arg-type]


async def ask(question: dns.message.QueryMessage, asking: Asking) -> Answer:
    """Ask a server. NoAnswerError."""
    loop = asyncio.get_running_loop()
    failures: list[str] = []
    begun = loop.time()
    for _ in range(asking.tries):
        try:
            async with asyncio.timeout(asking.timeout):
                send = _ask_by_tcp if asking.by_tcp else _ask_by_udp
                begun = loop.time()
                raw = await send(question, asking)
                message = dns.message.from_wire(raw, ignore_trailing=True)
                by_tcp = asking.by_tcp
                if message.flags & dns.flags.TC and not by_tcp:
                    raw, by_tcp = await _ask_by_tcp(question, asking), True
                    message = dns.message.from_wire(raw, ignore_trailing=True)
            return Answer(message, len(raw), loop.time() - begun, asking.server, asking.port, by_tcp)
        except TimeoutError:
            said = "timed out"
        except OSError as error:
            names = {errno.ECONNREFUSED: "connection refused", errno.EHOSTUNREACH: "host unreachable"}
            said = names.get(error.errno or 0, "network unreachable")
        except (dns.exception.DNSException, asyncio.IncompleteReadError):
            said = "end of file"
        failures.append(f";; communications error to {asking.server}#{asking.port}: {said}")
        asking.hears.append(failures[-1])
    raise NoAnswerError(failures)


async def _ask_by_udp(question: dns.message.QueryMessage, asking: Asking) -> bytes:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Question(question.id), remote_addr=(asking.server, asking.port)
    )
    try:
        transport.sendto(question.to_wire())
        return await protocol.answered
    finally:
        transport.close()


async def _ask_by_tcp(question: dns.message.QueryMessage, asking: Asking) -> bytes:
    reader, writer = await asyncio.open_connection(asking.server, asking.port)
    try:
        raw = question.to_wire()
        writer.write(struct.pack("!H", len(raw)) + raw)
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        return await reader.readexactly(size)
    finally:
        writer.close()


def server_address(invocation: Invocation, name: str) -> str:
    """Return the address of a server that somebody has named; socket.gaierror."""
    return network().resolve(invocation.process.host, name)


def reverse(address: str) -> str:
    """Return the name under which a name is found for an address. ValueError."""
    try:
        return str(dns.reversename.from_address(address))
    except dns.exception.SyntaxError as problem:
        raise ValueError(address) from problem


__all__ = ["Answer", "Asking", "NoAnswerError", "Resolver", "ask", "query", "resolver_of", "reverse", "server_address"]
