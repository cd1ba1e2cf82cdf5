"""Strict decoding: what of an object belongs to its kind, in which types, and what does not belong.

Does what Go's JSON decoder does when it fills a struct: unknown fields are left out and reported, values of a wrong
type are refused in the decoder's words, `null` and (unless a field is a pointer) zero values vanish, quantities and
times take their canonical spelling. So two spellings of one object become one object, and an update that changes
nothing is seen as such. What is returned may share parts with what was given.

A cleaner is made of each message once; paths are only spelled out where an object or list is entered.

    >>> from cluster_engine.api.kinds import CONFIG_MAP
    >>> check(CONFIG_MAP, {"metadata": {"name": "c", "labels": None}, "data": {"a": "1"}, "zz": 1})
    (['unknown field "zz"'], {'metadata': {'name': 'c'}, 'data': {'a': '1'}})
"""

import json
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import NoReturn, TypeAlias

from cluster_engine.api import quantity, time
from cluster_engine.api.derived import derived
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import (
    ANY,
    BOOL,
    BYTES,
    FLOAT64,
    INT32,
    INT64,
    INT_OR_STRING,
    MICRO_TIME,
    QUANTITY,
    RAW,
    RAW_EXTENSION,
    STRING,
    TIME,
    Field,
    Kind,
    ListOf,
    MapOf,
    Message,
    Scalar,
    Type,
)
from cluster_engine.api.status import BadRequest

Problems: TypeAlias = list[str]
Cleaner: TypeAlias = Callable[[JSON, str, Problems], JSON]  # (value, the path of its struct, problems so far)

PROBLEMS_MAX = 100  # sigs.k8s.io/json, decode.go: saveStrictError

_INDEX = re.compile(r"\[[0-9]+\]")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_RFC3339_MICRO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class Unfit(Exception):  # noqa: N818, as Refusal
    """The decoder's sentence about a value of a wrong type."""


def fill(schema: Message, obj: JSON) -> tuple[Problems, Object]:
    """Return what does not belong (`unknown field "spec.zz"`), and the object without it.

    Raises Unfit where a value has a wrong type, in the words of the Go decoder.
    """
    if not isinstance(obj, dict):
        raise Unfit(f"json: cannot unmarshal {_json_type(obj)} into Go value of type v1.{schema.go_name}")
    problems: Problems = []
    cleaned = _cleaner(schema)(obj, "", problems)
    return problems[:PROBLEMS_MAX], cleaned


def check(kind: Kind, obj: JSON) -> tuple[Problems, Object]:
    """Do so with an object that was sent; what is Unfit is a BadRequest."""
    try:
        return fill(kind.schema, obj)
    except Unfit as unfit:
        raise undecodable(kind, str(unfit)) from None


