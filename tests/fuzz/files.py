"""Hostile files for programs that read them: etcd's database, static pods, packets for ssldump, what gunzip reads."""

import contextlib
import gzip
import random
import struct
from functools import cache

from tests.fuzz import making


@cache
def _database() -> bytes:
    from cluster_engine.etcd.database import Database
    from cluster_engine.etcd.store import Store

    store = Store()
    store.grant(30, 77, 0.0)
    for number in range(20):
        store.put(b"/registry/pods/%d" % (number % 7), b"x" * number, 77 if number % 5 == 0 else 0)
    store.delete_range(b"/registry/pods/3")
    store.compact(9)
    return bytes(Database(store)).rstrip(b"\0") + bytes(4)


def make_database(rng: random.Random) -> bytes:
    return making.spoiled_bytes(rng, _database())


def take_database(case: bytes) -> None:
    """Read it: a store, which can be written again, or a refusal."""
    from cluster_engine.etcd.database import Database, DatabaseError, hash_of, read_database

    try:
        store = read_database(case)
    except DatabaseError:
        return
    store.put(b"/registry/pods/1", b"more")
    store.delete_range(b"a", b"\0")
    hash_of(read_database(bytes(Database(store))), store.revision)


def make_manifest(rng: random.Random) -> str:
    from cluster_engine.cast import cast
    from cluster_engine.kubeadm.static_pods import manifests

    _, text = rng.choice(list(manifests(cast(1, system_pods=True)).values()))
    return making.spoiled_text(rng, text.decode(), MANIFEST_PIECES)


MANIFEST_PIECES = (
    "initContainers:", "- name: x", "{}", "[]", "null", "metadata:", "annotations:", "namespace: 7", "kind: Service",
    "kubernetes.io/config.mirror: x", "nodeName: elsewhere", "&a", "*a", "\n", "  ",
)  # fmt: skip


def take_manifest(case: str) -> None:
    """Read it: a complete pod of the node, or a refusal."""
    from cluster_engine.api.documents import Unreadable
    from cluster_engine.api.status import Refusal
    from cluster_engine.kubelet import pods
    from cluster_engine.kubelet.mirror_pods import picture
    from cluster_engine.kubelet.static_pods import decoded

    try:
        pod = decoded(case.encode("utf-8", "replace"), "/etc/kubernetes/manifests/x.yaml", "n", "2026-01-01T00:00:00Z")
    except (Unreadable, Refusal, ValueError):
        return
    assert pods.is_static(pod) and pod["spec"]["nodeName"] == "n" and pod["spec"]["containers"]
    assert pods.is_mirror_of(picture(pod, "uid"), pod)


def make_packets(rng: random.Random) -> list[bytes]:
    """Pieces of a connection that begins with TLS, spoiled."""
    data = making.spoiled_bytes(rng, _client_hello(rng) + b"\x15\x03\x03\0\2\1\0")
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(6)))
    return [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def _client_hello(rng: random.Random) -> bytes:
    """RFC 8446, 4.1.2, as one record: server_name, groups, signatures, ALPN, versions and a key share."""
    extensions = {0: b"\0\4\0\0\1a", 10: b"\0\2\0\x1d", 13: b"\0\2\4\3", 16: b"\0\3\2h2", 43: b"\2\3\4"}
    extensions[51] = b"\0\x24\0\x1d\0\x20" + rng.randbytes(32)
    packed = b"".join(struct.pack(">HH", kind, len(body)) + body for kind, body in extensions.items())
    head = b"\3\3" + rng.randbytes(32) + b"\x20" + rng.randbytes(32) + b"\0\4\x13\1\x13\2" + b"\1\0"
    hello = head + struct.pack(">H", len(packed)) + packed
    return b"\x16\3\1" + struct.pack(">HBxH", len(hello) + 4, 1, len(hello)) + hello


def take_packets(case: list[bytes]) -> None:
    from cluster_engine.lens.trial import Trial
    from cluster_engine.programs.capture.packets import SYN, packet_of
    from cluster_engine.programs.capture.ssldump import Dump
    from tests.engine.lens import tls_recordings

    class Nowhere:
        def out(self, _: str) -> None:
            return

    dump = Dump(Nowhere(), Trial([tls_recordings.rsa_key()]), numeric=True, shows_data=True)  # type: ignore[arg-type]
    head = b"\0" * 12 + b"\x08\0"
    sequence = 1
    for number, piece in enumerate([b"", *case]):
        flags = SYN if number == 0 else 0x10
        tcp = struct.pack(">HHIIBBHHH", 40000, 443, sequence, 0, 0x50, flags, 1000, 0, 0) + piece
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
        raw = head + ip + tcp
        packet = packet_of(raw, len(raw), 1)
        if packet is not None:
            dump.take(number, packet)
        sequence += len(piece) + (number == 0)


def make_packed(rng: random.Random) -> bytes:
    return making.spoiled_bytes(rng, gzip.compress(b"abc" * rng.randrange(1, 300)))


def take_packed(case: bytes) -> None:
    from cluster_engine.programs.text.gzip import unpacked
    from cluster_engine.programs.text.kinds import kind
    from cluster_engine.programs.text.reading import Complaint

    assert kind(case)
    with contextlib.suppress(Complaint):
        unpacked(case, "a.gz")


def make_der(rng: random.Random) -> bytes:
    right = bytes.fromhex("3014300d06092a864886f70d01010b0500a203020102040100")
    return making.spoiled_bytes(rng, right * rng.randrange(1, 4))


def take_der(case: bytes) -> None:
    from cluster_engine.programs.openssl.asn1 import parsed

    with contextlib.suppress(ValueError):
        for _ in parsed(case, 0, indents=True):
            pass
