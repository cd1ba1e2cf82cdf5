"""Extensions as people write them for OpenSSL, and certificates that get them.

    subjectAltName=DNS:web,IP:10.0.0.5
    keyUsage=critical,digitalSignature
    basicConstraints=CA:FALSE

Modelled on x509v3_config(5). Left out: sections within sections, arbitrary extensions.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from cryptography import x509

from cluster_engine.programs.certificates.text import KEY_USAGES, PURPOSES

LINES_MAX, NAMES_MAX = 100, 1000
SECTION = re.compile(r"\[ *(\S{1,100}) *\]")
USAGE_NAMES = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
}
PURPOSE_NAMES = dict(
    zip(
        ("serverAuth", "clientAuth", "codeSigning", "emailProtection", "timeStamping", "OCSPSigning"),
        PURPOSES,
        strict=False,
    )
)


class ExtensionError(Exception):
    """An extension cannot be read; the text says which."""


def read_file_of_extensions(text: str, section: str) -> list[str]:
    """Return the lines of a file's section, or those before the first; ExtensionError where it has no such section."""
    found: list[str] = []
    now, seen = "", not section
    for written in text.splitlines():
        line = written.partition("#")[0].strip()
        if begins := SECTION.fullmatch(line):
            now = begins[1]
            seen = seen or now == section
        elif line and now == section:
            found.append(line)
    if not seen or len(found) > LINES_MAX:
        raise ExtensionError(f"Error checking extension section {section or 'default'}")
    return found


def added(builder: Any, lines: list[str], public_key: Any, issuer_key: Any) -> Any:
    """Add extensions to a builder of a certificate or a request; ExtensionError."""
    for line in lines:
        name, _, value = line.partition("=")
        name = name.strip()
        values = [one.strip() for one in value.split(",")][:NAMES_MAX]
        critical = values[0] == "critical"
        make = MADE.get(name)
        try:
            if make is not None:
                made = make(values[critical:])
            elif name == "subjectKeyIdentifier":
                made = x509.SubjectKeyIdentifier.from_public_key(public_key)
            elif name == "authorityKeyIdentifier":
                made = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key)
            else:
                raise ExtensionError(f"unknown extension name: name={name}")
            builder = builder.add_extension(made, critical=critical)
        except (ValueError, KeyError, TypeError) as error:
            raise ExtensionError(f"error in extension: name={name}, value={value.strip()}") from error
    return builder


def _constraints(values: list[str]) -> x509.BasicConstraints:
    given = dict(one.split(":", 1) for one in values)
    ca = given.get("CA", "FALSE").upper() in ("TRUE", "YES", "Y", "1")
    return x509.BasicConstraints(ca=ca, path_length=int(given["pathlen"]) if "pathlen" in given else None)


def _usages(values: list[str]) -> x509.KeyUsage:
    wanted = {USAGE_NAMES[one] for one in values}
    return x509.KeyUsage(**{name: name in wanted for name, _ in KEY_USAGES}, encipher_only=False, decipher_only=False)


def _names(values: list[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_name(one) for one in values])


def _name(text: str) -> x509.GeneralName:
    kind, _, value = text.partition(":")
    match kind:
        case "DNS":
            return x509.DNSName(value)
        case "IP":
            return x509.IPAddress(ipaddress.ip_address(value))
        case "email":
            return x509.RFC822Name(value)
        case "URI":
            return x509.UniformResourceIdentifier(value)
    raise ValueError(text)


MADE: Mapping[str, Callable[[list[str]], x509.ExtensionType]] = {
    "basicConstraints": _constraints,
    "keyUsage": _usages,
    "extendedKeyUsage": lambda values: x509.ExtendedKeyUsage([PURPOSE_NAMES[one] for one in values]),
    "subjectAltName": _names,
}
