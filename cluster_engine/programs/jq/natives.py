"""jq's functions of values that are not written in jq (`prelude.jq`): text, regular expressions, dates, mathematics.

Regular expressions are RE2's, which cannot run away; jq's own (Oniguruma) know a little more. Modelled on jq 1.6
(src/builtin.c).
"""

import base64
import calendar
import html
import math
import time
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from cluster_engine.programs.jq.scope import Native, Run
from cluster_engine.programs.jq.values import (
    JqError,
    compare,
    delete_paths,
    index,
    kind,
    normal,
    order,
    set_path,
    text,
    told,
)

PATTERN_BYTES_MAX = 1024 * 1024
DEPTH_MAX = 200


def _length(_: Run, value: Any, __: list[Any]) -> Any:
    if value is None:
        return 0
    if isinstance(value, bool):
        raise JqError(f"{told(value)} has no length")
    return abs(value) if isinstance(value, int | float) else len(value)


def _keys(_: Run, value: Any, __: list[Any]) -> Any:
    if isinstance(value, list):
        return list(range(len(value)))
    if not isinstance(value, dict):
        raise JqError(f"{told(value)} has no keys")
    return sorted(value)


def _keys_unsorted(run: Run, value: Any, arguments: list[Any]) -> Any:
    return list(value) if isinstance(value, dict) else _keys(run, value, arguments)


def _has(_: Run, value: Any, arguments: list[Any]) -> Any:
    (key,) = arguments
    if isinstance(value, dict) and isinstance(key, str):
        return key in value
    if isinstance(value, list) and kind(key) == "number":
        return 0 <= key < len(value)
    raise JqError(f"Cannot check whether {kind(value)} has a {kind(key)} key")


def _contains(_: Run, value: Any, arguments: list[Any]) -> Any:
    return contains(value, arguments[0])


def contains(a: Any, b: Any) -> bool:
    """Whether the one has all of the other in it."""
    if isinstance(a, dict) and isinstance(b, dict):
        return all(key in a and contains(a[key], one) for key, one in b.items())
    if isinstance(a, list) and isinstance(b, list):
        return all(any(_contains_or_equals(one, other) for one in a) for other in b)
    if isinstance(a, str) and isinstance(b, str):
        return b in a
    if kind(a) == kind(b):
        return compare(a, b) == 0
    raise JqError(f"{told(a)} and {told(b)} cannot have their containment checked")


def _contains_or_equals(a: Any, b: Any) -> bool:
    return kind(a) == kind(b) and contains(a, b)


def _tostring(_: Run, value: Any, __: list[Any]) -> Any:
    return value if isinstance(value, str) else text(value)


def _tonumber(_: Run, value: Any, __: list[Any]) -> Any:
    if kind(value) == "number":
        return value
    if isinstance(value, str):
        try:
            bare = value.strip()
            if bare and "_" not in bare and not bare.lower().lstrip("+-").startswith(("inf", "n")):
                return normal(float(bare))
        except ValueError:
            pass
        where = f"at EOF at line 1, column {len(value)}"
        raise JqError(f"Invalid numeric literal {where} (while parsing '{value[:200]}')")
    raise JqError(f"{told(value)} cannot be parsed as a number")


def _array(value: Any, doing: str) -> list[Any]:
    if not isinstance(value, list):
        raise JqError(f"{told(value)} cannot be {doing}, as it is not an array")
    return value


def _sort(_: Run, value: Any, __: list[Any]) -> Any:
    return sorted(_array(value, "sorted"), key=order)


def _sorted_by(run: Run, value: Any, arguments: list[Any]) -> Any:
    pairs = list(zip(arguments[0], _array(value, "sorted"), strict=True))
    run.budget.step(len(pairs))
    return [one for _, one in sorted(pairs, key=lambda pair: order(pair[0]))]


def _grouped_by(run: Run, value: Any, arguments: list[Any]) -> Any:
    pairs = sorted(zip(arguments[0], _array(value, "grouped"), strict=True), key=lambda pair: order(pair[0]))
    run.budget.step(len(pairs))
    groups: list[list[Any]] = []
    last: Any = None
    for key, one in pairs:
        if groups and compare(key, last) == 0:
            groups[-1].append(one)
        else:
            groups.append([one])
        last = key
    return groups


def _extreme(_: Run, value: Any, arguments: list[Any]) -> Any:
    keys, largest = arguments
    pairs = list(zip(keys, _array(value, "iterated over"), strict=True))
    if not pairs:
        return None
    best = pairs[0]
    for pair in pairs[1:]:
        found = compare(pair[0], best[0])
        if (largest and found >= 0) or (not largest and found < 0):
            best = pair
    return best[1]


def _reverse(_: Run, value: Any, __: list[Any]) -> Any:
    return [] if value is None else value[::-1] if isinstance(value, str | list) else _array(value, "reversed")


