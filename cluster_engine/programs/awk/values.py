"""awk's values, and bytes of text: float, str, or None for what was never assigned.

Outside("10")        text that a program was given, which counts as a number where it looks like one
"""

import re

from cluster_engine.programs.awk.syntax import SyntaxFailure, unescaped
from cluster_engine.programs.text.matching import raw

Value = float | str | None
_NUMBER = re.compile(r"[ \t-\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")


class AwkError(Exception):
    """What a program cannot do; the text follows "awk: "."""


class Outside(str):
    """Text from outside, which counts as a number where it looks like one."""

    __slots__ = ()


def looks_like_number(text: str) -> bool:
    """Whether the whole of it is a number."""
    found = _NUMBER.match(text)
    return found is not None and not text[found.end() :].strip()


def leading_number(text: str) -> float:
    """Return the number with which a text begins, 0 where it begins with none."""
    found = _NUMBER.match(text)
    return float(found[1]) if found else 0.0


def whole(number: float) -> int:
    """Return a number without what stands behind its point; what is none, or beyond all, as far as C's int goes."""
    return int(number) if abs(number) < 2**31 else 2**31 - 1 if number > 0 else -(2**31)


def is_numeric(value: Value) -> bool:
    """Whether a value counts as a number."""
    return value is None or isinstance(value, float) or (isinstance(value, Outside) and looks_like_number(value))


def plain_escapes(text: str) -> str:
    """Read what only awk's expressions escape: \\/ and \\", \\n and \\t."""
    return re.sub(r'\\([/"nt])', lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)


def bytes_of(text: str) -> bytes:
    """Return text as the bytes that it was read from."""
    return raw(text)


def text_of(data: bytes) -> str:
    """Return bytes as text."""
    return data.decode("utf-8", "surrogateescape")


def assignment(text: str) -> tuple[str, Outside]:
    """Read NAME=VALUE as -v has it. SyntaxFailure."""
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise SyntaxFailure(f"improper assignment: -v {text}", 0)
    return name, Outside(unescaped(value))
