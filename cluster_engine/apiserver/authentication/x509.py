"""Client certificates: the chain is checked here, after the handshake, as a real API server does it.

Theory of operation. TLS only *requests* a certificate and takes whatever comes (the handshake still proves that the
client holds the key). This authenticator then builds a chain to the client CA, at the process's wall clock, and wants
the usage clientAuth. The subject is the identity: CN the user, every O a group. A foreign, expired or serverAuth-only
certificate is a bad credential: 401 on every request of the connection, never a TLS alert.

    CN=system:node:worker-1, O=system:nodes   ──►   User("system:node:worker-1", groups=("system:nodes", …))

Modelled on apiserver/pkg/authentication/request/x509/x509.go. Left out: revocation lists (Kubernetes has none either).
"""

import hashlib
from datetime import datetime

import msgspec
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from cluster_engine.apiserver.authentication.users import CREDENTIAL_ID, User, authenticated


class BadCertificate(Exception):  # noqa: N818, a refusal, told to the log and not to the client
    """A client certificate that proves nothing here; says why."""


class Identity(msgspec.Struct, frozen=True):
    """Whom a certificate names, and how long its chain holds."""

    user: User
    valid_from: datetime
    valid_until: datetime


class ClientCertificates:
    """Checks client certificates against the client CA."""

    def __init__(self, client_ca: bytes) -> None:
        self._store = Store(x509.load_pem_x509_certificates(client_ca))

    def user(self, chain: tuple[bytes, ...], now: datetime) -> User:
        """Tell whose certificate heads `chain` (DER, leaf first). Raises BadCertificate."""
        return self.identity(chain, now).user

    def identity(self, chain: tuple[bytes, ...], now: datetime) -> Identity:
        """As `user`, and how long that holds."""
        leaf, *intermediates = (x509.load_der_x509_certificate(der) for der in chain)
        builder = PolicyBuilder().store(self._store).time(now.replace(tzinfo=None))
        builder = builder.extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all()
        )
        try:
            verified = builder.build_client_verifier().verify(leaf, intermediates)
        except VerificationError as error:
            raise BadCertificate(_why(leaf, now, error)) from error
        if not _is_for_clients(leaf):
            raise BadCertificate("x509: certificate specifies an incompatible key usage")
        return Identity(
            user=_subject(leaf, chain[0]),
            valid_from=max(certificate.not_valid_before_utc for certificate in verified.chain),
            valid_until=min(certificate.not_valid_after_utc for certificate in verified.chain),
        )


def _is_for_clients(leaf: x509.Certificate) -> bool:
    try:
        usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usages or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usages


def _subject(leaf: x509.Certificate, der: bytes) -> User:
    names = [str(attribute.value) for attribute in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if not names:
        raise BadCertificate("x509: the subject has no common name")
    groups = tuple(str(each.value) for each in leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
    credential = ((CREDENTIAL_ID, (f"X509SHA256={hashlib.sha256(der).hexdigest()}",)),)
    return authenticated(names[0], groups=groups, extra=credential)


def _why(leaf: x509.Certificate, now: datetime, error: VerificationError) -> str:
    """Say what is wrong in Go's words where there are some."""
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    if now > leaf.not_valid_after_utc:
        end = leaf.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"x509: certificate has expired or is not yet valid: current time {stamp} is after {end}"
    if now < leaf.not_valid_before_utc:
        start = leaf.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"x509: certificate has expired or is not yet valid: current time {stamp} is before {start}"
    return f"x509: certificate signed by unknown authority ({error})"
