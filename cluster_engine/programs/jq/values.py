"""JSON's values as jq has them: their order, their text, what can be done with two of them, and paths into them.

    compare([1], {"a": 1}) < 0         null < false < true < numbers < strings < arrays < objects
    text(3.0)                          "3"
    set_path({}, ["a", 0], 1)          {"a": [1]}

Every number is a double; one that is an integer is kept as int. Modelled on jq 1.6 (src/jv.c, jv_aux.c, jv_print.c).
"""

import functools
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

INDEX_MAX = 100_000
"""How far an assignment may make an array longer."""
TEXT_LENGTH_MAX = 11
"""Of a value in an error message."""


class JqError(Exception):
    """What a filter raised; `value` is what `catch` sees."""

    def __init__(self, value: Any) -> None:
        super().__init__(value if isinstance(value, str) else "")
        self.value = value


def kind(value: Any) -> str:
    """Name a value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


_RANK = {"null": 0, "number": 3, "string": 4, "array": 5, "object": 6}


def compare(a: Any, b: Any) -> int:
    """Order two values: below, at or above 0."""
    first, second = _rank(a), _rank(b)
    if first != second:
        return -1 if first < second else 1
    if isinstance(a, list):
        for one, other in zip(a, b, strict=False):
            if found := compare(one, other):
                return found
        return (len(a) > len(b)) - (len(a) < len(b))
    if isinstance(a, dict):
        keys, others = sorted(a), sorted(b)
        if found := compare(keys, others):
            return found
        for key in keys:
            if found := compare(a[key], b[key]):
                return found
        return 0
    if isinstance(a, float) and math.isnan(a):
        return -1
    return 0 if first < 3 else int(a > b) - int(a < b)


def _rank(value: Any) -> int:
    return (2 if value else 1) if isinstance(value, bool) else _RANK[kind(value)]


order = functools.cmp_to_key(compare)


def number_text(value: float) -> str:
    """Write a number as jq does."""
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return "null"
    if math.isinf(value):
        return "1.7976931348623157e+308" if value > 0 else "-1.7976931348623157e+308"
    if value.is_integer() and abs(value) < 1e17:
        return str(int(value)) if value else "-0" if math.copysign(1, value) < 0 else "0"
    shown = repr(value)
    mantissa, mark, exponent = shown.partition("e")
    return f"{mantissa.removesuffix('.0')}e{exponent}" if mark else shown


def text(value: Any, *, indent: int | str | None = None, sort: bool = False, ascii_only: bool = False) -> str:
    """Write a value as JSON."""
    separators = (",", ":") if indent is None else (",", ": ")
    plain = _plain(value)
    try:
        return json.dumps(plain, indent=indent, sort_keys=sort, ensure_ascii=ascii_only, separators=separators)
    except RecursionError:
        raise JqError("Exceeds depth limit for printing") from None


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        if math.isnan(value):
            return None
        shown = number_text(value)
        return int(shown) if shown.lstrip("-").isdigit() else _finite(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value


def _finite(value: float) -> float:
    return math.copysign(1.7976931348623157e308, value) if math.isinf(value) else value


def shortened(value: Any) -> str:
    """Write a value for an error message."""
    shown = text(value)
    return shown if len(shown.encode()) <= TEXT_LENGTH_MAX + 3 else f"{shown[:TEXT_LENGTH_MAX]}..."


def told(value: Any) -> str:
    """Name a value in an error message: number (1)."""
    return f"{kind(value)} ({shortened(value)})"


# -- two values --------------------------------------------------------------------------------------------------------


def normal(value: float) -> int | float:
    """Keep an integer as int."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return int(value)
    return float(value) if isinstance(value, int) and abs(value) >= 2**53 else value


def add(a: Any, b: Any) -> Any:
    """`+`."""
    if a is None or b is None:
        return b if a is None else a
    if kind(a) == kind(b) and not isinstance(a, bool):
        if isinstance(a, dict):
            return {**a, **b}
        return normal(a + b) if kind(a) == "number" else a + b
    raise JqError(f"{told(a)} and {told(b)} cannot be added")


def subtract(a: Any, b: Any) -> Any:
    """`-`."""
    if kind(a) == kind(b) == "number":
        return normal(a - b)
    if isinstance(a, list) and isinstance(b, list):
        return [one for one in a if not any(compare(one, other) == 0 for other in b)]
    raise JqError(f"{told(a)} and {told(b)} cannot be subtracted")


def multiply(a: Any, b: Any) -> Any:
    """`*`."""
    if kind(a) == kind(b) == "number":
        return normal(float(a) * b) if abs(a) > 2**53 or abs(b) > 2**53 else normal(a * b)
    if isinstance(a, dict) and isinstance(b, dict):
        merged = dict(a)
        for key, value in b.items():
            both = isinstance(merged.get(key), dict) and isinstance(value, dict)
            merged[key] = multiply(merged[key], value) if both else value
        return merged
    if kind(a) == "number" and isinstance(b, str):
        a, b = b, a
    if isinstance(a, str) and kind(b) == "number":
        count = math.ceil(b) if b > 0 else 0
        if len(a) * count > 16 * 1024 * 1024:
            raise MemoryError
        return a * count if count else None
    raise JqError(f"{told(a)} and {told(b)} cannot be multiplied")


