"""openssl x509: show what stands in a certificate, and sign requests.

    openssl x509 -in /etc/kubernetes/pki/apiserver.crt -noout -subject -dates
    openssl x509 -req -in u.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out u.crt

What is to be shown is shown in the order in which it was asked for last. Modelled on apps/x509.c. Left out: DER, trust
settings, -x509toreq, -purpose.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cluster_engine.programs.certificates.extensions import added, read_file_of_extensions
from cluster_engine.programs.certificates.names import one_line, rfc2253, slashed
from cluster_engine.programs.certificates.text import certificate_text, colons, extensions_text
from cluster_engine.programs.certificates.times import openssl_time
from cluster_engine.programs.curl.tls import matches
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.openssl.loading import Loader
from cluster_engine.programs.openssl.options import Given, OpenSSLError, names, read, usage

SWITCHES = names(
    "text noout subject issuer dates startdate enddate serial fingerprint pubkey modulus req "
    "CAcreateserial new email ocsp_uri hash subject_hash sha1 sha256 sha384 sha512 md5 help clrext"
)
VALUES = names(
    "in out ext checkend checkhost checkip nameopt CA CAkey days extfile extensions set_serial signkey "
    "key CAserial inform outform passin certopt copy_extensions"
)
DIGESTS: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "md5": hashes.MD5,
}
LAST = frozenset({"checkend", "checkhost", "checkip"})
"""What is shown after everything else."""
DAYS = 30
DAYS_MAX = 365 * 1000


async def run(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl x509`; give its exit code."""
    given = read("x509", words, switches=SWITCHES, values=VALUES)
    loader = Loader(invocation)
    if given.has("req") or given.has("CA"):
        certificate = await _signed(invocation, given, loader)
    else:
        certificate = (await loader.certificates(given.value("in")))[0]
    text, code = shown(certificate, given, invocation.process.now())
    if given.has("noout"):
        write(invocation, given.value("out"), text)
    else:
        encoding = encoding_of(given)
        write(invocation, given.value("out"), text.encode() + certificate.public_bytes(encoding))
    return code


def encoding_of(given: Given) -> Encoding:
    """Return what -outform asks for; OpenSSLError."""
    encoding = {"PEM": Encoding.PEM, "DER": Encoding.DER}.get(given.value("outform", "PEM").upper())
    if encoding is None:
        raise usage(given.command, f'Invalid format "{given.value("outform")[:100]}" for option -outform')
    return encoding


def write(invocation: Invocation, path: str, text: str | bytes) -> None:
    """Write to a file, or to standard output where no path is given; OpenSSLError."""
    if not path:
        invocation.out(text)
        return
    try:
        invocation.files.write(invocation.absolute(path), text.encode() if isinstance(text, str) else text)
    except OSError as error:
        raise OpenSSLError(f'Can\'t open "{path}" for writing, {error.strerror}') from error


def named(name: x509.Name, given: Given) -> str:
    """Print a name as -nameopt asks for."""
    option = given.value("nameopt").lower()
    forms = {"rfc2253": rfc2253, "compat": slashed}
    return forms.get(option, one_line)(name)


def shown(certificate: x509.Certificate, given: Given, now: datetime) -> tuple[str, int]:
    """Return what the options ask for, and the exit code."""
    digest = next((name for name in DIGESTS if given.has(name)), "SHA1")
    code = 0
    parts: list[str] = []
    wanted = [one for name in given.order for one in (("startdate", "enddate") if name == "dates" else (name,))]
    for name in sorted(set(wanted), key=lambda one: (one in LAST, len(wanted) - wanted[::-1].index(one))):
        match name:
            case "text":
                parts.append(certificate_text(certificate))
            case "subject":
                parts.append(f"subject={named(certificate.subject, given)}\n")
            case "issuer":
                parts.append(f"issuer={named(certificate.issuer, given)}\n")
            case "startdate":
                parts.append(f"notBefore={openssl_time(certificate.not_valid_before_utc)}\n")
            case "enddate":
                parts.append(f"notAfter={openssl_time(certificate.not_valid_after_utc)}\n")
            case "serial":
                parts.append(f"serial={_hex(certificate.serial_number)}\n")
            case "fingerprint":
                algorithm = DIGESTS[digest.lower()]()
                parts.append(f"{digest} Fingerprint={colons(certificate.fingerprint(algorithm))}\n")
            case "pubkey":
                pem = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
                parts.append(pem.decode())
            case "modulus":
                parts.append(_modulus(certificate.public_key()))
            case "ext":
                text = extensions_text(certificate, given.value("ext").split(","))
                parts.append(text or "No extensions matched\n")
            case "checkend":
                expires = certificate.not_valid_after_utc < now + timedelta(seconds=given.number("checkend", 0))
                parts.append("Certificate will expire\n" if expires else "Certificate will not expire\n")
                code = 1 if expires else code
            case "checkhost" | "checkip":
                parts.append(_checked(certificate, name, given.value(name)))
    return "".join(parts), code


