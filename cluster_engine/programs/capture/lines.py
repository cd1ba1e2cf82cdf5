"""Packets as tcpdump prints them: a line each, and their bytes where they are asked for.

    20:59:32.232302 IP 10.0.0.11.32770 > 10.0.0.1.6443: Flags [P.], seq 1:28, ack 1, win 65535, length 27

Sequence numbers are told from the first that was seen of a connection, in either direction, on (-S: as they are).
Modelled on tcpdump 4.99.3 (print-ip.c, print-tcp.c, print-udp.c, print-icmp.c, print-http.c). Of what TCP and UDP carry
HTTP's first line and DNS (`domain_lines`) are read. Left out: everything else that tcpdump knows.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import msgspec

from cluster_engine.programs.capture.packets import (
    ACK,
    COOKED,
    ECHO,
    ECHO_REPLY,
    FIN,
    HEADER_BYTES,
    ICMP,
    PORT_UNREACHABLE,
    RST,
    SYN,
    TCP,
    UDP,
    UNREACHABLE,
    Packet,
    Segment,
    expected_checksum,
    inner_packet,
)
from cluster_engine.programs.network.services import port_name
from cluster_engine.world.tap import Endpoint

HTTP_PORTS = frozenset({80, 3128, 8080})
DNS_PORT = 53
CONNECTIONS_MAX = 4096
_FLAGS = ((FIN, "F"), (SYN, "S"), (RST, "R"), (8, "P"), (ACK, "."), (32, "U"), (64, "E"), (128, "W"))
_METHODS = ("GET ", "PUT ", "POST ", "HEAD ", "DELETE ", "PATCH ", "OPTIONS ", "CONNECT ", "TRACE ", "HTTP/")
_PROTOCOLS = {ICMP: "ICMP", TCP: "TCP", UDP: "UDP"}
_MICROSECONDS = 1_000_000
HTTP_LINE_MAX = 2000


class Style(msgspec.Struct):
    """What was asked for. `times`: how many t's; `numbers`: how many n's; `verbose`: v's; `hexadecimal`: x or X's.

    `name_of` gives the name of an address, the address itself where it has none; `interfaces` their names by number.
    """

    times: int = 0
    numbers: int = 0
    verbose: int = 0
    is_quiet: bool = False
    shows_link: bool = False
    is_absolute: bool = False
    is_numbered: bool = False
    hexadecimal: int = 0
    with_text: int = 0
    ascii: int = 0
    name_of: Callable[[str], str] = str
    interfaces: dict[int, str] = msgspec.field(default_factory=dict)


class Printer:
    """Prints packets one after another, in one style."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._begun: dict[tuple[Endpoint, Endpoint], tuple[int, int]] = {}
        self._first: int | None = None
        self._last: int | None = None
        self._count = 0

    def text(self, at: int, packet: Packet | None, raw: bytes, link: int) -> str:
        """Return a packet's line, with its bytes below; `at` in microseconds since 1970."""
        self._count += 1
        number = f"{self._count:5}  " if self._style.is_numbered else ""
        begin = number + self._time(at)
        if packet is None:
            return f"{begin}[|ip]{self._bytes(raw, link)}\n"
        return f"{begin}{self._link(packet)}{self._ip(packet)}{self._bytes(raw, link)}\n"

    # -- before IP -----------------------------------------------------------------------------------------------------

    def _time(self, at: int) -> str:
        style = self._style.times
        before = {3: self._last, 5: self._first}.get(style)
        self._last = at
        if self._first is None:
            self._first = at
        if style == 1:
            return ""
        seconds, part = divmod(at, _MICROSECONDS)
        if style == 2:
            return f"{seconds}.{part:06} "
        if style in (3, 5):
            seconds, part = divmod(at - (at if before is None else before), _MICROSECONDS)
            return f" {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{part:06} "
        with contextlib.suppress(OverflowError, ValueError):
            there = datetime.fromtimestamp(seconds, UTC)
            return f"{there:%Y-%m-%d %H:%M:%S}.{part:06} " if style == 4 else f"{there:%H:%M:%S}.{part:06} "
        return f"{seconds}.{part:06} "

    def _link(self, packet: Packet) -> str:
        link, style = packet.link, self._style
        kind = "IPv4" if style.is_quiet else "ethertype IPv4 (0x0800)"
        if packet.kind == COOKED:
            name = style.interfaces.get(link.interface, f"ifindex {link.interface}")
            begin = f"{name:<5} {'Out' if link.is_outgoing else 'In ':<3} "
            if style.shows_link:
                return f"{begin}ifindex {link.interface} {link.source} {kind}, length {packet.size}: "
            return f"{begin}IP "
        if style.shows_link:
            return f"{link.source} > {link.destination}, {kind}, length {packet.size}: "
        return "IP "

    # -- IP ------------------------------------------------------------------------------------------------------------

    def _ip(self, packet: Packet) -> str:
        if not self._style.verbose:
            return self._content(packet)
        return f"{_ip_header(packet, self._style)}\n    {self._content(packet)}"

    def _content(self, packet: Packet) -> str:
        if packet.protocol == TCP and packet.tcp is not None:
            return f"{self._ends(packet)}: {self._tcp(packet, packet.tcp)}"
        if packet.protocol == UDP:
            return f"{self._ends(packet)}: {self._udp(packet)}"
        if packet.protocol == ICMP and len(packet.payload) >= 8:
            return f"{self._ends(packet)}: {self._icmp(packet)}"
        return f"{self._ends(packet)}:  ip-proto-{packet.protocol} {packet.payload_size}"

    def _ends(self, packet: Packet) -> str:
        return f"{self._end(packet, packet.source)} > {self._end(packet, packet.destination)}"

    def _end(self, packet: Packet, end: Endpoint) -> str:
        address = end.address if self._style.numbers else self._style.name_of(end.address)
        if packet.protocol not in (TCP, UDP):
            return address
        name = None if self._style.numbers else port_name(end.port, "tcp" if packet.protocol == TCP else "udp")
        return f"{address}.{name or end.port}"

    # -- TCP -----------------------------------------------------------------------------------------------------------

    def _tcp(self, packet: Packet, tcp: Segment) -> str:
        size = packet.payload_size
        if self._style.is_quiet:
            return f"tcp {size}"
        sequence, acknowledgement = self._relative(packet, tcp)
        flags = "".join(letter for bit, letter in _FLAGS if tcp.flags & bit)
        parts = [f"Flags [{flags or 'none'}]"]
        if self._style.verbose:
            parts.append(_tcp_checksum(packet, tcp))
        if size or tcp.flags & (SYN | FIN | RST) or self._style.verbose > 1:
            parts.append(f"seq {sequence}" + (f":{(sequence + size) % 2**32}" if size else ""))
        if tcp.flags & ACK:
            parts.append(f"ack {acknowledgement}")
        parts.append(f"win {tcp.window}")
        if tcp.options:
            parts.append(f"options [{len(tcp.options)} bytes]")
        parts.append(f"length {size}")
        return ", ".join(parts) + self._http(packet)

    def _relative(self, packet: Packet, tcp: Segment) -> tuple[int, int]:
        sequence, acknowledgement = tcp.sequence, tcp.acknowledgement
        if self._style.is_absolute or not tcp.flags & ACK:
            return sequence, acknowledgement
        ends = (packet.source, packet.destination)
        is_turned = ends not in self._begun and ends[::-1] in self._begun
        key = ends[::-1] if is_turned else ends
        begun = self._begun.get(key)
        if begun is None or tcp.flags & SYN:
            first = (acknowledgement - 1, sequence) if is_turned else (sequence, acknowledgement - 1)
            self._begun[key] = first
            if len(self._begun) > CONNECTIONS_MAX:
                del self._begun[next(iter(self._begun))]
            return sequence, acknowledgement
        own, other = begun[::-1] if is_turned else begun
        return (sequence - own) % 2**32, (acknowledgement - other) % 2**32

    def _http(self, packet: Packet) -> str:
        if not packet.payload or not {packet.source.port, packet.destination.port} & HTTP_PORTS:
            return ""
        text = packet.payload[:HTTP_LINE_MAX].decode("latin-1")
        if not text.startswith(_METHODS):
            return ": HTTP"
        lines = text.replace("\r\n", "\n").split("\n")
        if not self._style.verbose:
            return f": HTTP: {_printable(lines[0])}"
        last = lines.pop()
        shown = "".join(f"\n\t{_printable(line)}" for line in lines)
        return f": HTTP, length: {packet.payload_size}{shown}" + (f"\n\t{_printable(last)} [|http]" if last else "")

    # -- UDP and ICMP --------------------------------------------------------------------------------------------------

    def _udp(self, packet: Packet) -> str:
        size = packet.payload_size
        if self._style.is_quiet:
            return f"UDP, length {size}"
        found = ""
        if self._style.verbose > 1 and len(packet.payload) == size:
            found = _udp_checksum(packet)
        if DNS_PORT in (packet.source.port, packet.destination.port):
            from cluster_engine.programs.capture.domain_lines import line  # dnspython's memory is for who meets DNS

            if said := line(packet.payload, self._style.verbose):
                return f"{found}{said} ({size})"
        return f"{found}UDP, length {size}"

    def _icmp(self, packet: Packet) -> str:
        kind, code = packet.payload[0], packet.payload[1]
        first, second = (int.from_bytes(packet.payload[at : at + 2]) for at in (4, 6))
        length = f"length {packet.payload_size}"
        if kind in (ECHO, ECHO_REPLY):
            return f"ICMP echo {'request' if kind == ECHO else 'reply'}, id {first}, seq {second}, {length}"
        inner = inner_packet(packet.payload[8:])
        said = f"type-#{kind}"
        if kind == UNREACHABLE and code == PORT_UNREACHABLE:
            said = _unreachable(packet.payload[8:])
        said = f"ICMP {said}, {length}"
        if not self._style.verbose or kind != UNREACHABLE:
            return said
        if inner is not None:
            return f"{said}\n\t{_ip_header(inner, self._style, 'IP ')}\n    {self._content(inner)}"
        quoted = _quoted(packet.payload[8:], self._style)
        return said + (f"\n\t{quoted}" if quoted else "")

    # -- bytes ---------------------------------------------------------------------------------------------------------

    def _bytes(self, raw: bytes, link: int) -> str:
        style = self._style
        if style.ascii:
            return "\n" + _as_text(raw if style.ascii > 1 else raw[HEADER_BYTES[link] :])
        if not style.hexadecimal:
            return ""
        data = raw if style.hexadecimal > 1 else raw[HEADER_BYTES[link] :]
        return "".join(f"\n{line}" for line in dump(data, with_text=bool(style.with_text)))


