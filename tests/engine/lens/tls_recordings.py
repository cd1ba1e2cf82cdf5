"""TLS connections between two real engines, recorded as capture files: what was agreed on is the caller's choice."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from cluster_engine.programs.capture import packets, pcap
from cluster_engine.world.captures import Frame
from cluster_engine.world.tap import Endpoint

SERVER = Endpoint("10.0.0.1", 6443)
REQUEST, ANSWER = b"GET /secret HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
RSA_KEY_EXCHANGE, ECDHE = "AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"
LOGGED: list[bytes] = []
"""The key log of the recording under way."""


@cache
def rsa_key(_: int = 0) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@cache
def _certificate() -> x509.Certificate:
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")]), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.public_key(rsa_key().public_key()).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(rsa_key(), hashes.SHA256())


def certificate() -> bytes:
    return _certificate().public_bytes(serialization.Encoding.DER)


@cache
def _server() -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate(_certificate())
    context.use_privatekey(rsa_key())
    context.set_cipher_list(f"{ECDHE}:{RSA_KEY_EXCHANGE}".encode())
    context.set_keylog_callback(lambda _, line: LOGGED.append(line))
    return context


class Recorded(msgspec.Struct):
    """A recording: its file, the key log, the client's session for another one."""

    file: bytes
    keys: bytes
    client: SSL.Context
    session: object


def client_context(*, tls12: bool, ciphers: str = "") -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    if tls12:
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
    if ciphers:
        context.set_cipher_list(ciphers.encode())
    return context


def record(context: SSL.Context, *, resumed: Recorded | None = None, port: int = 40000) -> Recorded:
    """Shake hands, ask and answer; `resumed` is whose session is offered again."""
    LOGGED.clear()
    client, server = SSL.Connection(context, None), SSL.Connection(_server(), None)
    client.set_connect_state()
    server.set_accept_state()
    if resumed is not None:
        client.set_session(resumed.session)
    ends, frames, sent = (Endpoint("10.0.0.11", port), SERVER), [], {True: 1, False: 1}

    def frame(from_client, flags, payload=b"", *, at=None):
        way = ends if from_client else (ends[1], ends[0])
        numbers = (sent[from_client], sent[not from_client]) if at is None else at
        frames.append(Frame("tcp", None, None, way, way, True, flags, *numbers, 65535, payload, None))
        sent[from_client] += len(payload)

    frame(True, "S", at=(0, 0))
    frame(False, "SA", at=(0, 1))
    frame(True, "A")

    def pump():
        for from_client, source, target in ((True, client, server), (False, server, client)):
            try:
                data = source.bio_read(65536)
            except SSL.WantReadError:
                continue
            frame(from_client, "PA", data)
            target.bio_write(data)

    def tried(call, *arguments):
        with contextlib.suppress(SSL.WantReadError):
            call(*arguments)

    for _ in range(4):
        tried(client.do_handshake)
        tried(server.do_handshake)
        pump()
    client.send(REQUEST)
    pump()
    assert server.recv(1000) == REQUEST
    server.send(ANSWER)
    pump()
    assert client.recv(1000) == ANSWER
    tried(client.shutdown)  # OpenSSL drops the session of a connection that was not ended well
    return Recorded(written(frames), b"\n".join(LOGGED) + b"\n", context, client.get_session())


def written(frames: Sequence[Frame]) -> bytes:
    found, at = pcap.header(packets.ETHERNET, 262_144), 1767261600_000000
    for one in frames:
        for packet in packets.packets_of(one, one.wire):
            raw = packets.ethernet(*one.wire, packet, is_loopback=False)
            at += 1500
            found += pcap.record(pcap.Record(at, raw, len(raw)))
    return found


def joined(*files: bytes) -> bytes:
    """Several captures in one file."""
    return files[0] + b"".join(file[pcap.HEADER_BYTES :] for file in files[1:])


def without_packets(file: bytes, *numbers: int) -> bytes:
    """The file without some packets, counted from 1."""
    kept = [one for number, one in enumerate(pcap.Reader(file).records(), start=1) if number not in numbers]
    return pcap.header(packets.ETHERNET, 262_144) + b"".join(map(pcap.record, kept))


@cache
def kinds() -> dict[str, Recorded]:
    """One recording of each kind, each from a port of its own."""
    rsa_exchanged = record(client_context(tls12=True, ciphers=RSA_KEY_EXCHANGE), port=40000)
    return {
        "rsa": rsa_exchanged,
        "resumed": record(rsa_exchanged.client, resumed=rsa_exchanged, port=40001),
        "ecdhe": record(client_context(tls12=True), port=40002),
        "tls13": record(client_context(tls12=False), port=40003),
        "late": record(client_context(tls12=True, ciphers=RSA_KEY_EXCHANGE), port=40004),
        "deaf": record(client_context(tls12=True, ciphers=RSA_KEY_EXCHANGE), port=40005),
    }