def _startswith(_: Run, value: Any, arguments: list[Any]) -> Any:
    if not isinstance(value, str) or not isinstance(arguments[0], str):
        raise JqError("startswith() requires string inputs")
    return value.startswith(arguments[0])


def _endswith(_: Run, value: Any, arguments: list[Any]) -> Any:
    if not isinstance(value, str) or not isinstance(arguments[0], str):
        raise JqError("endswith() requires string inputs")
    return value.endswith(arguments[0])


def _ltrimstr(_: Run, value: Any, arguments: list[Any]) -> Any:
    return value.removeprefix(arguments[0]) if isinstance(value, str) and isinstance(arguments[0], str) else value


def _rtrimstr(_: Run, value: Any, arguments: list[Any]) -> Any:
    return value.removesuffix(arguments[0]) if isinstance(value, str) and isinstance(arguments[0], str) else value


def _explode(_: Run, value: Any, __: list[Any]) -> Any:
    if not isinstance(value, str):
        raise JqError(f"{told(value)} cannot be exploded")
    return [ord(one) for one in value]


def _implode(_: Run, value: Any, __: list[Any]) -> Any:
    if not isinstance(value, list):
        raise JqError("implode input must be an array")
    try:
        return "".join(chr(int(one)) for one in value)
    except (TypeError, ValueError, OverflowError):
        raise JqError("Unicode codepoint must be numeric") from None


def _split(_: Run, value: Any, arguments: list[Any]) -> Any:
    if not isinstance(value, str) or not isinstance(arguments[0], str):
        raise JqError("split input and separator must be strings")
    return (value.split(arguments[0]) if arguments[0] else list(value)) if value else []


def _tojson(_: Run, value: Any, __: list[Any]) -> Any:
    return text(value)


def _fromjson(_: Run, value: Any, __: list[Any]) -> Any:
    from cluster_engine.programs.jq.reading import Unreadable, read_all

    if not isinstance(value, str):
        raise JqError(f"{told(value)} cannot be parsed as JSON")
    try:
        found = list(read_all(value))
    except Unreadable as problem:
        raise JqError(f"{problem} (while parsing '{value}')") from None
    return found[0] if found else None


def _flatten(run: Run, value: Any, arguments: list[Any]) -> Any:
    depth = arguments[0] if arguments else DEPTH_MAX
    if kind(depth) != "number" or depth < 0:
        raise JqError("flatten depth must not be negative")
    run.budget.step(1)
    found: list[Any] = []
    for one in _array(value, "flattened") if not isinstance(value, dict) else value.values():
        found += _flatten(run, one, [depth - 1]) if isinstance(one, list) and depth > 0 else [one]
    return found


def _indices(_: Run, value: Any, arguments: list[Any]) -> Any:
    (wanted,) = arguments
    if value is None:
        return None
    if isinstance(value, str) and isinstance(wanted, str):
        found, at = [], value.find(wanted) if wanted else -1
        while at >= 0:
            found.append(at)
            at = value.find(wanted, at + 1)
        return found if wanted else None
    if isinstance(value, list) and not isinstance(wanted, list):
        return [at for at, one in enumerate(value) if compare(one, wanted) == 0]
    return index(value, wanted)


def _setpath(_: Run, value: Any, arguments: list[Any]) -> Any:
    if not isinstance(arguments[0], list):
        raise JqError("Path must be specified as an array")
    return set_path(value, arguments[0], arguments[1])


def _delpaths(_: Run, value: Any, arguments: list[Any]) -> Any:
    if not isinstance(arguments[0], list) or not all(isinstance(one, list) for one in arguments[0]):
        raise JqError("Paths must be specified as an array")
    return delete_paths(value, arguments[0])


def _math(function: Callable[..., float]) -> Native:
    def native(_: Run, value: Any, arguments: list[Any]) -> Any:
        numbers = arguments or [value]
        if any(kind(one) != "number" for one in numbers):
            raise JqError(f"{told(next(one for one in numbers if kind(one) != 'number'))} number required")
        try:
            return normal(float(function(*numbers)))
        except (ValueError, ZeroDivisionError):
            return math.nan
        except OverflowError:
            return math.inf

    return native


# -- formats -----------------------------------------------------------------------------------------------------------


def _formatted(_: Run, value: Any, arguments: list[Any]) -> Any:
    name = arguments[0]
    shown = value if isinstance(value, str) else text(value)
    match name:
        case "@text":
            return shown
        case "@json":
            return text(value)
        case "@html":
            return html.escape(shown, quote=False).replace("'", "&apos;").replace('"', "&quot;")
        case "@uri":
            return urllib.parse.quote(shown, safe="-_.~")
        case "@csv" | "@tsv":
            return _row(value, name[1:])
        case "@sh":
            return " ".join(_shell_word(one) for one in (value if isinstance(value, list) else [value]))
        case "@base64":
            return base64.b64encode(shown.encode("utf-8", "surrogateescape")).decode()
        case "@base64d":
            bare = shown.rstrip("=")
            try:
                return base64.b64decode(bare + "=" * (-len(bare) % 4)).decode("utf-8", "replace")
            except ValueError:
                raise JqError(f"{told(value)} is not valid base64 data") from None
    raise JqError(f"{name[1:]} is not a valid format")


