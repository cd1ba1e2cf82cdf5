"""Keys on trial: what opens a recorded TLS connection, and why a key does not.

Theory of operation. A recording can be read by who has the secrets of that one session, its key log. Whether a server's
*private key* opens it too depends on how both sides came to agree on these secrets:

    TLS 1.2, RSA      the client sends the premaster secret, encrypted to the certificate's key: who has that key,
                      were it years later, decrypts ClientKeyExchange and computes all the rest
    TLS 1.2, (EC)DHE  both send public halves; what would open them was never sent and is forgotten. The
                      certificate's key has only signed
    TLS 1.3           as (EC)DHE, always

    ClientKeyExchange ─RSA─▸ premaster ─PRF─▸ master secret ─▸ protection.from_master_secret
                                        └ with both randoms, or (RFC 7627) the hash of the handshake so far

A `Trial` has the private keys and a `Recording` of each connection that was read with them. A session that is resumed
has the master secret of the one before, which is remembered by its ticket and its id.

    recording.verdict(trial)     Verdict.OPENED | Verdict.EPHEMERAL | Verdict.OTHER_KEY | …

Modelled on RFC 5246 (sections 7.4.7.1, 8.1), RFC 7627, RFC 5077, and what Wireshark does with `rsa_keys`. Left out:
CBC suites (`protection`).
"""

import enum
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cluster_engine.lens import handshake
from cluster_engine.lens.certificates import UNREADABLE
from cluster_engine.lens.protection import TLS_1_3, prf
from cluster_engine.lens.tls_names import SUITES, VERSIONS, name, suite_name

PREMASTER_BYTES, MASTER_BYTES = 48, 48
TRANSCRIPT_BYTES_MAX = 256 * 1024
RECORDINGS_MAX = SESSIONS_MAX = 1024
KEYS_MAX = 16
KEY_BITS_MAX = 8192
EXTENDED_MASTER_SECRET, SESSION_TICKET = 23, 35


class Verdict(enum.Enum):
    """What became of a recorded connection."""

    OPENED = "opened"
    BEGINS_LATE = "begins late"
    """No ClientHello is in the capture, so the client's random is unknown."""
    CUT = "cut"
    """The capture, or the handshake, ends before there are keys."""
    UNKNOWN_SUITE = "unknown suite"
    FORWARD_SECRET = "forward secret"
    """TLS 1.3."""
    EPHEMERAL = "ephemeral"
    """TLS 1.2 with (EC)DHE."""
    RESUMED = "resumed"
    """The master secret is that of an earlier session, which was not opened here."""
    NO_KEY = "no key"
    """RSA key exchange, and no RSA key was tried."""
    OTHER_KEY = "other key"
    """RSA key exchange, and the keys do not belong to the certificate that the server showed."""
    MISFIT = "misfit"
    """There were secrets, and the records do not open with them."""


