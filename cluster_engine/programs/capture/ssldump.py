"""ssldump: the records of TLS in a capture file, or on an interface, as a list of each connection.

    ssldump -n -r a.pcap          New TCP connection #1: 10.0.0.11(32770) <-> 10.0.0.1(6443)
                                  1 1  0.0002 (0.0002)  C>S  Handshake
                                        ClientHello …

What comes after the keys are agreed upon is named by its record's type alone, but where a server's private key (-k)
opens it: then -d prints it. That is what was agreed upon by RSA (`lens/trial.py`), which TLS 1.3 does not know. Why the
key does not open a connection stands on standard error, in our words. Modelled on ssldump 1.4. Left out: -l, -w, -A,
-x, -H and what they print; out-of-order segments.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Iterator
from hashlib import md5

import msgspec

from cluster_engine.lens import protection
from cluster_engine.lens.protection import Protection
from cluster_engine.lens.tls_names import ALERTS, EXTENSIONS, name, suite_name
from cluster_engine.lens.trial import Recording, Trial, Verdict, private_key
from cluster_engine.lens.unreadable import Unreadable
from cluster_engine.programs.capture import pcap
from cluster_engine.programs.capture.expressions import ExpressionError, condition_of
from cluster_engine.programs.capture.keys import WHY
from cluster_engine.programs.capture.listening import Listening
from cluster_engine.programs.capture.packets import ACK, COOKED, ETHERNET, FIN, RST, SYN, Packet, packet_of
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.network.interfaces import interfaces_of
from cluster_engine.programs.network.services import port_name
from cluster_engine.programs.network.sockets import names_of, network
from cluster_engine.programs.options import OptionError, read_options
from cluster_engine.programs.streams import read_file
from cluster_engine.world.tap import Endpoint

CONNECTIONS_MAX = 1024
RECORD_BYTES_MAX = 18 * 1024
SUITES_MAX = 512
SHORT = "r:i:k:p:l:w:f:naAdeHNTXxVvqytSz"
TYPES = {20: "ChangeCipherSpec", 21: "Alert", 22: "Handshake", 23: "application_data"}
SESSION_TICKET = 4
"""A message that the real one has no word for."""
MESSAGES = {0: "HelloRequest", 1: "ClientHello", 2: "ServerHello", 11: "Certificate",
            12: "ServerKeyExchange", 13: "CertificateRequest", 14: "ServerHelloDone", 15: "CertificateVerify",
            16: "ClientKeyExchange", 20: "Finished", 22: "CertificateStatus"}  # fmt: skip
OLDER = {
    0x002F: "TLS_RSA_WITH_AES_128_CBC_SHA", 0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
    0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA", 0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
    0x003C: "TLS_RSA_WITH_AES_128_CBC_SHA256", 0x003D: "TLS_RSA_WITH_AES_256_CBC_SHA256",
    0x0067: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", 0x006B: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
    0x009E: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 0x009F: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    0x00FF: "TLS_EMPTY_RENEGOTIATION_INFO_SCSV", 0xC009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    0xC00A: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", 0xC013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    0xC014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", 0xC023: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    0xC024: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", 0xC027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    0xC028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", 0xCCAA: "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
}  # fmt: skip
DASHES = "-" * 63
TEXT = frozenset(range(32, 127)) | frozenset(b"\r\n\t")
USAGE = """Usage: ssldump [-r dumpfile] [-i interface] [-k keyfile] [-n]
               [filter]