def _row(value: Any, name: str) -> str:
    if not isinstance(value, list):
        raise JqError(f"{told(value)} cannot be {name}-formatted, only array")
    cells = []
    for one in value:
        if isinstance(one, list | dict):
            raise JqError(f"{told(one)} is not valid in a csv row" if name == "csv" else
                          f"{told(one)} cannot be tsv-formatted")  # fmt: skip
        if isinstance(one, str):
            quoted = one.replace('"', '""')
            escaped = one.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
            cells.append(f'"{quoted}"' if name == "csv" else escaped)
        else:
            cells.append("" if one is None else text(one))
    return ("," if name == "csv" else "\t").join(cells)


def _shell_word(value: Any) -> str:
    if isinstance(value, list | dict):
        raise JqError(f"{told(value)} can not be escaped for shell")
    return "'" + value.replace("'", "'\\''") + "'" if isinstance(value, str) else text(value)


# -- regular expressions -----------------------------------------------------------------------------------------------


def _compiled(pattern: Any, flags: Any) -> tuple[Any, bool]:
    import re2

    if isinstance(pattern, list):
        pattern, flags = pattern[0], pattern[1] if len(pattern) > 1 else None
    if not isinstance(pattern, str):
        raise JqError(f"{told(pattern)} cannot be matched, as it is not a string")
    given = flags or ""
    if not isinstance(given, str) or set(given) - set("gimnpsxl"):
        raise JqError(f"{given} is not a valid modifier string")
    inner = "".join(letter for letter in ("i" if "i" in given else "", "s" if "s" in given or "p" in given else ""))
    options = re2.Options()
    options.max_mem, options.log_errors = PATTERN_BYTES_MAX, False
    text_ = pattern.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
    try:
        return re2.compile(f"(?{inner}:{text_})" if inner else text_, options), "g" in given
    except re2.error as error:
        raise JqError(f"{pattern} (at offset 0) is not a valid regex: {error}") from None


