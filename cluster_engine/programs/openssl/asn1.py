"""openssl asn1parse: the values of DER, one a line.

        4:d=1  hl=4 l= 481 cons: SEQUENCE
       10:d=3  hl=2 l=   1 prim: INTEGER           :02

Each line: where it is, how deep, the lengths of its head and of itself, whether it holds others, its type, its value.
Modelled on apps/asn1parse.c and crypto/asn1/asn1_parse.c. Left out: lengths that are not said, -dump, -genstr, -oid.
"""

import base64
import re
from collections.abc import Iterator

from cryptography.x509 import ObjectIdentifier

from cluster_engine.programs.certificates.text import TITLES
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.openssl.loading import Loader
from cluster_engine.programs.openssl.options import OpenSSLError, read

DEPTH_MAX = 128
VALUES_MAX = 100_000
NAMES = {1: "BOOLEAN", 2: "INTEGER", 3: "BIT STRING", 4: "OCTET STRING", 5: "NULL", 6: "OBJECT", 10: "ENUMERATED",
         12: "UTF8STRING", 16: "SEQUENCE", 17: "SET", 18: "NUMERICSTRING", 19: "PRINTABLESTRING", 20: "T61STRING",
         22: "IA5STRING", 23: "UTCTIME", 24: "GENERALIZEDTIME", 26: "VISIBLESTRING", 28: "UNIVERSALSTRING",
         30: "BMPSTRING"}  # fmt: skip
CLASSES = {1: "appl", 2: "cont", 3: "priv"}
TEXTS = frozenset({12, 18, 19, 20, 22, 23, 24, 26})
BEGIN, END = b"-----BEGIN ", b"-----END "


async def run(invocation: Invocation, words: list[str]) -> int:
    """Run `openssl asn1parse`; give its exit code."""
    values = frozenset({"in", "inform", "offset", "length", "strparse", "out"})
    given = read("asn1parse", words, switches=frozenset({"i", "noout", "help"}), values=values)
    data = await Loader(invocation).data(given.value("in"), "file")
    if given.value("inform").lower() != "der":
        _, begins, rest = data.partition(BEGIN)
        inner, ends, _ = rest.partition(b"\n")[2].partition(END)
        if not (begins and ends):
            raise OpenSSLError("Error: offset out of range")
        data = base64.b64decode(re.sub(rb"(?m)^[^\s]+: .*$", b"", inner), validate=False)
    if given.has("strparse"):
        data = _inside(data, given.number("strparse", 0))
    offset = given.number("offset", 0)
    if not 0 <= offset < max(1, len(data)):
        raise OpenSSLError("Error: offset out of range")
    length = given.number("length", 0) or len(data)
    if given.has("noout"):
        return 0
    try:
        for line in parsed(data[: offset + length], offset, indents=given.has("i")):
            invocation.out(f"{line}\n")
            await invocation.drain()
    except ValueError as error:
        raise OpenSSLError(str(error)) from None
    return 0


def _inside(data: bytes, at: int) -> bytes:
    """Return what stands in the string at a position."""
    if not 0 < at < len(data):
        raise OpenSSLError("Error parsing structure")
    try:
        tag, _, begin, end = _head(data, at, len(data))
    except ValueError:
        raise OpenSSLError("Error parsing structure") from None
    if tag & 0x1F in (3, 4) and not tag & 0xC0:
        return data[begin + (tag & 0x1F == 3) : end]
    return data[at:end] if tag & 0x20 else data[begin:end]


def parsed(data: bytes, at: int, *, indents: bool) -> Iterator[str]:
    """Yield a line for each value. ValueError where it is no DER, or more than VALUES_MAX."""
    ends = [len(data)]
    for _ in range(VALUES_MAX):
        while len(ends) > 1 and at >= ends[-1]:
            ends.pop()
        if at >= len(data):
            return
        tag, number, begin, end = _head(data, at, ends[-1])
        depth, is_holding = len(ends) - 1, bool(tag & 0x20)
        kind = CLASSES.get(tag >> 6)
        name = f"{kind} [ {number} ]" if kind else NAMES.get(number, f"<ASN1 {number}>")
        line = f"{at:5}:d={depth:<2} hl={begin - at} l={end - begin:4} {'cons' if is_holding else 'prim'}: "
        line += (" " * depth if indents else "") + f"{name:<18}"
        if is_holding:
            yield line
            if depth >= DEPTH_MAX:
                raise ValueError("BAD RECURSION DEPTH")
            ends.append(end)
            at = begin
        else:
            yield line + ("" if kind else _value(number, data[begin:end]))
            at = end
    raise ValueError(f"asn1parse: more than {VALUES_MAX} values are not shown here")


def _head(data: bytes, at: int, limit: int) -> tuple[int, int, int, int]:
    """Return a value's first byte, its number, and where its content begins and ends. ValueError."""
    try:
        tag, begin = data[at], at + 1
        number = tag & 0x1F
        if number == 0x1F:
            number = 0
            while True:
                number = number << 7 | data[begin] & 0x7F
                begin += 1
                if not data[begin - 1] & 0x80 or number > 1 << 40:
                    break
        length = data[begin]
        begin += 1
        if length & 0x80:
            size = length & 0x7F
            if not 0 < size <= 4 or begin + size > limit:
                raise ValueError("Error in encoding")
            length = int.from_bytes(data[begin : begin + size])
            begin += size
    except IndexError:
        raise ValueError("Error in encoding") from None
    if begin + length > limit:
        raise ValueError("Error in encoding")
    return tag, number, begin, begin + length


def _value(number: int, content: bytes) -> str:
    if number in TEXTS:
        return f":{content.decode('utf-8' if number == 12 else 'latin-1', 'replace')}"
    if number == 6:
        return f":{_identifier(content)}"
    if number == 1:
        return f":{content[0]}" if len(content) == 1 else ":BAD BOOLEAN"
    if number in (2, 10):
        whole = int.from_bytes(content, signed=True)
        digits = f"{abs(whole):X}"
        return f":{'-' if whole < 0 else ''}{'0' if len(digits) % 2 else ''}{digits}"
    if number == 4 and content:
        if all(32 <= byte <= 126 or byte in b"\n\r\t" for byte in content):
            return f":{content.decode()}"
        return f"[HEX DUMP]:{content.hex().upper()}"
    return ""


def _identifier(content: bytes) -> str:
    numbers, number = [], 0
    for byte in content[:64]:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    if not numbers or len(content) > 64:
        return "BAD OBJECT"
    first = min(numbers[0] // 40, 2)
    dotted = ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))
    try:
        identifier = ObjectIdentifier(dotted)
    except ValueError:
        return dotted
    title = TITLES.get(identifier) or LONG_NAMES.get(dotted) or identifier._name
    return dotted if title == "Unknown OID" else title


LONG_NAMES = {
    "1.2.840.113549.1.1.1": "rsaEncryption",
    "1.2.840.10045.2.1": "id-ecPublicKey",
    "1.2.840.10045.3.1.7": "prime256v1",
    "1.3.132.0.34": "secp384r1",
    "1.3.132.0.35": "secp521r1",
    "1.3.101.112": "ED25519",
    "1.3.101.113": "ED448",
    "1.3.6.1.5.5.7.3.1": "TLS Web Server Authentication",
    "1.3.6.1.5.5.7.3.2": "TLS Web Client Authentication",
    "1.3.6.1.5.5.7.3.3": "Code Signing",
}
