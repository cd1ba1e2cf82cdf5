"""openssl verify: does a chain lead from a certificate to somebody who is trusted?

    openssl verify -CAfile /etc/kubernetes/pki/ca.crt /var/lib/kubelet/pki/kubelet-client-current.pem

Modelled on apps/verify.c. Dates are checked on the real clock. Left out: CRLs, policies, -partial_chain.
"""

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import crypto

from cluster_engine.programs.certificates.names import one_line
from cluster_engine.programs.certificates.verification import VERIFY_ERRORS
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.openssl.loading import Loader
from cluster_engine.programs.openssl.options import OpenSSLError, names, read

SWITCHES = names("verbose show_chain no-CApath no-CAfile x509_strict help")
VALUES = names("CAfile CApath trusted untrusted purpose verify_depth")
PURPOSES = {"sslclient": ExtendedKeyUsageOID.CLIENT_AUTH, "sslserver": ExtendedKeyUsageOID.SERVER_AUTH, "any": None}
UNSUITABLE = 26
FAILED = 2


async def run(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl verify`; give its exit code: 2 where one does not verify."""
    given = read("verify", words, switches=SWITCHES, values=VALUES)
    loader = Loader(invocation)
    purpose = given.value("purpose", "any")
    if purpose not in PURPOSES:
        raise OpenSSLError(f"verify: Can't parse purpose {purpose}\nverify: Use -help for summary.")
    trusted = await loader.trusted(given.value("CAfile")) + await loader.trusted(given.value("trusted"))
    untrusted = (
        await loader.certificates(given.value("untrusted"), "untrusted certificates") if given.has("untrusted") else []
    )
    code = 0
    for path in given.rest or [""]:
        try:
            what = "certificate file"
            certificate = (await loader.certificates(path, what, f"Unable to load {what}"))[0]
        except OpenSSLError as error:
            invocation.err(f"{error}\n")
            code = FAILED
            continue
        shown = path or "stdin"
        failed = _failure(certificate, trusted, untrusted, PURPOSES[purpose])
        if failed is None:
            invocation.out(f"{shown}: OK\n")
            if given.has("show_chain"):
                invocation.out(_chain(certificate, trusted, untrusted))
            continue
        number, depth, text, culprit = failed
        invocation.err(f"{one_line(culprit.subject)}\nerror {number} at {depth} depth lookup: {text}\n")
        invocation.err(f"error {shown}: verification failed\n")
        code = FAILED
    return code


def _context(
    certificate: x509.Certificate, trusted: list[x509.Certificate], untrusted: list[x509.Certificate]
) -> crypto.X509StoreContext:
    store = crypto.X509Store()
    for one in trusted:
        store.add_cert(crypto.X509.from_cryptography(one))
    chain = [crypto.X509.from_cryptography(one) for one in untrusted]
    return crypto.X509StoreContext(store, crypto.X509.from_cryptography(certificate), chain)


def _failure(
    certificate: x509.Certificate,
    trusted: list[x509.Certificate],
    untrusted: list[x509.Certificate],
    purpose: x509.ObjectIdentifier | None,
) -> tuple[int, int, str, x509.Certificate] | None:
    """Return what is wrong: number, depth, words, and with whom; None for nothing."""
    try:
        _context(certificate, trusted, untrusted).verify_certificate()
    except crypto.X509StoreContextError as error:
        number, depth, text = error.errors
        return number, depth, VERIFY_ERRORS.get(number, text), error.certificate.to_cryptography()
    if purpose is not None and not _serves(certificate, purpose):
        return UNSUITABLE, 0, VERIFY_ERRORS[UNSUITABLE], certificate
    return None


def _serves(certificate: x509.Certificate, purpose: x509.ObjectIdentifier) -> bool:
    try:
        return purpose in certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True


def _chain(certificate: x509.Certificate, trusted: list[x509.Certificate], untrusted: list[x509.Certificate]) -> str:
    chain = _context(certificate, trusted, untrusted).get_verified_chain()
    lines = ["Chain:"]
    for depth, one in enumerate(chain):
        found = one.to_cryptography()
        lines.append(f"depth={depth}: {one_line(found.subject)}{'' if found in trusted else ' (untrusted)'}")
    return "\n".join([*lines, ""])
