"""Packets as bytes: frames of the simulated network with real headers, and headers read again.

Theory of operation. The network knows frames; whoever captures wants bytes. A frame becomes Ethernet (or, of all
interfaces at once, Linux's "cooked" header, SLL2), IPv4 and TCP, UDP or ICMP, with true lengths and checksums (RFC 791,
9293, 768, 792, 1071). One that is longer than IPv4 allows becomes two, as with segmentation offload. Reading takes any
bytes, also those of foreign files: what is cut off or is no IPv4 is None.

    frames 10.0.0.11:32770 → 10.0.0.1:6443 "PA" b"hi"     56 bytes: 14 + 20 + 20 + 2
    packet_of(raw).tcp.sequence                            1

Left out: options, fragments, IPv6, VLANs. The identification is 0, as RFC 6864 has it where DF is set.
"""

import functools
import ipaddress
import struct
from collections.abc import Iterator

import msgspec

from cluster_engine.programs.network.interfaces import hardware_address
from cluster_engine.world.captures import Frame, Way
from cluster_engine.world.tap import Endpoint

ETHERNET, COOKED = 1, 276
"""LINKTYPE_ETHERNET and LINKTYPE_LINUX_SLL2 (tcpdump.org/linktypes.html)."""
HEADER_BYTES = {ETHERNET: 14, COOKED: 20}
IPV4 = 0x0800
ICMP, TCP, UDP = 1, 6, 17
TTL = 64
DONT_FRAGMENT = 0x4000
PAYLOAD_BYTES_MAX = 65_160
"""45 segments of 1,448 bytes."""
WINDOW_MAX = 65_535
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
_FLAGS = {"F": FIN, "S": SYN, "R": RST, "P": PSH, "A": ACK}
ECHO_REPLY, UNREACHABLE, ECHO = 0, 3, 8
PORT_UNREACHABLE = 3


def checksum(data: bytes) -> int:
    """Return the Internet checksum of bytes (RFC 1071): the ones' complement of their ones' complement sum."""
    if len(data) % 2:
        data += b"\0"
    total = int.from_bytes(data) % 0xFFFF
    return 0xFFFF if not total and not any(data) else 0xFFFF - (total or 0xFFFF)


class Link(msgspec.Struct, frozen=True):
    """What the link's header says: of Ethernet who to whom, of a cooked one which interface and which way."""

    source: str
    destination: str = ""
    interface: int = 0
    is_outgoing: bool = False


class Segment(msgspec.Struct, frozen=True):
    """TCP's header; `options` are its bytes."""

    sequence: int
    acknowledgement: int
    flags: int
    window: int
    checksum: int
    options: bytes


class Packet(msgspec.Struct, frozen=True):
    """What was read of a packet. `network` is its IPv4 packet as it was captured, `payload` what TCP or UDP carry.

    `size` is how long it was on the wire, `length` what IPv4 says. Of ICMP `payload` is all of it. `header_bytes` is
    where the transport begins in `network`.
    """

    link: Link
    kind: int
    size: int
    network: bytes
    header_bytes: int
    tos: int
    identification: int
    offset: int
    ttl: int
    protocol: int
    length: int
    source: Endpoint
    destination: Endpoint
    payload: bytes
    payload_size: int
    tcp: Segment | None = None
    udp_checksum: int = 0

    @property
    def transport(self) -> bytes:
        """The header and content of what IPv4 carries."""
        return self.network[self.header_bytes :]


# -- writing -----------------------------------------------------------------------------------------------------------


def packets_of(frame: Frame, way: Way) -> Iterator[bytes]:
    """Yield a frame's IPv4 packets, between the addresses of one of its two ways."""
    source, destination = way
    if frame.protocol == "tcp":
        pieces = range(0, max(len(frame.payload), 1), PAYLOAD_BYTES_MAX)
        for begin in pieces:
            piece = frame.payload[begin : begin + PAYLOAD_BYTES_MAX]
            yield ipv4(source, destination, TCP, _tcp(frame, way, piece, begin))
    elif frame.protocol == "udp":
        yield ipv4(source, destination, UDP, _udp(way, frame.payload))
    else:
        yield ipv4(source, destination, ICMP, _icmp(frame))


def ipv4(source: Endpoint, destination: Endpoint, protocol: int, content: bytes) -> bytes:
    """Return an IPv4 packet."""
    length = 20 + len(content)
    addresses = _address(source) + _address(destination)
    header = struct.pack("!BBHHHBBH", 0x45, 0, length, 0, DONT_FRAGMENT, TTL, protocol, 0) + addresses
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + content


def ethernet(source: Endpoint, destination: Endpoint, packet: bytes, *, is_loopback: bool) -> bytes:
    """Return an Ethernet frame around a packet."""
    hardware = (b"\0" * 12) if is_loopback else _hardware(destination) + _hardware(source)
    return hardware + struct.pack("!H", IPV4) + packet


def cooked(source: Endpoint, packet: bytes, *, interface: int, is_outgoing: bool, is_loopback: bool) -> bytes:
    """Return a packet behind the header that captures of all interfaces have (LINKTYPE_LINUX_SLL2)."""
    hardware = b"\0" * 6 if is_loopback else _hardware(source)
    kind = 772 if is_loopback else 1  # ARPHRD_LOOPBACK, ARPHRD_ETHER
    header = struct.pack("!HHIHBB", IPV4, 0, interface, kind, 4 if is_outgoing else 0, 6)
    return header + hardware + b"\0\0" + packet


