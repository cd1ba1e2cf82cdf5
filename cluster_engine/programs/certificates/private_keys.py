"""Private keys that visitors bring, read: one that is encrypted says itself how much work its password is.

    read_private_key(b"-----BEGIN ENCRYPTED PRIVATE KEY-----…", b"secret")

PBKDF2's rounds and scrypt's costs stand in the clear before what is encrypted (RFC 8018, appendix A). More work than
WORK_MAX, about two tenths of a second, is refused: it could not be interrupted.
"""

import base64
from typing import Any

from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

WORK_MAX = 2_000_000
DEPTH_MAX = 8
DER = b"\x30"
SEQUENCE, INTEGER = 0x30, 0x02
BEGIN, END = b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"-----END"


def read_private_key(data: bytes, password: bytes | None) -> Any:
    """Return the key that a text or DER holds; ValueError, TypeError or UnsupportedAlgorithm."""
    if data[:1] == DER and b"-----BEGIN" not in data:
        return load_der_private_key(data, None)
    if password is not None and _work(data) > WORK_MAX:
        raise ValueError("the password of this key takes too long to be tried")
    return load_pem_private_key(data, password)


def _work(data: bytes) -> int:
    """Return what the numbers of an encrypted key's algorithm come to, multiplied; of several keys, the most."""
    return max((_work_of(block.partition(END)[0]) for block in data.split(BEGIN)[1:]), default=0)


def _work_of(text: bytes) -> int:
    try:
        _, whole, _ = _element(base64.b64decode(text))
    except ValueError:
        return 0
    tag, algorithm, _ = _element(whole)
    return _product(algorithm, DEPTH_MAX) if tag == SEQUENCE else 0


def _product(content: bytes, depth: int) -> int:
    product = 1
    while content:
        tag, inner, content = _element(content)
        if tag == INTEGER:
            product *= max(1, int.from_bytes(inner[:9], "big"))
        elif tag == SEQUENCE and depth:
            product *= _product(inner, depth - 1)
    return product


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Split the first element off: its tag, its content, and the rest. What is no DER has no tag."""
    if len(data) < 2:
        return 0, b"", b""
    length, at = data[1], 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
    return data[0], data[at : at + length], data[at + length :]
