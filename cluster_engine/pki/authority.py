"""A certificate authority: it signs who somebody is.

Every key is ECDSA P-256 and truly random; that is why two runs with one seed agree in everything but bytes. Dates are
given by the caller and lie around the real now, because OpenSSL checks them on the real clock.

    ca = Authority("kubernetes", now=now)
    leaf = ca.issue("system:node:worker-1", organizations=["system:nodes"], usage=Usage.CLIENT)
    leaf.certificate      # PEM
    ca.issue("kube-apiserver", usage=Usage.SERVER, names=["kubernetes", "10.96.0.1"])

Lifetimes are kubeadm's: ten years for an authority, one for a leaf (cmd/kubeadm/app/constants/constants.go:48).
"""

import enum
import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFETIME = timedelta(days=3650)
LEAF_LIFETIME = timedelta(days=365)
BACKDATED = timedelta(minutes=5)
"""How far before now a certificate begins, so that a clock a little behind accepts it."""


class Usage(enum.Enum):
    """What a certificate may be used for (extended key usage)."""

    CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)
    SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)
    BOTH = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


class KeyPair(msgspec.Struct, frozen=True):
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """A self-signed authority. `now` is the real date of the world's beginning, in UTC."""

    def __init__(self, name: str, *, now: datetime) -> None:
        self.now = now.replace(microsecond=0)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _name(name, ())
        self._certificate = (
            self._builder(self._subject, self._key.public_key(), AUTHORITY_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self._identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())

    @classmethod
    def of(cls, pair: KeyPair, *, now: datetime) -> "Authority":
        """Go on with an authority that exists: whoever holds its key can sign in its name. ValueError: no such PEM."""
        key = serialization.load_pem_private_key(pair.key, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("the private key is not an ECDSA key")
        made = cls.__new__(cls)
        made.now, made._key = now.replace(microsecond=0), key
        made._certificate = x509.load_pem_x509_certificate(pair.certificate)
        made._subject = made._certificate.subject
        made._identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        return made

    @property
    def pair(self) -> KeyPair:
        """The authority's own certificate and key."""
        return KeyPair(_pem(self._certificate), private_pem(self._key))

    def issue(
        self,
        common_name: str,
        *,
        usage: Usage,
        organizations: Sequence[str] = (),
        names: Sequence[str] = (),
        lifetime: timedelta = LEAF_LIFETIME,
    ) -> KeyPair:
        """Make a key and sign a certificate for it. `names`: DNS names and IP addresses a server answers to."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            self._builder(_name(common_name, organizations), key.public_key(), lifetime)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(list(usage.value)), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(self._identifier, critical=False)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(n) for n in names]), critical=False
            )
        return KeyPair(_pem(builder.sign(self._key, hashes.SHA256())), private_pem(key))

    def _builder(
        self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey, lifetime: timedelta
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - BACKDATED)
            .not_valid_after(self.now + lifetime)
        )


def key_pair_for_tokens() -> tuple[bytes, bytes]:
    """Make the key that signs service-account tokens: private and public PEM (sa.key, sa.pub)."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private_pem(key), public


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Write a private key as PKCS #8 PEM, unencrypted as kubeadm leaves it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _name(common_name: str, organizations: Sequence[str]) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, one) for one in organizations]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
