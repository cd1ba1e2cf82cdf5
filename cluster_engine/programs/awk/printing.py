"""awk's printf and sprintf: values in a format, as C has it.

formatted(awk, "%-5s|%03d", ["a", 7.0])        "a    |007"
"""

import math
import re
from typing import Protocol

from cluster_engine.programs.awk.values import AwkError, Outside, Value, looks_like_number, whole

_FORMAT = re.compile(r"%(?:%|([-+ #0]*)(\*|[1-9][0-9]*|)(?:\.(\*|[0-9]*))?([diouxXeEfFgGcsa]))")


class Converter(Protocol):
    """Turns values into text and numbers, as a program's run does."""

    def text(self, value: Value, form: str = "CONVFMT") -> str:
        """Return a value as text."""
        ...

    def number(self, value: Value) -> float:
        """Return a value as a number."""
        ...


def formatted(awk: Converter, form: str, values: list[Value]) -> str:
    """Fill a format as printf does. AwkError where there are too few values."""
    rest = iter(values)

    def fill(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        try:
            width = str(whole(awk.number(next(rest)))) if found[2] == "*" else found[2]
            precision = str(whole(awk.number(next(rest)))) if found[3] == "*" else found[3]
            value = next(rest)
        except StopIteration:
            raise AwkError(f'not enough arguments passed to sprintf("{form}")') from None
        return _one(awk, found[1] or "", width or "", precision, letter=found[4], value=value)

    return _FORMAT.sub(fill, form)


def _one(awk: Converter, flags: str, width: str, precision: str | None, *, letter: str, value: Value) -> str:
    if len(width) > 6 or len(precision or "") > 6:
        raise MemoryError
    shape = f"%{flags}{width}{'' if precision is None else '.' + precision}"
    if letter == "c":
        number = isinstance(value, float) or (isinstance(value, Outside) and looks_like_number(value))
        text = chr(whole(awk.number(value)) & 0xFF) if number else awk.text(value)[:1]
        return f"%{flags}{width}s" % text
    if letter == "s":
        return f"{shape}s" % awk.text(value)
    number_ = awk.number(value)
    if letter in "diouxX":
        if not math.isfinite(number_):
            return f"%{flags.replace('0', '')}{width}s" % awk.text(number_)
        cut = math.trunc(number_)
        if letter not in "di" and cut < 0:
            cut += 2**64
        return f"{shape}{'d' if letter in 'diu' else letter}" % cut
    return f"{shape}{letter.replace('a', 'e')}" % number_
