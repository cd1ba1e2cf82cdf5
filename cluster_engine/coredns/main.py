"""CoreDNS: follows Services, EndpointSlices and Namespaces, and answers for their names by UDP and TCP.

Theory of operation. It is a client of the API server like any controller, with the token that lies in its container
(`/var/run/secrets/kubernetes.io/serviceaccount`). What it hears makes the names (`records`) once they are asked for
again. Names of its zones it answers itself, with the authority of their owner: NXDOMAIN and NODATA with the zone's SOA.
All others it passes on (`forward`), to the resolver of the data centre, which nobody here can watch.

    web.default.svc.cluster.local. A    → NOERROR aa   web.default.svc.cluster.local. 30 IN A 10.96.4.7
    wep.default.svc.cluster.local. A    → NXDOMAIN aa  cluster.local. 30 IN SOA ns.dns.cluster.local. …

Several records come in an order that chance decides (`loadbalance`). /health answers on 8080, /ready on 8181 once all
is synced. Modelled on CoreDNS 1.11 as kubeadm deploys it. Left out: caches, so a ttl never counts down; metrics;
reload.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset

from cluster_engine.api.kinds import ENDPOINT_SLICE, NAMESPACE, SERVICE
from cluster_engine.client import Client, Informer
from cluster_engine.client.kubeconfig import in_cluster
from cluster_engine.client.rate_limits import DEFAULT
from cluster_engine.coredns.corefile import Corefile, parse
from cluster_engine.coredns.records import ARPA, NOT_THERE, Found, Names, Record
from cluster_engine.world.process import Process

COREFILE = "/etc/coredns/Corefile"
USER_AGENT = "coredns/v1.11.3 (linux/amd64) kubernetes/glassplane"
HEALTH_PORT, READY_PORT = 8080, 8181
DATAGRAM_BYTES = 512
STREAM_SECONDS, REQUEST_SECONDS = 10.0, 10.0
FORWARD_TTL = 30
SOA = "ns.dns.{zone}. hostmaster.{zone}. {serial} 7200 1800 86400 {ttl}"
BANNER = ".:{port}\nCoreDNS-1.11.3\nlinux/amd64, go1.21.11, a6338e9\n"


async def main(
    process: Process,
    environment: Mapping[str, str],
    path: str = COREFILE,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until cancelled. `say` is its standard output. CorefileError, KubeConfigError, FileNotFoundError."""
    corefile = parse(process.files.read(path).decode("utf-8", "replace"))
    client = Client(in_cluster(process.files, environment), process, USER_AGENT, limit=DEFAULT)
    await Server(process, client, corefile).run(say)


