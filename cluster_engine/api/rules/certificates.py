"""Rules for CertificateSigningRequests, from `pkg/apis/certificates/{helpers.go,validation/validation.go}`.

A request may be stored only when it is a PKCS #10 request whose signature holds: whoever asks has the key. What its
subject says is nobody's business but the signer's; what each of Kubernetes' own signers wants is here too.

    >>> read(b"hello")
    Traceback (most recent call last):
    ...
    ValueError: PEM block type must be CERTIFICATE REQUEST
"""

import base64
import binascii
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from cluster_engine.api.causes import Go, child, duplicate, forbidden, go, invalid, not_supported, required, too_long
from cluster_engine.api.names import dns_label_problems, dns_subdomain_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause

CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING_SIGNER = "kubernetes.io/kubelet-serving"
LEGACY_SIGNER = "kubernetes.io/legacy-unknown"
APPROVED, DENIED, FAILED = "Approved", "Denied", "Failed"
EXPIRATION_SECONDS_MIN = 600
USAGES = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
    "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel",
    "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
    "server auth", "signing", "timestamping",
)  # fmt: skip
DOMAIN_LENGTH_MAX, SIGNER_LENGTH_MAX = 253, 571
BYTES_SHOWN_MAX = 4096
"""Of a request that is refused, how much its refusal repeats; the real one repeats it whole."""
RSA_BITS_MAX = 8192
"""Go's crypto/tls takes no larger key; a huge one would make its check expensive."""

_BEGIN, _END = b"-----BEGIN CERTIFICATE REQUEST-----", b"-----END CERTIFICATE REQUEST-----"
_CERTIFICATE_BEGIN = b"-----BEGIN CERTIFICATE-----"
_UNREADABLE = (x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, UnsupportedAlgorithm)


def read(pem: bytes) -> x509.CertificateSigningRequest:
    """Read a request (ParseCSR). ValueError in the real one's words."""
    if _BEGIN not in pem or _END not in pem:
        raise ValueError("PEM block type must be CERTIFICATE REQUEST")
    try:
        request = x509.load_pem_x509_csr(pem)
        for part in (request.subject, request.extensions):  # which are taken apart when they are first looked at
            list(part)
    except (ValueError, *_UNREADABLE) as error:
        raise ValueError("asn1: structure error: tags don't match") from error
    return request


def decoded(data: str | None) -> bytes:
    """Return the bytes of a field of them."""
    try:
        return base64.b64decode(data or "")
    except (ValueError, binascii.Error):
        return b""


def request_of(obj: Object) -> x509.CertificateSigningRequest:
    """Read the request that an object carries. ValueError."""
    return read(decoded((obj.get("spec") or {}).get("request")))


def common_name(name: x509.Name) -> str:
    """Return the common name of a subject, the last if there are several, as Go does; "" without one."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[-1].value) if found else ""


def organizations(name: x509.Name) -> list[str]:
    """Return the organizations of a subject: the groups of who shows such a certificate."""
    return [str(each.value) for each in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]


def alternative_names(request: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    """Return the subjectAltNames that a request asks for."""
    try:
        return list(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


# -- what may be stored ------------------------------------------------------------------------------------------------


def spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """A request that is one, usages that are known and given once, a signer's name, ten minutes at least."""
    pem = decoded(obj.get("request"))
    if problem := _request_problem(pem):
        causes.append(invalid(child(path, "request"), _bytes(pem), problem))
    usages = obj.get("usages") or []
    if not usages:
        causes.append(required(child(path, "usages")))
    for index, usage in enumerate(usages):
        if usage not in USAGES:
            causes.append(not_supported(f"{path}.usages[{index}]", usage, USAGES))
        if usage in usages[:index]:
            causes.append(duplicate(f"{path}.usages[{index}]", usage))
    _signer_name(obj.get("signerName") or "", child(path, "signerName"), causes)
    seconds = obj.get("expirationSeconds")
    if seconds is not None and seconds < EXPIRATION_SECONDS_MIN:
        detail = f"may not specify a duration less than {EXPIRATION_SECONDS_MIN} seconds (10 minutes)"
        causes.append(invalid(child(path, "expirationSeconds"), seconds, detail))


def _request_problem(pem: bytes) -> str:
    try:
        request = read(pem)
        key = request.public_key()
        if isinstance(key, rsa.RSAPublicKey) and key.key_size > RSA_BITS_MAX:
            return "crypto/rsa: verification error"
        holds = request.is_signature_valid
    except (UnsupportedAlgorithm, InvalidSignature, TypeError):
        return "x509: cannot verify signature: algorithm unimplemented"
    except ValueError as problem:
        return str(problem)
    return "" if holds else "x509: signature verification failed"


def _bytes(data: bytes) -> Go:
    shown = ", ".join(f"{byte:#x}" for byte in data[:BYTES_SHOWN_MAX])
    return Go(f"[]byte{{{shown}{', ...' if len(data) > BYTES_SHOWN_MAX else ''}}}")


