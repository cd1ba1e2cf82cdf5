"""Listening at a host's interfaces: frames of the network become packets in a queue that is bounded.

Theory of operation. A frame that leaves or arrives passes an interface of each network that it is in. What a host says
to itself passes lo, once. What goes to another machine passes eth0, with the addresses that the machine's packet filter
has given it; what goes to a pod of the machine, or comes from one, passes the pod's veth and, within the pod, its eth0,
with the addresses that the pod uses.

    worker-1, pod 10.244.0.2 → 10.244.1.3        veth…  In   and, leaving, eth0  Out

"any" hears all of them. Who reads too slowly loses packets, and is told how many.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from cluster_engine.programs.capture.expressions import Condition
from cluster_engine.programs.capture.packets import COOKED, ETHERNET, Packet, cooked, ethernet, packet_of, packets_of
from cluster_engine.programs.network.interfaces import interfaces_of, is_pod, veth_name
from cluster_engine.programs.network.sockets import network
from cluster_engine.world.captures import Frame, Way

if TYPE_CHECKING:
    from cluster_engine.world.process import Host, Process

ANY = "any"
QUEUE_BYTES_MAX = 2 * 1024 * 1024
"""As libpcap's buffer on Linux."""
EPOCH_OF_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Heard(msgspec.Struct, frozen=True):
    """A packet: when, in microseconds since 1970 by the host's clock, its bytes, and what was read of them."""

    at: int
    raw: bytes
    packet: Packet | None


class Listening:
    """Hears what passes an interface of a process's host, from `with` on: `async for heard in listening`."""

    def __init__(self, process: "Process", interface: str, condition: Condition) -> None:
        self._process, self._interface, self._condition = process, interface, condition
        self.link = COOKED if interface == ANY else ETHERNET
        self._numbers = {one.name: one.number for one in interfaces_of(process.host)}
        self._queue: deque[Heard] = deque()
        self._queued_bytes = 0
        self._news = asyncio.Event()
        self.received = self.dropped = 0

    def __enter__(self) -> "Listening":
        network().captures.begin(self, self._process.host)
        return self

    def __exit__(self, *_: object) -> None:
        network().captures.end(self)

    def __aiter__(self) -> "Listening":
        return self

    async def __anext__(self) -> Heard:
        while not self._queue:
            self._news.clear()
            await self._news.wait()
        heard = self._queue.popleft()
        self._queued_bytes -= len(heard.raw)
        return heard

    def frame(self, frame: Frame) -> None:
        """See Capture."""
        for interface, is_outgoing, way in passed(frame, self._process.host):
            if self._interface in (ANY, interface):
                for packet in packets_of(frame, way):
                    self._take(self._linked(packet, way, interface, is_outgoing=is_outgoing))

    def _linked(self, packet: bytes, way: Way, interface: str, *, is_outgoing: bool) -> bytes:
        is_loopback = interface == "lo"
        if self.link == ETHERNET:
            return ethernet(*way, packet, is_loopback=is_loopback)
        number = self._numbers.get(interface, 0)
        return cooked(way[0], packet, interface=number, is_outgoing=is_outgoing, is_loopback=is_loopback)

    def _take(self, raw: bytes) -> None:
        packet = packet_of(raw, len(raw), self.link)
        if packet is None or not self._condition(packet):
            return
        self.received += 1
        if self._queued_bytes + len(raw) > QUEUE_BYTES_MAX:
            self.dropped += 1
            return
        now = (self._process.now() - EPOCH_OF_UNIX) // MICROSECOND
        self._queue.append(Heard(now, raw, packet))
        self._queued_bytes += len(raw)
        self._news.set()


def passed(frame: Frame, host: "Host") -> Iterator[tuple[str, bool, Way]]:
    """Yield which interfaces of a host a frame passes: name, whether outwards, between which addresses."""
    sender, receiver = frame.sender, frame.receiver
    if sender is receiver:
        if sender is host and not frame.is_leaving:
            yield "lo", False, frame.between
        return
    if is_pod(host):
        if frame.here is host:
            yield "eth0", frame.is_leaving, frame.between
        return
    ways = [("eth0", frame.is_leaving, frame.wire)] if sender.machine is not receiver.machine else []
    if is_pod(frame.here):
        ways.append((veth_name(frame.here.name), not frame.is_leaving, frame.between))
    yield from reversed(ways) if frame.is_leaving else ways
