"""The simulated network: who is reachable by which address and name, how long a segment takes, and what is broken.

Theory of operation. A link joins every two hosts; it has a latency and may be cut in either direction. Connecting sends
a SYN that travels like anything else:

    the port listens       SYN → SYN-ACK → ACK, and two `End`s exist
    nobody listens         SYN → RST: ConnectionRefusedError
    no host, or no power   nothing answers ARP: after 3 s OSError "No route to host"
    the link is cut        SYN is sent again after 1, 2, 4 … s (tcp_syn_retries = 6): TimeoutError after 127 s

127.0.0.1 means the host itself. A pod's network is a `Namespace` of its machine: an address that others reach, over
the machine's links, and from the machine itself as over loopback. Names are looked up in the host's own table (its
/etc/hosts), then in the table of all hosts, as a data centre's DNS would answer. Unix sockets are connections within
one host whose address is a path.

What it leaves out: routing, MTU, UDP, IPv6.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import Any

from cluster_engine.world.arrivals import Arrivals
from cluster_engine.world.noise import RETRANSMIT_SECONDS, Noise
from cluster_engine.world.process import Host, Namespace, Process
from cluster_engine.world.sockets import Listener, Machine
from cluster_engine.world.tap import Connection, Endpoint, Tap
from cluster_engine.world.tcp import End
from cluster_engine.world.tcp_states import Event
from cluster_engine.world.timers import TimedLoop

LATENCY_SECONDS = 0.000_25
LOOPBACK_LATENCY_SECONDS = 0.000_02
SYN_RETRY_SECONDS = 1.0
SYN_RETRIES_MAX = 6
ARP_SECONDS = 3.0
ANY = ("", "0.0.0.0", "::", None)


class Network:
    """All hosts of one world and what joins them."""

    def __init__(self, loop: TimedLoop) -> None:
        self.loop = loop
        self.tap: Tap | None = None
        self.hosts: dict[str, Host] = {}
        self.ends: dict[int, tuple[End, End]] = {}
        self.arrivals = Arrivals(loop)
        self._by_address: dict[str, Host] = {}
        self._cut: dict[tuple[str, str], None] = {}
        self._latency: dict[tuple[str, str], float] = {}
        self._noise: dict[tuple[str, str], Noise] = {}
        self._connections = 0
        self._segments = 0

    # -- hosts and names -----------------------------------------------------------------------------------------------

    def add_host(self, name: str, address: str) -> Host:
        """Plug a host in. ValueError when the name or the address is taken."""
        if name in self.hosts or address in self._by_address:
            raise ValueError(f"there is a host {name!r} or {address!r} already")
        host = self.hosts[name] = self._by_address[address] = Host(name, address, self.loop.time)
        return host

    def add_namespace(self, machine: Host, name: str, address: str) -> Namespace:
        """Give a pod on a machine a network of its own. Nobody finds it by its name. ValueError: the address is taken.

        `name` is what its participants are called by in the journal: "web-0.default".
        """
        if address in self._by_address:
            raise ValueError(f"there is a host {address!r} already")
        namespace = self._by_address[address] = Namespace(machine, name, address)
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
        except OSError:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
        return name

    def _host_at(self, source: Host, address: str) -> Host | None:
        """Find who has the address; a unix socket, and the unnamed end that called it, are on the same host."""
        if not address or address in source.addresses or address.startswith("/"):
            return source
        return self._by_address.get(address)

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
                end.latency = self._latency_between(ends[0].process.host, ends[1].process.host)

    def set_noise(self, a: str, b: str, noise: Noise | None) -> None:
        """Make the link between two hosts a bad one in both directions, or a good one again (None)."""
        for link in ((a, b), (b, a)):
            if noise is None:
                self._noise.pop(link, None)
            else:
                self._noise[link] = noise

    def noise_of(self, end: End) -> Noise | None:
        """Tell how bad the link is over which an end sends."""
        if not self._noise or end.peer is None:
            return None
        return self._noise.get((end.process.host.machine.name, end.peer.process.host.machine.name))

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

    def _latency_between(self, a: Machine, b: Machine) -> float:
        here, there = a.machine, b.machine
        default = LOOPBACK_LATENCY_SECONDS if here is there else LATENCY_SECONDS
        return self._latency.get((here.name, there.name), default)

    # -- listening -----------------------------------------------------------------------------------------------------

    def listen(
        self, process: Process, address: str | None, port: int, accept: Callable[[], asyncio.BaseProtocol]
    ) -> Listener:
        """Open a port (or, with port 0 and a path, a unix socket); OSError EADDRINUSE when it is taken."""
        host = process.host
        address = "" if address in ANY else str(address)
        if port and address and not address.startswith("/"):
            address = self.resolve(host, address)
            if address not in host.addresses:
                raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
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
        remote = Endpoint(address, port)
        target = self._host_at(source, address)
        local_address = "" if not port else ("127.0.0.1" if address.startswith("127.") else source.address)
        local = Endpoint(local_address, source.next_port() if port else 0)
        self._connections += 1
        end = End(self, process, local, remote, is_client=True)
        end.number = self._connections
        if target is not None:
            end.latency = self._latency_between(source, target)
        if self.tap is not None:
            listener = self._listener(target, address, port) if target is not None else None
            owner = listener.process.id if listener is not None else (target.name if target is not None else address)
            self.tap.connection(Connection(end.number, local, remote, process.id, owner, self.loop.time()))
        try:
            if target is None or not target.powered or not source.powered:
                await asyncio.sleep(ARP_SECONDS)
                raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
            end.on(Event.CONNECT)
            await self._send_syn(end, target)
            protocol = await self._shake_hands(end, target, make_protocol)
        except BaseException:
            end.abort()
            raise
        return end, protocol

    async def _send_syn(self, end: End, target: Host) -> None:
        for attempt in range(SYN_RETRIES_MAX + 1):
            if self.can_pass(end.process.host, target):
                return
            end.tell("S", self.loop.time(), 0, lost=True)
            await asyncio.sleep(SYN_RETRY_SECONDS * 2**attempt)
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))

    def _listener(self, host: Host, address: str, port: int) -> Listener | None:
        return host.listeners.get((address, port)) or host.listeners.get(("", port))

    async def _shake_hands(self, end: End, target: Host, make_protocol: Callable[[], Any]) -> Any:
        sent = self.loop.time()
        await asyncio.sleep(end.latency)
        listener = self._listener(target, end.remote.address, end.remote.port)
        if listener is not None and self.tap is not None:
            self.tap.accepted(end.number, listener.process.id)
        end.tell("S", sent, 0)
        end.sequence = 1
        answered = self.loop.time()
        if listener is None:
            await asyncio.sleep(end.latency)
            self._tell_refusal(end, answered)
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        server = listener.context.run(End, self, listener.process, end.remote, end.local, is_client=False)
        server.on(Event.SYN_ARRIVES)
        server.number, server.latency = end.number, end.latency
        end.peer, server.peer = server, end
        self.ends[end.number] = (end, server)
        while not self.can_pass(target, end.process.host):  # noqa: ASYNC110
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
        acknowledged = self.loop.time()

        def arrive() -> None:
            if server.is_gone:
                return
            server.on(Event.ACK_ARRIVES)
            end.tell("A", acknowledged, 1)
            server.protocol = listener.accept()
            server.protocol.connection_made(server)

        end.put_on_wire(arrive)

    def _tell_refusal(self, end: End, sent: float) -> None:
        if self.tap is not None:
            refuser = End.__new__(End)
            refuser.network, refuser.number, refuser.is_client, refuser.peer = self, end.number, False, end
            refuser.loop = self.loop
            refuser.tell("RA", sent, 0)

    # -- for the ends --------------------------------------------------------------------------------------------------

    def end_gone(self, end: End) -> None:
        """Forget a connection once both of its ends are gone."""
        if end.peer is None or end.peer.is_gone:
            self.ends.pop(end.number, None)

    def next_segment_number(self) -> int:
        """Count segments, from 1, without a gap."""
        self._segments += 1
        return self._segments


__all__ = ["LATENCY_SECONDS", "RETRANSMIT_SECONDS", "Network"]
