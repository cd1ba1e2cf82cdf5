"""JSON values one behind the other, as jq reads its input; errors in jq's words as far as they say where.

list(read_all('1 [2]\\n"x"'))        [1, [2], "x"]
"""

import json
from collections.abc import Iterator
from typing import Any

from cluster_engine.programs.jq.syntax import number

DIGITS_MAX = 400


class Unreadable(Exception):  # noqa: N818 - as api.documents has it
    """Input that is no JSON."""


def _number(digits: str) -> Any:
    if len(digits) > DIGITS_MAX:
        raise Unreadable("Exceeds the digits that a number may have")
    negative = digits.startswith("-")
    found = number(digits.removeprefix("-"))
    return -found if negative else found


_DECODER = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=lambda _: float("nan"))


def read_all(text: str) -> Iterator[Any]:
    """Yield the values in a text. Unreadable."""
    at = 0
    while True:
        while at < len(text) and text[at] in " \t\r\n\ufeff":
            at += 1
        if at >= len(text):
            return
        try:
            value, at = _DECODER.raw_decode(text, at)
        except RecursionError:
            raise Unreadable("Exceeds depth limit for parsing") from None
        except json.JSONDecodeError as problem:
            line = text.count("\n", 0, problem.pos) + 1
            column = problem.pos - (text.rfind("\n", 0, problem.pos) + 1) + 1
            if not text[problem.pos :].strip():
                line, column = text.count("\n") + 1, len(text) - (text.rfind("\n") + 1)
                raise Unreadable(f"Unfinished JSON term at EOF at line {line}, column {column}") from None
            raise Unreadable(f"Invalid numeric literal at line {line}, column {column}") from None
        yield value
