"""Captures and audit logs from anywhere: files, packets, and what TCP, TLS, HTTP and DNS carry, spoiled or made up."""

import json
import random
import struct

from cluster_engine.export import blocks
from cluster_engine.fields.opened import open_entry
from cluster_engine.journal import Journal
from cluster_engine.programs.capture import packets, pcap
from cluster_engine.recordings.capture_files import CaptureError
from cluster_engine.recordings.story import read
from cluster_engine.world.captures import Frame
from cluster_engine.world.tap import Endpoint
from tests.fuzz import making

RANDOM = bytes(range(32))
HELLO = b"\x03\x03" + RANDOM + b"\0\0\2\x13\1\1\0\0\x0b\0\x2b\0\3\2\3\4\0\0\0\0"
CLIENT_HELLO = b"\x16\3\1" + struct.pack("!HBBH", 4 + len(HELLO), 1, 0, len(HELLO)) + HELLO
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
HEADERS = bytes([0, 0, 4, 1, 5, 0, 0, 0, 1, 0x82, 0x84, 0x86, 0x41])
QUERY = b"\0\1\1\0\0\1\0\0\0\0\0\0\3web\7default\3svc\0\0\1\0\1"
PAYLOADS = (
    CLIENT_HELLO,
    b"\x17\3\3\0\x20" + bytes(32),
    PREFACE + HEADERS,
    b"GET /api/v1/pods?watch=1 HTTP/1.1\r\nAuthorization: Bearer e30.eyJzdWIiOiJhIn0.c2ln\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    QUERY,
    b"",
)
FLAGS = ("S", "SA", "A", "PA", "PA", "PA", "FA", "R")
SECRET = f"CLIENT_TRAFFIC_SECRET_0 {RANDOM.hex()} {'ab' * 32}\n".encode()
EVENT = {
    "kind": "Event", "auditID": "a", "stage": "ResponseComplete", "verb": "get", "requestURI": "/api",
    "stageTimestamp": "2026-01-01T10:00:00Z", "user": {"username": "a"}, "objectRef": {"resource": "pods", "name": "b"},
}  # fmt: skip


def make(rng: random.Random) -> tuple[bytes, str]:
    """A file and a key log."""
    if rng.random() < 0.1:
        lines = [making.as_json(rng, making.spoiled_value(rng, EVENT, tuple(EVENT))) for _ in range(3)]
        return "\n".join([json.dumps(EVENT), *lines]).encode("utf-8", "surrogatepass"), ""
    file = _file(rng, [_packet(rng) for _ in range(rng.randrange(1, 12))])
    return making.spoiled_bytes(rng, file) if rng.random() < 0.5 else file, SECRET.decode() * rng.randrange(2)


def _packet(rng: random.Random) -> bytes:
    ends = Endpoint("10.0.0.5", rng.choice((40_000, 53))), Endpoint("10.0.0.1", rng.choice((6443, 53)))
    way = ends if rng.random() < 0.5 else (ends[1], ends[0])
    payload = rng.choice(PAYLOADS)
    payload = making.spoiled_bytes(rng, payload) if payload and rng.random() < 0.5 else payload
    protocol, sequence = rng.choice(("tcp", "tcp", "udp", "icmp")), rng.choice((0, 1, 1 + len(payload), 2**32 - 1))
    frame = Frame(protocol, None, None, way, way, False, rng.choice(FLAGS), sequence, 0, 0, payload[:60_000])
    return packets.ethernet(*way, next(packets.packets_of(frame, way)), is_loopback=False)


def _file(rng: random.Random, frames: list[bytes]) -> bytes:
    if rng.random() < 0.4:
        records = [pcap.record(pcap.Record(at, raw, len(raw))) for at, raw in enumerate(frames)]
        return pcap.header(rng.choice((0, 1, 101, 113, 276)), 65_535) + b"".join(records)
    begins = blocks.section("a", "b") + blocks.interface(rng.choice((1, 1, 113)), "a", "b")
    begins += blocks.names({b"\x0a\0\0\1": "web"}) + blocks.secrets(SECRET)
    return begins + b"".join(blocks.packet(at, raw, "a") for at, raw in enumerate(frames))


def take(case: tuple[bytes, str]) -> None:
    """Read it, and open what was read to its fields; what is no capture at all is refused."""
    journal = Journal()
    try:
        read(*case, journal)
    except CaptureError:
        return
    assert journal.head < 10_000
    for entry in journal.since(0, 50):
        open_entry(journal, entry["seq"])
