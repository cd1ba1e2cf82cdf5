"""The fields of an X.509 certificate (RFC 5280 section 4.1): DER, value in value.

    Certificate ─┬─ TBSCertificate   version, serial, issuer, validity, subject, public key, extensions
                 ├─ signatureAlgorithm
                 └─ signature        of the issuer, over the TBSCertificate's bytes

What an entry tells of a certificate is read by the `cryptography` package (`lens.certificates`), which does not say
where a value stands. Left out: contents of extensions that a cluster's certificates do not have; they are named.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_address

from cluster_engine.fields import der
from cluster_engine.fields.field import Field
from cluster_engine.fields.stretch import Stretch, dissected
from cluster_engine.fields.x509_names import ALGORITHMS, ATTRIBUTES, EXTENSIONS, KEY_USAGES, PURPOSES

RSA_KEY = "1.2.840.113549.1.1.1"


def der_certificate(data: bytes) -> tuple[Field, ...]:
    """Dissect a certificate."""
    return dissected(data, certificate)


def certificate(stretch: Stretch) -> None:
    """Read a certificate; whose it is becomes the value of what it stands in."""
    with der.element(stretch, "x509.certificate") as whole:
        with der.element(whole, "x509.tbs_certificate") as signed:
            _to_be_signed(signed)
        whole.value = stretch.value = signed.value
        _algorithm(whole, "x509.signature_algorithm")
        _signature(whole)


def distinguished_name(stretch: Stretch, name: str) -> str:
    """Read a Name as a field, and return it as RFC 4514 writes it, but in the order of its bytes."""
    with der.element(stretch, name) as whole:
        parts = []
        while whole:
            with der.element(whole, "x509.name.relative") as relative:
                while relative:
                    parts.append(_attribute(relative))
                relative.value = parts[-1] if parts else ""
        whole.value = ", ".join(parts)
    return whole.value


def _attribute(stretch: Stretch) -> str:
    said = ""
    with der.element(stretch, "x509.name.attribute") as attribute:
        kind = _oid(attribute, "x509.name.type", ATTRIBUTES)
        string = der.tag(attribute)
        with der.element(attribute, "x509.name.value") as value:
            text = der.text(string, value.rest())
            value.value = text
        attribute.value = said = f"{ATTRIBUTES.get(kind, kind)}={text}"
    return said


def _to_be_signed(stretch: Stretch) -> None:
    if der.tag(stretch) == der.CONTEXT | der.CONSTRUCTED:
        with der.element(stretch, "x509.version") as version, der.element(version, "x509.version.number") as number:
            value = int.from_bytes(number.rest())
            number.value = version.value = f"{value} v{value + 1}"
    _integer(stretch, "x509.serial")
    _algorithm(stretch, "x509.tbs_certificate.algorithm")
    distinguished_name(stretch, "x509.issuer")
    with der.element(stretch, "x509.validity") as validity:
        begin = _moment(validity, "x509.validity.not_before")
        validity.value = f"{begin} – {_moment(validity, 'x509.validity.not_after')}"
    stretch.value = distinguished_name(stretch, "x509.subject")
    _public_key(stretch)
    while stretch:
        if der.tag(stretch) == der.CONTEXT | der.CONSTRUCTED | 3:
            with der.element(stretch, "x509.extensions") as outer, der.element(outer, "x509.content") as inner:
                while inner:
                    _extension(inner)
        else:
            _whatever(stretch)


def _public_key(stretch: Stretch) -> None:
    with der.element(stretch, "x509.public_key_info") as info:
        kind = _algorithm(info, "x509.public_key_info.algorithm")
        info.value = ALGORITHMS.get(kind, kind)
        with der.element(info, "x509.public_key") as key:
            key.take("x509.unused_bits", 1)
            if kind != RSA_KEY:
                key.rest()
                return
            with der.element(key, "x509.public_key.rsa") as numbers:
                _integer(numbers, "x509.public_key.rsa.modulus")
                _integer(numbers, "x509.public_key.rsa.exponent")


def _signature(stretch: Stretch) -> None:
    with der.element(stretch, "x509.signature") as signature:
        signature.take("x509.unused_bits", 1)
        if not _is_two_integers(signature):
            signature.rest()
            return
        with der.element(signature, "x509.signature.ecdsa") as pair:
            _integer(pair, "x509.signature.ecdsa.r")
            _integer(pair, "x509.signature.ecdsa.s")


def _is_two_integers(stretch: Stretch) -> bool:
    """Whether this is ECDSA's SEQUENCE of two INTEGERs over all that is left: RSA's numbers have no form."""
    start = stretch.peek(5)
    if len(start) < 5:
        return False
    long = start[1] == 0x81
    length = start[1 + long]
    return start[:1] == b"\x30" and length == len(stretch) - 2 - long and start[2 + long] == der.INTEGER


def _extension(stretch: Stretch) -> None:
    with der.element(stretch, "x509.extension") as extension:
        kind = _oid(extension, "x509.extension.type", EXTENSIONS)
        extension.value = EXTENSIONS.get(kind, kind)
        if der.tag(extension) == der.BOOLEAN:
            _boolean(extension, "x509.extension.critical")
        field, read = KNOWN.get(kind, ("x509.extension.value", _unknown))
        with der.element(extension, field) as value:
            read(value)


def _key_usage(stretch: Stretch) -> None:
    with der.element(stretch, "x509.key_usage.bits") as bits:
        bits.take("x509.unused_bits", 1)
        flags = int.from_bytes(bits.peek(2).ljust(2, b"\0"))
        bits.rest(", ".join(name for at, name in enumerate(KEY_USAGES) if flags >> (15 - at) & 1))
        stretch.value = bits.value


def _extended_key_usage(stretch: Stretch) -> None:
    with der.element(stretch, "x509.content") as purposes:
        said = []
        while purposes:
            kind = _oid(purposes, "x509.extended_key_usage.purpose", PURPOSES)
            said.append(PURPOSES.get(kind, kind))
        stretch.value = ", ".join(said)


def _basic_constraints(stretch: Stretch) -> None:
    with der.element(stretch, "x509.content") as constraints:
        if der.tag(constraints) == der.BOOLEAN:
            _boolean(constraints, "x509.basic_constraints.ca")
        if constraints:
            _integer(constraints, "x509.basic_constraints.path_length")


def _alternative_names(stretch: Stretch) -> None:
    with der.element(stretch, "x509.content") as names:
        said = []
        while names:
            kind = der.tag(names)
            field, read = GENERAL_NAMES.get(kind, ("x509.san.other", bytes.hex))
            with der.element(names, field) as name:
                name.rest(read(name.peek(len(name))))
                said.append(name.value)
        stretch.value = ", ".join(said)


def _subject_key(stretch: Stretch) -> None:
    with der.element(stretch, "x509.key_identifier") as key:
        key.rest()
        stretch.value = key.value


def _authority_key(stretch: Stretch) -> None:
    with der.element(stretch, "x509.content") as parts:
        while parts:
            if der.tag(parts) != der.CONTEXT:
                _whatever(parts)
                continue
            with der.element(parts, "x509.key_identifier") as key:
                key.rest()
                stretch.value = key.value


def _unknown(stretch: Stretch) -> None:
    stretch.rest()


def _algorithm(stretch: Stretch, name: str) -> str:
    kind = ""
    with der.element(stretch, name) as algorithm:
        kind = _oid(algorithm, "x509.algorithm.type", ALGORITHMS)
        algorithm.value = ALGORITHMS.get(kind, kind)
        if der.tag(algorithm) == der.OID:
            _oid(algorithm, "x509.algorithm.curve", ALGORITHMS)
        elif algorithm:
            with der.element(algorithm, "x509.algorithm.parameters") as parameters:
                parameters.rest()
    return kind


def _oid(stretch: Stretch, name: str, called: Mapping[str, str]) -> str:
    """Read an object identifier and return it with dots; "" where it is not one."""
    dotted = ""
    with der.element(stretch, name) as inner:
        dotted = der.oid(inner.peek(len(inner)))
        inner.rest(f"{dotted} {called[dotted]}" if dotted in called else dotted)
    return dotted


def _integer(stretch: Stretch, name: str) -> None:
    with der.element(stretch, name) as inner:
        inner.rest(der.integer(inner.peek(len(inner))))


def _boolean(stretch: Stretch, name: str) -> None:
    with der.element(stretch, name) as inner:
        inner.rest("true" if any(inner.peek(len(inner))) else "false")


def _moment(stretch: Stretch, name: str) -> str:
    kind = der.tag(stretch)
    with der.element(stretch, name) as inner:
        inner.rest(der.moment(kind, inner.peek(len(inner))))
    return inner.value


def _whatever(stretch: Stretch) -> None:
    with der.element(stretch, "x509.other") as inner:
        inner.rest()


def _ip(content: bytes) -> str:
    return str(ip_address(content)) if len(content) in {4, 16} else content.hex()


def _latin(content: bytes) -> str:
    return content.decode("latin-1")


GENERAL_NAMES: dict[int, tuple[str, Callable[[bytes], str]]] = {
    der.CONTEXT | 1: ("x509.san.email", _latin),
    der.CONTEXT | 2: ("x509.san.dns", _latin),
    der.CONTEXT | 6: ("x509.san.uri", _latin),
    der.CONTEXT | 7: ("x509.san.ip", _ip),
}

KNOWN: dict[str, tuple[str, Callable[[Stretch], None]]] = {
    "2.5.29.14": ("x509.subject_key_identifier", _subject_key),
    "2.5.29.15": ("x509.key_usage", _key_usage),
    "2.5.29.17": ("x509.san", _alternative_names),
    "2.5.29.19": ("x509.basic_constraints", _basic_constraints),
    "2.5.29.35": ("x509.authority_key_identifier", _authority_key),
    "2.5.29.37": ("x509.extended_key_usage", _extended_key_usage),
}
