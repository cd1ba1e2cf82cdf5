"""Certificates, requests and keys as text, as `openssl … -text` prints them.

    certificate_text(certificate)      "Certificate:\\n    Data:\\n        Version: 3 (0x2)\\n …"

Modelled on OpenSSL 3.0: crypto/x509/t_x509.c, t_req.c, v3_*.c, and the providers' encode_key2text.c.
Left out: extensions beyond those that clusters have; of others the bytes are shown, as OpenSSL shows what it does not
know.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from cluster_engine.programs.certificates.names import one_line
from cluster_engine.programs.certificates.times import openssl_time

KEY_BYTES_A_LINE, SIGNATURE_BYTES_A_LINE = 15, 18
CURVES = {
    "secp224r1": ("secp224r1", "P-224"),
    "secp256r1": ("prime256v1", "P-256"),
    "secp384r1": ("secp384r1", "P-384"),
    "secp521r1": ("secp521r1", "P-521"),
    "secp256k1": ("secp256k1", ""),
}
"""OpenSSL's name and NIST's of what cryptography calls a curve."""
SIGNATURES = {
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
    "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
    "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
    "1.3.101.112": "ED25519",
    "1.3.101.113": "ED448",
}
KEY_USAGES = (
    ("digital_signature", "Digital Signature"),
    ("content_commitment", "Non Repudiation"),
    ("key_encipherment", "Key Encipherment"),
    ("data_encipherment", "Data Encipherment"),
    ("key_agreement", "Key Agreement"),
    ("key_cert_sign", "Certificate Sign"),
    ("crl_sign", "CRL Sign"),
)
PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "TLS Web Server Authentication",
    ExtendedKeyUsageOID.CLIENT_AUTH: "TLS Web Client Authentication",
    ExtendedKeyUsageOID.CODE_SIGNING: "Code Signing",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "E-mail Protection",
    ExtendedKeyUsageOID.TIME_STAMPING: "Time Stamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSP Signing",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "Any Extended Key Usage",
}
TITLES = {
    ExtensionOID.BASIC_CONSTRAINTS: "X509v3 Basic Constraints",
    ExtensionOID.KEY_USAGE: "X509v3 Key Usage",
    ExtensionOID.EXTENDED_KEY_USAGE: "X509v3 Extended Key Usage",
    ExtensionOID.SUBJECT_KEY_IDENTIFIER: "X509v3 Subject Key Identifier",
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER: "X509v3 Authority Key Identifier",
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME: "X509v3 Subject Alternative Name",
    ExtensionOID.NAME_CONSTRAINTS: "X509v3 Name Constraints",
    ExtensionOID.CERTIFICATE_POLICIES: "X509v3 Certificate Policies",
    ExtensionOID.CRL_DISTRIBUTION_POINTS: "X509v3 CRL Distribution Points",
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS: "Authority Information Access",
}
SHORT_TITLES = {
    "basicConstraints": ExtensionOID.BASIC_CONSTRAINTS,
    "keyUsage": ExtensionOID.KEY_USAGE,
    "extendedKeyUsage": ExtensionOID.EXTENDED_KEY_USAGE,
    "subjectKeyIdentifier": ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    "authorityKeyIdentifier": ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    "subjectAltName": ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
}


def certificate_text(certificate: x509.Certificate) -> str:
    """Print a certificate; ValueError where its extensions cannot be read."""
    algorithm = signature_name(certificate)
    lines = [
        "Certificate:",
        "    Data:",
        f"        Version: {certificate.version.value + 1} ({certificate.version.value:#x})",
        *_serial(certificate.serial_number),
        f"        Signature Algorithm: {algorithm}",
        f"        Issuer: {one_line(certificate.issuer)}",
        "        Validity",
        f"            Not Before: {openssl_time(certificate.not_valid_before_utc)}",
        f"            Not After : {openssl_time(certificate.not_valid_after_utc)}",
        f"        Subject: {one_line(certificate.subject)}",
        *_subject_key(certificate.public_key()),
    ]
    if len(certificate.extensions):
        lines += ["        X509v3 extensions:", *_extensions(certificate.extensions, " " * 12)]
    return _joined([*lines, *_signature(algorithm, certificate.signature)])


def request_text(request: x509.CertificateSigningRequest) -> str:
    """Print a certificate signing request."""
    algorithm = signature_name(request)
    lines = [
        "Certificate Request:",
        "    Data:",
        "        Version: 1 (0x0)",
        f"        Subject: {one_line(request.subject)}",
        *_subject_key(request.public_key()),
        "        Attributes:",
    ]
    if len(request.extensions):
        lines += ["            Requested Extensions:", *_extensions(request.extensions, " " * 16)]
    else:
        lines += ["            (none)", "            Requested Extensions:"]
    return _joined([*lines, *_signature(algorithm, request.signature)])


def extensions_text(certificate: x509.Certificate, names: Iterable[str]) -> str:
    """Print some of a certificate's extensions, by their short names."""
    wanted = [SHORT_TITLES[name] for name in names if name in SHORT_TITLES]
    return _joined(_extensions([one for one in certificate.extensions if one.oid in wanted], ""))


