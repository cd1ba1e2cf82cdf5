"""TLS handshake messages to facts (RFC 8446 section 4; RFC 5246 section 7.4 for what only TLS 1.2 has).

Each message becomes one entry. `parse` is pure: a type and a body give a `Message`. Modelled on what `openssl s_client
-msg` and Wireshark show.

    parse(20, bytes(32), TLS_1_3)
    -> Message(kind="tls.finished", label="Finished", fields={"length": 32})

Left out: early data, post-handshake authentication, the contents of extensions that no lesson needs (they are named).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cluster_engine.lens import certificates
from cluster_engine.lens.protection import TLS_1_3
from cluster_engine.lens.tls_names import EXTENSIONS, GROUPS, SIGNATURES, VERSIONS, name, suite_name
from cluster_engine.lens.unreadable import Unreadable

CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, ENCRYPTED_EXTENSIONS = 1, 2, 4, 8
CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST, SERVER_HELLO_DONE = 11, 12, 13, 14
CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED, KEY_UPDATE = 15, 16, 20, 24
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
SERVER_NAME, SUPPORTED_GROUPS, SIGNATURE_ALGORITHMS, ALPN = 0, 10, 13, 16
PRE_SHARED_KEY, SUPPORTED_VERSIONS, CERTIFICATE_AUTHORITIES, KEY_SHARE = 41, 43, 47, 51


@dataclass(frozen=True, slots=True)
class Message:
    """What a handshake message says, as an entry's kind, label and fields."""

    kind: str
    label: str
    fields: dict[str, Any] = field(default_factory=dict)


class Reader:
    """Reads TLS's presentation language from the front; raises Unreadable when the bytes end too early."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, count: int) -> bytes:
        """Read `count` bytes."""
        end = self._at + count
        if end > len(self._data):
            raise Unreadable("a handshake message ends early")
        part = self._data[self._at : end]
        self._at = end
        return part

    def number(self, size: int) -> int:
        """Read an unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> bytes:
        """Read a vector whose length stands before it in `size` bytes."""
        return self.take(self.number(size))


def parse(message_type: int, body: bytes, version: int) -> Message:
    """Describe a handshake message; `version` is the negotiated one, by which some messages differ."""
    known = PARSERS.get(message_type)
    if known is None:
        return Message(
            "tls.handshake",
            f"handshake type {message_type}",
            {"type": message_type, "length": len(body)},
        )
    return known(Reader(body), version)


def hello_random(body: bytes) -> bytes:
    """Return the random of a ClientHello or ServerHello."""
    return body[2:34]


def hello_session(body: bytes) -> bytes:
    """Return the session id of a ClientHello or ServerHello."""
    return Reader(body[34:]).vector(1)


def hello_extensions(body: bytes, *, of_client: bool = False) -> dict[int, bytes]:
    """Return the extensions of a ServerHello, or of a ClientHello, by number."""
    reader = Reader(body[34:])
    reader.vector(1)
    if of_client:
        reader.vector(2)
        reader.vector(1)
    else:
        reader.take(3)
    return _extensions(reader)


def server_choice(body: bytes) -> tuple[int, int]:
    """Return version and cipher suite of a ServerHello."""
    reader = Reader(body)
    version = reader.number(2)
    reader.take(32)
    reader.vector(1)
    suite = reader.number(2)
    extensions = hello_extensions(body)
    if SUPPORTED_VERSIONS in extensions:
        version = int.from_bytes(extensions[SUPPORTED_VERSIONS])
    return version, suite


def _extensions(reader: Reader) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    if not reader:
        return found
    inner = Reader(reader.vector(2))
    while inner:
        number = inner.number(2)
        found[number] = inner.vector(2)
    return found


def _numbers(data: bytes) -> list[int]:
    return [number for (number,) in struct.iter_unpack(">H", data[: len(data) & ~1])]


def _protocols(data: bytes) -> list[str]:
    reader = Reader(Reader(data).vector(2))
    found = []
    while reader:
        found.append(reader.vector(1).decode("latin-1"))
    return found


def _names(extensions: dict[int, bytes]) -> list[str]:
    return [name(EXTENSIONS, number) for number in extensions]


def _client_hello(reader: Reader, _version: int) -> Message:
    legacy = reader.number(2)
    random = reader.take(32)
    session = reader.vector(1)
    suites = _numbers(reader.vector(2))
    reader.vector(1)
    extensions = _extensions(reader)
    versions = _numbers(extensions[SUPPORTED_VERSIONS][1:]) if SUPPORTED_VERSIONS in extensions else [legacy]
    server_name = extensions.get(SERVER_NAME, b"")[5:].decode("latin-1")
    protocols = _protocols(extensions[ALPN]) if ALPN in extensions else []
    fields = {
        "serverName": server_name or None,
        "alpn": protocols,
        "versions": [name(VERSIONS, number) for number in versions],
        "ciphers": [suite_name(number) for number in suites],
        "groups": [name(GROUPS, number) for number in _numbers(extensions.get(SUPPORTED_GROUPS, b"")[2:])],
        "keyShares": _client_shares(extensions.get(KEY_SHARE, b"")),
        "signatureSchemes": [
            name(SIGNATURES, number) for number in _numbers(extensions.get(SIGNATURE_ALGORITHMS, b"")[2:])
        ],
        "resumes": PRE_SHARED_KEY in extensions,
        "random": random.hex(),
        "sessionId": session.hex(),
        "extensions": _names(extensions),
    }
    return Message(
        "tls.client_hello",
        f"ClientHello {server_name}".rstrip(),
        fields,
    )


