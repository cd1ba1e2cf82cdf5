"""Captured packets, read to the top by the lens: what tshark shows of each.

Theory of operation. A file has packets, the lens wants connections and their segments, as a tap tells them: whoever
sends the first SYN, or has the higher port, is the client. The entries that the lens writes while it reads a packet are
what is in that packet; with a key log (`tls.keylog_file`) it opens TLS as it does live, and with private keys what
`lens/trial.py` says they open.

    packet 16    TLSv1.3 without keys: Application Data      with them: HTTP2, HEADERS[5]: GET /api/v1/nodes?limit=500

Fields have Wireshark's names, those that one asks for in a cluster. Left out: what the lens does not write down
(ChangeCipherSpec, WINDOW_UPDATE, DATA frames), protocols that it does not know.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from cluster_engine.journal import Journal
from cluster_engine.lens.lens import Lens
from cluster_engine.lens.trial import Recording, Trial
from cluster_engine.programs.capture.packets import ACK, FIN, ICMP, PSH, RST, SYN, TCP, UDP, Packet
from cluster_engine.programs.capture.pcap import Record
from cluster_engine.world.tap import Connection, Endpoint, Segment

Field = str | int | float
Fields = dict[str, list[Field]]
CONNECTIONS_MAX = 4096
KEY_LINES_MAX = 20_000
_MICROSECONDS = 1_000_000
_FLAGS = ((FIN, "FIN"), (SYN, "SYN"), (RST, "RST"), (PSH, "PSH"), (ACK, "ACK"))
_HANDSHAKE = {
    "client_hello": (1, "Client Hello"), "server_hello": (2, "Server Hello"),
    "new_session_ticket": (4, "New Session Ticket"), "encrypted_extensions": (8, "Encrypted Extensions"),
    "certificate": (11, "Certificate"), "certificate_request": (13, "Certificate Request"),
    "certificate_verify": (15, "Certificate Verify"), "finished": (20, "Finished"), "key_update": (24, "Key Update"),
    "server_key_exchange": (12, "Server Key Exchange"), "server_hello_done": (14, "Server Hello Done"),
    "client_key_exchange": (16, "Client Key Exchange"),
}  # fmt: skip


class Row(msgspec.Struct, frozen=True):
    """One packet: its number, time in seconds since the first, who to whom, the topmost protocol, and what it says."""

    number: int
    at: float
    source: str
    destination: str
    protocol: str
    size: int
    info: str
    fields: Fields
    facts: list[tuple[str, dict[str, Any]]]
    """What the lens read: the protocol's name for it, and its facts."""


class _Known(msgspec.Struct):
    number: int
    client: Endpoint
    server: Endpoint
    first: dict[Endpoint, int]
    tls: str = ""
    """Its version, in Wireshark's words, once there is TLS on it."""


