"""How Go's fmt writes values: %v for what is printed, and printf with its verbs, flags and complaints.

    plain({"a": [1, None]})             map[a:[1 <nil>]]
    printf("%05.1f|%-4s|", (2.5, "x"))   002.5|x   |
    printf("%d", ("x",))                 %!d(string=x)

Modelled on Go's fmt/print.go and format.go. Left out: %p, %U, %b of floats, `*` as a width, `[n]` for arguments.
"""

import json
import math
import re
from collections.abc import Sequence
from typing import Any

CHARACTERS_MAX = 8 * 1024 * 1024
WIDTH_MAX = 1_000_000
EXPONENT_FROM = 6
"""From this power of ten on %v writes a float with an exponent."""
_VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d{0,9})(?:\.(?P<precision>\d{0,9}))?(?P<verb>.?)", re.DOTALL)
_INTEGERS = {"d": "d", "x": "x", "X": "X", "o": "o", "b": "b"}


class TooLongError(ValueError):
    """A text that would be larger than CHARACTERS_MAX."""


def plain(value: Any) -> str:
    """Write a value as %v does."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _short(value)
    if isinstance(value, list):
        return f"[{' '.join(plain(one) for one in value)}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{plain(value[key])}' for key in sorted(value))}]"
    return str(value)


def syntax(value: Any) -> str:
    """Write a value as %#v does, with the types that it has in Go."""
    if value is None:
        return "interface {}(nil)"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(syntax(one) for one in value)}}}"
    if isinstance(value, dict):
        pairs = ", ".join(f"{syntax(key)}:{syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{pairs}}}"
    return plain(value)


def type_name(value: Any) -> str:
    """Name a value's Go type, as JSON was read into it."""
    names = {bool: "bool", int: "int64", float: "float64", str: "string"}
    others = {list: "[]interface {}", dict: "map[string]interface {}", type(None): "<nil>"}
    return (names | others).get(type(value), "int")


def sprint(values: Sequence[Any]) -> str:
    """Write values beside one another, with a space between two of which neither is text."""
    pieces: list[str] = []
    for at, value in enumerate(values):
        if at and not isinstance(value, str) and not isinstance(values[at - 1], str):
            pieces.append(" ")
        pieces.append(plain(value))
    return "".join(pieces)


def printf(form: str, values: Sequence[Any]) -> str:
    """Write values in a form. TooLongError."""
    pieces: list[str] = []
    length, at, used = 0, 0, 0
    for found in _VERB.finditer(form):
        verb = found["verb"]
        pieces.append(form[at : found.start()])
        at = found.end()
        if verb == "%":
            pieces.append("%")
        elif not verb:
            pieces.append("%!(NOVERB)")
        elif used >= len(values):
            pieces.append(f"%!{verb}(MISSING)")
        else:
            pieces.append(_formatted(found, values[used]))
            used += 1
        length += len(pieces[-2]) + len(pieces[-1])
        if length > CHARACTERS_MAX:
            raise TooLongError
    pieces.append(form[at:])
    if used < len(values):
        extra = ", ".join("<nil>" if value is None else f"{type_name(value)}={plain(value)}" for value in values[used:])
        pieces.append(f"%!(EXTRA {extra})")
    return "".join(pieces)


def _formatted(found: re.Match[str], value: Any) -> str:
    flags, verb = found["flags"], found["verb"]
    precision = int(found["precision"] or 0) if found["precision"] is not None else None
    text = _verb(verb, flags, precision, value)
    if text is None:
        if value is None:
            return f"%!{verb}(<nil>)"
        return f"%!{verb}({type_name(value)}={plain(value)})"
    width = int(found["width"] or 0)
    if width > WIDTH_MAX:
        return f"%!(BADWIDTH){text}"
    if "-" in flags:
        return text.ljust(width)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return text.zfill(width) if "0" in flags and is_number else text.rjust(width)


def _verb(verb: str, flags: str, precision: int | None, value: Any) -> str | None:
    """Write a value by a verb, without its width; None where the verb is not for it."""
    if verb == "v":
        return plain(value)
    if verb == "T":
        return type_name(value)
    if isinstance(value, list | dict) and verb in "sdqx":
        return None if verb != "s" else _all_text(value)
    if isinstance(value, str):
        return _text(verb, precision, value)
    if isinstance(value, bool):
        return plain(value) if verb == "t" else None
    if isinstance(value, int):
        return _integer(verb, flags, value)
    if isinstance(value, float) and verb in "eEfFgG":
        if verb in "gG" and precision is None:
            return _sign(flags, value) + _short(value)
        return _sign(flags, value) + f"{value:.{6 if precision is None else min(precision, 1000)}{verb}}"
    return None


def _all_text(value: Any) -> str | None:
    inner = value.values() if isinstance(value, dict) else value
    return plain(value) if all(isinstance(one, str) for one in inner) else None


def _text(verb: str, precision: int | None, value: str) -> str | None:
    cut = value if precision is None else value[:precision]
    if verb == "s":
        return cut
    if verb == "q":
        escaped = cut.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'"{escaped}"'
    if verb in "xX":
        digits = cut.encode("utf-8", "replace").hex()
        return digits.upper() if verb == "X" else digits
    return None


def _integer(verb: str, flags: str, value: int) -> str | None:
    if verb in _INTEGERS:
        prefix = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}.get(verb, "") if "#" in flags else ""
        sign = "-" if value < 0 else _sign(flags, value)
        return sign + prefix + format(abs(value), _INTEGERS[verb])
    if verb in "cq" and 0 <= value < 0x110000:
        return chr(value) if verb == "c" else f"'{chr(value)}'"
    return None


def _sign(flags: str, value: float) -> str:
    return "" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""


def _short(value: float) -> str:
    """Write a float with as few digits as tell it from others: 3, 0.5, 1e+06."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    digits = next(count for count in range(18) if float(f"{value:.{count}e}") == value)
    mantissa, _, exponent = f"{value:.{digits}e}".partition("e")
    power = int(exponent)
    if power < -4 or power >= EXPONENT_FROM:
        return f"{mantissa}e{exponent}"
    return f"{value:.{max(0, digits - power)}f}"
