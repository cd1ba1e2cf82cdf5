"""TLS's two engines behind one seam, and how a program asks for them.

Theory of operation. An *engine* is one connection's TLS state machine over memory buffers, ciphertext in, plaintext out
and back; `tls_layer` moves the bytes. OpenSSL does the work in both cases:

    client   the standard library's `ssl` (what httpx and grpclib bring along); pyOpenSSL for programs that report
             their handshake (`tls_client`)
    server   pyOpenSSL, because a real API server *requests* a client certificate without refusing any (Go's
             RequestClientCert): a foreign one must get 401, not an alert. The standard library cannot do that.

A server's engine also writes the key log (SSLKEYLOGFILE's format) to whoever listens, so that a capture can be opened.

    tls = ServerTLS(certificate, key, client_ca=ca, client_auth="request")
    server = await loop.create_server(factory, "10.0.0.1", 6443, ssl=tls)
    transport.get_extra_info("peercert_chain")     # inside: DER certificates, leaf first

A server offers what Go's crypto/tls (1.23) does: no RSA key exchange unless told to, four groups. Who offers a ticket
resumes its session, and its certificate stands in the ticket.

What it leaves out: renegotiation, TLS started late by a server; Go's draft of X25519Kyber768.
"""

import contextlib
import ssl
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from OpenSSL import SSL

from cluster_engine.world.openssl_beneath import set_groups

READ_BYTES = 64 * 1024
MODE_RELEASE_BUFFERS = 0x10
"""SSL_MODE_RELEASE_BUFFERS of openssl/ssl.h: an idle connection holds no buffers, 26 KiB less each as measured."""
MODE_NO_AUTO_CHAIN = 0x8
"""SSL_MODE_NO_AUTO_CHAIN of openssl/ssl.h: send the certificates given and no CA found on the way."""
TLS_1_2_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:"
    "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA"
)
"""Go's defaultCipherSuites without those of RSA key exchange, which it leaves out unless GODEBUG has tlsrsakex=1."""
GROUPS = "X25519:P-256:P-384:P-521"
SESSION_CONTEXT = b"glassplane"
"""OpenSSL resumes no session of a server that asks for certificates and has no name for its sessions."""
ClientAuth = Literal["none", "request", "require"]
_VERIFY = {
    "none": SSL.VERIFY_NONE,
    "request": SSL.VERIFY_PEER,
    "require": SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
}


def client_tls(
    *,
    ca: bytes,
    certificate: bytes | None = None,
    key: bytes | None = None,
    alpn: Sequence[str] = ("h2", "http/1.1"),
) -> ssl.SSLContext:
    """Make a client's context that trusts `ca` alone (b"": nobody) and shows `certificate` when asked. All PEM.

    ssl.SSLError when the PEM cannot be read or key and certificate do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca:
        context.load_verify_locations(cadata=ca.decode())
    context.set_alpn_protocols(list(alpn))
    if certificate is not None and key is not None:
        with tempfile.NamedTemporaryFile() as pem:  # `ssl` reads certificates from files only
            pem.write(certificate + b"\n" + key)
            pem.flush()
            context.load_cert_chain(pem.name)
    return context


class ServerTLS:
    """How a server does TLS; given as `ssl=` to `create_server`. `on_secret` gets each key-log line.

    `ciphers` are those of TLS 1.2, in OpenSSL's words; `least` is the lowest version, "1.2" or "1.3".
    ssl.SSLError when the PEM cannot be read or key and certificate do not belong together.
    """

    def __init__(
        self,
        certificate: bytes,
        key: bytes,
        *,
        client_ca: bytes | None,
        client_auth: ClientAuth,
        alpn: Sequence[str] = ("h2", "http/1.1"),
        ciphers: str = TLS_1_2_CIPHERS,
        least: Literal["1.2", "1.3"] = "1.2",
    ) -> None:
        self.on_secret: Callable[[str], None] | None = None
        context = self._context = SSL.Context(SSL.TLS_SERVER_METHOD)
        with _unusable():
            self._load(certificate, key, client_ca)
            context.set_cipher_list(ciphers.encode())
        context.set_min_proto_version(SSL.TLS1_3_VERSION if least == "1.3" else SSL.TLS1_2_VERSION)
        set_groups(context, GROUPS)
        context.set_session_id(SESSION_CONTEXT)
        context.set_mode(MODE_NO_AUTO_CHAIN | MODE_RELEASE_BUFFERS)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        accepts_all = client_auth != "require"
        context.set_verify(_VERIFY[client_auth], lambda _c, _x, _e, _d, ok: accepts_all or bool(ok))
        offered = [name.encode() for name in alpn]
        context.set_alpn_select_callback(lambda _, theirs: _first_common(offered, theirs))
        context.set_keylog_callback(self._log_secret)

    def _load(self, certificate: bytes, key: bytes, client_ca: bytes | None) -> None:
        context = self._context
        leaf, *intermediates = x509.load_pem_x509_certificates(certificate)
        context.use_certificate(leaf)
        for intermediate in intermediates:
            context.add_extra_chain_cert(intermediate)
        context.use_privatekey(_private_key(key))
        context.check_privatekey()
        if client_ca is not None:
            with tempfile.NamedTemporaryFile() as pem:
                pem.write(client_ca)
                pem.flush()
                context.load_client_ca(pem.name.encode())
                context.load_verify_locations(pem.name)

    def engine(self) -> "Engine":
        """Make the state of one connection."""
        connection = SSL.Connection(self._context, None)
        connection.set_accept_state()
        return PyOpenSSLEngine(connection, is_server=True)

    def _log_secret(self, _: SSL.Connection, line: bytes) -> None:
        if self.on_secret is not None:
            self.on_secret(line.decode())


@contextlib.contextmanager
def _unusable() -> Iterator[None]:
    """Say in one way what cryptography and pyOpenSSL say in several."""
    try:
        yield
    except (ValueError, TypeError, SSL.Error) as error:
        raise ssl.SSLError(f"tls: unusable certificate or key: {error}") from error


def _private_key(pem: bytes) -> Any:
    return load_pem_private_key(pem, None)


def _first_common(ours: list[bytes], theirs: list[bytes]) -> Any:
    """Choose as Go's crypto/tls does: none in common is an alert, but who offers HTTP/1.1 is let in without ALPN."""
    for name in ours:
        if name in theirs:
            return name
    if b"http/1.1" in theirs:
        return SSL.NO_OVERLAPPING_PROTOCOLS
    raise ssl.SSLError(
        f"tls: client requested unsupported application protocols ({b', '.join(theirs).decode('latin-1')})"
    )