class Dissection:
    """Reads packets one after another, with a key log's lines and private keys."""

    def __init__(self, keys: list[str], private_keys: list[Any]) -> None:
        self.trial = Trial(private_keys)
        self._journal = Journal()
        self._lens = Lens(self._journal, self.trial)
        for line in keys[:KEY_LINES_MAX]:
            self._lens.secret(line)
        self._connections: dict[frozenset[Endpoint], _Known] = {}
        self._numbers = 0
        self._count = 0
        self._begun: int | None = None

    def row(self, record: Record, packet: Packet | None) -> Row:
        """Read a packet."""
        self._count += 1
        if self._begun is None:
            self._begun = record.at
        at = (record.at - self._begun) / _MICROSECONDS
        fields: Fields = {"frame.number": [self._count], "frame.len": [record.size], "frame.time_relative": [at]}
        if packet is None:
            return Row(self._count, at, "", "", "Ethernet", record.size, "no IPv4 packet", fields, [])
        source, destination = packet.source.address, packet.destination.address
        fields |= {"ip": [], "ip.src": [source], "ip.dst": [destination], "ip.addr": [source, destination]}
        entries = self._entries(at, packet)
        protocol, info = self._transport(packet, fields)
        facts: list[tuple[str, dict[str, Any]]] = []
        said: list[tuple[str, str]] = []
        known = self._connections.get(frozenset((packet.source, packet.destination)))
        for entry in entries:
            if (spoken := _spoken(entry, fields)) is not None:
                said.append(spoken)
                facts.append((spoken[1], entry.get("fields") or {}))
                if known is not None and entry["kind"] == "tls.server_hello":
                    known.tls = str(entry["fields"]["version"]).replace("TLS ", "TLSv")
        if said and known is not None and (known.tls or "tls" in fields):
            known.tls = known.tls or "TLSv1.3"
            fields.setdefault("tls", [])
        if "dns" in fields and (spoken_dns := _dns(packet.payload)):
            protocol, info = "DNS", spoken_dns
        elif said:
            protocol = next((name for name, _ in said if name != "TLS"), known.tls if known is not None else "TLS")
            info = ", ".join(text for _, text in said)
        fields["_ws.col.Protocol"], fields["_ws.col.Info"] = [protocol], [info]
        return Row(self._count, at, source, destination, protocol, record.size, info, fields, facts)

    def recordings(self) -> Iterator[tuple[int, str, Recording]]:
        """Yield the connections with TLS: number, "client → server", and what was seen of it."""
        for known in self._connections.values():
            if (recording := self.trial.recordings.get(known.number)) is not None:
                yield known.number - 1, f"{known.client} → {known.server}", recording

    # -- the lens ------------------------------------------------------------------------------------------------------

    def _entries(self, at: float, packet: Packet) -> list[dict[str, Any]]:
        if packet.protocol not in (TCP, UDP):
            return []
        known = self._known(at, packet)
        if packet.tcp is None:
            flags, sequence = "", 0
        else:
            flags = _letters(packet.tcp.flags)
            first = known.first.setdefault(packet.source, packet.tcp.sequence - (not packet.tcp.flags & SYN))
            sequence = (packet.tcp.sequence - first) % 2**32
        before = self._journal.head
        from_client = packet.source == known.client
        self._lens.segment(Segment(self._count, known.number, from_client, at, at, flags, sequence, 0, packet.payload))
        return self._journal.since(before, 1000)

    def _known(self, at: float, packet: Packet) -> _Known:
        ends = frozenset((packet.source, packet.destination))
        known = self._connections.get(ends)
        begins = packet.tcp is not None and packet.tcp.flags & (SYN | ACK) == SYN
        if known is not None and not (begins and packet.tcp and known.first.get(packet.source) != packet.tcp.sequence):
            return known
        is_asker = begins or packet.source.port > packet.destination.port or packet.source == packet.destination
        client, server = (packet.source, packet.destination) if is_asker else (packet.destination, packet.source)
        self._numbers += 1
        known = self._connections[ends] = _Known(self._numbers, client, server, {})
        if len(self._connections) > CONNECTIONS_MAX:
            del self._connections[next(iter(self._connections))]
        protocol = "tcp" if packet.protocol == TCP else "udp"
        told = Connection(self._numbers, client, server, str(client), str(server), at, None, protocol)
        self._lens.connection(told)
        return known

    # -- below the lens ------------------------------------------------------------------------------------------------

    def _transport(self, packet: Packet, fields: Fields) -> tuple[str, str]:
        ports: list[Field] = [packet.source.port, packet.destination.port]
        if packet.protocol == TCP and packet.tcp is not None:
            fields |= {
                "tcp": [], "tcp.srcport": ports[:1], "tcp.dstport": ports[1:], "tcp.port": list(ports),
                "tcp.flags": [f"0x{packet.tcp.flags:04x}"], "tcp.len": [packet.payload_size],
                "tcp.flags.syn": [int(bool(packet.tcp.flags & SYN))],
                "tcp.flags.fin": [int(bool(packet.tcp.flags & FIN))],
                "tcp.flags.reset": [int(bool(packet.tcp.flags & RST))], "tcp.stream": [self._numbers - 1],
            }  # fmt: skip
            return "TCP", self._tcp(packet, fields)
        if packet.protocol == UDP:
            fields |= {"udp": [], "udp.srcport": ports[:1], "udp.dstport": ports[1:], "udp.port": list(ports)}
            return "UDP", f"{ports[0]} → {ports[1]} Len={packet.payload_size}"
        if packet.protocol == ICMP and len(packet.payload) >= 8:
            kind = packet.payload[0]
            fields |= {"icmp": [], "icmp.type": [kind], "icmp.code": [packet.payload[1]]}
            return "ICMP", _icmp(packet)
        return "IPv4", f"protocol {packet.protocol}"

    def _tcp(self, packet: Packet, fields: Fields) -> str:
        tcp = packet.tcp
        assert tcp is not None
        known = self._connections[frozenset((packet.source, packet.destination))]
        fields["tcp.stream"] = [known.number - 1]
        sequence = (tcp.sequence - known.first.get(packet.source, 0)) % 2**32
        other = known.first.get(packet.destination)
        acknowledgement = (tcp.acknowledgement - (tcp.acknowledgement - 1 if other is None else other)) % 2**32
        fields |= {"tcp.seq": [sequence], "tcp.ack": [acknowledgement], "tcp.window_size": [tcp.window]}
        flags = ", ".join(name for bit, name in _FLAGS if tcp.flags & bit) or "<None>"
        ack = f" Ack={acknowledgement}" if tcp.flags & ACK else ""
        ports = f"{packet.source.port} → {packet.destination.port}"
        return f"{ports} [{flags}] Seq={sequence}{ack} Win={tcp.window} Len={packet.payload_size}"


