"""Integers in text as Go's strconv reads them: ASCII digits, a sign, 64 bits.

parse_int("-3")          -3
parse_int("1_000")       ValueError('strconv.ParseInt: parsing "1_000": invalid syntax')
parse_int("9" * 30)      ValueError('strconv.ParseInt: parsing "999…": value out of range')
"""

_DIGITS_MAX = 20


def parse_int(text: str, bits: int = 64) -> int:
    """Read a decimal integer of `bits` bits. ValueError in Go's words."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    bare = digits.lstrip("0") or "0"
    value = int(bare) if len(bare) <= _DIGITS_MAX else 2**bits
    value = -value if text[0] == "-" else value
    if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise ValueError(f'strconv.ParseInt: parsing "{text}": value out of range')
    return value


def int_of(text: str) -> int | None:
    """Read a decimal integer of 64 bits; None where there is none."""
    try:
        return parse_int(text)
    except ValueError:
        return None