def _client_shares(data: bytes) -> list[str]:
    if not data:
        return []
    reader = Reader(Reader(data).vector(2))
    found = []
    while reader:
        found.append(name(GROUPS, reader.number(2)))
        reader.vector(2)
    return found


def _server_hello(reader: Reader, _version: int) -> Message:
    version = reader.number(2)
    random = reader.take(32)
    session = reader.vector(1)
    suite = suite_name(reader.number(2))
    reader.take(1)
    extensions = _extensions(reader)
    if SUPPORTED_VERSIONS in extensions:
        version = int.from_bytes(extensions[SUPPORTED_VERSIONS])
    share = name(GROUPS, int.from_bytes(extensions[KEY_SHARE][:2])) if KEY_SHARE in extensions else None
    fields = {
        "version": name(VERSIONS, version),
        "cipher": suite,
        "keyShare": share,
        "resumes": PRE_SHARED_KEY in extensions,
        "random": random.hex(),
        "sessionId": session.hex(),
        "extensions": _names(extensions),
    }
    if ALPN in extensions:
        fields["alpn"] = next(iter(_protocols(extensions[ALPN])), None)
    if random == RETRY_RANDOM:
        return Message("tls.server_hello", "HelloRetryRequest", {**fields, "retry": True})
    return Message("tls.server_hello", "ServerHello", fields)


def _encrypted_extensions(reader: Reader, _version: int) -> Message:
    extensions = _extensions(reader)
    protocol = next(iter(_protocols(extensions[ALPN])), None) if ALPN in extensions else None
    return Message(
        "tls.encrypted_extensions",
        f"EncryptedExtensions {protocol or ''}".rstrip(),
        {"alpn": protocol, "extensions": _names(extensions)},
    )


def _certificate_request(reader: Reader, version: int) -> Message:
    if version == TLS_1_3:
        reader.vector(1)
        extensions = _extensions(reader)
        schemes = _numbers(extensions.get(SIGNATURE_ALGORITHMS, b"")[2:])
        authorities = extensions.get(CERTIFICATE_AUTHORITIES, b"\0\0")
        names = Reader(Reader(authorities).vector(2))
    else:
        reader.vector(1)
        schemes = _numbers(reader.vector(2))
        names = Reader(reader.vector(2))
    issuers = []
    while names:
        issuers.append(certificates.distinguished_name(names.vector(2)))
    return Message(
        "tls.certificate_request",
        "CertificateRequest",
        {"authorities": issuers, "signatureSchemes": [name(SIGNATURES, number) for number in schemes]},
    )


def _certificate(reader: Reader, version: int) -> Message:
    if version == TLS_1_3:
        reader.vector(1)
    entries = Reader(reader.vector(3))
    chain = []
    while entries:
        chain.append(certificates.facts(entries.vector(3)))
        if version == TLS_1_3:
            entries.vector(2)
    if not chain:
        return Message("tls.certificate", "Certificate (none)", {"chain": []})
    leaf = chain[0]
    who = leaf["commonName"] or leaf["subject"] or "?"
    return Message("tls.certificate", f"Certificate {who}", {**leaf, "chain": chain})


def _certificate_verify(reader: Reader, _version: int) -> Message:
    scheme = name(SIGNATURES, reader.number(2))
    return Message(
        "tls.certificate_verify",
        "CertificateVerify",
        {"signatureScheme": scheme, "signatureBytes": len(reader.vector(2))},
    )


def _finished(reader: Reader, _version: int) -> Message:
    length = len(reader._data)
    return Message(
        "tls.finished",
        "Finished",
        {"length": length},
    )


def _new_session_ticket(reader: Reader, version: int) -> Message:
    lifetime = reader.number(4)
    if version == TLS_1_3:
        reader.take(4)
        reader.vector(1)
    return Message(
        "tls.new_session_ticket",
        "NewSessionTicket",
        {"lifetimeSeconds": lifetime, "ticketBytes": len(reader.vector(2))},
    )


def _key_update(reader: Reader, _version: int) -> Message:
    return Message(
        "tls.key_update",
        "KeyUpdate",
        {"answerWanted": bool(reader.number(1))},
    )


def _server_key_exchange(reader: Reader, _version: int) -> Message:
    group = name(GROUPS, reader.number(2)) if reader.number(1) == 3 else None
    return Message(
        "tls.server_key_exchange",
        "ServerKeyExchange",
        {"keyShare": group},
    )


def _client_key_exchange(_reader: Reader, _version: int) -> Message:
    return Message("tls.client_key_exchange", "ClientKeyExchange")


def encrypted_premaster(body: bytes) -> Message:
    """Describe a ClientKeyExchange of RSA key exchange (RFC 5246 section 7.4.7.1)."""
    fields = {"encryptedPremasterBytes": len(Reader(body).vector(2))}
    return Message("tls.client_key_exchange", "ClientKeyExchange (premaster secret)", fields)


def _server_hello_done(_reader: Reader, _version: int) -> Message:
    return Message("tls.server_hello_done", "ServerHelloDone")


PARSERS: dict[int, Callable[[Reader, int], Message]] = {
    CLIENT_HELLO: _client_hello,
    SERVER_HELLO: _server_hello,
    NEW_SESSION_TICKET: _new_session_ticket,
    ENCRYPTED_EXTENSIONS: _encrypted_extensions,
    CERTIFICATE: _certificate,
    SERVER_KEY_EXCHANGE: _server_key_exchange,
    CERTIFICATE_REQUEST: _certificate_request,
    SERVER_HELLO_DONE: _server_hello_done,
    CERTIFICATE_VERIFY: _certificate_verify,
    CLIENT_KEY_EXCHANGE: _client_key_exchange,
    FINISHED: _finished,
    KEY_UPDATE: _key_update,
}