def undecodable(kind: Kind, why: str) -> BadRequest:
    """Make the refusal of a body that is not an object of this kind."""
    return BadRequest(f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: {why}')


def strict_error(kind: Kind, problems: Sequence[str]) -> BadRequest:
    """Make the refusal that `fieldValidation=Strict` asks for."""
    return undecodable(kind, f"strict decoding error: {', '.join(problems)}")


def duplicate_fields(body: bytes | str) -> Problems:
    """Report keys that stand twice in one object of a JSON body, the first hundred. `read_json` must have read it."""
    doubled: list[tuple[Object, str]] = []

    def pairs(found: list[tuple[str, JSON]]) -> Object:
        obj = dict(found)
        if len(obj) != len(found):
            times = Counter(key for key, _ in found)
            doubled.extend((obj, key) for key in obj if times[key] > 1)
        return obj

    tree = json.loads(body, object_pairs_hook=pairs, parse_int=float)
    if not doubled:
        return []
    paths = {id(obj): path for obj, path in _objects(tree, "")}
    found = (f'duplicate field "{_join(paths[id(obj)], key)}"' for obj, key in doubled if id(obj) in paths)
    return list(islice(found, PROBLEMS_MAX))


def _objects(value: JSON, path: str) -> Iterator[tuple[Object, str]]:
    if isinstance(value, dict):
        yield value, path
        for key, each in value.items():
            yield from _objects(each, _join(path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _objects(each, f"{path}[{index}]")


def _join(path: str, name: str) -> str:
    """Return the path of a field; what stands in a list or a map has no name of its own."""
    return f"{path}.{name}" if path and name else path or name


@derived
def _cleaner(message: Message) -> Cleaner:
    fields = {each.name: (_value_cleaner(message, each.name, each.type), _dropped(each)) for each in message.fields}
    preserve_unknown = message.preserve_unknown

    def clean(obj: JSON, path: str, problems: Problems) -> Object:
        cleaned: Object = {}
        for name, value in obj.items():
            known = fields.get(name)
            if known is None:
                if preserve_unknown:
                    cleaned[name] = value
                else:
                    problems.append(f'unknown field "{_join(path, name)}"')
            elif value is not None:
                found = known[0](value, path, problems)
                if found or found not in known[1]:
                    cleaned[name] = found
        return cleaned

    return clean


def _dropped(field: Field) -> tuple[JSON, ...]:
    """Say which empty values Go would not write for this field."""
    if field.pointer or field.always or field.required:
        return ()
    if isinstance(field.type, ListOf):
        return ([],)
    if isinstance(field.type, MapOf):
        return ({},)
    return () if isinstance(field.type, Message) else (field.type.zero,)


def _value_cleaner(owner: Message, name: str, type_: Type) -> Cleaner:
    if isinstance(type_, Message):
        return _object_cleaner(owner, name, type_)
    if isinstance(type_, ListOf):
        return _list_cleaner(owner, name, type_)
    if isinstance(type_, MapOf):
        return _map_cleaner(owner, name, type_)
    return _scalar_cleaner(owner, name, type_)


def _object_cleaner(owner: Message, name: str, message: Message) -> Cleaner:
    inner = _cleaner(message)

    def clean_item(value: JSON, path: str, problems: Problems) -> JSON:
        if type(value) is not dict:
            _unfit(value, owner, path, name, message)
        return inner(value, path, problems)

    def clean(value: JSON, path: str, problems: Problems) -> JSON:
        if type(value) is not dict:
            _unfit(value, owner, path, name, message)
        return inner(value, f"{path}.{name}" if path else name, problems)

    return clean if name else clean_item


def _list_cleaner(owner: Message, name: str, type_: ListOf) -> Cleaner:
    if type_.item is STRING:
        return _string_list_cleaner(owner, name, type_)
    inner = _value_cleaner(owner, "", type_.item)
    if isinstance(type_.item, Scalar):
        return lambda value, path, problems: [
            inner(each, _join(path, name), problems) for each in _as_list(value, owner, path, name, type_)
        ]
    nothing = list if isinstance(type_.item, ListOf) else dict

    def clean(value: JSON, path: str, problems: Problems) -> JSON:
        base = _join(path, name)
        return [
            inner(nothing() if each is None else each, f"{base}[{index}]", problems)
            for index, each in enumerate(_as_list(value, owner, path, name, type_))
        ]

    return clean


def _string_list_cleaner(owner: Message, name: str, type_: ListOf) -> Cleaner:
    def clean(value: JSON, path: str, problems: Problems) -> JSON:
        del problems
        for each in _as_list(value, owner, path, name, type_):
            if type(each) is not str:
                _unfit(each, owner, path, name, STRING)
        return value

    return clean


def _map_cleaner(owner: Message, name: str, type_: MapOf) -> Cleaner:
    if type_.value is STRING:
        return _string_map_cleaner(owner, name, type_)
    inner, is_scalar = _value_cleaner(owner, "", type_.value), isinstance(type_.value, Scalar)

    def clean(value: JSON, path: str, problems: Problems) -> JSON:
        if type(value) is not dict:
            _unfit(value, owner, path, name, type_)
        base = _join(path, name)
        return {
            key: inner(each, base if is_scalar else f"{base}.{key}", problems)
            for key, each in value.items()
            if each is not None
        }

    return clean


def _string_map_cleaner(owner: Message, name: str, type_: MapOf) -> Cleaner:
    def clean(value: JSON, path: str, problems: Problems) -> JSON:
        del problems
        if type(value) is not dict:
            _unfit(value, owner, path, name, type_)
        has_null = False
        for each in value.values():
            if each is None:
                has_null = True
            elif type(each) is not str:
                _unfit(each, owner, path, name, STRING)
        return {key: found or "" for key, found in value.items()} if has_null else value

    return clean


def _as_list(value: JSON, owner: Message, path: str, name: str, type_: ListOf) -> list[JSON]:
    if type(value) is not list:
        _unfit(value, owner, path, name, type_)
    found: list[JSON] = value
    return found


_BOUNDS = {INT32: 2**31, INT64: 2**63}
FLOAT_WHOLE_MAX = 1e21  # below it Go writes whole numbers without an exponent (encoding/json, floatEncoder)
_PLAIN = {STRING: str, BOOL: bool, RAW: dict, RAW_EXTENSION: dict}


def _scalar_cleaner(owner: Message, name: str, scalar: Scalar) -> Cleaner:
    if scalar in _PLAIN:
        return _plain_cleaner(owner, name, scalar, _PLAIN[scalar])
    if scalar in _BOUNDS:
        return _integer_cleaner(owner, name, scalar, _BOUNDS[scalar])
    if scalar is FLOAT64:
        return _float_cleaner(owner, name)
    convert = _CONVERTERS[scalar]
    return lambda value, path, problems: convert(value)


def _plain_cleaner(owner: Message, name: str, scalar: Scalar, python: type) -> Cleaner:
    def clean(value: JSON, path: str, problems: Problems) -> JSON:
        del problems
        if type(value) is not python:
            _unfit(value, owner, path, name, scalar)
        return value

    return clean


def _integer_cleaner(owner: Message, name: str, scalar: Scalar, bound: int) -> Cleaner:
    def clean(value: JSON, path: str, problems: Problems) -> JSON:
        del problems
        if type(value) is not int or not -bound <= value < bound:
            _unfit(value, owner, path, name, scalar)
        return value

    return clean


def _float_cleaner(owner: Message, name: str) -> Cleaner:
    def clean(value: JSON, path: str, problems: Problems) -> JSON:
        del problems
        if type(value) not in (int, float):
            _unfit(value, owner, path, name, FLOAT64)
        is_whole = type(value) is float and value.is_integer() and abs(value) < FLOAT_WHOLE_MAX
        return int(value) if is_whole else value

    return clean


_NEWLINES = str.maketrans("", "", "\r\n")
"""What Go's base64 decoder skips, and its encoder does not write."""


def _bytes(value: JSON) -> str:
    text = _text(value).translate(_NEWLINES)
    try:
        b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise Unfit("illegal base64 data at input byte 0") from None
    return text


def _time(value: JSON) -> str:
    text = _text(value)
    return text if _RFC3339.fullmatch(text) else time.rfc3339(_moment(text))


def _micro_time(value: JSON) -> str:
    text = _text(value)
    return text if _RFC3339_MICRO.fullmatch(text) else time.micro(_moment(text))


def _moment(text: str) -> datetime:
    try:
        return time.parse(text)
    except ValueError:
        layout = "2006-01-02T15:04:05Z07:00"
        raise Unfit(f'parsing time "{text}" as "{layout}": cannot parse "{text}" as "2006"') from None


def _text(value: JSON) -> str:
    if type(value) is not str:
        raise Unfit(f"json: cannot unmarshal {_json_type(value)} into Go value of type string")
    return value


@lru_cache(maxsize=1024)
def _canonical(text: str | int | float) -> str:
    try:
        return quantity.canonical(text)
    except ValueError as problem:
        raise Unfit(str(problem)) from None


def _quantity(value: JSON) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unfit(quantity.BAD)
    return _canonical(value)


def _int_or_string(value: JSON) -> int | str:
    if type(value) not in (int, str):
        raise Unfit(f"json: cannot unmarshal {_json_type(value)} into Go value of type int32")
    found: int | str = value
    return found


_CONVERTERS: dict[Scalar, Callable[[JSON], JSON]] = {
    BYTES: _bytes,
    TIME: _time,
    MICRO_TIME: _micro_time,
    QUANTITY: _quantity,
    INT_OR_STRING: _int_or_string,
    ANY: lambda value: value,
}


def _json_type(value: JSON) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _go_type(type_: Type) -> str:
    if isinstance(type_, Message):
        return f"v1.{type_.go_name}"
    if isinstance(type_, ListOf):
        return f"[]{_go_type(type_.item)}"
    if isinstance(type_, MapOf):
        return f"map[string]{_go_type(type_.value)}"
    return type_.go


def _unfit(value: JSON, owner: Message, path: str, name: str, type_: Type) -> NoReturn:
    what = _json_type(value)
    if what == "number" and isinstance(type_, Scalar) and type_ in _BOUNDS:
        what = f"number {value}"
    where = _INDEX.sub("", _join(path, name))
    raise Unfit(f"json: cannot unmarshal {what} into Go struct field {owner.go_name}.{where} of type {_go_type(type_)}")