class Engine(Protocol):
    """One connection's TLS state machine over memory buffers. Failures are ssl.SSLError."""

    is_server: bool

    def feed(self, ciphertext: bytes) -> None:
        """Take what came from the wire."""

    def outgoing(self) -> bytes:
        """Return what must go onto the wire now."""

    def handshake(self) -> bool:
        """Go as far as possible; True once done."""

    def read(self) -> bytes:
        """Return all plaintext there is (b"" for none yet); EOFError after close_notify."""

    def write(self, plaintext: bytes) -> None:
        """Encrypt."""

    def shutdown(self) -> None:
        """Say close_notify."""

    def info(self, name: str) -> Any:
        """Answer `get_extra_info`."""


class ClientEngine:
    """The standard library's engine."""

    is_server = False

    def __init__(self, context: ssl.SSLContext, server_hostname: str) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=server_hostname or None)

    def feed(self, ciphertext: bytes) -> None:
        """See Engine."""
        self._in.write(ciphertext)

    def outgoing(self) -> bytes:
        """See Engine."""
        return self._out.read() if self._out.pending else b""

    def handshake(self) -> bool:
        """See Engine."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def read(self) -> bytes:
        """See Engine."""
        parts = []
        try:
            while self._in.pending or self._tls.pending():
                part = self._tls.read(READ_BYTES)
                if not part:
                    break
                parts.append(part)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            if not parts:
                raise EOFError from None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def write(self, plaintext: bytes) -> None:
        """See Engine."""
        self._tls.write(plaintext)

    def shutdown(self) -> None:
        """See Engine."""
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()

    def info(self, name: str) -> Any:
        """See Engine."""
        match name:
            case "ssl_object":
                return self._tls
            case "alpn_protocol":
                return self._tls.selected_alpn_protocol()
            case "peercert":
                return self._tls.getpeercert()
            case "cipher":
                return self._tls.cipher()
        return None


class PyOpenSSLEngine:
    """pyOpenSSL's engine: a server's, or that of a client that tells of its handshake (`world/tls_client.py`)."""

    def __init__(self, connection: SSL.Connection, *, is_server: bool) -> None:
        self._tls = connection
        self.is_server = is_server

    def feed(self, ciphertext: bytes) -> None:
        """See Engine."""
        self._tls.bio_write(ciphertext)

    def outgoing(self) -> bytes:
        """See Engine."""
        try:
            part = self._tls.bio_read(READ_BYTES)
            if len(part) < READ_BYTES:
                return part
            parts = [part]
        except SSL.WantReadError:
            return b""
        with contextlib.suppress(SSL.WantReadError):
            while True:
                parts.append(self._tls.bio_read(READ_BYTES))
        return b"".join(parts)

    def handshake(self) -> bool:
        """See Engine."""
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise _as_ssl_error(error) from error
        return True

    def read(self) -> bytes:
        """See Engine."""
        parts = []
        try:
            while True:
                parts.append(self._tls.recv(READ_BYTES))
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            if not parts:
                raise EOFError from None
        except SSL.Error as error:
            raise _as_ssl_error(error) from error
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def write(self, plaintext: bytes) -> None:
        """See Engine."""
        self._tls.sendall(plaintext)

    def shutdown(self) -> None:
        """See Engine."""
        with contextlib.suppress(SSL.Error):
            self._tls.shutdown()

    def info(self, name: str) -> Any:
        """See Engine."""
        match name:
            case "alpn_protocol":
                return self._tls.get_alpn_proto_negotiated().decode() or None
            case "peercert_chain":
                return self._chain()
            case "tls_version":
                return self._tls.get_protocol_version_name()
            case "cipher":
                return self._tls.get_cipher_name()
            case "server_name":
                name_bytes = self._tls.get_servername()
                return name_bytes.decode() if name_bytes else None
        return None

    def _chain(self) -> list[bytes]:
        leaf = self._tls.get_peer_certificate(as_cryptography=True)
        if leaf is None:
            return []
        rest = self._tls.get_peer_cert_chain(as_cryptography=True) or []
        found = [leaf.public_bytes(Encoding.DER), *(one.public_bytes(Encoding.DER) for one in rest)]
        return list(dict.fromkeys(found))


def _as_ssl_error(error: SSL.Error) -> ssl.SSLError:
    reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return ssl.SSLError(1, reasons[-1][-1] if reasons else str(error) or "unexpected end")
