"""What a template's pipelines may call: Go's own functions, and kubectl's `exists` and `base64decode`.

    len "web"   3        index .a "b" 0   .a.b[0]        eq .kind "Pod" "Node"   true        or "" "x"   x

Numbers of the data are int64, those that a template names int; both are compared as whole numbers, and no whole number
is ever equal to a float.

Modelled on text/template/funcs.go and cli-runtime/pkg/printers/template.go.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus

import msgspec

from cluster_engine.programs.kubectl.go_template.formats import plain, printf, sprint, type_name


class CallError(ValueError):
    """What a function has to say against what it was given."""


class Function(msgspec.Struct, frozen=True):
    """A function, and how many values it takes; `most` None: any number. `texts`: it takes text only."""

    call: Callable[..., Any]
    least: int = 1
    most: int | None = 1
    texts: bool = False


def is_true(value: Any) -> bool:
    """Return whether a value counts as true: anything but nil, false, 0 and what is empty."""
    return value is not None and value is not False and value != 0 and value not in ("", [], {})


def _len(value: Any) -> int:
    if value is None:
        raise CallError("reflect: call of reflect.Value.Type on zero Value")
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace"))
    if not isinstance(value, list | dict):
        raise CallError(f"len of type {type_name(value)}")
    return len(value)


def _index(value: Any, *keys: Any) -> Any:
    if value is None:
        raise CallError("index of untyped nil")
    for key in keys:
        if isinstance(value, dict):
            if not isinstance(key, str):
                raise CallError(f"value has type {type_name(key)}; should be string")
            value = value.get(key)
        elif isinstance(value, list | str):
            value = _item(value, key)
        elif value is None:
            raise CallError("index of nil pointer")
        else:
            raise CallError(f"can't index item of type {type_name(value)}")
    return value


def _item(value: Any, key: Any) -> Any:
    if key is None:
        raise CallError("cannot index slice/array with nil")
    if isinstance(key, bool) or not isinstance(key, int):
        raise CallError(f"cannot index slice/array with type {type_name(key)}")
    items = value.encode("utf-8", "replace") if isinstance(value, str) else value
    if 0 <= key < len(items):
        return items[key]
    if key == len(items):
        raise CallError(f"reflect: {'string' if isinstance(value, str) else 'slice'} index out of range")
    raise CallError(f"index out of range: {int(key)}")


def _slice(value: Any, *bounds: Any) -> Any:
    if value is None:
        raise CallError("slice of untyped nil")
    if not isinstance(value, str | list):
        raise CallError(f"can't slice item of type {type_name(value)}")
    items: Any = value.encode("utf-8", "replace") if isinstance(value, str) else value
    begin, end = [*bounds, *(0, len(items))[len(bounds) :]][:2]
    for bound in (begin, end):
        if isinstance(bound, bool) or not isinstance(bound, int):
            raise CallError(f"cannot index slice/array with type {type_name(bound)}")
        if not 0 <= bound <= len(items):
            raise CallError(f"index out of range: {int(bound)}")
    if begin > end:
        raise CallError(f"invalid slice index: {begin} > {end}")
    found = items[begin:end]
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    kinds = {str: "string", float: "float"}
    return "int" if isinstance(value, int) else kinds.get(type(value), "")


def _eq(first: Any, *others: Any) -> bool:
    if not others:
        raise CallError("missing argument for comparison")
    for other in others:
        if first is None or other is None:
            if first is other:
                return True
            continue
        if _kind(first) != _kind(other):
            raise CallError("incompatible types for comparison")
        if isinstance(other, list | dict):
            raise CallError(f"non-comparable type {plain(other)}: {type_name(other)}")
        if first == other:
            return True
    return False


def _ne(first: Any, other: Any) -> bool:
    return not _eq(first, other)


def _lt(first: Any, other: Any) -> bool:
    if _kind(first) == "" or _kind(other) == "":
        raise CallError("invalid type for comparison")
    if _kind(first) != _kind(other):
        raise CallError("incompatible types for comparison")
    if isinstance(first, bool):
        raise CallError("invalid type for comparison")
    return bool(first < other)


def _le(first: Any, other: Any) -> bool:
    return _lt(first, other) or _eq(first, other)


def _exists(value: Any, *keys: Any) -> bool:
    try:
        return _index(value, *keys) is not None
    except CallError:
        return False


def _base64decode(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        at = next((at for at, one in enumerate(text) if one not in alphabet), len(text) // 4 * 4)
        raise CallError(f"base64 decode failed: illegal base64 data at input byte {at}") from None


def _html(*values: Any) -> str:
    text = values[0] if len(values) == 1 and isinstance(values[0], str) else sprint(values)
    for old, new in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&#34;"), ("'", "&#39;")):
        text = text.replace(old, new)
    return text


FUNCTIONS: Mapping[str, Function] = {
    "and": Function(lambda *values: next((one for one in values if not is_true(one)), values[-1]), most=None),
    "or": Function(lambda *values: next((one for one in values if is_true(one)), values[-1]), most=None),
    "not": Function(lambda value: not is_true(value)),
    "len": Function(_len),
    "index": Function(_index, most=None),
    "slice": Function(_slice, most=None),
    "print": Function(lambda *values: sprint(values), least=0, most=None),
    "printf": Function(lambda form, *values: printf(form, values), most=None, texts=True),
    "println": Function(lambda *values: " ".join(map(plain, values)) + "\n", least=0, most=None),
    "html": Function(_html, least=0, most=None),
    "urlquery": Function(lambda *values: quote_plus(sprint(values)), least=0, most=None),
    "eq": Function(_eq, most=None),
    "ne": Function(_ne, least=2, most=2),
    "lt": Function(_lt, least=2, most=2),
    "le": Function(_le, least=2, most=2),
    "gt": Function(lambda first, other: not _le(first, other), least=2, most=2),
    "ge": Function(lambda first, other: not _lt(first, other), least=2, most=2),
    "exists": Function(_exists, most=None),
    "base64decode": Function(_base64decode, texts=True),
}