def _matches(run: Run, value: Any, arguments: list[Any]) -> list[Any]:
    if not isinstance(value, str):
        raise JqError(f"{told(value)} cannot be matched, as it is not a string")
    pattern, every = _compiled(*arguments)
    names = {number: name for name, number in pattern.groupindex.items()}
    found, at = [], 0
    while at <= len(value) and (match := pattern.search(value, at)):
        run.budget.step(1 + pattern.programsize * (match.end() - at + 1) // 100)
        captures = [
            {"offset": match.start(number) if match[number] is not None else -1, "length": len(match[number] or ""),
             "string": match[number], "name": names.get(number)}
            for number in range(1, pattern.groups + 1)
        ]  # fmt: skip
        found.append({"offset": match.start(), "length": match.end() - match.start(), "string": match[0],
                      "captures": captures})  # fmt: skip
        if not every:
            break
        at = match.end() if match.end() > match.start() else match.end() + 1
    return found


def _test(run: Run, value: Any, arguments: list[Any]) -> Any:
    return bool(_matches(run, value, arguments))


def _all_matches(run: Run, value: Any, arguments: list[Any]) -> Any:
    return _matches(run, value, arguments)


def _split_by(run: Run, value: Any, arguments: list[Any]) -> Any:
    pattern, flags = arguments
    found = _matches(run, value, [pattern, (flags or "") + "g"])
    parts, at = [], 0
    for one in found:
        parts.append(value[at : one["offset"]])
        at = one["offset"] + one["length"]
    return [*parts, value[at:]]


# -- dates -------------------------------------------------------------------------------------------------------------


def _broken_down(value: Any) -> time.struct_time:
    if kind(value) == "number":
        try:
            return time.gmtime(value)
        except (ValueError, OverflowError, OSError):
            raise JqError("error converting number of seconds since epoch to datetime") from None
    if isinstance(value, list) and len(value) >= 6 and all(kind(one) == "number" for one in value):
        try:
            return time.gmtime(calendar.timegm((int(value[0]), int(value[1]) + 1, *map(int, value[2:6]))))
        except (ValueError, OverflowError, OSError):
            pass
    raise JqError("strftime/1 requires parsed datetime inputs")


def _strftime(_: Run, value: Any, arguments: list[Any]) -> Any:
    if not isinstance(arguments[0], str) or len(arguments[0]) > 1000:
        raise JqError("strftime/1 requires a string format")
    return time.strftime(arguments[0], _broken_down(value))


def _strptime(_: Run, value: Any, arguments: list[Any]) -> Any:
    if not isinstance(value, str):
        raise JqError("strptime/1 requires string inputs and arguments")
    try:
        found = time.strptime(value, arguments[0])
    except (ValueError, TypeError):
        raise JqError(f'date "{value}" does not match format "{arguments[0]}"') from None
    return [found.tm_year, found.tm_mon - 1, found.tm_mday, found.tm_hour, found.tm_min, found.tm_sec,
            (found.tm_wday + 1) % 7, found.tm_yday - 1]  # fmt: skip


def _mktime(_: Run, value: Any, __: list[Any]) -> Any:
    if not isinstance(value, list):
        raise JqError("mktime requires array of 6 numbers")
    return calendar.timegm(_broken_down(value))


def _gmtime(_: Run, value: Any, __: list[Any]) -> Any:
    found = _broken_down(value)
    seconds = normal(found.tm_sec + value % 1)
    return [found.tm_year, found.tm_mon - 1, found.tm_mday, found.tm_hour, found.tm_min, seconds,
            (found.tm_wday + 1) % 7, found.tm_yday - 1]  # fmt: skip


def _is(test: Callable[[float], bool]) -> Native:
    def native(_: Run, value: Any, __: list[Any]) -> Any:
        if kind(value) != "number":
            raise JqError(f"{told(value)} number required")
        return test(float(value))

    return native


def _halt_error(run: Run, value: Any, arguments: list[Any]) -> Any:
    run.say(value if isinstance(value, str) else f"{text(value)}\n")
    raise SystemExit(int(arguments[0]) & 0xFF)


def _halt(_: Run, __: Any, ___: list[Any]) -> Any:
    raise SystemExit(0)


NATIVES: Mapping[str, Native] = {
    "@": _formatted,
    "length/0": _length, "utf8bytelength/0": lambda run, value, _: len(_tostring(run, value, []).encode()),
    "not/0": lambda _, value, __: value is None or value is False,
    "keys/0": _keys, "keys_unsorted/0": _keys_unsorted, "has/1": _has, "contains/1": _contains,
    "type/0": lambda _, value, __: kind(value),
    "tostring/0": _tostring, "tonumber/0": _tonumber, "tojson/0": _tojson, "fromjson/0": _fromjson,
    "sort/0": _sort, "_sorted/1": _sorted_by, "_grouped/1": _grouped_by, "_extreme/2": _extreme,
    "min/0": lambda run, value, _: _extreme(run, value, [value, False]),
    "max/0": lambda run, value, _: _extreme(run, value, [value, True]),
    "reverse/0": _reverse, "startswith/1": _startswith, "endswith/1": _endswith, "ltrimstr/1": _ltrimstr,
    "rtrimstr/1": _rtrimstr, "explode/0": _explode, "implode/0": _implode, "split/1": _split, "split/2": _split_by,
    "ltrim/0": lambda _, value, __: value.lstrip() if isinstance(value, str) else value,
    "rtrim/0": lambda _, value, __: value.rstrip() if isinstance(value, str) else value,
    "trim/0": lambda _, value, __: value.strip() if isinstance(value, str) else value,
    "flatten/0": _flatten, "flatten/1": _flatten, "indices/1": _indices, "setpath/2": _setpath,
    "delpaths/1": _delpaths, "test/2": _test, "_matches/2": _all_matches,
    "floor/0": _math(math.floor), "ceil/0": _math(math.ceil), "sqrt/0": _math(math.sqrt),
    "round/0": _math(lambda one: math.floor(abs(one) + 0.5) * (1 if one >= 0 else -1)),
    "fabs/0": _math(abs), "pow/2": _math(math.pow), "log/0": _math(math.log), "log2/0": _math(math.log2),
    "log10/0": _math(math.log10), "exp/0": _math(math.exp), "exp2/0": _math(lambda one: 2.0**one),
    "exp10/0": _math(lambda one: 10.0**one), "trunc/0": _math(math.trunc), "sin/0": _math(math.sin),
    "cos/0": _math(math.cos),
    "infinite/0": lambda _, __, ___: math.inf, "nan/0": lambda _, __, ___: math.nan,
    "isinfinite/0": _is(math.isinf), "isnan/0": _is(math.isnan),
    "isnormal/0": _is(lambda one: one != 0 and math.isfinite(one)),
    "now/0": lambda run, _, __: run.now, "strftime/1": _strftime, "strptime/1": _strptime, "mktime/0": _mktime,
    "gmtime/0": _gmtime, "strflocaltime/1": _strftime, "localtime/0": _gmtime,
    "input_filename/0": lambda _, __, ___: None, "halt/0": _halt, "halt_error/1": _halt_error,
}  # fmt: skip