def signature_name(signed: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """Return OpenSSL's name of the algorithm that something is signed with."""
    oid = signed.signature_algorithm_oid.dotted_string
    return SIGNATURES.get(oid, oid)


def public_key_lines(key: Any) -> list[str]:
    """Print a public key, without indentation."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        modulus = _hexed(_unsigned(numbers.n), KEY_BYTES_A_LINE, "    ")
        return [f"Public-Key: ({key.key_size} bit)", "Modulus:", *modulus, _exponent("Exponent", numbers.e)]
    if isinstance(key, ec.EllipticCurvePublicKey):
        return [f"Public-Key: ({key.curve.key_size} bit)", *_point(key), *_curve(key.curve)]
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return [f"{key_algorithm(key)} Public-Key:", "pub:", *_hexed(_raw(key), KEY_BYTES_A_LINE, "    ")]
    return ["Unable to load Public Key"]


def private_key_text(key: Any) -> str:
    """Print a private key and its public one."""
    if isinstance(key, rsa.RSAPrivateKey):
        return _joined(_rsa_private(key))
    public = key.public_key()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.curve.key_size + 7) // 8
        secret = key.private_numbers().private_value.to_bytes(size)
        begun = [f"Private-Key: ({key.curve.key_size} bit)", "priv:", *_hexed(secret, KEY_BYTES_A_LINE, "    ")]
        return _joined([*begun, *_point(public), *_curve(key.curve)])
    secret = key.private_bytes_raw()
    begun = [f"{key_algorithm(public)} Private-Key:", "priv:", *_hexed(secret, KEY_BYTES_A_LINE, "    ")]
    return _joined([*begun, "pub:", *_hexed(_raw(public), KEY_BYTES_A_LINE, "    ")])


def key_algorithm(public: Any) -> str:
    """Return OpenSSL's name of a public key's algorithm."""
    if isinstance(public, rsa.RSAPublicKey):
        return "rsaEncryption"
    if isinstance(public, ec.EllipticCurvePublicKey):
        return "id-ecPublicKey"
    return "ED25519" if isinstance(public, ed25519.Ed25519PublicKey) else "ED448"


def key_bits(public: Any) -> int:
    """Return a public key's size in bits."""
    if isinstance(public, rsa.RSAPublicKey):
        return public.key_size
    if isinstance(public, ec.EllipticCurvePublicKey):
        return public.curve.key_size
    return 253 if isinstance(public, ed25519.Ed25519PublicKey) else 456


def colons(data: bytes) -> str:
    """Print bytes as AB:CD."""
    return data.hex(":").upper()


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _hexed(data: bytes, width: int, indent: str) -> list[str]:
    """Print bytes in lines, each but the last with a colon at its end."""
    texts = [data[at : at + width].hex(":") for at in range(0, len(data), width)]
    return [f"{indent}{text}{':' if at < len(texts) - 1 else ''}" for at, text in enumerate(texts)]


def _unsigned(number: int) -> bytes:
    """Return a number's bytes, with a zero before them where the first has its highest bit set."""
    return number.to_bytes(number.bit_length() // 8 + 1)


def _raw(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def _exponent(name: str, number: int) -> str:
    return f"{name}: {number} ({number:#x})"


def _serial(number: int) -> list[str]:
    if -(1 << 63) < number < 1 << 63:
        return [f"        Serial Number: {number} ({number:#x})"]
    return ["        Serial Number:", f"            {number.to_bytes((number.bit_length() + 7) // 8).hex(':')}"]


def _subject_key(key: Any) -> list[str]:
    return [
        "        Subject Public Key Info:",
        f"            Public Key Algorithm: {key_algorithm(key)}",
        *(f"                {line}" for line in public_key_lines(key)),
    ]


def _signature(algorithm: str, signature: bytes) -> list[str]:
    shown = _hexed(signature, SIGNATURE_BYTES_A_LINE, " " * 8)
    return [f"    Signature Algorithm: {algorithm}", "    Signature Value:", *shown]


def _point(key: ec.EllipticCurvePublicKey) -> list[str]:
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return ["pub:", *_hexed(point, KEY_BYTES_A_LINE, "    ")]


def _curve(curve: ec.EllipticCurve) -> list[str]:
    name, nist = CURVES.get(curve.name, (curve.name, ""))
    return [f"ASN1 OID: {name}", *([f"NIST CURVE: {nist}"] if nist else [])]


def _rsa_private(key: rsa.RSAPrivateKey) -> list[str]:
    numbers = key.private_numbers()
    lines = [f"Private-Key: ({key.key_size} bit, 2 primes)", "modulus:"]
    lines += _hexed(_unsigned(numbers.public_numbers.n), KEY_BYTES_A_LINE, "    ")
    lines.append(_exponent("publicExponent", numbers.public_numbers.e))
    parts = {
        "privateExponent": numbers.d,
        "prime1": numbers.p,
        "prime2": numbers.q,
        "exponent1": numbers.dmp1,
        "exponent2": numbers.dmq1,
        "coefficient": numbers.iqmp,
    }
    for name, number in parts.items():
        lines += [f"{name}:", *_hexed(_unsigned(number), KEY_BYTES_A_LINE, "    ")]
    return lines


# -- extensions --------------------------------------------------------------------------------------------------------


def _extensions(extensions: Iterable[x509.Extension[Any]], indent: str) -> list[str]:
    lines: list[str] = []
    for one in extensions:
        title = TITLES.get(one.oid, one.oid.dotted_string)
        lines.append(f"{indent}{title}: {'critical' if one.critical else ''}")
        shown = SHOWN.get(one.oid)
        found = shown(one.value) if shown is not None else [_printable(one.value.public_bytes())]
        lines += [f"{indent}    {line}" for line in found]
    return lines


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 or byte in (10, 13) else "." for byte in data)


def _constraints(value: x509.BasicConstraints) -> list[str]:
    length = f", pathlen:{value.path_length}" if value.path_length is not None else ""
    return [f"CA:{'TRUE' if value.ca else 'FALSE'}{length}"]


def _usages(value: x509.KeyUsage) -> list[str]:
    found = [text for name, text in KEY_USAGES if getattr(value, name)]
    if value.key_agreement:
        found += ["Encipher Only"] * value.encipher_only + ["Decipher Only"] * value.decipher_only
    return [", ".join(found)]


def _purposes(value: x509.ExtendedKeyUsage) -> list[str]:
    return [", ".join(PURPOSES.get(oid, oid.dotted_string) for oid in value)]


def _authority(value: x509.AuthorityKeyIdentifier) -> list[str]:
    lines = []
    named = value.authority_cert_issuer is not None or value.authority_cert_serial_number is not None
    if value.key_identifier is not None:
        lines.append(("keyid:" if named else "") + colons(value.key_identifier))
    lines += [_general_name(name) for name in value.authority_cert_issuer or ()]
    if (serial := value.authority_cert_serial_number) is not None:
        lines.append(f"serial:{colons(serial.to_bytes(max(1, (serial.bit_length() + 7) // 8)))}")
    return lines


def _names(value: x509.SubjectAlternativeName) -> list[str]:
    return [", ".join(_general_name(name) for name in value)]


def _general_name(name: x509.GeneralName) -> str:
    match name:
        case x509.DNSName():
            return f"DNS:{name.value}"
        case x509.IPAddress():
            return f"IP Address:{_address(name.value)}"
        case x509.RFC822Name():
            return f"email:{name.value}"
        case x509.UniformResourceIdentifier():
            return f"URI:{name.value}"
        case x509.DirectoryName():
            return f"DirName:{one_line(name.value)}"
        case x509.RegisteredID():
            return f"Registered ID:{name.value.dotted_string}"
    return "othername: <unsupported>"


def _address(address: Any) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return ":".join(f"{int(group, 16):X}" for group in address.exploded.split(":"))
    return str(address)


SHOWN: Mapping[x509.ObjectIdentifier, Callable[[Any], list[str]]] = {
    ExtensionOID.BASIC_CONSTRAINTS: _constraints,
    ExtensionOID.KEY_USAGE: _usages,
    ExtensionOID.EXTENDED_KEY_USAGE: _purposes,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER: lambda value: [colons(value.digest)],
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER: _authority,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME: _names,
}
