"""A client's TLS that tells of its handshake, for programs that report it: `curl -v`, `openssl s_client`.

Theory of operation. A `ClientTLS` is given as `ssl=` where others give an `ssl.SSLContext`. It stands for one
connection. pyOpenSSL does the work, because its public interface says what the standard library's does not: each state
that the handshake comes to, each alert, each certificate that is judged. `on_state` hears of them as OpenSSL says them
to its info callback (SSL_CTX_set_info_callback(3)):

    Heard("SSLv3/TLS write client hello", None)
    Heard("SSLv3/TLS read server hello", None)
    ...
    Heard("SSLv3/TLS read server certificate request", None)
    Heard("", Alert(outgoing=False, level=2, description=40))

Chains are judged on the real clock, and names not at all: that is left to the program, as OpenSSL leaves it.
A session of before is offered again with `session`, and what could be resumed later is `session_bytes`.
What it leaves out: protocols before TLS 1.2.
"""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from cryptography import x509
from OpenSSL import SSL, crypto

from cluster_engine.world.openssl_beneath import is_resumed, offer_session, session_bytes, set_groups
from cluster_engine.world.tls import ClientEngine, Engine, PyOpenSSLEngine

OP_NO_TICKET = 0x4000
"""SSL_OP_NO_TICKET of openssl/ssl.h."""
LOOP, READ_ALERT, WRITE_ALERT = 0x01, 0x4004, 0x4008
"""SSL_CB_LOOP, SSL_CB_READ_ALERT, SSL_CB_WRITE_ALERT of openssl/ssl.h."""
VERSIONS = {"1.0": SSL.TLS1_VERSION, "1.1": SSL.TLS1_1_VERSION, "1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
WEAK_VERSIONS = frozenset({"1.0", "1.1"})


class Alert(msgspec.Struct, frozen=True):
    """An alert that was sent or came."""

    outgoing: bool
    level: int
    description: int


class Heard(msgspec.Struct, frozen=True):
    """A state that a handshake came to, in OpenSSL's words, or an alert; `version` is that of the protocol by then."""

    state: str
    alert: Alert | None
    version: str


@dataclass(slots=True)
class ClientTLS:
    """How one connection of a client does TLS, and what became of it. ssl.SSLError where it cannot be set up.

    With `refuses` a certificate that does not verify ends the handshake; with `judges_all` it goes on to the next
    certificate after an error, as s_client does. `verify_code` is OpenSSL's X509_V_*: what was wrong last, 0 for
    nothing. `on_judged` hears of each certificate that is looked at: what is wrong with it (0: nothing), and its depth.
    """

    trusted: Sequence[x509.Certificate] = ()
    chain: Sequence[x509.Certificate] = ()
    key: Any = None
    alpn: Sequence[str] = ()
    least: str = "1.2"
    most: str = "1.3"
    ciphers: str = ""
    ciphersuites: str = ""
    refuses: bool = True
    judges_all: bool = False
    tickets: bool = True
    groups: str = ""
    session: bytes = field(default=b"", repr=False)
    on_state: Callable[[Heard], None] = field(default=lambda _: None, repr=False)
    on_judged: Callable[[int, int, x509.Certificate], None] = field(
        default=lambda _code, _depth, _one: None, repr=False
    )
    on_secret: Callable[[str], None] | None = field(default=None, repr=False)
    """Hears each line of the key log (SSLKEYLOGFILE's format), if anybody wants it."""
    verify_code: int = 0
    alert: Alert | None = None
    read_bytes: int = 0
    written_bytes: int = 0
    connection: SSL.Connection | None = field(default=None, repr=False)

    def engine(self, server_name: str) -> "TellingEngine":
        """Make the state of the connection. `server_name` is sent (SNI) unless it is empty."""
        try:
            context = self._context()
        except SSL.Error as error:
            raise ssl.SSLError(f"tls: unusable: {error}") from error
        connection = self.connection = SSL.Connection(context, None)
        if self.session:
            offer_session(connection, self.session)
        if server_name:
            connection.set_tlsext_host_name(server_name.encode())
        connection.set_connect_state()
        return TellingEngine(connection, self)

    def _context(self) -> SSL.Context:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(VERSIONS[self.least])
        context.set_max_proto_version(VERSIONS[self.most])
        if self.most in WEAK_VERSIONS:
            context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
        if self.ciphers:
            context.set_cipher_list(self.ciphers.encode())
        if self.ciphersuites:
            context.set_tls13_ciphersuites(self.ciphersuites.encode())
        if self.groups:
            set_groups(context, self.groups)
        if not self.tickets:
            context.set_options(OP_NO_TICKET)
        if self.alpn:
            context.set_alpn_protos([name.encode() for name in self.alpn])
        if self.chain:
            context.use_certificate(self.chain[0])
            for one in self.chain[1:]:
                context.add_extra_chain_cert(one)
            context.use_privatekey(self.key)
            context.check_privatekey()
        store = context.get_cert_store()
        assert store is not None
        for one in self.trusted:
            store.add_cert(crypto.X509.from_cryptography(one))
        context.set_verify(SSL.VERIFY_PEER if self.refuses or self.judges_all else SSL.VERIFY_NONE, self._judge)
        context.set_info_callback(self._tell)
        if (on_secret := self.on_secret) is not None:
            context.set_keylog_callback(lambda _, line: on_secret(line.decode()))
        return context

    def _judge(self, _: SSL.Connection, certificate: crypto.X509, code: int, depth: int, ok: int) -> bool:
        if not ok:
            self.verify_code = code
        self.on_judged(0 if ok else code, depth, certificate.to_cryptography())
        return bool(ok) or (self.judges_all and not self.refuses)

    def _tell(self, connection: SSL.Connection, where: int, value: int) -> None:
        version = connection.get_protocol_version_name()
        if where in (READ_ALERT, WRITE_ALERT):
            self.alert = Alert(where == WRITE_ALERT, value >> 8, value & 0xFF)
            self.on_state(Heard("", self.alert, version))
        elif where & LOOP:
            self.on_state(Heard(connection.get_state_string().decode(), None, version))

    @property
    def is_resumed(self) -> bool:
        """Whether an earlier session goes on."""
        return self.connection is not None and is_resumed(self.connection)

    @property
    def session_bytes(self) -> bytes:
        """The session that can be resumed by now, as DER; b"" for none."""
        return b"" if self.connection is None else session_bytes(self.connection)

    @property
    def peer_chain(self) -> list[x509.Certificate]:
        """The certificates that the server sent, its own first."""
        connection = self.connection
        if connection is None:
            return []
        if chain := connection.get_peer_cert_chain(as_cryptography=True):
            return list(chain)
        own = connection.get_peer_certificate(as_cryptography=True)  # that of a session which is resumed
        return [] if own is None else [own]


class TellingEngine(PyOpenSSLEngine):
    """pyOpenSSL's engine, which counts what the handshake took."""

    def __init__(self, connection: SSL.Connection, tls: ClientTLS) -> None:
        super().__init__(connection, is_server=False)
        self._facts = tls
        self._is_done = self._is_counted = False

    def feed(self, ciphertext: bytes) -> None:
        """See Engine."""
        if not self._is_done:
            self._facts.read_bytes += len(ciphertext)
        super().feed(ciphertext)

    def outgoing(self) -> bytes:
        """See Engine. The flight that ends the handshake belongs to it."""
        ciphertext = super().outgoing()
        if not self._is_counted:
            self._facts.written_bytes += len(ciphertext)
            self._is_counted = self._is_done
        return ciphertext

    def handshake(self) -> bool:
        """See Engine."""
        self._is_done = super().handshake()
        return self._is_done


def client_engine(context: Any, server_hostname: str) -> Engine:
    """Make a client's engine; `context` is an ssl.SSLContext or a ClientTLS."""
    if isinstance(context, ClientTLS):
        return context.engine(server_hostname)
    if not isinstance(context, ssl.SSLContext):
        raise TypeError("a client in a world takes an ssl.SSLContext or a ClientTLS")
    return ClientEngine(context, server_hostname)
