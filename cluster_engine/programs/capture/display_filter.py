"""Display filters of tshark (-Y), in their simple form: which packets to show, by their fields.

    http2 && ip.dst == 10.0.0.1 && !(http2.headers.path contains "nodes")

    filter   test { and|or test }     && and ||; and binds closer
    test     not test | ( filter ) | FIELD | FIELD (== != > < >= <= contains) VALUE

A field alone asks whether it is there. Of one with several values one has to do, as in Wireshark; of != none may be
equal. Left out: slices, functions, sets, matches.
"""

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from cluster_engine.programs.capture.dissection import KNOWN_FIELDS, Field, Fields

Condition = Callable[[Fields], bool]
LENGTH_MAX, WORDS_MAX, DEPTH_MAX = 4096, 400, 40
_WORD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|&&|\|\||==|!=|>=|<=|[()!<>]|[A-Za-z0-9_.:/-]+)')
_OPERATORS: Mapping[str, str] = {
    "==": "==", "eq": "==", "!=": "!=", "ne": "!=", ">": ">", "gt": ">", "<": "<", "lt": "<", ">=": ">=", "ge": ">=",
    "<=": "<=", "le": "<=", "contains": "contains",
}  # fmt: skip


class DisplayFilterError(ValueError):
    """A filter that is none; the text is tshark's complaint."""


def condition_of(text: str) -> Condition:
    """Return what a filter asks. DisplayFilterError."""
    reader = _Reader(_words(text))
    found = reader.either(0)
    if reader.peek():
        raise DisplayFilterError(f'"{reader.peek()}" was unexpected in this context.')
    return found


def _words(text: str) -> list[str]:
    words: list[str] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None or len(text) > LENGTH_MAX or len(words) == WORDS_MAX:
            raise DisplayFilterError(f'"{text[at : at + 20].strip()}" was unexpected in this context.')
        words.append(found[1])
        at = found.end()
    return words


class _Reader:
    def __init__(self, words: list[str]) -> None:
        self._words, self._at = words, 0

    def peek(self) -> str:
        """Return the next word, "" at the end."""
        return self._words[self._at] if self._at < len(self._words) else ""

    def _next(self) -> str:
        word = self.peek()
        if not word:
            raise DisplayFilterError("Unexpected end of filter expression.")
        self._at += 1
        return word

    def either(self, depth: int) -> Condition:
        """Read tests joined by "or"."""
        found = [self._both(depth)]
        while self.peek() in ("or", "||"):
            self._at += 1
            found.append(self._both(depth))
        return found[0] if len(found) == 1 else lambda fields: any(one(fields) for one in found)

    def _both(self, depth: int) -> Condition:
        found = [self._test(depth)]
        while self.peek() in ("and", "&&"):
            self._at += 1
            found.append(self._test(depth))
        return found[0] if len(found) == 1 else lambda fields: all(one(fields) for one in found)

    def _test(self, depth: int) -> Condition:
        if depth > DEPTH_MAX:
            raise DisplayFilterError("Filter expression is nested too deeply.")
        word = self._next()
        if word in ("not", "!"):
            inner = self._test(depth + 1)
            return lambda fields: not inner(fields)
        if word == "(":
            inner = self.either(depth + 1)
            if self._next() != ")":
                raise DisplayFilterError("Expected a closing parenthesis.")
            return inner
        if word not in KNOWN_FIELDS:
            raise DisplayFilterError(
                f"{word} is neither a field nor a protocol name.\n    {word}\n    {'^' + '~' * (len(word) - 1)}"
            )
        comparison = _OPERATORS.get(self.peek())
        if comparison is None:
            return lambda fields: word in fields
        self._at += 1
        return _comparison(word, comparison, self._next())


def _comparison(name: str, comparison: str, text: str) -> Condition:
    value = text[1:-1].replace('\\"', '"') if text.startswith('"') else text

    def holds(fields: Fields) -> bool:
        found = fields.get(name)
        if found is None:
            return False
        if comparison == "!=":
            return not any(_is(one, "==", value) for one in found)
        return any(_is(one, comparison, value) for one in found)

    return holds


def _is(one: Field, comparison: str, value: str) -> bool:
    if comparison == "contains":
        return value in str(one)
    try:
        if isinstance(one, int | float):
            number = float(int(value, 16)) if value[:2].lower() == "0x" else float(value)
            return _COMPARED[comparison](float(one), number)
        if "/" in value and comparison == "==":
            return ipaddress.IPv4Address(one) in ipaddress.IPv4Network(value, strict=False)
        if one[:2] == "0x" and one[2:].isalnum():
            return _COMPARED[comparison](int(one, 16), int(value, 0))
    except (ValueError, OverflowError):
        return False
    return _COMPARED[comparison](one, value)


_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
