"""A certificate authority: it signs who somebody is.

Every key is ECDSA P-256, unless RSA is asked for, and truly random, but for those that people may carry from one run to
its repetition (`derived_key`); that is why two runs with one seed agree in everything but bytes. Dates are given by the
caller and lie around the real now, because OpenSSL checks them on the real clock.

    ca = Authority("kubernetes", now=now)
    leaf = ca.issue("system:node:worker-1", organizations=["system:nodes"], usage=Usage.CLIENT)
    leaf.certificate      # PEM
    ca.issue("kube-apiserver", usage=Usage.SERVER, names=["kubernetes", "10.96.0.1"])

Lifetimes are kubeadm's: ten years for an authority, one for a leaf (cmd/kubeadm/app/constants/constants.go:48).
"""

import contextlib
import enum
import hmac
import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFETIME = timedelta(days=3650)
LEAF_LIFETIME = timedelta(days=365)
BACKDATED, SHORT_LIFETIME = timedelta(minutes=5), timedelta(hours=8)
"""How far before now a certificate begins, so that a clock a little behind accepts it; one that lives shorter than the
second counts from now all the same."""


Algorithm = Literal["ECDSA-P256", "RSA-2048"]
"""kubeadm's words for them (v1beta4, `encryptionAlgorithm`); there RSA-2048 is the usual one."""
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Usage(enum.Enum):
    """What a certificate may be used for (extended key usage)."""

    CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)
    SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)
    BOTH = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


KEY_USAGES = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
EXTENDED_USAGES = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": x509.ObjectIdentifier("2.16.840.1.113730.4.1"),
}
"""What `certificates.k8s.io` calls the bits of the key usage, and the extended key usages."""


class KeyPair(msgspec.Struct, frozen=True):
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """A self-signed authority. `now` is the real date of the world's beginning, in UTC."""

    def __init__(self, name: str, *, now: datetime, key: ec.EllipticCurvePrivateKey | None = None) -> None:
        self.now = now.replace(microsecond=0)
        self._key = key or ec.generate_private_key(ec.SECP256R1())
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

    def sign_request(
        self, request: x509.CertificateSigningRequest, usages: Sequence[str], lifetime: timedelta, now: datetime
    ) -> bytes:
        """Sign what a request asks for, for these uses (`certificates.k8s.io` names them); give it as PEM.

        It begins five minutes before `now`, and ends with the authority at the latest. ValueError: a use nobody knows,
        or an authority whose time is over (pkg/controller/certificates/authority/{authority,policies}.go).
        """
        now = now.replace(microsecond=0)
        until = self._certificate.not_valid_after_utc
        if now >= until:
            raise ValueError(f"the signer has expired: NotAfter={until:%Y-%m-%d %H:%M:%S} +0000 UTC")
        bits = {KEY_USAGES[one] for one in usages if one in KEY_USAGES}
        extended = sorted({EXTENDED_USAGES[one].dotted_string for one in usages if one in EXTENDED_USAGES})
        if unknown := [one for one in usages if one not in KEY_USAGES and one not in EXTENDED_USAGES]:
            raise ValueError(f"unrecognized usage values: {unknown}")
        end = now + lifetime - (timedelta() if lifetime < SHORT_LIFETIME else BACKDATED)
        builder = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(self._subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(min(end, until))
        )
        if bits:
            builder = builder.add_extension(_of_bits(bits), critical=True)
        if extended:
            found = [x509.ObjectIdentifier(one) for one in extended]
            builder = builder.add_extension(x509.ExtendedKeyUsage(found), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(self._identifier, critical=False)
        with contextlib.suppress(x509.ExtensionNotFound):
            names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            builder = builder.add_extension(names, critical=not request.subject.rdns)
        return _pem(builder.sign(self._key, hashes.SHA256()))

    def issue(
        self,
        common_name: str,
        *,
        usage: Usage,
        organizations: Sequence[str] = (),
        names: Sequence[str] = (),
        lifetime: timedelta = LEAF_LIFETIME,
        algorithm: Algorithm = "ECDSA-P256",
        begins: timedelta = -BACKDATED,
    ) -> KeyPair:
        """Make a key and sign a certificate for it. `names`: DNS names and IP addresses a server answers to."""
        key = _private_key(algorithm)
        builder = (
            self._builder(_name(common_name, organizations), key.public_key(), lifetime, begins)
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
        self,
        subject: x509.Name,
        public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        lifetime: timedelta,
        begins: timedelta = -BACKDATED,
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + begins)
            .not_valid_after(self.now + lifetime)
        )


def request_for(common_name: str, organizations: Sequence[str]) -> tuple[bytes, bytes]:
    """Make a key and a request for a certificate of that subject; give the request and the key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(_name(common_name, organizations))
    signed = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return signed, private_pem(key)


def derived_key(secret: bytes, name: str) -> ec.EllipticCurvePrivateKey | None:
    """Make the key of that name that belongs to a secret, the same each time; None, a random one, without a secret."""
    if not secret:
        return None
    number = int.from_bytes(hmac.digest(secret, name.encode(), "sha512"))
    return ec.derive_private_key(number % (P256_ORDER - 1) + 1, ec.SECP256R1())


def key_pair_for_tokens(key: ec.EllipticCurvePrivateKey | None = None) -> tuple[bytes, bytes]:
    """Make the key that signs service-account tokens: private and public PEM (sa.key, sa.pub)."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private_pem(key), public


def _private_key(algorithm: Algorithm) -> PrivateKey:
    """Make a key; one of RSA takes some hundred milliseconds of CPU."""
    if algorithm == "RSA-2048":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: PrivateKey) -> bytes:
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
    bits = {"digital_signature", "key_encipherment"}
    return _of_bits(bits | {"key_cert_sign"} if signs_certificates else bits)


def _of_bits(bits: set[str]) -> x509.KeyUsage:
    """Set these bits. ValueError: encipher or decipher only, without key agreement."""
    return x509.KeyUsage(**{name: name in bits for name in KEY_USAGES.values()})