def _hex(number: int) -> str:
    text = f"{number:X}"
    return text if len(text) % 2 == 0 else f"0{text}"


def _modulus(key: Any) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"Modulus={key.public_numbers().n:X}\n"
    return "Modulus=No modulus for this public key type\n"


def _checked(certificate: x509.Certificate, what: str, value: str) -> str:
    try:
        names = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        names = []
    if what == "checkip":
        fits = any(isinstance(name, x509.IPAddress) and str(name.value) == value for name in names)
        return f"IP {value} does{'' if fits else ' NOT'} match certificate\n"
    hosts = [name.value for name in names if isinstance(name, x509.DNSName)]
    if not hosts:
        hosts = [str(one.value) for one in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    fits = any(matches(host, value) for host in hosts)
    return f"Hostname {value} does{'' if fits else ' NOT'} match certificate\n"


# -- signing -----------------------------------------------------------------------------------------------------------


def digest_for(key: Any, given: Given) -> Any:
    """Return what to hash with before signing; None for keys that hash by themselves."""
    if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        return None
    name = next((one for one in ("sha384", "sha512", "sha1") if given.has(one)), "sha256")
    return DIGESTS[name]()


async def _signed(invocation: Invocation, given: Given, loader: Loader) -> x509.Certificate:
    request = await loader.request(given.value("in"))
    if not request.is_signature_valid:
        raise OpenSSLError("Warning: CSR self-signature does not match the contents\nUnable to sign")
    invocation.err(f"Certificate request self-signature ok\nsubject={one_line(request.subject)}\n")
    own_key = given.value("signkey") or given.value("key")
    issuer = request.subject
    authority: x509.Certificate | None = None
    if given.has("CA"):
        authority = (await loader.certificates(given.value("CA"), "CA certificate", ""))[0]
        issuer = authority.subject
    elif not own_key:
        raise OpenSSLError("We need a private key to sign with, use -key or -CA or -CAkey with private key")
    path = own_key or given.value("CAkey") or given.value("CA")
    key = await loader.private_key(path, "CA private key" if authority is not None else "private key")
    if authority is not None and authority.public_key() != key.public_key():
        raise OpenSSLError("CA certificate and CA private key do not match")
    days = given.number("days", DAYS)
    if abs(days) > DAYS_MAX:
        raise OpenSSLError("x509: the number of days is too large")
    now = invocation.process.now().replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(issuer)
        .public_key(request.public_key())
        .serial_number(_serial(invocation, given))
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=days))
    )
    if path_of_extensions := given.value("extfile"):
        data = await loader.data(path_of_extensions, "extensions")
        lines = read_file_of_extensions(data.decode("utf-8", "replace"), given.value("extensions"))
        builder = added(builder, lines, request.public_key(), key.public_key())
    try:
        return builder.sign(key, digest_for(key, given))
    except (ValueError, TypeError) as error:
        raise OpenSSLError(f"Unable to sign: {error}") from error


def _serial(invocation: Invocation, given: Given) -> int:
    """Return the number of a new certificate; with -CAcreateserial it is kept beside the authority."""
    if given.value("set_serial"):
        return max(1, given.number("set_serial", 1))
    number = x509.random_serial_number()
    path = given.value("CAserial")
    if given.has("CAcreateserial"):
        path = path or given.value("CA").rpartition(".")[0] + ".srl"
    if path:
        where = invocation.absolute(path)
        if invocation.files.exists(where):
            try:
                number = int(invocation.files.read(where).decode("latin-1").strip()[:40], 16) + 1
            except ValueError:
                raise OpenSSLError(f"Unable to load number from {path}") from None
        write(invocation, path, f"{_hex(number)}\n")
    return number
