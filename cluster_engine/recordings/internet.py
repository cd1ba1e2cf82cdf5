"""Frames of real machines to what TCP, UDP and ICMP carry: any link that tcpdump captures on, IPv4 and IPv6.

    Ethernet, VLANs within it · Linux "cooked" v1 and v2 (tcpdump -i any) · BSD loopback · raw IP

Lengths are as far as the packet goes; one that is cut off in a header, is a later fragment, or is of no known protocol
is None. (`programs/capture/packets.py` reads what our own hosts see, with every header's fields; this here what a lens
needs.)
"""

import ipaddress
import struct

import msgspec

from cluster_engine.recordings.capture_files import Frame
from cluster_engine.world.tap import Endpoint

NULL, ETHERNET, RAW_BSD, RAW, LOOP, COOKED, IPV4_ONLY, IPV6_ONLY, COOKED_2 = 0, 1, 12, 101, 108, 113, 228, 229, 276
IPV4, IPV6, VLAN, QINQ = 0x0800, 0x86DD, 0x8100, 0x88A8
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
EXTENSIONS = (0, 43, 60)
"""Hop-by-hop, routing and destination options (RFC 8200, section 4)."""
EXTENSIONS_MAX = VLANS_MAX = 8
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


class Packet(msgspec.Struct, frozen=True):
    """What one end sent another. `is_cut`: not all of the payload was captured."""

    protocol: str
    source: Endpoint
    destination: Endpoint
    payload: bytes
    is_cut: bool = False
    flags: int = 0
    sequence: int = 0


def packet_of(frame: Frame) -> Packet | None:
    """Read a frame."""
    try:
        content = _content(frame)
        return None if content is None else _ip(content, frame.size - len(frame.data))
    except (struct.error, IndexError):
        return None


def _content(frame: Frame) -> bytes | None:
    data = frame.data
    match frame.link:
        case 1:
            return _ethernet(data)
        case 113:
            return _typed(data[14:16], data[16:])
        case 276:
            return _typed(data[:2], data[20:])
        case 0 | 108:
            return data[4:]
        case 12 | 14 | 101 | 228 | 229:
            return data
    return None


def _ethernet(data: bytes) -> bytes | None:
    at = 12
    for _ in range(VLANS_MAX):
        if int.from_bytes(data[at : at + 2]) not in (VLAN, QINQ):
            break
        at += 4
    return _typed(data[at : at + 2], data[at + 2 :])


def _typed(kind: bytes, content: bytes) -> bytes | None:
    return content if int.from_bytes(kind) in (IPV4, IPV6) else None


def _ip(data: bytes, missing: int) -> Packet | None:
    version = data[0] >> 4
    if version == 4:
        header = (data[0] & 15) * 4
        length, _, offset, _, protocol = struct.unpack_from("!HHHBB", data, 2)
        if header < 20 or 0 < length < header or offset & 0x1FFF:
            return None
        length = length or len(data)  # segmentation offload leaves 0 here
        ends = data[12:16], data[16:20]
        content = data[header:length]
    elif version == 6:
        length, protocol = struct.unpack_from("!HB", data, 4)
        length = length or len(data) - 40
        ends = data[8:24], data[24:40]
        content = data[40 : 40 + length]
        header = 40
        for _ in range(EXTENSIONS_MAX):
            if protocol not in EXTENSIONS:
                break
            protocol, size = content[0], 8 * (content[1] + 1)
            content = content[size:]
            length -= size
        length += header
    else:
        return None
    if len(ends[1]) < 4:
        return None
    source, destination = (str(ipaddress.ip_address(end)) for end in ends)
    is_cut = missing > 0 and len(content) < length - header
    return _transport(protocol, source, destination, content, is_cut)


def _transport(protocol: int, source: str, destination: str, content: bytes, is_cut: bool) -> Packet | None:
    if protocol == TCP:
        ports, sequence, offset, flags = content[:4], *struct.unpack_from("!I4xBB", content, 4)
        begin = (offset >> 4) * 4
        if begin < 20 or begin > len(content):
            return None
        first, second = struct.unpack("!HH", ports)
        ends = Endpoint(source, first), Endpoint(destination, second)
        return Packet("tcp", *ends, content[begin:], is_cut, flags, sequence)
    if protocol == UDP:
        first, second = struct.unpack_from("!HH4x", content)
        return Packet("udp", Endpoint(source, first), Endpoint(destination, second), content[8:], is_cut)
    if protocol == ICMP and content:
        return Packet("icmp", Endpoint(source, 0), Endpoint(destination, 0), content, is_cut)
    return None
