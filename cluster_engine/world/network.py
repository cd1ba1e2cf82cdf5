"""The simulated network: who is reachable by which address and name, how long a segment takes, and what is broken.

Theory of operation. A link joins every two hosts; it has a latency and may be cut in either direction. Connecting sends
a SYN that travels like anything else:

    the port listens       SYN → SYN-ACK → ACK, and two `End`s exist
    nobody listens         SYN → RST: ConnectionRefusedError
    no host, or no power   nothing answers ARP: after 3 s OSError "No route to host"; of a network without any host
                           nobody says so: as where the link is cut
    the link is cut        SYN is sent again after 1, 2, 4 … s (tcp_syn_retries = 6): TimeoutError after 127 s
    a filter rejects it    SYN → ICMP port unreachable: ConnectionRefusedError;  drops it: as where the link is cut

Which way it goes, and to whom, the packet filters of the machines on its way say too (`routing`).

127.0.0.1 means the host itself. A pod's network is a `Namespace` of its machine: an address that others reach, over
the machine's links, and from the machine itself as over loopback. Names are looked up in the host's own table (its
/etc/hosts), then in the table of all hosts, as a data centre's DNS would answer. Unix sockets are connections within
one host whose address is a path.

What it leaves out: routers, MTU, IPv6. UDP and ping: `datagrams`.
"""

import asyncio
import errno
import os
import random
import socket
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from cluster_engine.world import routing
from cluster_engine.world.arrivals import Arrivals
from cluster_engine.world.captures import Captures
from cluster_engine.world.datagrams import Datagrams
from cluster_engine.world.noise import RETRANSMIT_SECONDS, Narrow, Noise
from cluster_engine.world.packet_filter import Kernel, PacketFilter, Verdict
from cluster_engine.world.process import Host, Namespace, Process
from cluster_engine.world.routing import Route
from cluster_engine.world.sockets import Listener, Machine
from cluster_engine.world.tap import Connection, Endpoint, Segment, Tap
from cluster_engine.world.tcp import End
from cluster_engine.world.tcp_states import Event
from cluster_engine.world.timers import TimedLoop

LATENCY_SECONDS = 0.000_25
LOOPBACK_LATENCY_SECONDS = 0.000_02
SYN_RETRY_SECONDS = 1.0
SYN_RETRIES_MAX = 6
ARP_SECONDS = 3.0
ANY = ("", "0.0.0.0", "::", None)
EVERY_PORT = ("*", 0)
"""Listening at it is listening on every port that nobody else listens on: for programs of which no port is known."""


