"""How a process in a pod finds the address behind a name: glibc's stub resolver, by the pod's /etc/resolv.conf.

Theory of operation. First /etc/hosts, then the name servers. A name with fewer dots than `ndots` is tried in each
`search` domain before it is tried as it is; one with as many or more, or with a dot at its end, the other way round, or
only as it is. A server that says nothing for 5 s is asked once more, then the next one is.

    search default.svc.cluster.local svc.cluster.local cluster.local
    nameserver 10.96.0.10
    options ndots:5
    web.shop  →  web.shop.default.svc.cluster.local. NXDOMAIN, web.shop.svc.cluster.local. → 10.96.4.7

An answer that did not fit into a datagram is fetched by TCP. Modelled on glibc 2.36 (resolv.conf(5)). Left out: AAAA,
which glibc asks for at the same time (the network has no IPv6), `rotate`, caches.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import msgspec

from cluster_engine.world.files import FileSystem
from cluster_engine.world.process import Process

RESOLV_CONF, HOSTS = "/etc/resolv.conf", "/etc/hosts"
PORT = 53
TIMEOUT_SECONDS, ATTEMPTS = 5.0, 2
SERVERS_MAX, SEARCHES_MAX = 3, 32
NAME_BYTES_MAX = 253


class Configuration(msgspec.Struct, frozen=True):
    """What /etc/resolv.conf says."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    ndots: int = 1
    timeout_seconds: float = TIMEOUT_SECONDS
    attempts: int = ATTEMPTS

    def candidates(self, name: str) -> list[str]:
        """Return the names to ask for, in order."""
        bare = name.rstrip(".")
        if name.endswith("."):
            return [bare]
        within = [f"{bare}.{search}" for search in self.searches]
        return [bare, *within] if bare.count(".") >= self.ndots else [*within, bare]


def configuration(files: FileSystem) -> Configuration:
    """Read /etc/resolv.conf; what it does not say, or says wrongly, is as without it."""
    servers: list[str] = []
    searches: list[str] = []
    options: dict[str, str] = {}
    for keyword, words in _lines(files, RESOLV_CONF):
        if keyword == "nameserver":
            servers += [word for word in words[:1] if is_address(word)]
        elif keyword in ("search", "domain"):
            searches = [word.strip(".") for word in words]
        elif keyword == "options":
            options |= {name: value for name, _, value in (word.partition(":") for word in words)}

    def number(name: str, default: int, most: int) -> int:
        text = options.get(name, "")
        return min(int(text), most) if text.isdecimal() and len(text) < 6 else default

    return Configuration(
        tuple(servers[:SERVERS_MAX]),
        tuple(filter(None, searches[:SEARCHES_MAX])),
        number("ndots", 1, 15),
        float(number("timeout", int(TIMEOUT_SECONDS), 30)) or TIMEOUT_SECONDS,
        number("attempts", ATTEMPTS, 5) or ATTEMPTS,
    )


def in_hosts(files: FileSystem, name: str) -> str | None:
    """Return the address of a name in /etc/hosts."""
    wanted = name.lower().rstrip(".")
    found = (address for address, names in _lines(files, HOSTS) if wanted in map(str.lower, names))
    return next(filter(is_address, found), None)


def _lines(files: FileSystem, path: str) -> Iterator[tuple[str, list[str]]]:
    """Split a file's lines into words, without comments."""
    if not files.exists(path):
        return
    for line in files.read(path).decode("utf-8", "replace").splitlines():
        words = line.partition("#")[0].split()
        if words and not words[0].startswith(";"):
            yield words[0], words[1:]


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 address in its usual form."""
    try:
        return socket.inet_ntoa(socket.inet_aton(text)) == text
    except (OSError, ValueError):
        return False


async def look_up(process: Process, name: str) -> list[str]:
    """Find the addresses of a name; socket.gaierror in glibc's words where there are none, or nobody answers."""
    if (found := in_hosts(process.files, name)) is not None:
        return [found]
    config = configuration(process.files)
    answered = False
    for candidate in config.candidates(name):
        if not candidate or len(candidate) > NAME_BYTES_MAX:
            continue
        addresses = await _ask_servers(process, config, candidate)
        if addresses:
            return addresses
        if addresses is None:
            break
        answered = True
    if answered:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


async def _ask_servers(process: Process, config: Configuration, name: str) -> list[str] | None:
    """Ask each server, some times; [] where the name has no address, None where nobody could say."""
    import dns.exception  # here, for a world in which nobody asks for names shall not pay for it
    import dns.message
    import dns.rcode

    try:
        query = dns.message.make_query(name, "A", id=process.rng.getrandbits(16))
    except (dns.exception.DNSException, UnicodeError):
        return []
    for _ in range(config.attempts):
        for server in config.servers:
            answer = await exchange(query, server, config.timeout_seconds)
            if answer is not None and answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                return [record.address for found in answer.answer for record in found if record.rdtype == 1]
    return None


async def exchange(query: Any, server: str, seconds: float, port: int = PORT, *, tcp: bool = False) -> Any:
    """Ask one server a dns.message; give its answer, or None where none comes in time. By TCP if it does not fit."""
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        return await answer_of(query, server, seconds, port, tcp=tcp)
    return None


async def answer_of(query: Any, server: str, seconds: float, port: int = PORT, *, tcp: bool = False) -> Any:
    """As `exchange`, but with what went wrong: OSError, TimeoutError, asyncio.IncompleteReadError."""
    async with asyncio.timeout(seconds):
        answer = None if tcp else await _by_datagram(query, server, port)
        if tcp or (answer is not None and answer.flags & 0x0200):
            answer = await _by_stream(query, server, port)
        return answer


class _Waiting(asyncio.DatagramProtocol):
    """Takes the first datagram that answers a query."""

    def __init__(self, query: Any) -> None:
        self.query = query
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        answer = _read(data, self.query)
        if answer is not None and not self.answer.done():
            self.answer.set_result(answer)

    def error_received(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


def _read(data: bytes, query: Any) -> Any:
    """Read an answer; None where it is none, or to another question."""
    import dns.exception
    import dns.message

    try:
        answer = dns.message.from_wire(data)
        return answer if query.is_response(answer) else None
    except (dns.exception.DNSException, ValueError):
        return None


async def _by_datagram(query: Any, server: str, port: int) -> Any:
    loop = asyncio.get_running_loop()
    transport, waiting = await loop.create_datagram_endpoint(lambda: _Waiting(query), remote_addr=(server, port))
    try:
        transport.sendto(query.to_wire())
        return await waiting.answer
    finally:
        transport.close()


async def _by_stream(query: Any, server: str, port: int) -> Any:
    reader, writer = await asyncio.open_connection(server, port)
    try:
        wire = query.to_wire()
        writer.write(len(wire).to_bytes(2, "big") + wire)
        size = int.from_bytes(await reader.readexactly(2), "big")
        return _read(await reader.readexactly(size), query)
    finally:
        writer.close()
