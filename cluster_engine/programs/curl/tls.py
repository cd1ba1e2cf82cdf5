"""curl's TLS: whom it trusts and what it shows, the handshake line by line, and what went wrong, in its words.

    * ALPN: offers h2,http/1.1
    * TLSv1.3 (OUT), TLS handshake, Client hello (1):
    * TLSv1.3 (IN), TLS handshake, Server hello (2):
    …
    * SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384

A host of the cluster has no public authorities: without --cacert or -k no server's certificate verifies, unless
somebody has written some to CA_FILE. Modelled on lib/vtls/openssl.c.
"""

import ipaddress
import ssl
from collections.abc import Callable
from typing import Any

from cryptography import x509

from cluster_engine.programs.certificates.names import short_name
from cluster_engine.programs.certificates.private_keys import read_private_key
from cluster_engine.programs.certificates.times import openssl_time
from cluster_engine.programs.certificates.verification import ALERTS, REASONS, VERIFY_ERRORS
from cluster_engine.programs.curl.arguments import Options
from cluster_engine.programs.curl.errors import (
    PEER_FAILED_VERIFICATION,
    RECV_ERROR,
    SSL_CACERT_BADFILE,
    SSL_CERTPROBLEM,
    SSL_CIPHER,
    SSL_CONNECT_ERROR,
    CurlError,
)
from cluster_engine.world.tls_client import Alert, ClientTLS, Heard

Say = Callable[[str], None]
ReadFile = Callable[[str], bytes]

OPENSSL = "OpenSSL/3.0.19"
CA_FILE, CA_PATH = "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs"
CERTIFICATES_MAX = 1000
MESSAGES = {
    "SSLv3/TLS write client hello": "(OUT), TLS handshake, Client hello (1)",
    "SSLv3/TLS read server hello": "(IN), TLS handshake, Server hello (2)",
    "TLSv1.3 read encrypted extensions": "(IN), TLS handshake, Encrypted Extensions (8)",
    "SSLv3/TLS read server certificate request": "(IN), TLS handshake, Request CERT (13)",
    "SSLv3/TLS read server certificate": "(IN), TLS handshake, Certificate (11)",
    "TLSv1.3 read server certificate verify": "(IN), TLS handshake, CERT verify (15)",
    "SSLv3/TLS read server key exchange": "(IN), TLS handshake, Server key exchange (12)",
    "SSLv3/TLS read server done": "(IN), TLS handshake, Server finished (14)",
    "SSLv3/TLS read finished": "(IN), TLS handshake, Finished (20)",
    "SSLv3/TLS write change cipher spec": "(OUT), TLS change cipher, Change cipher spec (1)",
    "SSLv3/TLS write client certificate": "(OUT), TLS handshake, Certificate (11)",
    "SSLv3/TLS write client key exchange": "(OUT), TLS handshake, Client key exchange (16)",
    "SSLv3/TLS write certificate verify": "(OUT), TLS handshake, CERT verify (15)",
    "SSLv3/TLS write finished": "(OUT), TLS handshake, Finished (20)",
    "SSLv3/TLS read server session ticket": "(IN), TLS handshake, Newsession Ticket (4)",
}
"""OpenSSL's names of the states that follow a message (ssl/ssl_stat.c), and curl's of the messages."""
TICKET = "SSLv3/TLS read server session ticket"
CLIENT_HELLO, CERTIFICATE = "SSLv3/TLS write client hello", "SSLv3/TLS read server certificate"