class Recording(msgspec.Struct):
    """What was seen of one connection's handshake, as far as keys need it. `by`: what gave the secrets."""

    has_hello: bool = False
    version: int = 0
    suite: int = 0
    is_resumed: bool = False
    has_key_exchange: bool = False
    certificate: bytes = b""
    opened: int = 0
    closed: int = 0
    by: str = ""
    ends: str = ""
    _client_random: bytes = b""
    _server_random: bytes = b""
    _is_extended: bool = False
    _offered: list[bytes] = msgspec.field(default_factory=list)
    _session: bytes = b""
    _master: bytes = b""
    _transcript: bytearray = msgspec.field(default_factory=bytearray)

    @property
    def description(self) -> str:
        """Its version and suite: "TLS 1.2, TLS_RSA_WITH_AES_128_GCM_SHA256"."""
        if not self.version:
            return "no ServerHello"
        return f"{name(VERSIONS, self.version)}, {suite_name(self.suite)}"

    def verdict(self, trial: "Trial") -> Verdict:
        """Say what became of it."""
        suite = SUITES.get(self.suite)
        if self.opened:
            return Verdict.OPENED
        if not self.has_hello:
            return Verdict.BEGINS_LATE
        if not self.version or (suite is not None and suite.is_rsa_key_exchange and not self._may_be_opened):
            return Verdict.CUT
        if self.by:
            return Verdict.MISFIT if self.closed else Verdict.CUT
        if self.version == TLS_1_3:
            return Verdict.FORWARD_SECRET
        if suite is None:
            return Verdict.UNKNOWN_SUITE
        if self.is_resumed:
            return Verdict.RESUMED
        if not suite.is_rsa_key_exchange:
            return Verdict.EPHEMERAL
        return Verdict.OTHER_KEY if trial.rsa_keys else Verdict.NO_KEY

    @property
    def randoms(self) -> tuple[bytes, bytes]:
        """The client's and the server's random."""
        return self._client_random, self._server_random

    @property
    def _may_be_opened(self) -> bool:
        return self.has_key_exchange or self.is_resumed

    def heard(self, trial: "Trial", message_type: int, body: bytes) -> bytes:
        """Take a handshake message; return the master secret as soon as the keys on trial give it, b"" before."""
        if len(self._transcript) <= TRANSCRIPT_BYTES_MAX and not self._master:
            self._transcript += bytes([message_type]) + len(body).to_bytes(3) + body
        match message_type:
            case handshake.CLIENT_HELLO:
                self.has_hello = True
                self._client_random = handshake.hello_random(body)
                self._offered = _offered(body)
            case handshake.SERVER_HELLO:
                self.version, self.suite = handshake.server_choice(body)
                self._server_random = handshake.hello_random(body)
                self._is_extended = EXTENDED_MASTER_SECRET in handshake.hello_extensions(body)
                return self._resumed(trial, body)
            case handshake.CERTIFICATE if not self.certificate and self.version != TLS_1_3:
                self.certificate = body[6 : 6 + int.from_bytes(body[3:6])]
            case handshake.CLIENT_KEY_EXCHANGE:
                self.has_key_exchange = True
                return self._exchanged(trial, body)
            case handshake.NEW_SESSION_TICKET if self._master and len(body) > 6:
                trial.remember(body[6:], self._master)
        return b""

    def _resumed(self, trial: "Trial", body: bytes) -> bytes:
        session = handshake.hello_session(body)
        self._session = session
        if self.version == TLS_1_3 or not session or session not in self._offered:
            return b""
        self.is_resumed = True
        self._master = next((found for one in self._offered if (found := trial.session(one))), b"")
        if self._master:
            self.by = "session"
        return self._master

    def _exchanged(self, trial: "Trial", body: bytes) -> bytes:
        suite = SUITES.get(self.suite)
        if suite is None or not suite.is_rsa_key_exchange or len(self._transcript) > TRANSCRIPT_BYTES_MAX:
            return b""
        premaster = trial.premaster(body[2:], self.certificate)
        if not premaster:
            return b""
        label, seed = b"master secret", self._client_random + self._server_random
        if self._is_extended:
            label, seed = b"extended master secret", hashlib.new(suite.hash_name, self._transcript).digest()
        self._master = prf(suite, premaster, label + seed, MASTER_BYTES)
        self.by = "private key"
        trial.remember(self._session, self._master)
        return self._master


def _offered(hello: bytes) -> list[bytes]:
    """Return what a ClientHello offers to resume: a session's id, and its ticket."""
    found = [handshake.hello_session(hello), handshake.hello_extensions(hello, of_client=True).get(SESSION_TICKET, b"")]
    return [one for one in found if one]


class Trial:
    """Private keys that are tried on connections, and what was seen of each; the latest RECORDINGS_MAX are kept."""

    def __init__(self, keys: Sequence[Any] = ()) -> None:
        self.rsa_keys = [key for key in keys if isinstance(key, rsa.RSAPrivateKey)][:KEYS_MAX]
        self.recordings: dict[int, Recording] = {}
        self._sessions: dict[bytes, bytes] = {}

    def record(self, number: int) -> Recording:
        """Begin the recording of a connection."""
        recording = self.recordings[number] = Recording()
        if len(self.recordings) > RECORDINGS_MAX:
            del self.recordings[next(iter(self.recordings))]
        return recording

    def premaster(self, encrypted: bytes, certificate: bytes) -> bytes:
        """Decrypt a premaster secret with the key of the certificate (DER), or with any; b"" when none fits.

        A wrong key of the right size decrypts to noise (OpenSSL's implicit rejection), so the certificate is asked
        first which key it is.
        """
        for key in self.rsa_keys:
            if certificate and not _belongs(key, certificate):
                continue
            try:
                found = key.decrypt(encrypted, padding.PKCS1v15())
            except ValueError:
                continue
            if len(found) == PREMASTER_BYTES:
                return found
        return b""

    def remember(self, session: bytes, master: bytes) -> None:
        """Keep a session's master secret by its id or ticket."""
        if session:
            self._sessions[session] = master
            if len(self._sessions) > SESSIONS_MAX:
                del self._sessions[next(iter(self._sessions))]

    def session(self, session: bytes) -> bytes:
        """Return the master secret of an earlier session, b"" where it is not known."""
        return self._sessions.get(session, b"")


def _belongs(key: rsa.RSAPrivateKey, certificate: bytes) -> bool:
    try:
        public = x509.load_der_x509_certificate(certificate).public_key()
    except UNREADABLE:
        return True  # who cannot tell tries
    return isinstance(public, rsa.RSAPublicKey) and public.public_numbers() == key.public_key().public_numbers()


def private_key(pem: bytes, password: str = "") -> Any:
    """Read a private key of any kind from PEM. ValueError when it is none, is locked, or is beyond KEY_BITS_MAX."""
    try:
        key = serialization.load_pem_private_key(pem, password.encode() or None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from error
    if getattr(key, "key_size", 0) > KEY_BITS_MAX:
        raise ValueError(f"a key of more than {KEY_BITS_MAX} bits")
    return key


__all__ = ["Recording", "Trial", "Verdict", "private_key"]
