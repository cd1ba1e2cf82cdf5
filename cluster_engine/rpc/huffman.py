"""HPACK's Huffman code, both ways (RFC 7541 section 5.2 and appendix B), several times as fast as in `hpack`.

Theory of operation. A string is written by joining its bytes' codes as text of "0" and "1", which Python turns into a
number at once. It is read ten bits at a time: most codes are no longer, and one look into a table tells symbol and
length. What is read is remembered, for what stands in headers (paths, tokens, user agents) comes again, and is read by
the server and by the lens. The codes are `hpack`'s; a test holds both equal.

    encode(b"www.example.com").hex()                       f1e3c2e5f23a6ba0ab90f4ff          RFC 7541 C.4.1
    decode(bytes.fromhex("f1e3c2e5f23a6ba0ab90f4ff"))      Decoded(b"www.example.com", True)
    decode(b"\\xff\\xff")                                    HuffmanError: 16 bits of no code
"""

from functools import lru_cache
from typing import NamedTuple

from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

PEEK_BITS = 10
REMEMBERED_MAX, REMEMBERED_BYTES_MAX = 1024, 1536
"""Strings, and how long one is at most: a service account's token is."""
WINDOW_BYTES, WINDOW_REST_BITS = 128, 40


class HuffmanError(ValueError):
    """Bits that are no code."""


class Decoded(NamedTuple):
    """A string; whether it `is_whole`: nothing stands after it but the padding of its last byte, as it must be."""

    text: bytes
    is_whole: bool


def _short_codes() -> list[int]:
    """For each value of the next ten bits: `symbol << 4 | length` of the code, 0 if the code is longer."""
    table = [0] * (1 << PEEK_BITS)
    for symbol, (code, length) in enumerate(zip(REQUEST_CODES, REQUEST_CODES_LENGTH, strict=True)):
        if length <= PEEK_BITS:
            first = code << (PEEK_BITS - length)
            for value in range(first, first + (1 << (PEEK_BITS - length))):
                table[value] = symbol << 4 | length
    return table


SHORT = _short_codes()
LONG = {
    (length, code): symbol
    for symbol, (code, length) in enumerate(zip(REQUEST_CODES, REQUEST_CODES_LENGTH, strict=True))
    if length > PEEK_BITS
}
DIGITS = [f"{code:0{length}b}" for code, length in zip(REQUEST_CODES, REQUEST_CODES_LENGTH, strict=True)]


def encode(text: bytes) -> bytes:
    """Return the code of a string."""
    digits = "".join([DIGITS[byte] for byte in text])
    digits += "1" * (-len(digits) % 8)
    return int(digits, 2).to_bytes(len(digits) // 8) if digits else b""


def decode(data: bytes) -> Decoded:
    """Return the string that a code stands for, as far as it goes. HuffmanError."""
    return _remembered(data) if len(data) <= REMEMBERED_BYTES_MAX else _decoded(data)


def _decoded(data: bytes) -> Decoded:
    """Decode a string window by window: shifting a long number for every symbol would take time without end."""
    out = bytearray()
    start, skipped = 0, 0
    while len(data) - start > WINDOW_BYTES:
        left = _take_symbols(data[start : start + WINDOW_BYTES], skipped, WINDOW_REST_BITS, out)
        start, skipped = divmod((start + WINDOW_BYTES) * 8 - left, 8)
    left = _take_symbols(data[start:], skipped, 0, out)
    padding = (1 << left) - 1
    return Decoded(bytes(out), left < 8 and (not left or data[-1] & padding == padding))


_remembered = lru_cache(REMEMBERED_MAX)(_decoded)


def _take_symbols(data: bytes, skipped: int, rest: int, out: bytearray) -> int:
    """Decode after `skipped` bits, until at most `rest` are left; give how many are."""
    left = len(data) * 8 - skipped
    bits = int.from_bytes(data) << PEEK_BITS | ((1 << PEEK_BITS) - 1)
    while left > rest:
        found = SHORT[bits >> left & 1023]
        length = found & 15
        if not found:
            symbol, length = _long_code(bits, left)
            if length == 0:
                break
            out.append(symbol)
        elif length > left:
            break
        else:
            out.append(found >> 4)
        left -= length
    return left


def _long_code(bits: int, left: int) -> tuple[int, int]:
    """Find a code of more than ten bits; its length is 0 where only padding is left."""
    for length in range(PEEK_BITS + 1, 31):
        if length > left:
            if left < 8:
                return 0, 0
            break
        symbol = LONG.get((length, bits >> (left + PEEK_BITS - length) & ((1 << length) - 1)))
        if symbol is not None and symbol < 256:
            return symbol, length
    raise HuffmanError(f"{left} bits of no code")


__all__ = ["Decoded", "HuffmanError", "decode", "encode"]
