"""openssl pkcs12: a certificate, its key and those above it in one file under a password, and out of it again.

    openssl pkcs12 -export -in web.crt -inkey web.key -certfile ca.crt -name web -out web.p12 -passout pass:x
    openssl pkcs12 -in web.p12 -nokeys -clcerts -passin pass:x          Bag Attributes, subject=…, the certificate

Keys leave in plain text only (-nodes, -noenc). Modelled on apps/pkcs12.c. Left out: -info, older ciphers, questions for
a password.
"""

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from cluster_engine.programs.certificates.names import one_line
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.openssl.loading import DER, Loader
from cluster_engine.programs.openssl.options import Given, OpenSSLError, names, read
from cluster_engine.programs.openssl.passwords import password
from cluster_engine.programs.openssl.x509 import write

SWITCHES = names("export nokeys nocerts clcerts cacerts nodes noenc noout help")
VALUES = names("in out inkey certfile name caname pass passin passout password")
WRONG_PASSWORD = "Mac verify error: invalid password?"


async def run(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl pkcs12`; give its exit code."""
    given = read("pkcs12", words, switches=SWITCHES, values=VALUES)
    if given.has("export"):
        await _export(invocation, given)
    else:
        await _show(invocation, given)
    return 0


async def _secret(invocation: Invocation, given: Given, option: str) -> bytes:
    for name in (option, "password", "pass"):
        if given.has(name):
            return await password(invocation, given.value(name))
    raise OpenSSLError(f"pkcs12: a password by -{option} is needed here: nobody can be asked")


async def _export(invocation: Invocation, given: Given) -> None:
    loader, path = Loader(invocation), given.value("in")
    key_path, secret = given.value("inkey"), await _secret(invocation, given, "passout")
    if not key_path and b"PRIVATE KEY-----" not in await loader.opened(path):
        raise OpenSSLError(f"Could not read private key from -in file from {path or '<stdin>'}")
    what = "private key from -inkey file" if key_path else "private key from -in file"
    key = await loader.private_key(key_path or path, what)
    certificates = await loader.certificates(path, "certificates from -in file", "")
    own = next((one for one in certificates if one.public_key() == key.public_key()), None)
    if own is None:
        where = "X509_check_private_key:key values mismatch:../crypto/x509/x509_cmp.c:403:"
        line = loader.error("05800074", "x509 certificate routines", where)
        raise OpenSSLError(f"No cert in -in file '{path}' matches private key\n{line}")
    others = [one for one in certificates if one is not own]
    if given.has("certfile"):
        others += await loader.certificates(given.value("certfile"), "certificates from -certfile", "")
    name = given.value("name").encode() or None
    data = pkcs12.serialize_key_and_certificates(name, key, own, others or None, BestAvailableEncryption(secret))
    write(invocation, given.value("out"), data)


async def _show(invocation: Invocation, given: Given) -> None:
    data = await Loader(invocation).opened(given.value("in"))
    secret = await _secret(invocation, given, "passin")
    if not data.startswith(DER):
        loader, where = Loader(invocation), "../crypto/asn1/tasn_dec.c"
        tag = loader.error("068000A8", "asn1 encoding routines", f"asn1_check_tlen:wrong tag:{where}:1215:")
        nested = f"asn1_item_embed_d2i:nested asn1 error:{where}:375:Type=PKCS12"
        raise OpenSSLError(f"{tag}\n{loader.error('0688010A', 'asn1 encoding routines', nested)}")
    try:
        found = pkcs12.load_pkcs12(data, secret)
    except ValueError as error:
        raise OpenSSLError(WRONG_PASSWORD) from error
    if not given.has("noout"):
        write(invocation, given.value("out"), _text(found, given))


def _text(found: pkcs12.PKCS12KeyAndCertificates, given: Given) -> str:
    text, own = "", found.cert
    if not given.has("nocerts"):
        if own is not None and not given.has("cacerts"):
            text += _certificate(own.certificate, _attributes(own))
        for other in () if given.has("clcerts") else found.additional_certs:
            text += _certificate(other.certificate, _named(other.friendly_name))
    if not given.has("nokeys") and found.key is not None:
        if not (given.has("nodes") or given.has("noenc")):
            raise OpenSSLError("pkcs12: keys are written in plain text only here: -noenc, or -nokeys without them")
        key = found.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        attributes = "Bag Attributes: <No Attributes>\n" if own is None else _attributes(own)
        text += f"{attributes}Key Attributes: <No Attributes>\n{key}"
    return text


def _certificate(certificate: x509.Certificate, attributes: str) -> str:
    subject, issuer = one_line(certificate.subject), one_line(certificate.issuer)
    pem = certificate.public_bytes(Encoding.PEM).decode()
    return f"{attributes}subject={subject}\nissuer={issuer}\n{pem}"


def _attributes(own: pkcs12.PKCS12Certificate) -> str:
    """Name what belongs to the key: its localKeyID is the certificate's SHA-1."""
    digest = own.certificate.fingerprint(hashes.SHA1())
    return _listed([*_friendly(own.friendly_name), f"localKeyID: {digest.hex(' ').upper()} "])


def _named(friendly_name: bytes | None) -> str:
    return _listed(_friendly(friendly_name))


def _friendly(name: bytes | None) -> list[str]:
    return [] if name is None else [f"friendlyName: {name.decode('utf-8', 'replace')}"]


def _listed(attributes: Sequence[str]) -> str:
    if not attributes:
        return "Bag Attributes: <No Attributes>\n"
    return "Bag Attributes\n" + "".join(f"    {one}\n" for one in attributes)
