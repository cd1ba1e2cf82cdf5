"""Capture files of any tool: pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng), in either byte order.

A file is read whole, block by block; what is in a block is read only within it. What the formats have besides (options
of packets, statistics, blocks of vendors) is passed over. A file that is cut short is read up to there, as `problem`
says afterwards.

    file = CaptureFile(data)
    for frame in file.frames(): …      Frame(at_ns=1700000000123456000, link=1, data=b"…", size=74)
    file.secrets, file.names           lines of key logs, {"10.0.0.1": "control-plane"}

Bounds: `FRAMES_MAX` frames, `INTERFACES_MAX` interfaces of a section, `NAMES_MAX` names, `SECRETS_MAX` lines.
"""

import ipaddress
import struct
from collections.abc import Iterator

import msgspec

from cluster_engine.export import blocks

FRAMES_MAX = 1_000_000
INTERFACES_MAX = 256
NAMES_MAX = 4096
SECRETS_MAX = 20_000
FRAME_BYTES_MAX = 262_144
MICROSECONDS, NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
SIMPLE_PACKET, OLD_PACKET = 3, 2
RESOLUTION, OFFSET = 9, 14
IPV6_NAME = 2
BILLION = 1_000_000_000
LATEST_NS = 2**63 - 1
"""In the year 2262. A time outside of what nanoseconds since 1970 can be is taken for the nearest that can."""


class CaptureError(ValueError):
    """A file that is no capture."""


class Frame(msgspec.Struct, frozen=True):
    """One frame: when, its link type, as much of it as was captured, and how long it was."""

    at_ns: int
    link: int
    data: bytes
    size: int


class Interface(msgspec.Struct, frozen=True):
    """An interface of a section: its link type, how many ticks are a second, and where they begin, in seconds."""

    link: int
    ticks: int = 1_000_000
    offset: int = 0


class CaptureFile:
    """Reads a file's bytes. CaptureError where they are no capture."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.secrets: list[str] = []
        self.names: dict[str, str] = {}
        self.problem = ""
        """Why the end of the file was not read; "" where it was."""
        magics = {order: struct.unpack(f"{order}I", data[:4])[0] for order in "<>"} if len(data) >= 4 else {}
        self._is_ng = magics.get("<") == blocks.SECTION
        self._order = next((order for order, magic in magics.items() if magic in (MICROSECONDS, NANOSECONDS)), "<")
        if not self._is_ng and magics.get(self._order) not in (MICROSECONDS, NANOSECONDS):
            raise CaptureError("this is no capture: neither pcap nor pcapng")
        self._scale = 1 if magics.get(self._order) == NANOSECONDS else 1000

    def frames(self) -> Iterator[Frame]:
        """Yield the frames, and learn secrets and names on the way."""
        for number, frame in enumerate(self._ng() if self._is_ng else self._classic()):
            if number == FRAMES_MAX:
                self.problem = f"only the first {FRAMES_MAX} packets were read"
                return
            yield frame

    # -- pcap ----------------------------------------------------------------------------------------------------------

    def _classic(self) -> Iterator[Frame]:
        data, order = self._data, self._order
        if len(data) < 24:
            self.problem = "the file is cut short in its header"
            return
        link = struct.unpack_from(f"{order}I", data, 20)[0] & 0xFFFF
        at = 24
        while at < len(data):
            if len(data) - at < 16:
                self.problem = "the file is cut short in the middle of a packet"
                return
            seconds, part, kept, size = struct.unpack_from(f"{order}IIII", data, at)
            at += 16
            if kept > FRAME_BYTES_MAX or len(data) - at < kept:
                self.problem = "the file is cut short in the middle of a packet"
                return
            yield Frame(seconds * BILLION + part * self._scale, link, data[at : at + kept], size)
            at += kept

    # -- pcapng --------------------------------------------------------------------------------------------------------

    def _ng(self) -> Iterator[Frame]:
        interfaces: list[Interface] = []
        data, at, order = self._data, 0, "<"
        while at < len(data):
            if len(data) - at < 12:
                self.problem = "the file is cut short in the middle of a block"
                return
            if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
                order = ">" if data[at + 8 : at + 12] == b"\x1a\x2b\x3c\x4d" else "<"
                interfaces = []
            kind, length = struct.unpack_from(f"{order}II", data, at)
            if length < 12 or length % 4 or length > len(data) - at:
                self.problem = "the file is cut short in the middle of a block"
                return
            content = data[at + 8 : at + length - 4]
            at += length
            try:
                if kind == blocks.INTERFACE and len(interfaces) < INTERFACES_MAX:
                    interfaces.append(_interface(order, content))
                elif kind in (blocks.PACKET, OLD_PACKET, SIMPLE_PACKET):
                    yield _packet(order, kind, content, interfaces)
                elif kind == blocks.NAMES:
                    self._names(order, content)
                elif kind == blocks.SECRETS:
                    self._secrets(order, content)
            except (struct.error, IndexError):
                continue  # a block that is shorter than it has to be

    def _names(self, order: str, content: bytes) -> None:
        for code, value in _records(order, content):
            size = {blocks.IPV4_NAME: 4, IPV6_NAME: 16}.get(code)
            if size is None or len(value) <= size or len(self.names) >= NAMES_MAX:
                continue
            name = value[size:].partition(b"\0")[0].decode("utf-8", "replace")
            self.names[str(ipaddress.ip_address(value[:size]))] = name

    def _secrets(self, order: str, content: bytes) -> None:
        kind, length = struct.unpack_from(f"{order}II", content)
        if kind == blocks.TLS_KEY_LOG:
            lines = content[8 : 8 + length].decode("ascii", "replace").splitlines()
            self.secrets += lines[: SECRETS_MAX - len(self.secrets)]


def _records(order: str, content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while len(content) - at >= 4:
        code, length = struct.unpack_from(f"{order}HH", content, at)
        if code == 0:
            return
        yield code, content[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4


def _interface(order: str, content: bytes) -> Interface:
    (link,) = struct.unpack_from(f"{order}H", content)
    ticks, offset = 1_000_000, 0
    for code, value in _records(order, content[8:]):
        if code == RESOLUTION and value:
            exponent = value[0] & 0x7F
            ticks = 2 ** min(exponent, 63) if value[0] & 0x80 else 10 ** min(exponent, 18)
        elif code == OFFSET and len(value) == 8:
            (offset,) = struct.unpack(f"{order}q", value)
    return Interface(link, ticks, offset)


def _packet(order: str, kind: int, content: bytes, interfaces: list[Interface]) -> Frame:
    if kind == SIMPLE_PACKET:
        (size,) = struct.unpack_from(f"{order}I", content)
        return Frame(0, interfaces[0].link, content[4 : 4 + size], size)
    head = f"{order}HHIIII" if kind == OLD_PACKET else f"{order}IIIII"
    number, *_, high, low, kept, size = struct.unpack_from(head, content)
    interface = interfaces[number]
    ticks = high << 32 | low
    at = interface.offset * BILLION + ticks * BILLION // interface.ticks
    return Frame(min(max(at, 0), LATEST_NS), interface.link, content[20 : 20 + kept], size)
