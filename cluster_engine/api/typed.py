"""Whether a configuration that somebody applies is of its kind's form, in the words of the merger.

Server-side apply does not decode a configuration into Go's structs first, so it has words of its own for what does not
fit: fields that the schema does not have, values of another type, and lists in which two items have the same keys.

    >>> from cluster_engine.api.kinds import DEPLOYMENT
    >>> problems(DEPLOYMENT, {"spec": {"replicas": "2", "image": "nginx"}})
    ['.spec.replicas: expected numeric (int or float), got string', '.spec.image: field not declared in schema']

Modelled on structured-merge-diff/typed (validate.go, helpers.go). Left out: errors are not sorted by path.
"""

import json
from collections.abc import Iterator

from cluster_engine.api.field_sets import keys_text
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import (
    ANY,
    BOOL,
    BYTES,
    FLOAT64,
    INT32,
    INT64,
    RAW,
    RAW_EXTENSION,
    STRING,
    Field,
    Kind,
    ListOf,
    MapOf,
    Message,
    Scalar,
    Type,
    list_type,
)

_NUMERIC = (INT32, INT64, FLOAT64)
_STRINGS = (STRING, BYTES)


def problems(kind: Kind, config: Object) -> list[str]:
    """Return what is wrong with a configuration, with the paths."""
    return list(_message(kind.schema, config, ""))


def _message(message: Message, value: JSON, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: expected map, got {_bare(value)}"
        return
    for name, each in value.items():
        field = message.by_name.get(name)
        if field is None:
            if not message.preserve_unknown:
                yield f"{path}.{name}: field not declared in schema"
        elif each is not None:
            yield from _field(field, each, f"{path}.{name}")


def _field(field: Field, value: JSON, path: str) -> Iterator[str]:
    if not isinstance(field.type, ListOf):
        yield from _value(field.type, value, path)
    elif not isinstance(value, list):
        yield f"{path}: expected list, got {_bare(value)}"
    else:
        yield from _items(field, field.type, value, path)


def _items(field: Field, type_: ListOf, items: list[JSON], path: str) -> Iterator[str]:
    seen = set()
    for index, item in enumerate(items):
        where = f"[{index}]"
        form = list_type(field)
        if form == "map":
            if not isinstance(item, dict):
                yield f"{path}: element {index}: associative list with keys may not have non-map elements"
                continue
            missing, where = _keys(field, type_, item)
            if missing:
                yield (
                    f"{path}: element {index}: associative list with keys has an element that omits key field "
                    f'"{missing}" (and doesn\'t have default value)'
                )
                continue
        elif form == "set":
            where = f"[={json.dumps(item, ensure_ascii=False)}]"
        if form != "atomic" and where in seen:
            yield f"{path}: duplicate entries for key {where}"
        seen.add(where)
        yield from _value(type_.item, item, path + where)


def _keys(field: Field, type_: ListOf, item: Object) -> tuple[str, str]:
    """Return the first key that an item lacks, and how the item is named by its keys."""
    assert isinstance(type_.item, Message)
    found = {}
    for name in sorted(field.list_keys):
        key = type_.item.by_name[name]
        default = "" if key.default is None and key.type is STRING else key.default
        found[name] = item.get(name, default)
        if found[name] is None:
            return name, ""
    return "", keys_text(found)


def _value(type_: Type, value: JSON, path: str) -> Iterator[str]:
    if value is None:
        return
    if isinstance(type_, Message):
        yield from _message(type_, value, path)
    elif isinstance(type_, MapOf):
        if not isinstance(value, dict):
            yield f"{path}: expected map, got {_bare(value)}"
            return
        for name, each in value.items():
            yield from _value(type_.value, each, f"{path}.{name}")
    elif isinstance(type_, Scalar) and (problem := _scalar(type_, value)):
        yield f"{path}: {problem}"


def _scalar(scalar: Scalar, value: JSON) -> str:
    if scalar in (ANY, RAW, RAW_EXTENSION):
        return ""
    if scalar in _NUMERIC:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if fits else f"expected numeric (int or float), got {_go_type(value)}"
    if scalar is BOOL:
        return "" if isinstance(value, bool) else f"expected boolean, got {_bare(value)}"
    if scalar in _STRINGS:
        return "" if isinstance(value, str) else f"expected string, got {_go(value)}"
    return "" if not isinstance(value, dict | list) else f"expected any scalar, got {_bare(value)}"


def _go_type(value: JSON) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return "bool" if isinstance(value, bool) else "string"


def _go(value: JSON) -> str:
    """Print a value as Go's `%#v` does the merger's wrapping of it."""
    return f"&value.valueUnstructured{{Value:{_inner(value)}}}"


def _inner(value: JSON) -> str:
    if isinstance(value, dict):
        pairs = ", ".join(f"{json.dumps(name, ensure_ascii=False)}:{_inner(value[name])}" for name in sorted(value))
        return f"map[string]interface {{}}{{{pairs}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(_inner, value))}}}"
    return "interface {}(nil)" if value is None else json.dumps(value, ensure_ascii=False)


def _bare(value: JSON) -> str:
    """Print a value as Go's `%v` does."""
    return f"&{{{_plain(value)}}}"


def _plain(value: JSON) -> str:
    if isinstance(value, dict):
        return f"map[{' '.join(f'{name}:{_plain(value[name])}' for name in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_plain, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)