class Network:
    """All hosts of one world and what joins them. `rng` is the chance in their kernels."""

    def __init__(self, loop: TimedLoop, rng: random.Random) -> None:
        self.loop = loop
        self.rng = rng
        self.tap: Tap | None = None
        self.captures = Captures()
        self.hosts: dict[str, Host] = {}
        self.ends: dict[int, tuple[End, End]] = {}
        self.arrivals = Arrivals(loop)
        self.datagrams = Datagrams(self)
        self._by_address: dict[str, Host] = {}
        self._cut: dict[tuple[str, str], None] = {}
        self._latency: dict[tuple[str, str], float] = {}
        self._noise: dict[tuple[str, str], Noise] = {}
        self.narrow: dict[tuple[str, str], Narrow] = {}
        """The links in one direction that take only so many bytes a second."""
        self._connections = 0
        self._segments = 0

    # -- hosts and names -----------------------------------------------------------------------------------------------

    def add_host(self, name: str, address: str) -> Host:
        """Plug a host in. ValueError when the name or the address is taken."""
        if name in self.hosts or address in self._by_address:
            raise ValueError(f"there is a host {name!r} or {address!r} already")
        host = self.hosts[name] = self._by_address[address] = Host(name, address, self.loop.time)
        self._give_filter(host)
        return host

    def _give_filter(self, host: Host) -> None:
        host.packet_filter = PacketFilter(Kernel(host.addresses, host.address, self.loop.time, self.rng))

    def add_namespace(self, machine: Host, name: str, address: str) -> Namespace:
        """Give a pod on a machine a network of its own. Nobody finds it by its name. ValueError: the address is taken.

        `name` is what its participants are called by in the journal: "web-0.default".
        """
        if address in self._by_address:
            raise ValueError(f"there is a host {address!r} already")
        namespace = self._by_address[address] = Namespace(machine, name, address)
        self._give_filter(namespace)
        return namespace

    def remove_namespace(self, namespace: Namespace) -> None:
        """Take a pod's network away; what still runs in it is killed."""
        for process in list(namespace.processes.values()):
            process.kill()
        if self._by_address.get(namespace.address) is namespace:
            del self._by_address[namespace.address]

    def namespaces(self) -> list[Namespace]:
        """List the pods' networks, in the order in which they were added."""
        return [host for host in self._by_address.values() if isinstance(host, Namespace)]

    def resolve(self, host: Host, name: str) -> str:
        """Return the address of a name as `host` would look it up; socket.gaierror when it is unknown."""
        if name in host.names:
            return host.names[name]
        if name in self.hosts:
            return self.hosts[name].address
        try:
            socket.inet_aton(name)
        except (OSError, ValueError):  # a name with a NUL in it
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
        return name

    def _route(self, here: Host, end: End) -> Route:
        """Find the way of a connection's first packet; a unix socket's is within the host."""
        if not end.remote.port:
            return Route(Verdict.ACCEPT, end.local, end.remote, (here.machine,), here)
        return self.find_route(here, "tcp", end.local, end.remote)

    def find_route(self, sender: Host, protocol: str, source: Endpoint, destination: Endpoint) -> Route:
        """Find the way of a first packet from a process of the sender's."""
        return routing.find(self._by_address, sender, protocol, source, destination)

    # -- what is broken ------------------------------------------------------------------------------------------------

    def partition(self, a: str, b: str, *, both_ways: bool = True) -> None:
        """Cut the link from host `a` to host `b` (and back)."""
        self._cut[a, b] = None
        if both_ways:
            self._cut[b, a] = None

    def heal(self, a: str, b: str) -> None:
        """Mend the link between two hosts; what waits is sent at its next retransmission."""
        self._cut.pop((a, b), None)
        self._cut.pop((b, a), None)

    def set_latency(self, a: str, b: str, seconds: float) -> None:
        """Set how long a segment takes between two hosts, either way, for connections opened from now on and before."""
        self._latency[a, b] = self._latency[b, a] = seconds
        for ends in self.ends.values():
            for end in ends:
                end.latency = self.latency_along(end.path)

    def set_noise(self, a: str, b: str, noise: Noise | None) -> None:
        """Make the link between two hosts a bad one in both directions, or a good one again (None)."""
        for link in ((a, b), (b, a)):
            if noise is None:
                self._noise.pop(link, None)
            else:
                self._noise[link] = noise

    def noise_along(self, path: Sequence[Machine]) -> Noise | None:
        """Tell how bad the first bad link is on a way."""
        if not self._noise:
            return None
        links = ((a.name, b.name) for a, b in pairwise(path))
        return next((self._noise[link] for link in links if link in self._noise), None)

    def set_rate(self, a: str, b: str, bytes_per_second: float | None) -> None:
        """Let the link between two hosts take no more than so many bytes a second in each direction; None: any."""
        for link in ((a, b), (b, a)):
            if bytes_per_second is None:
                self.narrow.pop(link, None)
            else:
                self.narrow[link] = Narrow(bytes_per_second)

    def queued_along(self, path: Sequence[Machine], size: int) -> float:
        """Send so many bytes of payload in one segment; tell how much later it arrives for the narrow links."""
        delay = 0.0
        for a, b in pairwise(path):
            if (narrow := self.narrow.get((a.name, b.name))) is not None:
                delay += narrow.queue(self.loop.time() + delay, size)
        return delay

    def forget(self, number: int, host: str) -> None:
        """Let a host forget its end of a connection without a word, as after a crash. KeyError when it is not open.

        The other end knows nothing of it (RFC 9293 §3.5.1, half-open connections): what it sends next gets a RST.
        """
        for end in self.ends[number]:
            if end.process.host.machine.name == host:
                end.forget()

    def reset(self, number: int) -> None:
        """Break a connection as a middlebox does: both ends get a RST. KeyError when it is not open."""
        for end in self.ends[number]:
            end.tell("R", self.loop.time(), end.sequence)
        for end in self.ends[number]:
            end.reset_arrived()

    def can_pass(self, source: Machine, target: Machine) -> bool:
        """Return whether a segment sent now would arrive."""
        cut = self._cut
        return source.powered and target.powered and not (cut and (source.machine.name, target.machine.name) in cut)

    def passes(self, path: Sequence[Machine]) -> bool:
        """Return whether a segment sent now from the first of these machines over the others would arrive."""
        if len(path) == 1:
            return self.can_pass(path[0], path[0])
        return all(self.can_pass(a, b) for a, b in pairwise(path))

    def latency_along(self, path: Sequence[Machine]) -> float:
        """Tell how long a segment takes, in seconds."""
        if len(path) == 1:
            return LOOPBACK_LATENCY_SECONDS
        return sum(self._latency.get((a.name, b.name), LATENCY_SECONDS) for a, b in pairwise(path))

    # -- listening -----------------------------------------------------------------------------------------------------

    def listen(
        self, process: Process, address: str | None, port: int, accept: Callable[[], asyncio.BaseProtocol]
    ) -> Listener:
        """Open a port (or, with port 0 and a path, a unix socket); OSError: EADDRINUSE, EACCES."""
        host = process.host
        address = "" if address in ANY else str(address)
        if port and address and not address.startswith("/"):
            address = self.resolve(host, address)
            if address not in host.addresses:
                raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        if not process.may_listen(port):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        key = (address, port)
        if key in host.listeners or (port and ("", port) in host.listeners):
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))

        def close() -> None:
            if process.listeners.pop(listener, False) is not False:
                process.descriptors.close(listener.fd)
                del host.listeners[key]

        listener = Listener(process, Endpoint(address or "0.0.0.0", port), accept, close)
        host.listeners[key] = listener
        process.listeners[listener] = None
        return listener

    # -- connecting ----------------------------------------------------------------------------------------------------

    async def connect(
        self, process: Process, address: str, port: int, make_protocol: Callable[[], Any]
    ) -> tuple[End, Any]:
        """Open a connection from a process; give the client's end and protocol.

        ConnectionRefusedError, TimeoutError or OSError as the module's opening says.
        """
        source = process.host
        if not process.is_alive:
            raise ConnectionAbortedError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED))
        local_address = "" if not port else ("127.0.0.1" if address.startswith("127.") else source.address)
        local = Endpoint(local_address, source.next_port() if port else 0)
        end = End(self, process, local, Endpoint(address, port), is_client=True)
        end.number = self.next_connection_number()
        route = self._route(source, end)
        self._follow(end, route)
        if self.tap is not None:
            self.tap.connection(self._told(end, route))
        try:
            end.on(Event.CONNECT)
            route = await self._send_syn(source, end, route)
            protocol = await self._shake_hands(end, route, make_protocol)
        except BaseException:
            end.abort()
            raise
        return end, protocol

    def _follow(self, end: End, route: Route) -> None:
        end.path = route.machines
        end.wire = (route.source, route.destination)
        end.target = route.target or route.machines[-1]
        end.latency = self.latency_along(end.path)

    def _told(self, end: End, route: Route) -> Connection:
        """Describe a connection attempt to the tap."""
        target = route.target
        listener = None if target is None else self._listener(target, route.destination)
        if listener is not None:
            owner = listener.process.id
        elif target is not None:
            owner = target.name
        else:
            owner = end.remote.address if route.verdict is Verdict.ACCEPT else route.machines[-1].name
        translated = route.translated(end.local, end.remote)
        return Connection(end.number, end.local, end.remote, end.process.id, owner, self.loop.time(), translated)

    async def _send_syn(self, source: Host, end: End, route: Route) -> Route:
        """Send SYNs until one gets through, each by the rules of its hour; give the way that it went."""
        for attempt in range(SYN_RETRIES_MAX + 1):
            if attempt:
                route = self._route(source, end)
                self._follow(end, route)
            if route.verdict is Verdict.REJECT:
                await self._be_rejected(end)
            if (route.is_unplugged and not attempt) or not source.powered:
                await asyncio.sleep(ARP_SECONDS)
                raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
            if route.target is not None and self.passes(end.path):
                return route
            end.tell("S", self.loop.time(), 0, lost=True)
            await asyncio.sleep(SYN_RETRY_SECONDS * 2**attempt)
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))

    def _listener(self, host: Host, at: Endpoint) -> Listener | None:
        every = host.listeners.get(EVERY_PORT) if at.port else None
        return host.listeners.get((at.address, at.port)) or host.listeners.get(("", at.port)) or every

    async def _be_rejected(self, end: End) -> None:
        """Hear from the kernel of the path's last machine that the port cannot be reached."""
        sent = end.leaves("S", 0)
        await asyncio.sleep(end.latency)
        end.tell("S", sent, 0)
        await self._answer_for_nobody(end, "U")
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))

    async def _shake_hands(self, end: End, route: Route, make_protocol: Callable[[], Any]) -> Any:
        sent = end.leaves("S", 0)
        await asyncio.sleep(end.latency)
        assert route.target is not None
        listener = self._listener(route.target, route.destination)
        if listener is not None and self.tap is not None:
            self.tap.accepted(end.number, listener.process.id)
        end.tell("S", sent, 0)
        end.sequence = 1
        if listener is None:
            await self._answer_for_nobody(end, "RA")
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        server = listener.context.run(End, self, listener.process, route.destination, route.source, is_client=False)
        server.on(Event.SYN_ARRIVES)
        server.number, server.latency, server.path = end.number, end.latency, end.path[::-1]
        end.peer, server.peer = server, end
        self.ends[end.number] = (end, server)
        answered = server.leaves("SA", 0)
        while not self.passes(server.path):  # noqa: ASYNC110
            await asyncio.sleep(SYN_RETRY_SECONDS)  # the SYN-ACK is sent again by a timer, not by news
        await asyncio.sleep(end.latency)
        server.tell("SA", answered, 0)
        server.sequence = 1
        if end.is_gone or not listener.process.is_alive:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        end.on(Event.SYN_ACK_ARRIVES)
        end.protocol = protocol = make_protocol()
        self._acknowledge(end, server, listener)
        protocol.connection_made(end)
        return protocol

    def _acknowledge(self, end: End, server: End, listener: Listener) -> None:
        acknowledged = end.leaves("A", 1)

        def arrive() -> None:
            if server.is_gone:
                return
            server.on(Event.ACK_ARRIVES)
            end.tell("A", acknowledged, 1)
            server.protocol = listener.accept()
            server.protocol.connection_made(server)

        end.put_on_wire(arrive)

    async def _answer_for_nobody(self, end: End, flags: str) -> None:
        """Let a kernel answer where there is no other end."""
        sent = self.loop.time()
        end.capture_answer(flags, is_leaving=True)
        await asyncio.sleep(end.latency)
        end.capture_answer(flags, is_leaving=False)
        if self.tap is not None:
            arrived, number = self.loop.time(), self.next_segment_number()
            self.tap.segment(Segment(number, end.number, False, sent, arrived, flags, 0, end.sequence, b""))

    # -- for the ends --------------------------------------------------------------------------------------------------

    def end_gone(self, end: End) -> None:
        """Forget a connection once both of its ends are gone."""
        if end.peer is None or end.peer.is_gone:
            self.ends.pop(end.number, None)

    def next_connection_number(self) -> int:
        """Count connections, and flows of datagrams, from 1, without a gap."""
        self._connections += 1
        return self._connections

    def next_segment_number(self) -> int:
        """Count segments, from 1, without a gap."""
        self._segments += 1
        return self._segments


__all__ = ["LATENCY_SECONDS", "RETRANSMIT_SECONDS", "Network"]
