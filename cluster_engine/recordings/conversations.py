"""Packets of a capture, told to the lens as a tap would tell them.

Theory of operation. A tap tells first who speaks with whom, then segments with numbers from 0. A capture tells neither:
who opened a connection is seen from its SYN, or, where that is not in the capture, guessed from the ports (the lower
one serves); and sequence numbers count from the first one seen. A port that is used again begins another connection.
What passes several interfaces of one machine (`tcpdump -i any`) is in the capture several times: the lens passes bytes
over that it has had, and of SYN, FIN and RST those are passed over here that were there within `SAME_SECONDS`.

    10.0.0.11:40000 → 10.0.0.1:6443 SYN     connection 1, of "10.0.0.11/kubelet" with "10.0.0.1/kube-apiserver"

Bounds: the latest `CONNECTIONS_MAX` pairs of ends are known.
"""

from collections.abc import Callable

import msgspec

from cluster_engine.recordings.internet import ACK, FIN, PSH, RST, SYN, Packet
from cluster_engine.world.tap import Connection, Endpoint, Segment, Tap

CONNECTIONS_MAX = 16_384
SAME_SECONDS = 0.001
CONTROL = SYN | FIN | RST

Who = Callable[[int, Endpoint, Endpoint], tuple[str, str]]
"""Names the participants of a connection: its number, client and server."""


class _Known(msgspec.Struct):
    number: int
    client: Endpoint
    first: dict[Endpoint, int]
    latest: dict[tuple[Endpoint, int, int], float]


class Conversations:
    """Tells `tap` of packets, in the order in which they were captured."""

    def __init__(self, tap: Tap, who: Who) -> None:
        self._tap, self._who = tap, who
        self._known: dict[tuple[str, frozenset[Endpoint]], _Known] = {}
        self._connections = self._segments = 0

    def packet(self, at: float, packet: Packet) -> None:
        """Tell of a packet that was there at a time, in seconds since the first one."""
        known = self._connection(at, packet)
        sequence = 0
        if packet.protocol == "tcp":
            control = packet.flags & CONTROL
            first = known.first.setdefault(packet.source, packet.sequence - (not packet.flags & SYN))
            sequence = (packet.sequence - first) % 2**32
            if sequence >= 2**31:  # from before the first one seen, as keep-alives may be
                return
            if control and self._is_again(known, (packet.source, control, packet.sequence), at):
                return
        flags = letters(packet.flags) if packet.protocol == "tcp" else ""
        self._segments += 1
        from_client = packet.source == known.client
        self._tap.segment(
            Segment(self._segments, known.number, from_client, at, at, flags, sequence, 0, packet.payload)
        )

    @staticmethod
    def _is_again(known: _Known, what: tuple[Endpoint, int, int], at: float) -> bool:
        before = known.latest.get(what)
        known.latest = {one: when for one, when in known.latest.items() if at - when <= SAME_SECONDS} | {what: at}
        return before is not None and at - before <= SAME_SECONDS

    def _connection(self, at: float, packet: Packet) -> _Known:
        ends = packet.protocol, frozenset((packet.source, packet.destination))
        known = self._known.get(ends)
        opens = packet.protocol == "tcp" and packet.flags & (SYN | ACK) == SYN
        if known is not None and not (opens and known.first.get(packet.source, packet.sequence) != packet.sequence):
            return known
        asks = opens or self._is_asker(packet)
        client, server = (packet.source, packet.destination) if asks else (packet.destination, packet.source)
        self._connections += 1
        known = self._known[ends] = _Known(self._connections, client, {}, {})
        if len(self._known) > CONNECTIONS_MAX:
            del self._known[next(iter(self._known))]
        who = self._who(self._connections, client, server)
        self._tap.connection(Connection(self._connections, client, server, *who, at, None, packet.protocol))
        return known

    @staticmethod
    def _is_asker(packet: Packet) -> bool:
        if packet.protocol == "tcp" and packet.flags & (SYN | ACK) == SYN | ACK:
            return False
        if packet.protocol == "icmp":
            return packet.payload[:1] != b"\0"  # an echo's reply
        return packet.source.port >= packet.destination.port


def letters(flags: int) -> str:
    """Spell flags as a tap does."""
    first = next((letter for bit, letter in ((SYN, "S"), (RST, "R"), (FIN, "F"), (PSH, "P")) if flags & bit), "")
    return first + ("A" if flags & ACK else "")