class Handshake:
    """One handshake: how it is to be done, and how it is told. CurlError where the files do not fit."""

    def __init__(self, options: Options, read: ReadFile, say: Say, alpn: list[str]) -> None:
        self._say, self._insecure, self._cacert = say, options.insecure, options.cacert
        self._last = ""
        self._tickets = 0
        self.tells_close = False
        """Whether close_notify is told of: where a connection is closed before the program ends."""
        chain, key = _identity(options, read)
        self.tls = ClientTLS(
            trusted=self._trusted(options, read),
            chain=chain,
            key=key,
            alpn=alpn,
            least=min(options.tls_least, options.tls_max) if options.tls_max != "default" else options.tls_least,
            most="1.3" if options.tls_max == "default" else options.tls_max,
            ciphers=options.ciphers,
            ciphersuites=options.tls13_ciphers,
            refuses=not options.insecure,
            tickets=False,
            on_state=self._tell,
        )
        if alpn:
            say(f"ALPN: offers {','.join(alpn)}")

    def _trusted(self, options: Options, read: ReadFile) -> list[x509.Certificate]:
        if options.insecure:
            return []
        try:
            return x509.load_pem_x509_certificates(read(options.cacert or CA_FILE))[:CERTIFICATES_MAX]
        except (OSError, ValueError):
            if options.cacert:
                raise CurlError(SSL_CACERT_BADFILE, f"error setting certificate file: {options.cacert}") from None
        return []

    def _tell(self, heard: Heard) -> None:
        if heard.alert is not None:
            self._tell_alert(heard.version, heard.alert)
            return
        if heard.state not in MESSAGES or (heard.state == self._last and heard.state != TICKET):
            return
        self._last = heard.state
        self._say(f"{heard.version} {MESSAGES[heard.state]}:")
        if heard.state == CLIENT_HELLO and not self._insecure:
            self._say(f" CAfile: {self._cacert or CA_FILE}")
            self._say(f" CApath: {CA_PATH}")
        if heard.state == TICKET:
            self._tickets += 1
            if self._tickets > 1:
                self._say("old SSL session ID is stale, removing")

    def _tell_alert(self, version: str, alert: Alert) -> None:
        if alert.outgoing and alert.description == 0 and not self.tells_close:
            return
        if alert.outgoing and self.tls.verify_code and self._last != CERTIFICATE:
            self._tell(Heard(CERTIFICATE, None, version))
        name = ALERTS[alert.description][0] if alert.description in ALERTS else "unknown"
        direction, value = "OUT" if alert.outgoing else "IN", alert.level << 8 | alert.description
        self._say(f"{version} ({direction}), TLS alert, {name} ({value}):")

    def failed(self, error: ssl.SSLError) -> CurlError:
        """Return what curl says of a handshake that has failed."""
        tls = self.tls
        if tls.verify_code and tls.refuses:
            return CurlError(
                PEER_FAILED_VERIFICATION, f"SSL certificate problem: {VERIFY_ERRORS.get(tls.verify_code, '')}"
            )
        if "unusable" in str(error):
            return _cannot_be_set_up(tls, error)
        return CurlError(SSL_CONNECT_ERROR, f"{OPENSSL}: {self._why(error)}")

    def failed_later(self, error: ssl.SSLError) -> CurlError:
        """Return what curl says of a connection that TLS has ended after the handshake."""
        return CurlError(RECV_ERROR, f"OpenSSL SSL_read: {OPENSSL}: {self._why(error)}, errno 0")

    def _why(self, error: ssl.SSLError) -> str:
        alert = self.tls.alert
        if alert is not None and not alert.outgoing:
            text = ALERTS[alert.description][1] if alert.description in ALERTS else "reason(0)"
            return f"error:{0x0A000000 | 1000 + alert.description:08X}:SSL routines::{text}"
        reason = str(error.args[-1])
        return f"error:{0x0A000000 | REASONS.get(reason, 1):08X}:SSL routines::{reason}"

    def done(self, host: str) -> str:
        """Say what was agreed on and whom one talks to; return the protocol. CurlError: it is somebody else."""
        connection = self.tls.connection
        assert connection is not None
        self._say(f"SSL connection using {connection.get_protocol_version_name()} / {connection.get_cipher_name()}")
        agreed = connection.get_alpn_proto_negotiated().decode()
        if self.tls.alpn:
            told = f"server accepted {agreed}" if agreed else "server did not agree on a protocol. Uses default."
            self._say(f"ALPN: {told}")
        self._tell_certificate(self.tls.peer_chain[0], host)
        return agreed

    def _tell_certificate(self, certificate: x509.Certificate, host: str) -> None:
        self._say("Server certificate:")
        self._say(f" subject: {short_name(certificate.subject, '; ')}")
        self._say(f" start date: {openssl_time(certificate.not_valid_before_utc)}")
        self._say(f" expire date: {openssl_time(certificate.not_valid_after_utc)}")
        if not self._insecure:
            self._check_name(certificate, host)
        self._say(f" issuer: {short_name(certificate.issuer, '; ')}")
        if code := self.tls.verify_code:
            text = VERIFY_ERRORS.get(code, "")
            self._say(f" SSL certificate verify result: {text} ({code}), continuing anyway.")
        else:
            self._say(" SSL certificate verify ok.")

    def _check_name(self, certificate: x509.Certificate, host: str) -> None:
        names = _alternative_names(certificate)
        if names is not None:
            for name, is_address in names:
                if is_address and name == host:
                    self._say(f' subjectAltName: host "{host}" matched cert\'s IP address!')
                    return
                if not is_address and not _is_address(host) and matches(name, host):
                    self._say(f' subjectAltName: host "{host}" matched cert\'s "{name}"')
                    return
            self._say(f" subjectAltName does not match {host}")
            text = f"SSL: no alternative certificate subject name matches target host name '{host}'"
            raise CurlError(PEER_FAILED_VERIFICATION, text)
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        if not common:
            text = "SSL: unable to obtain common name from peer certificate"
            raise CurlError(PEER_FAILED_VERIFICATION, text)
        name = str(common[-1].value)
        if not matches(name, host):
            text = f"SSL: certificate subject name '{name}' does not match target host name '{host}'"
            raise CurlError(PEER_FAILED_VERIFICATION, text)
        self._say(f" common name: {name} (matched)")


