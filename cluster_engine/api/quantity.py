"""Quantities: numbers with a unit, `100m`, `64Mi`, `1e3`, exact and in one canonical spelling.

Modelled on `apimachinery/pkg/api/resource/quantity.go`. A server writes what it reads canonically: no fraction, the
largest suffix that leaves an integer, the binary or decimal family that was given. Nothing finer than a billionth.

    >>> parse("100m"), parse("64Mi")
    (Decimal('0.100'), Decimal('67108864'))
    >>> canonical("1000m"), canonical("0.5"), canonical("1024Ki"), canonical("1.5Gi")
    ('1', '500m', '1Mi', '1536Mi')
"""

import re
from collections.abc import Iterable
from decimal import ROUND_UP, Decimal, localcontext

BAD = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_FORM = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))([KMGTPE]i|[numkMGTPE]?|[eE][+-]?[0-9]+)")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_POWER = {suffix: power for power, suffix in _DECIMAL.items()}
_NANO = Decimal("1e-9")
LENGTH_MAX = 1024
"""Go reads any number of digits."""
EXPONENT_MAX = 2048
LARGEST = Decimal(2**63 - 1)
"""Larger quantities become this one (quantity.go: maxAllowed); but Go keeps `12E`, whose digits fit an int64."""
DIGITS_OF_INT64 = 18
PRECISION = LENGTH_MAX + 60


def _split(text: str) -> tuple[Decimal, str]:
    found = _FORM.fullmatch(text) if len(text) <= LENGTH_MAX else None
    if not found:
        raise ValueError(BAD)
    return Decimal(found[1]), found[2]


def _value(number: Decimal, suffix: str) -> Decimal:
    if suffix in _POWER:
        return number.scaleb(_POWER[suffix])
    if suffix.endswith("i"):
        return number * Decimal(1024 ** _BINARY.index(suffix))
    return number.scaleb(max(-EXPONENT_MAX, min(int(suffix[1:]), EXPONENT_MAX)))


def _read(text: str | int | float) -> tuple[Decimal, str]:
    """Return the value, no finer than a billionth and no larger than a server keeps, and the unit it was written in."""
    number, suffix = _split(str(text))
    value = _value(number, suffix)
    kept_by_go = suffix in _POWER and len(number.as_tuple().digits) <= DIGITS_OF_INT64
    if abs(value) > LARGEST and not kept_by_go:
        return LARGEST.copy_sign(value), suffix
    return (value.quantize(_NANO, rounding=ROUND_UP) if value % _NANO else value), suffix


def parse(text: str | int | float) -> Decimal:
    """Return the value, as exact as a server keeps it. Raises ValueError, in Kubernetes' words."""
    with localcontext(prec=PRECISION):
        return _read(text)[0]


def canonical(text: str | int | float) -> str:
    """Spell a quantity as the API server stores it. Raises ValueError as `parse` does."""
    with localcontext(prec=PRECISION):
        value, suffix = _read(text)
        if suffix[:1] in ("e", "E") and len(suffix) > 1:
            return _exponent(value)
        return _spelled(value, binary=suffix.endswith("i"))


def total(texts: Iterable[str | int | float]) -> str:
    """Add quantities up, in the family of the first that is not zero. Raises ValueError as `parse` does.

    >>> total(["64Mi", "1Gi"]), total(["100m", "1"]), total([])
    ('1088Mi', '1100m', '0')
    """
    with localcontext(prec=PRECISION):
        value, binary = Decimal(0), False
        for text in texts:
            more, suffix = _read(text)
            if not value:
                binary = suffix.endswith("i")
            value += more
        return _spelled(value, binary=binary)


def _spelled(value: Decimal, *, binary: bool) -> str:
    if binary and abs(value) >= 1024 and value == value.to_integral_value():
        return _binary(int(value))
    return _decimal(value)


def _binary(value: int) -> str:
    power = 0
    while value and value % 1024 == 0 and power < len(_BINARY) - 1:
        value //= 1024
        power += 1
    return f"{value}{_BINARY[power]}"


def _decimal(value: Decimal) -> str:
    number, power = _thousands(value)
    while power > 18:
        number, power = number * 1000, power - 3
    return f"{number}{_DECIMAL[power]}"


def _exponent(value: Decimal) -> str:
    number, power = _thousands(value)
    return f"{number}e{power}" if power else str(number)


def _thousands(value: Decimal) -> tuple[int, int]:
    number, power = int(value.scaleb(9)), -9
    if not number:
        return 0, 0
    while number % 1000 == 0:
        number, power = number // 1000, power + 3
    return number, power
