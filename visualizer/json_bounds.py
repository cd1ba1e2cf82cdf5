"""Bounds on JSON that a visitor sends, beside those that each message's type states.

A type bounds what it names. A field of type `Any` (an answer, a fault, a predicate) holds whatever was sent, and three
things break readers behind the decoder: nesting that exhausts Python's stack, whole numbers that no column, msgpack or
float holds, and text that is not Unicode (a surrogate without its other half, which YAML's "\\ud800" makes). All three
are refused here, in words, before anybody else sees them.

    decode(decoder, b'{"answer": [[…40 levels…]]}')          OutOfBounds: "it is nested too deeply"
    decode(decoder, b'{"answer": 99999999999999999999}')     OutOfBounds: "a number in it is out of range"
    checked({"when": "\\ud800"})                             OutOfBounds: "a text in it is not Unicode"

The depth is counted in the bytes, because msgspec's decoder recurses once for each level (RecursionError at 1,000).
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from django.utils.translation import gettext_noop as _

T = TypeVar("T")

DEPTH_MAX = 32  # predicates nest 8 levels, each of two or three of JSON's
NUMBER_MAX = 2**53  # beyond it JavaScript's numbers are not exact (RFC 8259, section 6)

TOO_DEEP = _("it is nested too deeply")
OUT_OF_RANGE = _("a number in it is out of range")
NOT_UNICODE = _("a text in it is not Unicode")

_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class OutOfBounds(ValueError):  # noqa: N818
    """A document is nested too deeply, or holds a number or a text that cannot be kept; says which, in English."""


def decode(decoder: Callable[[bytes], T], text: bytes) -> T:
    """Read a message within the bounds. Raise `OutOfBounds` or msgspec.DecodeError."""
    check_depth(text)
    message = decoder(text)
    for name in getattr(message, "__struct_fields__", ()):
        checked(getattr(message, name))
    return message


def check_depth(text: bytes) -> None:
    """Raise `OutOfBounds` when brackets outside of strings nest deeper than `DEPTH_MAX`; `text` need not be JSON."""
    if text.count(b"[") + text.count(b"{") <= DEPTH_MAX:
        return
    depth = 0
    for mark in _MARKS.finditer(text):
        if mark[0] in b"[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise OutOfBounds(TOO_DEEP)
        elif mark[0] in b"]}":
            depth -= 1


def checked(document: Any) -> Any:
    """Return a document as it is. Raise `OutOfBounds` when some value in it, at any depth, cannot be kept."""
    level = [document]
    for _depth in range(DEPTH_MAX + 1):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return document
    raise OutOfBounds(TOO_DEEP)


def _inside(value: Any) -> list[Any]:
    match value:
        case bool() | None | float():
            return []
        case int():
            if abs(value) > NUMBER_MAX:
                raise OutOfBounds(OUT_OF_RANGE)
            return []
        case str():
            _check_text(value)
            return []
        case dict():
            return [*value.keys(), *value.values()]
        case list() | tuple() | set() | frozenset():
            return list(value)
        case msgspec.Struct():
            return [getattr(value, name) for name in value.__struct_fields__]
        case _:
            return []


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise OutOfBounds(NOT_UNICODE) from problem