def _letters(flags: int) -> str:
    letters = next((letter for bit, letter in ((SYN, "S"), (RST, "R"), (FIN, "F"), (PSH, "P")) if flags & bit), "")
    return letters + ("A" if flags & ACK else "")


def _icmp(packet: Packet) -> str:
    kind, first, second = packet.payload[0], *(int.from_bytes(packet.payload[at : at + 2]) for at in (4, 6))
    if kind in (0, 8):
        swapped = ((second & 0xFF) << 8) | (second >> 8)
        name = "Echo (ping) request " if kind == 8 else "Echo (ping) reply   "
        return f"{name} id=0x{first:04x}, seq={second}/{swapped}, ttl={packet.ttl}"
    return "Destination unreachable (Port unreachable)" if kind == 3 else f"Type {kind}"


# -- what the lens says ------------------------------------------------------------------------------------------------


def _spoken(entry: dict[str, Any], fields: Fields) -> tuple[str, str] | None:
    """Return the protocol and the words that Wireshark has for an entry; None for TCP's own."""
    kind, told = str(entry["kind"]), entry.get("fields") or {}
    if kind.startswith("tls."):
        return _tls(kind.removeprefix("tls."), told, fields)
    if kind in ("http.request", "http.response"):
        return _http(entry, told, fields)
    if kind.startswith("h2."):
        fields.setdefault("http2", [])
        return "HTTP2", f"{str(entry['label']).split()[0]}[{entry.get('stream') or 0}]"
    if kind in ("dns.query", "dns.response"):
        fields.setdefault("dns", [])
        fields.setdefault("dns.qry.name", []).append(str(told.get("name", "")))
        return "DNS", str(entry["label"])
    if kind.startswith(("tcp.", "udp.", "icmp.")):
        return None
    return "HTTP2" if entry.get("stream") is not None else "DATA", str(entry["label"])