def dump(data: bytes, *, with_text: bool) -> Iterator[str]:
    """Yield bytes as lines of sixteen, in pairs, with what can be read of them beside."""
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        pairs = "".join(f" {row[begin : begin + 2].hex()}" for begin in range(0, len(row), 2))
        line = f"\t0x{at:04x}: {pairs}"
        if with_text:
            readable = "".join(chr(byte) if 33 <= byte <= 126 else "." for byte in row)
            line = f"\t0x{at:04x}: {pairs:<40}  {readable}"
        yield line


def _as_text(data: bytes) -> str:
    text = data.decode("latin-1")
    text = text[:-1] if text.endswith("\r") else text
    return "".join(char if 33 <= ord(char) <= 126 or char in "\t \n" else "." for char in text.replace("\r\n", "\n"))


def _printable(text: str) -> str:
    return "".join(char if 32 <= ord(char) <= 126 or char == "\t" else "." for char in text)


def _ip_header(packet: Packet, style: Style, begin: str = "") -> str:
    flags = ", ".join(name for bit, name in ((0x4000, "DF"), (0x2000, "+")) if packet.offset & bit) or "none"
    protocol = _PROTOCOLS.get(packet.protocol, "unknown")
    return (
        f"{begin}(tos 0x{packet.tos:x}, ttl {packet.ttl}, id {packet.identification}, "
        f"offset {(packet.offset & 0x1FFF) * 8}, flags [{flags}], proto {protocol} ({packet.protocol}), "
        f"length {packet.length})"
    )


