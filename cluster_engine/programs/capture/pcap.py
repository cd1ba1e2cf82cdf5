"""Capture files: pcap, as tcpdump writes and Wireshark reads it.

    header     magic, 2.4, snapshot length, link type                24 bytes
    a record   seconds, microseconds, bytes kept, bytes in all       16 bytes, and what was kept

Read are both byte orders, and nanoseconds (draft-ietf-opsawg-pcap). Left out: pcapng.
"""

import struct
from collections.abc import Iterator

import msgspec

MICROSECONDS, NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
SNAPSHOT_BYTES = 262_144
HEADER_BYTES, RECORD_BYTES = 24, 16


class PcapError(ValueError):
    """A file that is no capture, or that ends within one; the text is libpcap's."""


class Record(msgspec.Struct, frozen=True):
    """One frame of a file: when, in microseconds since 1970, its bytes as far as kept, and how many they were."""

    at: int
    data: bytes
    size: int


def header(link: int, snapshot_bytes: int) -> bytes:
    """Return what a file begins with."""
    return struct.pack("<IHHiIII", MICROSECONDS, 2, 4, 0, 0, snapshot_bytes, link)


def record(one: Record) -> bytes:
    """Return a record's bytes."""
    return struct.pack("<IIII", *divmod(one.at, 1_000_000), len(one.data), one.size) + one.data


class Reader:
    """Reads a file's bytes. PcapError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        for order in "<>":
            if len(data) >= HEADER_BYTES:
                magic, _, _, _, _, self.snapshot_bytes, self.link = struct.unpack(
                    f"{order}IHHiIII", data[:HEADER_BYTES]
                )
                if magic in (MICROSECONDS, NANOSECONDS):
                    self._order, self._fraction = order, 1 if magic == MICROSECONDS else 1000
                    self.link &= 0xFFFF
                    return
        if len(data) < HEADER_BYTES:
            raise PcapError(
                f"truncated dump file; tried to read {HEADER_BYTES} file header bytes, only got {len(data)}"
            )
        raise PcapError("unknown file format")

    def records(self) -> Iterator[Record]:
        """Yield what is in it. PcapError, after what could be read."""
        at, data = HEADER_BYTES, self._data
        while at < len(data):
            if len(data) - at < RECORD_BYTES:
                got = len(data) - at
                raise PcapError(f"truncated dump file; tried to read {RECORD_BYTES} header bytes, only got {got}")
            seconds, part, kept, size = struct.unpack(f"{self._order}IIII", data[at : at + RECORD_BYTES])
            if kept > max(self.snapshot_bytes, SNAPSHOT_BYTES):
                raise PcapError(f"invalid packet capture length {kept}, bigger than snaplen of {self.snapshot_bytes}")
            at += RECORD_BYTES
            if len(data) - at < kept:
                raise PcapError(f"truncated dump file; tried to read {kept} captured bytes, only got {len(data) - at}")
            yield Record(seconds * 1_000_000 + part // self._fraction, data[at : at + kept], size)
            at += kept