def divide(a: Any, b: Any) -> Any:
    """`/`."""
    if kind(a) == kind(b) == "number":
        if b == 0:
            raise JqError(f"{told(a)} and {told(b)} cannot be divided because the divisor is zero")
        return normal(a / b)
    if isinstance(a, str) and isinstance(b, str):
        return (a.split(b) if b else list(a)) if a else []
    raise JqError(f"{told(a)} and {told(b)} cannot be divided")


def modulo(a: Any, b: Any) -> Any:
    """`%`."""
    if kind(a) == kind(b) == "number":
        divisor = abs(int(b)) if math.isfinite(b) else 2**63
        if divisor == 0:
            raise JqError(f"{told(a)} and {told(b)} cannot be divided because the divisor is zero")
        return int(math.fmod(int(a), divisor)) if math.isfinite(a) else 0
    raise JqError(f"{told(a)} and {told(b)} cannot be divided")


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": add, "-": subtract, "*": multiply, "/": divide, "%": modulo,
    "==": lambda a, b: compare(a, b) == 0, "!=": lambda a, b: compare(a, b) != 0,
    "<": lambda a, b: compare(a, b) < 0, "<=": lambda a, b: compare(a, b) <= 0,
    ">": lambda a, b: compare(a, b) > 0, ">=": lambda a, b: compare(a, b) >= 0,
}  # fmt: skip


# -- paths -------------------------------------------------------------------------------------------------------------


def index(value: Any, key: Any) -> Any:
    """`value[key]`."""
    if isinstance(key, dict) and isinstance(value, list | str | None):
        return slice_of(value, key.get("start"), key.get("end"))
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key)
    if value is None and isinstance(key, str | int | float):
        return None
    if isinstance(value, list) and kind(key) == "number":
        at = math.floor(key) if math.isfinite(key) else len(value)
        at += len(value) if at < 0 else 0
        return value[at] if 0 <= at < len(value) else None
    if isinstance(value, list) and isinstance(key, list):
        return [at for at in range(len(value) - len(key) + 1) if key and compare(value[at : at + len(key)], key) == 0]
    what = f'string "{key}"' if isinstance(key, str) else kind(key)
    raise JqError(f"Cannot index {kind(value)} with {what}")


def bounds(length: int, begin: Any, end: Any) -> tuple[int, int]:
    """Return where a slice begins and ends. JqError."""
    if any(one is not None and kind(one) != "number" for one in (begin, end)):
        raise JqError("Start and end indices of an array slice must be numbers")
    first = 0 if begin is None else math.floor(begin)
    last = length if end is None else math.ceil(end)
    first, last = (one + length if one < 0 else one for one in (first, last))
    first = min(max(first, 0), length)
    return first, min(max(last, first), length)


def slice_of(value: Any, begin: Any, end: Any) -> Any:
    """`value[begin:end]`."""
    if value is None:
        return None
    if not isinstance(value, list | str):
        raise JqError(f"Cannot index {kind(value)} with object")
    first, last = bounds(len(value), begin, end)
    return value[first:last]


def get_path(value: Any, path: Sequence[Any]) -> Any:
    """Follow a path; what is not there is null."""
    for key in path:
        if value is None:
            return None
        value = index(value, key)
    return value


def set_path(value: Any, path: Sequence[Any], new: Any) -> Any:
    """Return a value in which another stands at a path."""
    if not path:
        return new
    key, rest = path[0], path[1:]
    if isinstance(key, str) and (value is None or isinstance(value, dict)):
        inner = {} if value is None else dict(value)
        inner[key] = set_path(inner.get(key), rest, new)
        return inner
    if kind(key) == "number" and (value is None or isinstance(value, list)):
        copied = list(value or [])
        at = math.floor(key)
        at += len(copied) if at < 0 else 0
        if at < 0:
            raise JqError("Out of bounds negative array index")
        if at > len(copied) + INDEX_MAX:
            raise MemoryError
        copied += [None] * (at + 1 - len(copied))
        copied[at] = set_path(copied[at], rest, new)
        return copied
    if isinstance(key, dict) and (value is None or isinstance(value, list)):
        copied = list(value or [])
        first, last = bounds(len(copied), key.get("start"), key.get("end"))
        inserted = set_path(copied[first:last], rest, new)
        if not isinstance(inserted, list):
            raise JqError("A slice of an array can only be assigned another array")
        return copied[:first] + inserted + copied[last:]
    index(value, key)
    raise JqError(f"Cannot update field at {kind(key)} index of {kind(value)}")


def delete_paths(value: Any, paths: Sequence[Sequence[Any]]) -> Any:
    """Return a value without what stands at the paths."""
    for path in sorted(paths, key=lambda one: order(list(one)), reverse=True):
        if not path:
            return None
        value = _deleted(value, path)
    return value


def _deleted(value: Any, path: Sequence[Any]) -> Any:
    key = path[0]
    if value is None:
        return None
    if len(path) > 1:
        inner = index(value, key)
        return value if inner is None else set_path(value, [key], _deleted(inner, path[1:]))
    if isinstance(value, dict) and isinstance(key, str):
        return {name: one for name, one in value.items() if name != key}
    if isinstance(value, list) and kind(key) == "number":
        at = math.floor(key) + (len(value) if key < 0 else 0)
        return value[:at] + value[at + 1 :] if 0 <= at < len(value) else value
    if isinstance(value, list) and isinstance(key, dict):
        first, last = bounds(len(value), key.get("start"), key.get("end"))
        return value[:first] + value[last:]
    raise JqError(f"Cannot delete field at {'object' if isinstance(key, str) else 'array'} index of {kind(value)}")
