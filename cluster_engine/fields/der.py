"""DER, in which certificates are written (X.690): every value begins with its type and its length.

    30 0d                      SEQUENCE, 13 bytes
       06 09 2a 86 48 …        OBJECT IDENTIFIER, 9 bytes: 1.2.840.113549.1.1.11
       05 00                   NULL

Left out: lengths that are told at the end, and types whose numbers take more than one byte; X.509 has neither.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from cluster_engine.fields.stretch import Stretch
from cluster_engine.lens.unreadable import Unreadable

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, PRINTABLE_STRING, IA5_STRING, UTC_TIME, GENERALIZED_TIME, BMP_STRING = 0x0C, 0x13, 0x16, 0x17, 0x18, 0x1E
SEQUENCE, SET, CONSTRUCTED, CONTEXT = 0x30, 0x31, 0x20, 0x80
TYPES = {
    BOOLEAN: "BOOLEAN",
    INTEGER: "INTEGER",
    BIT_STRING: "BIT STRING",
    OCTET_STRING: "OCTET STRING",
    NULL: "NULL",
    OID: "OBJECT IDENTIFIER",
    UTF8_STRING: "UTF8String",
    PRINTABLE_STRING: "PrintableString",
    IA5_STRING: "IA5String",
    UTC_TIME: "UTCTime",
    GENERALIZED_TIME: "GeneralizedTime",
    BMP_STRING: "BMPString",
    SEQUENCE: "SEQUENCE",
    SET: "SET",
}
LENGTH_BYTES_MAX = 4
OID_BYTES_MAX = 64
INTEGER_BYTES_SHOWN_MAX = 8


@contextmanager
def element(stretch: Stretch, name: str) -> Iterator[Stretch]:
    """Read the next value as a field, its header in it; what it holds is read by whoever opened it."""
    head, length = _header(stretch)
    tag = stretch.peek(1)[0]
    with stretch.within(name, head + length) as inner:
        inner.take("x509.der", head, f"{_type(tag)} {length}")
        yield inner


def tag(stretch: Stretch) -> int:
    """Return the type of the next value, 0 at the end."""
    return stretch.peek(1)[0] if stretch else 0


def oid(content: bytes) -> str:
    """Write an object identifier with dots."""
    if not content or len(content) > OID_BYTES_MAX or content[-1] & 0x80:
        raise Unreadable("not an object identifier")
    arcs, arc = [], 0
    for byte in content:
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def integer(content: bytes) -> str:
    """Write an integer in digits, one of many bytes in hexadecimal."""
    if len(content) <= INTEGER_BYTES_SHOWN_MAX:
        return str(int.from_bytes(content, signed=True))
    return f"0x{content.hex()}"


def text(kind: int, content: bytes) -> str:
    """Decode a string by its type."""
    return content.decode("utf-16-be" if kind == BMP_STRING else "utf-8", "replace")


def moment(kind: int, content: bytes) -> str:
    """Write a point in time as RFC 3339 does; UTCTime has years from 1950 to 2049 (RFC 5280 section 4.1.2.5)."""
    digits = content.decode("latin-1")
    if kind == UTC_TIME:
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    if len(digits) != 15 or not digits[:14].isascii() or not digits[:14].isdecimal() or digits[14] != "Z":
        return content.decode("latin-1")
    year, rest = digits[:4], [digits[at : at + 2] for at in range(4, 14, 2)]
    return f"{year}-{rest[0]}-{rest[1]}T{rest[2]}:{rest[3]}:{rest[4]}Z"


def _header(stretch: Stretch) -> tuple[int, int]:
    """Return how many bytes the next value's header takes, and how many follow it."""
    start = stretch.peek(2 + LENGTH_BYTES_MAX)
    if len(start) < 2:
        raise Unreadable("a value without a length")
    if start[1] < 0x80:
        return 2, start[1]
    count = start[1] & 0x7F
    if not 0 < count <= LENGTH_BYTES_MAX or len(start) < 2 + count:
        raise Unreadable("not a length of DER")
    return 2 + count, int.from_bytes(start[2 : 2 + count])


def _type(kind: int) -> str:
    return TYPES.get(kind) or (f"[{kind & 0x1F}]" if kind & 0xC0 == CONTEXT else f"0x{kind:02x}")