class Server:
    """Answers questions by what its informers know."""

    def __init__(self, process: Process, client: Client, corefile: Corefile) -> None:
        self._process = process
        self._corefile = corefile
        self._services = Informer(client, SERVICE, process)
        self._slices = Informer(client, ENDPOINT_SLICE, process)
        self._namespaces = Informer(client, NAMESPACE, process)
        self._informers = (self._services, self._slices, self._namespaces)
        self._names: Names | None = None
        self._serial = 0
        self._is_synced = False
        for informer in self._informers:
            informer.on(add=self._changed, update=self._changed, delete=self._changed)

    def _changed(self, *_: Any) -> None:
        self._names = None
        self._serial = int(self._process.now().timestamp())

    @property
    def _zone(self) -> str:
        return next((zone for zone in self._corefile.zones if not zone.endswith("arpa")), "cluster.local")

    def names(self) -> Names:
        """Return what the names stand for now."""
        if self._names is None:
            namespaces = [one["metadata"]["name"] for one in self._namespaces.items()]
            pods = self._corefile.pods != "disabled"
            self._names = Names(self._zone, self._services.items(), self._slices.items(), namespaces, pods=pods)
        return self._names

    async def run(self, say: Callable[[str], None]) -> None:
        """Follow and answer for ever."""
        loop, port = asyncio.get_running_loop(), self._corefile.port
        async with asyncio.TaskGroup() as tasks:
            transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self, tasks), ("0.0.0.0", port))
            servers = [await asyncio.start_server(self._stream, "0.0.0.0", port)]
            if self._corefile.health:
                servers.append(await asyncio.start_server(self._health, "0.0.0.0", HEALTH_PORT))
            if self._corefile.ready:
                servers.append(await asyncio.start_server(self._readiness, "0.0.0.0", READY_PORT))
            try:
                for informer in self._informers:
                    tasks.create_task(informer.run(), name=f"informer {informer.kind.plural}")
                for informer in self._informers:
                    await informer.synced()
                self._is_synced = True
                say(BANNER.format(port=port))
                self._process.ready()
                await asyncio.Event().wait()
            finally:
                transport.close()
                for server in servers:
                    server.close()

    # -- answers ---------------------------------------------------------------------------------------------------

    async def answer(self, wire: bytes, size: int) -> bytes | None:
        """Answer a message, in at most `size` bytes; None for what is no query."""
        try:
            query = dns.message.from_wire(wire)
            if query.flags & dns.flags.QR or not query.question:
                return None
            response = dns.message.make_response(query)
        except (dns.exception.DNSException, ValueError):
            return None
        if query.opcode() != dns.opcode.QUERY:
            response.set_rcode(dns.rcode.NOTIMP)
        else:
            await self._fill(response, query.question[0])
        size = max(size, query.payload if query.edns >= 0 else 0)
        try:
            return response.to_wire(max_size=size, want_shuffle=False)  # dnspython shuffles by unseeded chance
        except dns.exception.TooBig:
            response.answer, response.additional = [], []
            response.flags |= dns.flags.TC
            return response.to_wire(max_size=size, want_shuffle=False)

    async def _fill(self, response: dns.message.Message, question: dns.rrset.RRset) -> None:
        name = question.name.to_text(omit_final_dot=True).lower()
        zone = next((one for one in self._corefile.zones if name == one or name.endswith(f".{one}")), None)
        if zone is None or not self._is_synced:
            await self._forward(response, question)
            return
        found = self.names().reverse(name) if zone.endswith("arpa") else self.names().find(name)
        falls = any(name.endswith(one.lstrip(".")) for one in self._corefile.fallthrough)
        if found is NOT_THERE and falls:
            await self._forward(response, question)
            return
        await self._own(response, question, found, zone)

    async def _own(self, response: dns.message.Message, question: dns.rrset.RRset, found: Found, zone: str) -> None:
        response.flags |= dns.flags.AA
        kind = dns.rdatatype.to_text(question.rdtype)
        records = [one for one in found.records if kind in (one.type, "ANY") or one.type == "CNAME"]
        self._process.rng.shuffle(records)
        ttl, asked = self._corefile.ttl, question.name.to_text()
        for one in records:
            _add(response.answer, Record(asked, one.type, one.value), ttl)
        if kind == "SRV" and records:
            for one in found.extra:
                _add(response.additional, one, ttl)
        alias = next((one.value for one in records if one.type == "CNAME"), "")
        if alias and kind == "A":
            for address in await self._outside(alias.rstrip(".")):
                _add(response.answer, Record(alias, "A", address), FORWARD_TTL)
        if not records:
            soa = SOA.format(zone=zone, serial=self._serial, ttl=ttl)
            _add(response.authority, Record(f"{zone}.", "SOA", soa), ttl)
            response.set_rcode(dns.rcode.NOERROR if found.there else dns.rcode.NXDOMAIN)

    async def _forward(self, response: dns.message.Message, question: dns.rrset.RRset) -> None:
        """Answer as the data centre's resolver does: it knows the machines' addresses."""
        if not self._corefile.forwards:
            response.set_rcode(dns.rcode.REFUSED)
            return
        response.flags |= dns.flags.RA
        name = question.name.to_text(omit_final_dot=True)
        addresses = [] if name.lower().endswith(ARPA) else await self._outside(name.lower())
        for address in addresses if question.rdtype == dns.rdatatype.A else ():
            _add(response.answer, Record(question.name.to_text(), "A", address), FORWARD_TTL)
        if not addresses:
            response.set_rcode(dns.rcode.NXDOMAIN)

    async def _outside(self, name: str) -> list[str]:
        with contextlib.suppress(socket.gaierror):
            return [str(one[4][0]) for one in await asyncio.get_running_loop().getaddrinfo(name, None)]
        return []

    # -- TCP, and how it is ------------------------------------------------------------------------------------------

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            while True:
                async with asyncio.timeout(STREAM_SECONDS):
                    size = int.from_bytes(await reader.readexactly(2), "big")
                    wire = await reader.readexactly(size)
                answer = await self.answer(wire, 0xFFFF)
                if answer is None:
                    break
                writer.write(len(answer).to_bytes(2, "big") + answer)
                await writer.drain()
        writer.close()

    async def _health(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _tell(reader, writer, "/health", is_well=True)

    async def _readiness(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _tell(reader, writer, "/ready", is_well=self._is_synced)


class _Datagrams(asyncio.DatagramProtocol):
    """Answers each datagram in a task of its own: forwarding may take its time."""

    def __init__(self, server: Server, tasks: asyncio.TaskGroup) -> None:
        self._server, self._tasks = server, tasks
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._tasks.create_task(self._answer(data, addr))

    async def _answer(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        answer = await self._server.answer(data, DATAGRAM_BYTES)
        if answer is not None:
            self._transport.sendto(answer, addr)


def _add(section: list[dns.rrset.RRset], record: Record, ttl: int) -> None:
    """Add a record to the set of its name and type, or begin one."""
    name = record.name if record.name.endswith(".") else f"{record.name}."
    new = dns.rrset.from_text(name, ttl, "IN", record.type, record.value)
    for one in section:
        if one.name == new.name and one.rdtype == new.rdtype:
            one.add(new[0], ttl)
            return
    section.append(new)


async def _tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wanted: str, *, is_well: bool) -> None:
    """Answer one HTTP request, and close."""
    with contextlib.suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        async with asyncio.timeout(REQUEST_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        path = [*head.split(b" ", 2), b"", b""][1].partition(b"?")[0].decode("ascii", "replace")
        status, body = ("200 OK", b"OK") if path == wanted and is_well else ("503 Service Unavailable", b"")
        if path != wanted:
            status, body = "404 Not Found", b"404 page not found\n"
        fields = f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\nConnection: close"
        writer.write(f"HTTP/1.1 {status}\r\n{fields}\r\n\r\n".encode() + body)
        await writer.drain()
    writer.close()
