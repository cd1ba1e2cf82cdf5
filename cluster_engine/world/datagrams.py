"""Datagrams under way: UDP, and the echoes of ping.

Theory of operation. Who sends a datagram hears no more of it, unless somebody answers. But the machines on its way keep
in mind where it went, so that the answer comes back from where the asker believes to have asked: a *flow*, as the
kernel's connection tracking has it, gone after 30 s of silence, or 120 s once both sides have spoken. The tap is told
of a flow as of a connection, and of each datagram as of a segment without flags.

    web.default → 10.96.0.10:53   DNAT 10.244.1.3:53     coredns hears 10.244.2.7:41000
    coredns → 10.244.2.7:41000    the flow, backwards    web.default hears 10.96.0.10:53

What links do: a cut one swallows it; a bad one loses it, holds it up or lets it come twice, and nobody sends it again.
Damaged ones are dropped, for their checksum tells. Where nobody listens, or a packet filter rejects, ICMP says so
(`icmp_rate`: not every time), and connected sockets are told. Left out: fragments, broadcast, multicast, buffers that
overflow.
"""

import asyncio
import errno
import os
import struct
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from cluster_engine.world.captures import Captures, Frame, back
from cluster_engine.world.icmp_rate import IcmpRate
from cluster_engine.world.noise import Noise
from cluster_engine.world.packet_filter import Verdict
from cluster_engine.world.process import Host, Process
from cluster_engine.world.routing import Route
from cluster_engine.world.sockets import Machine
from cluster_engine.world.tap import Connection, Endpoint, Segment, Tap
from cluster_engine.world.timers import TimedLoop
from cluster_engine.world.udp import DatagramSocket

FLOW_SECONDS, ANSWERED_FLOW_SECONDS = 30.0, 120.0
"""nf_conntrack_udp_timeout and nf_conntrack_udp_timeout_stream."""
FLOWS_MAX = 4096
ARP_SECONDS = 3.0
UNREACHABLE = "U"
ECHO_REQUEST, ECHO_REPLY = 8, 0
ECHO_BYTES = 56


class Net(Protocol):
    """What datagrams need of the network."""

    loop: TimedLoop
    tap: Tap | None
    captures: Captures

    def find_route(self, sender: Host, protocol: str, source: Endpoint, destination: Endpoint) -> Route:
        """Find the way of a first packet."""
        ...

    def next_connection_number(self) -> int:
        """Count connections and flows, from 1, without a gap."""
        ...

    def next_segment_number(self) -> int:
        """Count segments, from 1, without a gap."""
        ...

    def passes(self, path: Sequence[Machine]) -> bool:
        """Whether what is sent now over these machines would arrive."""
        ...

    def latency_along(self, path: Sequence[Machine]) -> float:
        """How long it takes, in seconds."""
        ...

    def noise_along(self, path: Sequence[Machine]) -> Noise | None:
        """How bad the way is; None: not at all."""
        ...


class Flow(msgspec.Struct):
    """Who asked whom, as the asker sees it (`source`, `destination`) and as it is (`route`). `sender` is its host."""

    protocol: str
    number: int
    sender: Host
    source: Endpoint
    destination: Endpoint
    route: Route
    until: float
    is_known: bool = False
    """Whether the tap has heard who answers."""