def _dns(raw: bytes) -> str:
    """Return Wireshark's words for a DNS message; "" where the bytes are none."""
    import dns.exception  # whoever meets no DNS need not pay for it
    import dns.flags
    import dns.message
    import dns.rcode
    import dns.rdatatype

    try:
        message = dns.message.from_wire(raw, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        return ""
    is_answer = bool(message.flags & dns.flags.QR)
    parts = ["Standard query response" if is_answer else "Standard query", f"0x{message.id:04x}"]
    if message.rcode() != dns.rcode.NOERROR:
        code = message.rcode()
        parts.append("No such name" if code == dns.rcode.NXDOMAIN else dns.rcode.to_text(code))
    parts += [
        f"{dns.rdatatype.to_text(one.rdtype)} {one.name.to_text(omit_final_dot=True)}" for one in message.question
    ]
    for records in message.answer:
        parts += [f"{dns.rdatatype.to_text(records.rdtype)} {item.to_text()}" for item in records]
    return " ".join(parts)


def _tls(kind: str, told: dict[str, Any], fields: Fields) -> tuple[str, str]:
    fields.setdefault("tls", [])
    if kind in _HANDSHAKE:
        number, name = _HANDSHAKE[kind]
        fields.setdefault("tls.handshake.type", []).append(number)
        if isinstance(server := told.get("serverName"), str):
            fields.setdefault("tls.handshake.extensions_server_name", []).append(server)
        if told.get("retry"):
            name = "Hello Retry Request"
        fields.setdefault("tls.handshake", []).append(1)
        return "TLS", name
    if kind == "alert":
        level, description = (str(told.get(key, "")).replace("_", " ").title() for key in ("level", "description"))
        fields.setdefault("tls.alert_message.desc", []).append(description)
        return "TLS", f"Alert (Level: {level}, Description: {description})"
    return "TLS", "Encrypted Handshake Message" if told.get("type") == "handshake" else "Application Data"


def _http(entry: dict[str, Any], told: dict[str, Any], fields: Fields) -> tuple[str, str]:
    stream = entry.get("stream")
    is_2 = stream is not None
    fields.setdefault("http2" if is_2 else "http", [])
    if not is_2:
        fields.setdefault(str(entry["kind"]), []).append(1)
    if entry["kind"] == "http.request":
        method, path = str(told.get("method", "")), str(told.get("path", ""))
        names = ("http2.headers.method", "http2.headers.path") if is_2 else ("http.request.method", "http.request.uri")
        for name, value in zip(names, (method, path), strict=True):
            fields.setdefault(name, []).append(value)
        return ("HTTP2", f"HEADERS[{stream}]: {method} {path}") if is_2 else ("HTTP", f"{method} {path} HTTP/1.1 ")
    status = told.get("status", 0)
    fields.setdefault("http2.headers.status" if is_2 else "http.response.code", []).append(status)
    label = str(entry["label"])
    return ("HTTP2", f"HEADERS[{stream}]: {label}") if is_2 else ("HTTP", f"HTTP/1.1 {label} ")


KNOWN_FIELDS = frozenset({
    "frame.number", "frame.len", "frame.time_relative", "ip", "ip.src", "ip.dst", "ip.addr", "tcp", "tcp.srcport",
    "tcp.dstport", "tcp.port", "tcp.flags", "tcp.len", "tcp.flags.syn", "tcp.flags.fin", "tcp.flags.reset",
    "tcp.stream", "tcp.seq", "tcp.ack", "tcp.window_size", "udp", "udp.srcport", "udp.dstport", "udp.port", "icmp",
    "icmp.type", "icmp.code", "dns", "dns.qry.name", "tls", "tls.handshake", "tls.handshake.type",
    "tls.handshake.extensions_server_name", "tls.alert_message.desc", "http", "http2", "http2.headers.method",
    "http2.headers.path", "http2.headers.status", "http.request", "http.request.method", "http.request.uri",
    "http.response", "http.response.code",
    "_ws.col.Protocol", "_ws.col.Info",
})  # fmt: skip
