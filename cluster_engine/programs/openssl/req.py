"""openssl req: ask for a certificate, or sign one's own.

    openssl req -new -key anna.key -subj /O=shop/CN=anna -out anna.csr
    openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -subj /CN=me -days 30

Modelled on apps/req.c. Left out: questions on the terminal (-subj is needed), configuration files, encrypted keys.
"""

from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cluster_engine.programs.certificates.extensions import added
from cluster_engine.programs.certificates.names import OIDS
from cluster_engine.programs.certificates.text import certificate_text, request_text
from cluster_engine.programs.curl.url import whole
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.openssl.keys import ec_key, pem, public_pem, rsa_key
from cluster_engine.programs.openssl.loading import Loader
from cluster_engine.programs.openssl.options import Given, OpenSSLError, names, read
from cluster_engine.programs.openssl.x509 import DAYS, DAYS_MAX, digest_for, named, write

SWITCHES = names("new nodes noenc text noout subject pubkey verify x509 sha256 sha384 sha512 sha1 utf8 batch help")
VALUES = names("key newkey subj out in keyout addext days nameopt pkeyopt set_serial")
PARTS_MAX, VALUE_LENGTH_MAX = 50, 1000
OWN_EXTENSIONS = ["subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid", "basicConstraints=critical,CA:TRUE"]
"""What Debian's openssl.cnf gives a certificate that signs itself."""


async def run(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl req`; give its exit code."""
    given = read("req", words, switches=SWITCHES, values=VALUES)
    loader = Loader(invocation)
    if not (given.has("new") or given.has("newkey") or given.has("x509")):
        return _show(invocation, given, await loader.request(given.value("in")))
    if not given.value("subj"):
        raise OpenSSLError("req: there is nobody to be asked for a subject here; say it: -subj /O=group/CN=name")
    name = subject(given.value("subj"))
    key = await _key(invocation, given, loader)
    extensions = given.values.get("addext", [])
    if given.has("x509"):
        made: Any = _own_certificate(invocation, given, name, key, extensions)
    else:
        asking = x509.CertificateSigningRequestBuilder().subject_name(name)
        builder = added(asking, extensions, key.public_key(), key.public_key())
        made = builder.sign(key, digest_for(key, given))
    text = ""
    if given.has("text"):
        text = certificate_text(made) if given.has("x509") else request_text(made)
    if not given.has("noout"):
        text += made.public_bytes(Encoding.PEM).decode()
    write(invocation, given.value("out"), text)
    return 0


def _show(invocation: Invocation, given: Given, request: x509.CertificateSigningRequest) -> int:
    text = ""
    if given.has("verify"):
        good = request.is_signature_valid
        invocation.err(f"Certificate request self-signature {'verify OK' if good else 'did not match the contents'}\n")
        if not good:
            return 1
    if given.has("text"):
        text += request_text(request)
    if given.has("pubkey"):
        text += public_pem(request.public_key())
    if given.has("subject"):
        text += f"subject={named(request.subject, given)}\n"
    if not given.has("noout"):
        text += request.public_bytes(Encoding.PEM).decode()
    write(invocation, given.value("out"), text)
    return 0


async def _key(invocation: Invocation, given: Given, loader: Loader) -> Any:
    """Return the key to sign with: a file's, or a new one, which is written beside the request."""
    if given.value("key"):
        return await loader.private_key(given.value("key"))
    if not (given.has("nodes") or given.has("noenc")):
        raise OpenSSLError("req: there is nobody to be asked for a pass phrase here; say -nodes")
    kind, _, size = (given.value("newkey") or "rsa:2048").partition(":")
    if kind == "ec":
        options = dict(one.partition(":")[::2] for one in given.values.get("pkeyopt", []))
        key: Any = ec_key(options.get("ec_paramgen_curve", "P-256"), loader)
    elif kind == "rsa" and (bits := whole(size or "2048")) is not None:
        key = rsa_key(bits)
    else:
        raise OpenSSLError(f"req: keys of the kind {kind[:100]}:{size[:100]} are not made here; rsa:BITS or ec")
    invocation.err("-----\n")
    write(invocation, given.value("keyout") or "privkey.pem", pem(key))
    return key


def subject(text: str) -> x509.Name:
    r"""Read "/O=group/CN=name", "\" before what is to be taken as it is, "+" between parts of one set; OpenSSLError."""
    if not text.startswith("/"):
        form = "/type0=value0/type1=value1/type2=... where characters may be escaped by \\"
        raise OpenSSLError(
            f"req: subject name is expected to be in the format {form}. This name is not in that format: '{text[:200]}'"
        )
    parts = _split(text[1:])
    found: list[x509.NameAttribute[str]] = []
    for part in parts[:PARTS_MAX]:
        key, equals, value = part.partition("=")
        oid = OIDS.get(key.strip())
        if not equals:
            raise OpenSSLError(f"req: Hit end of string before finding the '='\nreq: name '{part[:100]}'")
        if oid is None or not value:
            continue  # as OpenSSL does, which says so where it is asked to be verbose
        try:
            found.append(x509.NameAttribute(x509.ObjectIdentifier(oid), value[:VALUE_LENGTH_MAX]))
        except ValueError as error:
            raise OpenSSLError(f"req: Error adding attribute {key}={value[:100]}: {error}") from error
    return x509.Name(found)


def _split(text: str) -> list[str]:
    parts, now, escapes = [], "", False
    for letter in text:
        if escapes:
            now, escapes = now + letter, False
        elif letter == "\\":
            escapes = True
        elif letter == "/":
            parts.append(now)
            now = ""
        else:
            now += letter
    return [one for one in [*parts, now] if one]


def _own_certificate(
    invocation: Invocation, given: Given, name: x509.Name, key: Any, extensions: list[str]
) -> x509.Certificate:
    days = given.number("days", DAYS)
    if abs(days) > DAYS_MAX:
        raise OpenSSLError("req: the number of days is too large")
    now = invocation.process.now().replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(
            max(1, given.number("set_serial", 0)) if given.has("set_serial") else x509.random_serial_number()
        )
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=days))
    )
    named_already = {one.partition("=")[0].strip() for one in extensions}
    own = [one for one in OWN_EXTENSIONS if one.partition("=")[0] not in named_already]
    return added(builder, [*own, *extensions], key.public_key(), key.public_key()).sign(key, digest_for(key, given))  # type: ignore[no-any-return]