@functools.lru_cache(maxsize=1024)
def address_bytes(address: str) -> bytes:
    """Return an IPv4 address as it stands in headers."""
    return ipaddress.IPv4Address(address).packed


def _address(endpoint: Endpoint) -> bytes:
    return address_bytes(endpoint.address)


@functools.lru_cache(maxsize=1024)
def _hardware_bytes(address: str) -> bytes:
    return bytes.fromhex(hardware_address(address).replace(":", ""))


def _hardware(endpoint: Endpoint) -> bytes:
    return _hardware_bytes(endpoint.address)


def _pseudo_header(way: Way, protocol: int, length: int) -> bytes:
    return _address(way[0]) + _address(way[1]) + struct.pack("!BBH", 0, protocol, length)


def _tcp(frame: Frame, way: Way, payload: bytes, begin: int) -> bytes:
    flags = sum(_FLAGS[letter] for letter in frame.flags)
    window = 0 if flags & RST else max(min(frame.window, WINDOW_MAX), 0)
    acknowledgement = frame.acknowledgement if flags & ACK else 0
    sequence = (frame.sequence + begin) % 2**32
    ports = struct.pack("!HH", way[0].port, way[1].port)
    header = ports + struct.pack("!IIBBHHH", sequence, acknowledgement % 2**32, 5 << 4, flags, window, 0, 0)
    found = checksum(_pseudo_header(way, TCP, len(header) + len(payload)) + header + payload)
    return header[:16] + struct.pack("!H", found) + header[18:] + payload


def _udp(way: Way, payload: bytes) -> bytes:
    header = struct.pack("!HHHH", way[0].port, way[1].port, 8 + len(payload), 0)
    found = checksum(_pseudo_header(way, UDP, len(header) + len(payload)) + header + payload)
    return header[:6] + struct.pack("!H", found or 0xFFFF) + payload


def _icmp(frame: Frame) -> bytes:
    if frame.about is None:
        return frame.payload
    protocol, source, destination = frame.about
    ports = struct.pack("!HH", source.port, destination.port)
    if protocol == "tcp":
        quoted = ipv4(source, destination, TCP, ports + bytes(4))
    else:
        quoted = ipv4(source, destination, UDP, ports + struct.pack("!HH", 8, 0))
    header = struct.pack("!BBHI", UNREACHABLE, PORT_UNREACHABLE, 0, 0)
    return header[:2] + struct.pack("!H", checksum(header + quoted)) + header[4:] + quoted


# -- reading -----------------------------------------------------------------------------------------------------------


def packet_of(raw: bytes, size: int, link: int) -> Packet | None:
    """Read a captured frame that was `size` bytes long; None where it is no IPv4, or cut off in a header."""
    begin = HEADER_BYTES[link]
    if len(raw) < begin + 20:
        return None
    if link == COOKED:
        kind, _, interface, _, way, _ = struct.unpack("!HHIHBB", raw[:12])
        heading = Link(_spelled(raw[12:18]), interface=interface, is_outgoing=way == 4)
    else:
        (kind,) = struct.unpack("!H", raw[12:14])
        heading = Link(_spelled(raw[6:12]), _spelled(raw[:6]))
    if kind != IPV4 or raw[begin] >> 4 != 4:
        return None
    return _ipv4(heading, link, size, raw[begin:])


def inner_packet(raw: bytes) -> Packet | None:
    """Read the packet that an ICMP message quotes."""
    if len(raw) < 20 or raw[0] >> 4 != 4:
        return None
    return _ipv4(Link(""), ETHERNET, len(raw), raw)


def _ipv4(heading: Link, link: int, size: int, raw: bytes) -> Packet | None:
    first, tos, length, identification, offset, ttl, protocol, _ = struct.unpack("!BBHHHBBH", raw[:12])
    header = (first & 15) * 4
    if header < 20 or len(raw) < header or length < header:
        return None
    network = raw[:length]
    source, destination = (str(ipaddress.IPv4Address(raw[at : at + 4])) for at in (12, 16))
    content = network[header:]
    ports, tcp, skipped, udp_checksum = (0, 0), None, 0, 0
    if offset & 0x1FFF:
        return None
    if protocol == TCP:
        if len(content) < 20 or not 20 <= (content[12] >> 4) * 4 <= len(content):
            return None
        skipped = (content[12] >> 4) * 4
        *ports_, sequence, acknowledgement, _, flags, window, found = struct.unpack("!HHIIBBHH", content[:18])
        ports = (ports_[0], ports_[1])
        tcp = Segment(sequence, acknowledgement, flags, window, found, content[20:skipped])
    elif protocol == UDP:
        if len(content) < 8:
            return None
        skipped = 8
        *ports_, _, udp_checksum = struct.unpack("!HHHH", content[:8])
        ports = (ports_[0], ports_[1])
    return Packet(
        heading,
        link,
        size,
        network,
        header,
        tos,
        identification,
        offset,
        ttl,
        protocol,
        length,
        Endpoint(source, ports[0]),
        Endpoint(destination, ports[1]),
        content[skipped:],
        length - header - skipped,
        tcp,
        udp_checksum,
    )


def expected_checksum(packet: Packet) -> int:
    """Return the checksum that a TCP or UDP packet ought to have."""
    at = 16 if packet.protocol == TCP else 6
    content = packet.transport
    way = (packet.source, packet.destination)
    pseudo = _pseudo_header(way, packet.protocol, len(content))
    return checksum(pseudo + content[:at] + b"\0\0" + content[at + 2 :])


def _spelled(hardware: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in hardware)