def _alternative_names(certificate: x509.Certificate) -> list[tuple[str, bool]] | None:
    """Return a certificate's DNS names and addresses; None where it has none of either."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    found = [
        (str(name.value), isinstance(name, x509.IPAddress))
        for name in names
        if isinstance(name, x509.DNSName | x509.IPAddress)
    ]
    return found or None


def matches(pattern: str, host: str) -> bool:
    """Return whether a certificate's name is that of a host; a first label "*" stands for any one label."""
    pattern, host = pattern.lower().rstrip("."), host.lower().rstrip(".")
    if not pattern.startswith("*."):
        return pattern == host
    _, _, parent = host.partition(".")
    return pattern.count(".") >= 2 and not _is_address(host) and parent == pattern[2:]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def server_name(host: str) -> str:
    """Return what SNI says of a host: its name, nothing where it is an address."""
    return "" if _is_address(host) else host.rstrip(".")


def _identity(options: Options, read: ReadFile) -> tuple[list[x509.Certificate], Any]:
    """Read --cert and --key, which may be one file. CurlError in curl's words."""
    if not options.cert:
        return [], None
    path, _, password = options.cert.partition(":")
    password = options.pass_ or password
    try:
        pem = read(path)
        chain = x509.load_pem_x509_certificates(pem)
    except (OSError, ValueError) as error:
        why = "80000002:system library::No such file or directory"
        if not isinstance(error, OSError):
            why = "0480006C:PEM routines::no start line"
        text = f"could not load PEM client certificate from {path}, OpenSSL error error:{why}"
        raise CurlError(SSL_CERTPROBLEM, f"{text}, (no key found, wrong pass phrase, or wrong file format?)") from error
    where = options.key or path
    try:
        key = read_private_key(read(where) if options.key else pem, password.encode() or None)
    except (OSError, ValueError, TypeError) as error:
        if password and isinstance(error, TypeError):
            return _without_password(options, read, where, pem, chain)
        raise CurlError(SSL_CERTPROBLEM, f"unable to set private key file: '{where}' type PEM") from error
    except Exception as error:
        if type(error).__module__.startswith("cryptography"):
            raise CurlError(SSL_CERTPROBLEM, f"unable to set private key file: '{where}' type PEM") from error
        raise
    return _belonging(chain, key, where)


def _without_password(
    options: Options, read: ReadFile, where: str, pem: bytes, chain: list[x509.Certificate]
) -> tuple[list[x509.Certificate], Any]:
    """Read a key for which a password was given that it does not need."""
    try:
        key = read_private_key(read(where) if options.key else pem, None)
    except (OSError, ValueError, TypeError) as error:
        raise CurlError(SSL_CERTPROBLEM, f"unable to set private key file: '{where}' type PEM") from error
    return _belonging(chain, key, where)


def _belonging(chain: list[x509.Certificate], key: Any, where: str) -> tuple[list[x509.Certificate], Any]:
    if chain[0].public_key() != key.public_key():
        raise CurlError(SSL_CERTPROBLEM, f"unable to set private key file: '{where}' type PEM")
    return chain, key


def _cannot_be_set_up(tls: ClientTLS, error: ssl.SSLError) -> CurlError:
    if tls.ciphers and "no cipher match" in str(error):
        return CurlError(SSL_CIPHER, f"failed setting cipher list: {tls.ciphers}")
    if tls.ciphersuites:
        return CurlError(SSL_CIPHER, f"failed setting TLS 1.3 cipher suite: {tls.ciphersuites}")
    return CurlError(SSL_CONNECT_ERROR, f"{OPENSSL}: {error.args[-1]}")
