"""Opening protected TLS records with the keys that the key log gives (RFC 8446 section 5, RFC 5288, RFC 7905).

A `Protection` is one direction's key and IV. Every record has a number, counted from 0 since the key came into use,
that is not sent: it is mixed into the nonce, which is why records can only be read in order and from the start. A
protection can be packed into a few bytes, which stand in the evidence of an entry: so a record can be opened again,
years later, from its ciphertext alone, and nothing needs to be kept twice.

Modelled on TLS's record protection layer; the cryptography is the `cryptography` package's.
Left out: CBC and CCM suites.

    secret, 32 bytes ── HKDF-Expand-Label "key", "iv" ──▸ Protection ── open(record, 0), open(record, 1) … ──▸ plaintext
                     └─ HKDF-Expand-Label "traffic upd" ─▸ the next secret (KeyUpdate)
"""

import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from cluster_engine.lens.tls_names import SUITES, Suite
from cluster_engine.lens.unreadable import Unreadable

HEADER_BYTES: Final = 5
TAG_BYTES: Final = 16
EXPLICIT_NONCE_BYTES: Final = 8
TLS_1_2: Final = 0x0303
TLS_1_3: Final = 0x0304
HASHES = {"sha256": hashes.SHA256, "sha384": hashes.SHA384}


class Protection:
    """One direction's keys; `open` is given each record with its number."""

    __slots__ = ("_aead", "_iv", "_key", "_suite", "_version")

    def __init__(self, version: int, suite: int, key: bytes, iv: bytes) -> None:
        self._version = version
        self._suite = suite
        self._key = key
        self._iv = int.from_bytes(iv)
        self._aead = ChaCha20Poly1305(key) if SUITES[suite].chacha else AESGCM(key)

    @property
    def is_from_premaster(self) -> bool:
        """Whether the keys follow from what a client has encrypted to the server's key, which opens them too."""
        return SUITES[self._suite].is_rsa_key_exchange

    @property
    def version(self) -> int:
        """Of which TLS the keys are."""
        return self._version

    @property
    def nonce_bytes(self) -> int:
        """How many bytes of the nonce every record brings along."""
        return EXPLICIT_NONCE_BYTES if self._version != TLS_1_3 and not SUITES[self._suite].chacha else 0

    def open(self, record: bytes, number: int) -> tuple[int, bytes]:
        """Decrypt a whole record, header included; give its inner content type and content."""
        plain = self.decrypt(record, number)
        return type_and_content(plain) if self._version == TLS_1_3 else (record[0], plain)

    def decrypt(self, record: bytes, number: int) -> bytes:
        """Decrypt a whole record; TLS 1.3 gives its content, its type and padding (TLSInnerPlaintext)."""
        try:
            if self._version == TLS_1_3:
                nonce = (self._iv ^ number).to_bytes(12)
                return self._aead.decrypt(nonce, record[HEADER_BYTES:], record[:HEADER_BYTES])
            return self._open_1_2(record, number)
        except InvalidTag as error:
            raise Unreadable("a record does not open with the key log's secret") from error

    def pack(self) -> bytes:
        """Put version, suite, IV and key into bytes that `unpack` takes."""
        return struct.pack(">HH", self._version, self._suite) + self._iv.to_bytes(12) + self._key

    @classmethod
    def unpack(cls, packed: bytes) -> "Protection":
        """Make the protection that `pack` packed."""
        version, suite = struct.unpack_from(">HH", packed)
        return cls(version, suite, packed[16:], packed[4:16])

    def _open_1_2(self, record: bytes, number: int) -> bytes:
        body = record[HEADER_BYTES:]
        if SUITES[self._suite].chacha:
            nonce = (self._iv ^ number).to_bytes(12)
        else:
            nonce = self._iv.to_bytes(12)[8:] + body[:EXPLICIT_NONCE_BYTES]
            body = body[EXPLICIT_NONCE_BYTES:]
        if len(body) < TAG_BYTES:
            raise Unreadable("a protected record shorter than its tag")
        aad = struct.pack(">Q", number) + record[:3] + struct.pack(">H", len(body) - TAG_BYTES)
        return self._aead.decrypt(nonce, body, aad)


def type_and_content(inner: bytes) -> tuple[int, bytes]:
    """Take a TLSInnerPlaintext apart; padding is thrown away."""
    if not inner or not inner[-1]:
        inner = inner.rstrip(b"\0")
        if not inner:
            raise Unreadable("a record without content type")
    return inner[-1], inner[:-1]


def from_secret(suite: int, secret: bytes) -> Protection:
    """Derive a direction's keys from a TLS 1.3 traffic secret (RFC 8446 section 7.3)."""
    facts = SUITES[suite]
    key = expand_label(facts, secret, "key", facts.key_bytes)
    return Protection(TLS_1_3, suite, key, expand_label(facts, secret, "iv", 12))


def next_secret(suite: int, secret: bytes) -> bytes:
    """Derive the traffic secret that follows a KeyUpdate (RFC 8446 section 7.2)."""
    return expand_label(SUITES[suite], secret, "traffic upd", len(secret))


def expand_label(suite: Suite, secret: bytes, label: str, length: int) -> bytes:
    """HKDF-Expand-Label with an empty context (RFC 8446 section 7.1)."""
    full = b"tls13 " + label.encode()
    info = struct.pack(">HB", length, len(full)) + full + b"\0"
    return HKDFExpand(HASHES[suite.hash_name](), length, info).derive(secret)


def from_master_secret(
    suite: int, master: bytes, client_random: bytes, server_random: bytes
) -> tuple[Protection, Protection]:
    """Derive the client's and the server's keys from a TLS 1.2 master secret (RFC 5246 section 6.3)."""
    facts = SUITES[suite]
    sizes = (facts.key_bytes, facts.key_bytes, facts.fixed_iv_bytes, facts.fixed_iv_bytes)
    block = prf(facts, master, b"key expansion" + server_random + client_random, sum(sizes))
    parts = []
    for size in sizes:
        parts.append(block[:size])
        block = block[size:]
    client_key, server_key, client_iv, server_iv = parts
    return (
        Protection(TLS_1_2, suite, client_key, client_iv.rjust(12, b"\0")),
        Protection(TLS_1_2, suite, server_key, server_iv.rjust(12, b"\0")),
    )


def prf(suite: Suite, secret: bytes, seed: bytes, length: int) -> bytes:
    """Return `length` bytes of TLS 1.2's PRF, `seed` being label and seed (RFC 5246 section 5, P_hash)."""
    out = b""
    link = seed
    while len(out) < length:
        link = _hmac(suite, secret, link)
        out += _hmac(suite, secret, link + seed)
    return out[:length]


def _hmac(suite: Suite, key: bytes, data: bytes) -> bytes:
    code = hmac.HMAC(key, HASHES[suite.hash_name]())
    code.update(data)
    return code.finalize()