"""


class SsldumpError(Exception):
    """What ends it; the text is all that is said."""


class _Half(msgspec.Struct):
    """One direction: the next sequence number, what has come of a record that is not whole, and the keys, if any."""

    next: int | None = None
    data: bytes = b""
    is_ciphered: bool = False
    keys: Protection | None = None
    deciphered: int = 0


class _Connection(msgspec.Struct):
    number: int
    client: Endpoint
    began: int
    last: int
    halves: tuple[_Half, _Half]
    recording: Recording
    records: int = 0
    is_tls: bool = True


async def ssldump(invocation: Invocation) -> int:
    """Run ssldump."""
    try:
        options, words = read_options("ssldump", invocation.argv[1:], SHORT, {"help": "h"})
    except OptionError as problem:
        invocation.err(f"{problem}\n{USAGE}")
        return 1
    values = dict(options)
    if "v" in values:
        invocation.out("ssldump 1.4\n")
        return 0
    try:
        trial = Trial([_key(invocation, values["k"], values.get("p", ""))] if "k" in values else [])
        dump = Dump(invocation, trial, numeric="n" in values, shows_data="d" in values)
        host = invocation.process.host
        condition = condition_of(" ".join(words), lambda asked: network().resolve(host, asked))
        if "r" in values:
            for at, packet in _packets(invocation, values["r"]):
                if packet is not None and condition(packet):
                    dump.take(at, packet)
                await invocation.drain()
        else:
            interface = values.get("i", "eth0")
            if interface not in ("any", *(one.name for one in interfaces_of(host))):
                raise SsldumpError(f"PCAP: {interface}: No such device exists\nERROR: Aborting")
            with Listening(invocation.process, interface, condition) as listening:
                await _listen(invocation, dump, listening)
    except (SsldumpError, ExpressionError, pcap.PcapError) as problem:
        invocation.err(f"{problem}\n")
        return 1
    if "k" in values:
        for number, recording in trial.recordings.items():
            if (verdict := recording.verdict(trial)) is not Verdict.OPENED:
                why = f"{recording.description}: {WHY[verdict]}"
                invocation.err(f"The private key does not open connection #{number}, {why}.\n")
    return 0


async def _listen(invocation: Invocation, dump: "Dump", listening: Listening) -> None:
    async def heard() -> AsyncIterator[tuple[int, Packet | None]]:
        async for one in listening:
            yield one.at, one.packet

    try:
        async for at, packet in heard():
            if packet is not None:
                dump.take(at, packet)
            await invocation.drain()
    except asyncio.CancelledError:
        await invocation.drain()


def _key(invocation: Invocation, path: str, password: str) -> object:
    try:
        return private_key(read_file(invocation.files, invocation.absolute(path)), password)
    except (OSError, ValueError):
        raise SsldumpError("Problem loading private key") from None


def _packets(invocation: Invocation, path: str) -> Iterator[tuple[int, Packet | None]]:
    try:
        reader = pcap.Reader(read_file(invocation.files, invocation.absolute(path)))
    except OSError as error:
        raise SsldumpError(f"PCAP: {path}: {error.strerror}\nERROR: Aborting") from None
    except pcap.PcapError as problem:
        raise SsldumpError(f"PCAP: {problem}\nERROR: Aborting") from None
    if reader.link not in (ETHERNET, COOKED):
        raise SsldumpError(f"PCAP: Unknown link type {reader.link}\nERROR: Aborting")
    for record in reader.records():
        yield record.at, packet_of(record.data, record.size, reader.link)


class Dump:
    """Prints what packets carry, one after another, and tries keys on it."""

    def __init__(self, invocation: Invocation, trial: Trial, *, numeric: bool, shows_data: bool) -> None:
        self._out = invocation.out
        self._trial, self._shows_data = trial, shows_data
        self._names = {} if numeric else names_of(invocation.process.host)
        self._numeric = numeric
        self._connections: dict[frozenset[Endpoint], _Connection] = {}
        self._count = 0

    def take(self, at: int, packet: Packet) -> None:
        """Print what a packet adds; `at` in microseconds."""
        segment = packet.tcp
        if segment is None:
            return
        ends = frozenset((packet.source, packet.destination))
        if segment.flags & (SYN | ACK) == SYN:
            self._begin(ends, at, packet)
        connection = self._connections.get(ends)
        if connection is None:
            return
        half = connection.halves[packet.source != connection.client]
        start = segment.sequence + bool(segment.flags & SYN)
        payload = packet.payload
        if half.next is not None and (behind := (half.next - start) % 2**32) < 2**31:
            payload, start = payload[behind:], max(start, half.next)
        half.next = (start + len(payload)) % 2**32 if payload or half.next is None else half.next
        if payload and connection.is_tls:
            half.data += payload
            self._records(connection, half, at, packet)
        for flag, said in ((FIN, "TCP FIN"), (RST, "TCP RST")):
            if segment.flags & flag:
                self._line(connection, at, packet, said, "")

    def _begin(self, ends: frozenset[Endpoint], at: int, packet: Packet) -> None:
        self._count += 1
        halves = (_Half(), _Half())
        self._connections[ends] = _Connection(
            self._count, packet.source, at, at, halves, self._trial.record(self._count)
        )
        if len(self._connections) > CONNECTIONS_MAX:
            del self._connections[next(iter(self._connections))]
        both = f"{self._end(packet.source)} <-> {self._end(packet.destination)}"
        self._out(f"New TCP connection #{self._count}: {both}\n")

    def _end(self, end: Endpoint) -> str:
        port = end.port if self._numeric else port_name(end.port, "tcp") or end.port
        return f"{self._names.get(end.address, end.address)}({port})"

    def _line(self, connection: _Connection, at: int, packet: Packet, said: str, number: str) -> None:
        since, step = ((at - before) // 100 / 1e4 for before in (connection.began, connection.last))
        connection.last = at
        way = "C>S" if packet.source == connection.client else "S>C"
        self._out(f"{connection.number} {number:<2} {since:.4f} ({step:.4f})  {way}  {said}\n")

    def _records(self, connection: _Connection, half: _Half, at: int, packet: Packet) -> None:
        while len(half.data) >= 5:
            type_, version, length = struct.unpack(">BHH", half.data[:5])
            if type_ not in TYPES or version >> 8 != 3 or length > RECORD_BYTES_MAX:
                connection.is_tls, half.data = False, b""
                self._out(f"Unknown SSL content type {type_}\n")
                return
            if len(half.data) < 5 + length:
                return
            record, half.data = half.data[: 5 + length], half.data[5 + length :]
            body, is_open = self._opened(connection, half, record)
            connection.records += 1
            self._line(connection, at, packet, TYPES[type_], str(connection.records))
            if type_ == 20:
                half.is_ciphered = True
            elif type_ == 21 and is_open and len(body) == 2:
                level = {1: "warning", 2: "fatal"}.get(body[0], str(body[0]))
                self._out(f"    level           {level}\n    value           {name(ALERTS, body[1])}\n")
            elif type_ == 22 and is_open:
                self._handshake(connection, body)
            elif type_ == 23 and is_open and self._shows_data:
                self._out(f"    {DASHES}\n{_content(body)}{DASHES}\n")

    @staticmethod
    def _opened(connection: _Connection, half: _Half, record: bytes) -> tuple[bytes, bool]:
        """Return what is in a record, and whether it can be read."""
        body, recording = record[5:], connection.recording
        if not half.is_ciphered:
            return body, record[0] != 23
        if half.keys is not None:
            with contextlib.suppress(Unreadable):
                _, body = half.keys.open(record, half.deciphered)
                half.deciphered += 1
                recording.opened += 1
                return body, True
        recording.closed += 1
        return body, False

    def _lines(self, lines: list[str]) -> None:
        self._out("".join(f"        {line}\n" if line else "\n" for line in lines))

    def _handshake(self, connection: _Connection, body: bytes) -> None:
        while len(body) >= 4:
            length = int.from_bytes(body[1:4])
            kind, content, body = body[0], body[4 : 4 + length], body[4 + length :]
            if kind != SESSION_TICKET:
                self._out(f"      {MESSAGES.get(kind, f'Unknown handshake type {kind}')}\n")
            try:
                if kind == 1:
                    self._lines(_client_hello(content))
                elif kind == 2:
                    self._lines(_server_hello(content))
                self._try(connection, kind, content)
            except (struct.error, IndexError, Unreadable):
                self._out("        Short read\n")

    def _try(self, connection: _Connection, kind: int, content: bytes) -> None:
        """See whether the key gives the secrets."""
        recording, (of_client, of_server) = connection.recording, connection.halves
        if master := recording.heard(self._trial, kind, content):
            of_client.keys, of_server.keys = protection.from_master_secret(recording.suite, master, *recording.randoms)


def _content(data: bytes) -> str:
    """Return application data as text, or where it is none in hex and text."""
    if all(one in TEXT for one in data):
        return "    " + data.decode().replace("\n", "\n    ")
    lines = (data[at : at + 16] for at in range(0, len(data), 16))
    return "".join(f"    {one.hex(' '):<47}    {_printable(one)}\n" for one in lines) + "    "


def _printable(data: bytes) -> str:
    return "".join(chr(one) if 32 <= one < 127 else "." for one in data)


def _suite(number: int) -> str:
    return OLDER.get(number) or suite_name(number)


def _hex(data: bytes) -> list[str]:
    return [f"  {data[at : at + 16].hex(' ')} " for at in range(0, len(data), 16)]


def _numbers(data: bytes) -> list[int]:
    return [number for (number,) in struct.iter_unpack(">H", data[: len(data) // 2 * 2])][:SUITES_MAX]


def _client_hello(body: bytes) -> list[str]:
    (version,) = struct.unpack_from(">H", body)
    lines = [f"Version {version >> 8}.{version & 255} "]
    size = body[34]
    if size:
        lines += [f"resume [{size}]=", *_hex(body[35 : 35 + size])]
    at = 35 + size
    (length,) = struct.unpack_from(">H", body, at)
    suites = _numbers(body[at + 2 : at + 2 + length])
    lines += ["cipher suites", *map(_suite, suites), "compression methods", f"{'':10}NULL"]
    at += 2 + length
    at += 1 + body[at]
    found = _extensions(body[at:])
    lines += ["extensions", *_named(found, apart=(10, 11))]
    groups = [str(one) for one in _numbers(found.get(10, b"")[2:])]
    formats = [str(one) for one in found.get(11, b"")[1:]]
    parts = [str(version), "-".join(map(str, suites)), "-".join(map(str, found)), "-".join(groups), "-".join(formats)]
    return lines + _fingerprint("ja3", ",".join(parts))


def _server_hello(body: bytes) -> list[str]:
    (version,) = struct.unpack_from(">H", body)
    size = body[34]
    (number,) = struct.unpack_from(">H", body, 35 + size)
    found = _extensions(body[38 + size :])
    lines = [f"Version {version >> 8}.{version & 255} ", f"session_id[{size}]=", *(_hex(body[35 : 35 + size]) or [""])]
    lines += [f"cipherSuite         {_suite(number)}", f"compressionMethod{'':19}NULL", "extensions", *_named(found)]
    return lines + _fingerprint("ja3s", f"{version},{number},{'-'.join(map(str, found))}")


def _extensions(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 2
    while at + 4 <= len(data):
        kind, length = struct.unpack_from(">HH", data, at)
        found[kind] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def _named(found: dict[int, bytes], apart: tuple[int, ...] = ()) -> list[str]:
    """Name extensions; behind those of `apart` there is an empty line."""
    lines = []
    for kind, data in found.items():
        lines.append(f"  {name(EXTENSIONS, kind)}")
        if kind == 0 and len(data) > 5:
            lines.append(f"      host_name: {data[5:].decode('ascii', 'replace')}")
        lines += [""] if kind in apart else []
    return lines


def _fingerprint(kind: str, text: str) -> list[str]:
    return [f"{kind} string: {text}", f"{kind} fingerprint: {md5(text.encode(), usedforsecurity=False).hexdigest()}"]
