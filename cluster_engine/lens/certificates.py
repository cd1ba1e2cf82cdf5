"""What a learner wants to know of an X.509 certificate: whose, by whom, until when, for which names.

    facts(der) -> {"subject": "CN=system:node:worker-1,O=system:nodes", "commonName": "system:node:worker-1",
                   "organizations": ["system:nodes"], "issuer": "kubernetes", "names": [], "usages": ["clientAuth"],
                   "notBefore": "2026-11-21T09:55:00Z", "notAfter": "2027-11-21T10:00:00Z", "serial": "…",
                   "key": "EC secp256r1"}

Certificates are shown again at every handshake, so their facts are remembered (a few dozen differ in a cluster).
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

USAGES = {ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth", ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth"}
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises on certificates that it cannot read."""
SHORT_NAMES = {b"\x55\x04\x03": "CN", b"\x55\x04\x0a": "O", b"\x55\x04\x0b": "OU", b"\x55\x04\x06": "C"}


@lru_cache(maxsize=256)
def facts(der: bytes) -> dict[str, Any]:
    """Describe a DER certificate; one that cannot be read is described as such."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        return {
            "subject": certificate.subject.rfc4514_string(),
            "commonName": _first(certificate.subject, NameOID.COMMON_NAME),
            "organizations": _all(certificate.subject, NameOID.ORGANIZATION_NAME),
            "issuer": _first(certificate.issuer, NameOID.COMMON_NAME),
            "names": _alternative_names(certificate),
            "usages": _usages(certificate),
            "notBefore": _rfc3339(certificate.not_valid_before_utc),
            "notAfter": _rfc3339(certificate.not_valid_after_utc),
            "serial": f"{certificate.serial_number:x}",
            "key": _key(certificate),
        }
    except UNREADABLE as error:
        return {"subject": "", "commonName": "", "unreadable": str(error)}


def distinguished_name(der: bytes) -> str:
    """Give a DER Name as "CN=kubernetes,O=…": what a CertificateRequest lists. Parts it does not know are left out."""
    parts = []
    for relative in _sequence(_content(der)):
        for pair in _sequence(relative):
            oid, value, *_ = [*_sequence(pair), b"", b""]
            if short := SHORT_NAMES.get(oid):
                parts.append(f"{short}={value.decode('utf-8', 'replace')}")
    return ",".join(parts)


def _first(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    return next(iter(_all(name, oid)), "")


def _all(name: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName), *(str(ip) for ip in names.get_values_for_type(x509.IPAddress))]


def _usages(certificate: x509.Certificate) -> list[str]:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return []
    return [USAGES.get(usage, usage.dotted_string) for usage in usages]


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return type(key).__name__


def _content(der: bytes) -> bytes:
    return next(iter(_sequence(der)), b"")


def _sequence(der: bytes) -> list[bytes]:
    """Split DER into the contents of its elements; whatever is cut short ends the list."""
    parts = []
    at = 0
    while at + 2 <= len(der):
        length, at = der[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length, at = int.from_bytes(der[at : at + count]), at + count
        parts.append(der[at : at + length])
        at += length
    return parts