def _tcp_checksum(packet: Packet, tcp: Segment) -> str:
    if len(packet.payload) < packet.payload_size:
        return f"cksum 0x{tcp.checksum:04x}"
    expected = expected_checksum(packet)
    if tcp.checksum == expected:
        return f"cksum 0x{tcp.checksum:04x} (correct)"
    return f"cksum 0x{tcp.checksum:04x} (incorrect -> 0x{expected:04x})"


def _udp_checksum(packet: Packet) -> str:
    if not packet.udp_checksum:
        return "[no cksum] "
    expected = expected_checksum(packet) or 0xFFFF
    if packet.udp_checksum == expected:
        return "[udp sum ok] "
    return f"[bad udp cksum 0x{packet.udp_checksum:04x} -> 0x{expected:04x}!] "


def _unreachable(quoted: bytes) -> str:
    header = (quoted[0] & 15) * 4 if quoted else 0
    if len(quoted) < max(header, 20) + 4:
        return "port unreachable"
    address = ".".join(str(byte) for byte in quoted[16:20])
    port = int.from_bytes(quoted[header + 2 : header + 4])
    name = {TCP: "tcp", UDP: "udp"}.get(quoted[9])
    return (
        f"{address} {name} port {port} unreachable"
        if name
        else f"{address} protocol {quoted[9]} port {port} unreachable"
    )


def _quoted(raw: bytes, style: Style) -> str:
    """Return what an ICMP message quotes where it ends within TCP's header, as it usually does."""
    if len(raw) < 28 or raw[9] != TCP:
        return ""
    length, identification, offset = (int.from_bytes(raw[at : at + 2]) for at in (2, 4, 6))
    flags = "DF" if offset & 0x4000 else "none"
    ends = [".".join(str(byte) for byte in raw[at : at + 4]) for at in (12, 16)]
    ports = [int.from_bytes(raw[at : at + 2]) for at in (20, 22)]
    names = [end if style.numbers else style.name_of(end) for end in ends]
    return (
        f"IP (tos 0x{raw[1]:x}, ttl {raw[8]}, id {identification}, offset {(offset & 0x1FFF) * 8}, flags [{flags}], "
        f"proto TCP (6), length {length})\n    {names[0]}.{ports[0]} > {names[1]}.{ports[1]}:  [|tcp]"
    )
