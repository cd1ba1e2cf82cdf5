"""`kubectl describe` for CertificateSigningRequests (describeCertificateSigningRequest in pkg/describe/describe.go)."""

from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import NameOID

from cluster_engine.api.cells.certificates import condition
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.certificates import alternative_names, common_name, request_of
from cluster_engine.api.time import age
from cluster_engine.programs.kubectl.describe.lines import Lines, date
from cluster_engine.programs.kubectl.errors import CommandError

_SUBJECT = (
    ("Organization", NameOID.ORGANIZATION_NAME),
    ("Organizational Unit", NameOID.ORGANIZATIONAL_UNIT_NAME),
    ("Country", NameOID.COUNTRY_NAME),
    ("Locality", NameOID.LOCALITY_NAME),
    ("Province", NameOID.STATE_OR_PROVINCE_NAME),
    ("StreetAddress", NameOID.STREET_ADDRESS),
    ("PostalCode", NameOID.POSTAL_CODE),
)
_NAMES: tuple[tuple[str, type[x509.GeneralName]], ...] = (
    ("DNS Names", x509.DNSName),
    ("Email Addresses", x509.RFC822Name),
    ("URIs", x509.UniformResourceIdentifier),
    ("IP Addresses", x509.IPAddress),
)


def describe_signing_request(lines: Lines, obj: Object, events: list[Object]) -> None:
    """Write a signing request, and what it asks for."""
    metadata, spec = obj["metadata"], obj["spec"]
    try:
        request = request_of(obj)
    except ValueError as problem:
        raise CommandError(f"error parsing CSR: {problem}") from problem
    lines.add(0, f"Name:\t{metadata['name']}")
    for title in ("Labels", "Annotations"):
        pairs = sorted((metadata.get(title.lower()) or {}).items())
        lines.add(0, f"{title}:\t{','.join(f'{key}={value}' for key, value in pairs) or '<none>'}")
    lines.add(0, f"CreationTimestamp:\t{date(metadata.get('creationTimestamp'))}")
    lines.add(0, f"Requesting User:\t{spec.get('username', '')}")
    lines.add(0, f"Signer:\t{spec.get('signerName', '')}")
    if spec.get("expirationSeconds") is not None:
        lines.add(0, f"Requested Duration:\t{age(timedelta(seconds=spec['expirationSeconds']))}")
    lines.add(0, f"Status:\t{condition(obj, lines.now)}")
    lines.add(0, "Subject:")
    lines.add(0, f"\tCommon Name:\t{common_name(request.subject)}")
    lines.add(0, f"\tSerial Number:\t{''.join(_values(request.subject, NameOID.SERIAL_NUMBER)[-1:])}")
    for title, oid in _SUBJECT:
        _list(lines, title, _values(request.subject, oid))
    names = alternative_names(request)
    if names:
        lines.add(0, "Subject Alternative Names:")
    for title, kind in _NAMES:
        _list(lines, title, [str(each.value) for each in names if isinstance(each, kind)])
    lines.events(events)


def _values(name: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(each.value) for each in name.get_attributes_for_oid(oid)]


def _list(lines: Lines, title: str, values: list[str]) -> None:
    if values:
        lines.add(0, f"\t{title}:\t{values[0]}")
        lines.raw += [f"\t\t{each}" for each in values[1:]]