class Datagrams:
    """What is under way, and which flows the machines have in mind."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self._flows: dict[tuple[Host, str, Endpoint, Endpoint], Flow] = {}
        self._answers: dict[tuple[Host, str, Endpoint, Endpoint], Flow] = {}
        self._icmp_rate = IcmpRate()

    # -- sockets ---------------------------------------------------------------------------------------------------

    def open(self, process: Process, local: Endpoint | None, remote: Endpoint | None) -> DatagramSocket:
        """Open a socket at an address of the host's ("" for all) and a port (0 for a free one). OSError."""
        host = process.host
        address, port = (local.address, local.port) if local is not None else ("", 0)
        if address and address not in host.addresses:
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        if remote is not None and not address:
            address = "127.0.0.1" if remote.address.startswith("127.") else host.address
        if not process.may_listen(port):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        while not port:
            port = host.next_port()
            port = 0 if (address, port) in host.datagram_sockets else port
        key = (address, port)
        if key in host.datagram_sockets or ("", port) in host.datagram_sockets:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        found = DatagramSocket(process, Endpoint(*key), remote, self._send, self._closed)
        host.datagram_sockets[key] = found
        process.datagram_sockets[found] = None
        return found

    def _closed(self, socket: DatagramSocket) -> None:
        host = socket.process.host
        assert isinstance(host, Host)
        host.datagram_sockets.pop((socket.local.address, socket.local.port), None)
        socket.process.datagram_sockets.pop(socket, None)

    def _send(self, socket: DatagramSocket, payload: bytes, to: Endpoint) -> None:
        here = socket.process.host
        assert isinstance(here, Host)
        default = "127.0.0.1" if to.address.startswith("127.") else here.address
        source = Endpoint(socket.local.address or default, socket.local.port)
        answered = self._answers.get((here, "udp", source, to))
        if answered is not None and answered.until >= self._net.loop.time():
            answered.until = self._net.loop.time() + ANSWERED_FLOW_SECONDS
            self._carry(answered, False, payload)
        else:
            self._carry(self._flow(here, socket.process.id, "udp", source, to), True, payload)

    # -- flows -----------------------------------------------------------------------------------------------------

    def _flow(self, here: Host, who: str, protocol: str, source: Endpoint, to: Endpoint) -> Flow:
        """Find the flow that a datagram belongs to, or begin one."""
        key = (here, protocol, source, to)
        now = self._net.loop.time()
        found = self._flows.get(key)
        if found is None or found.until < now or found.route.target is None:
            route = self._net.find_route(here, protocol, source, to)
            found = self._flows[key] = Flow(protocol, self._net.next_connection_number(), here, source, to, route, now)
            if route.target is not None:
                self._answers[route.target, protocol, route.destination, route.source] = found
            self._tell_begin(found, protocol, who)
            self._forget()
        found.until = max(found.until, now + FLOW_SECONDS)
        return found

    def _forget(self) -> None:
        for known in (self._flows, self._answers):
            if len(known) > FLOWS_MAX:
                del known[next(iter(known))]

    def _tell_begin(self, flow: Flow, protocol: str, who: str) -> None:
        if self._net.tap is None:
            return
        route, target = flow.route, flow.route.target
        socket = None if target is None else _socket_at(target, route.destination)
        owner = socket.process.id if socket is not None else (target or route.machines[-1]).name
        if target is None and route.verdict is Verdict.ACCEPT:
            owner = flow.destination.address
        seen = route.translated(flow.source, flow.destination)
        ends = (flow.source, flow.destination)
        self._net.tap.connection(Connection(flow.number, *ends, who, owner, self._net.loop.time(), seen, protocol))

    # -- the way ---------------------------------------------------------------------------------------------------

    def _carry(self, flow: Flow, from_client: bool, payload: bytes) -> None:
        route, now = flow.route, self._net.loop.time()
        if from_client and route.verdict is Verdict.REJECT:
            self._leaves(flow, from_client, payload)
            self._after(flow, 0.0, self._rejected, flow, now, payload)
            return
        if from_client and route.is_unplugged:
            self._tell(flow, True, now, payload, lost=True)
            self._net.loop.call_later(ARP_SECONDS, self._fail, flow, errno.EHOSTUNREACH)
            return
        self._leaves(flow, from_client, payload)
        path = route.machines if from_client else route.machines[::-1]
        if route.target is None or not self._net.passes(path):
            self._tell(flow, from_client, now, payload, lost=True)
            return
        noise = self._net.noise_along(path)
        fate = None if noise is None else noise.fate()
        if fate is not None and (fate.resent or fate.damaged):
            self._tell(flow, from_client, now, payload, lost=True)
            return
        for _ in range(2 if fate is not None and fate.repeated else 1):
            delay = 0.0 if fate is None else fate.delay
            self._after(flow, delay, self._arrives, flow, from_client, now, payload)

    def _after(self, flow: Flow, delay: float, call: Callable[..., None], *arguments: object) -> None:
        self._net.loop.call_later(self._net.latency_along(flow.route.machines) + delay, call, *arguments)

    def _arrives(self, flow: Flow, from_client: bool, sent: float, payload: bytes) -> None:
        route = flow.route
        if from_client:
            assert route.target is not None
            host, here, there = route.target, route.destination, route.source
        else:
            host, here, there = flow.sender, flow.source, flow.destination
        socket = _socket_at(host, here)
        if from_client and socket is not None and not flow.is_known and self._net.tap is not None:
            flow.is_known = True
            self._net.tap.accepted(flow.number, socket.process.id)
        self._tell(flow, from_client, sent, payload)
        if socket is not None:
            socket.received(payload, there)
        elif from_client:
            self._answer_unreachable(flow)

    def _rejected(self, flow: Flow, sent: float, payload: bytes) -> None:
        """Called when a datagram has come to the machine that rejects it."""
        self._tell(flow, True, sent, payload)
        self._answer_unreachable(flow)

    def _answer_unreachable(self, flow: Flow) -> None:
        answering = flow.route.target or flow.route.machines[-1]
        is_far = answering is not flow.sender
        if is_far and not self._icmp_rate.allows(answering.name, flow.route.source.address, self._net.loop.time()):
            return
        self._leaves(flow, False, b"", flags=UNREACHABLE)
        self._after(flow, 0.0, self._unreachable, flow, self._net.loop.time())

    def _unreachable(self, flow: Flow, sent: float) -> None:
        self._tell(flow, False, sent, b"", flags=UNREACHABLE)
        self._fail(flow, errno.ECONNREFUSED)

    def _fail(self, flow: Flow, number: int) -> None:
        socket = _socket_at(flow.sender, flow.source)
        if socket is not None:
            socket.failed(number)

    def _tell(
        self, flow: Flow, from_client: bool, sent: float, payload: bytes, *, flags: str = "", lost: bool = False
    ) -> None:
        if not lost:
            self._capture(flow, from_client, payload, flags, is_leaving=False)
        tap = self._net.tap
        if tap is not None:
            arrived = None if lost else self._net.loop.time()
            number = self._net.next_segment_number()
            tap.segment(Segment(number, flow.number, from_client, sent, arrived, flags, 0, 0, payload))

    def _leaves(self, flow: Flow, from_client: bool, payload: bytes, flags: str = "") -> None:
        """Let captures hear of what leaves now."""
        self._capture(flow, from_client, payload, flags, is_leaving=True)

    def _capture(self, flow: Flow, from_client: bool, payload: bytes, flags: str, *, is_leaving: bool) -> None:
        if not self._net.captures:
            return
        route = flow.route
        target = route.target or route.machines[-1]
        seen, wire = (flow.source, flow.destination), (route.source, route.destination)
        between = seen if from_client is is_leaving else wire
        sender, receiver = (flow.sender, target) if from_client else (target, flow.sender)
        about = None
        if not from_client:
            between, wire = back(between), back(wire)
        if flags == UNREACHABLE:
            about = (flow.protocol, *back(between))
            between = wire = Endpoint(target.address, 0), Endpoint(flow.source.address, 0)
        protocol = flow.protocol if about is None else "icmp"
        frame = Frame(protocol, sender, receiver, between, wire, is_leaving, flags, payload=payload, about=about)
        self._net.captures.tell(frame)

    # -- ping ------------------------------------------------------------------------------------------------------

    async def echo(self, process: Process, address: str, sequence: int = 1, size: int = ECHO_BYTES) -> float | None:
        """Send an ICMP echo request with `size` bytes of data; return the round trip in seconds.

        None where no answer will come (how long to wait for it is the caller's affair); OSError EHOSTUNREACH after 3 s
        where nobody has the address or the host has no power.
        """
        here, net = process.host, self._net
        source = Endpoint("127.0.0.1" if address.startswith("127.") else here.address, 0)
        flow = self._flow(here, process.id, "icmp", source, Endpoint(address, 0))
        begun = net.loop.time()
        target = flow.route.target
        if flow.route.is_unplugged:
            await asyncio.sleep(ARP_SECONDS)
            raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
        for kind in (ECHO_REQUEST, ECHO_REPLY):
            from_client = kind == ECHO_REQUEST
            path = flow.route.machines if from_client else flow.route.machines[::-1]
            noise, sent = net.noise_along(path), net.loop.time()
            fate = None if noise is None else noise.fate()
            message = _echo(kind, process.pid, sequence, size)
            self._leaves(flow, from_client, message)
            if target is None or not net.passes(path) or (fate is not None and (fate.resent or fate.damaged)):
                self._tell(flow, from_client, sent, message, lost=True)
                return None
            await asyncio.sleep(net.latency_along(path) + (0.0 if fate is None else fate.delay))
            self._tell(flow, from_client, sent, message)
        return net.loop.time() - begun


def _socket_at(host: Host, here: Endpoint) -> DatagramSocket | None:
    return host.datagram_sockets.get((here.address, here.port)) or host.datagram_sockets.get(("", here.port))


def _echo(kind: int, identifier: int, sequence: int, size: int) -> bytes:
    """Make an ICMP echo message (RFC 792), its data counting up as ping's does."""
    data = bytes(number & 0xFF for number in range(size))
    head = struct.pack("!BBHHH", kind, 0, 0, identifier & 0xFFFF, sequence & 0xFFFF)
    padded = head + data + b"\0" * (size % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return head[:2] + struct.pack("!H", ~total & 0xFFFF) + head[4:] + data