def _signer_name(name: str, path: str, causes: list[Cause]) -> None:
    if name == LEGACY_SIGNER:
        causes.append(invalid(path, name, "the legacy signerName is not allowed via this API version"))
        return
    if not name:
        causes.append(required(path))
        return
    segments = name.split("/")
    if len(segments) != 2:
        detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        causes.append(invalid(path, name, detail))
        return
    domain, rest = segments
    if len(domain) > DOMAIN_LENGTH_MAX:
        causes.append(too_long(path, DOMAIN_LENGTH_MAX))
    labels = domain.split(".")
    for label in labels:
        causes += [invalid(path, domain, f"validating label {go(label)}: {each}") for each in dns_label_problems(label)]
    if len(labels) < 2:
        causes.append(invalid(path, domain, "should be a domain with at least two segments separated by dots"))
    if len(name) > SIGNER_LENGTH_MAX:
        causes.append(too_long(path, SIGNER_LENGTH_MAX))
    causes += [invalid(path, rest, f"validating label {go(rest)}: {each}") for each in dns_subdomain_problems(rest)]


def status(obj: Object, path: str, causes: list[Cause]) -> None:
    """Each condition once; Approved, Denied and Failed are true, and the first two exclude each other."""
    seen: list[str] = []
    for index, each in enumerate(obj.get("conditions") or ()):
        where, type_, said = f"{path}.conditions[{index}]", each.get("type") or "", each.get("status") or ""
        allowed = ("True",) if type_ in (APPROVED, DENIED, FAILED) else ("False", "True", "Unknown")
        if not type_:
            causes.append(required(child(where, "type")))
        if not said:
            causes.append(required(child(where, "status")))
        elif said not in allowed:
            causes.append(not_supported(child(where, "status"), said, allowed))
        if {APPROVED: DENIED, DENIED: APPROVED}.get(type_) in seen:
            detail = "Approved and Denied conditions are mutually exclusive"
            causes.append(invalid(child(where, "type"), type_, detail))
        if type_ in seen:
            causes.append(duplicate(child(where, "type"), type_))
        seen.append(type_)
    if (data := decoded(obj.get("certificate"))) and (problem := _certificate_problem(data)):
        causes.append(invalid(child(path, "certificate"), "<certificate data>", problem))


def _certificate_problem(pem: bytes) -> str:
    if _CERTIFICATE_BEGIN not in pem:
        return "must contain at least one CERTIFICATE PEM block"
    try:
        x509.load_pem_x509_certificates(pem)
    except ValueError:
        return "x509: malformed certificate"
    return ""


def keep_spec(new: Object, old: Object) -> None:
    """Keep the request as it was made: it changes by its subresources only."""
    new["spec"] = old["spec"]


def update(new: Object, old: Object, causes: list[Cause]) -> None:
    """What was decided stays decided, and a certificate that was issued stays the same."""
    before, after = old.get("status") or {}, new.get("status") or {}
    for type_ in (APPROVED, DENIED, FAILED):
        if conditions(old, type_) and not conditions(new, type_):
            detail = f"updates may not remove a condition of type {go(type_)}"
            causes.append(forbidden("status.conditions", detail))
    if before.get("certificate") and after.get("certificate") != before["certificate"]:
        causes.append(forbidden("status.certificate", "updates may not modify existing certificate content"))


def conditions(obj: Object, type_: str) -> list[Object]:
    """Return the conditions of a type."""
    found = (obj.get("status") or {}).get("conditions") or ()
    return [each for each in found if each.get("type") == type_]


# -- what Kubernetes' own signers want ---------------------------------------------------------------------------------

_ALTERNATIVE_NAMES: tuple[tuple[type[x509.GeneralName], str], ...] = (
    (x509.DNSName, "DNS"),
    (x509.RFC822Name, "Email"),
    (x509.IPAddress, "IP"),
    (x509.UniformResourceIdentifier, "URI"),
)
_SIGNATURE, _ENCIPHERMENT, _CLIENT, _SERVER = "digital signature", "key encipherment", "client auth", "server auth"


def signer_problem(signer: str, request: x509.CertificateSigningRequest, usages: Sequence[str]) -> str:
    """Say why one of Kubernetes' own signers will not sign a request, "" when it will."""
    match signer:
        case "kubernetes.io/kube-apiserver-client-kubelet":
            return _kubelet_problem(request, usages, _CLIENT)
        case "kubernetes.io/kubelet-serving":
            return _kubelet_problem(request, usages, _SERVER)
        case "kubernetes.io/kube-apiserver-client":
            for usage in usages:
                if usage not in (_SIGNATURE, _ENCIPHERMENT, _CLIENT):
                    return f"invalid usage for client certificate: {usage}"
            return "" if _CLIENT in usages else f"missing required usage for client certificate: {_CLIENT}"
    return ""


def _kubelet_problem(request: x509.CertificateSigningRequest, usages: Sequence[str], wanted: str) -> str:
    if organizations(request.subject) != ["system:nodes"]:
        return "subject organization is not system:nodes"
    names = alternative_names(request)
    if wanted == _SERVER and not any(isinstance(each, x509.DNSName | x509.IPAddress) for each in names):
        return "DNS or IP subjectAltName is required"
    for kind, word in _ALTERNATIVE_NAMES:
        is_allowed = wanted == _SERVER and word in ("DNS", "IP")
        if not is_allowed and any(isinstance(each, kind) for each in names):
            return f"{word} subjectAltNames are not allowed"
    if not common_name(request.subject).startswith("system:node:"):
        return "subject common name does not begin with system:node:"
    if set(usages) not in ({_SIGNATURE, wanted}, {_SIGNATURE, _ENCIPHERMENT, wanted}):
        return f"usages did not match [{' '.join(sorted((_SIGNATURE, _ENCIPHERMENT, wanted)))}]"
    return ""
