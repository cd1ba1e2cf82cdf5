"""Validation: whether an object, complete with its defaults, may be stored.

Two sources: what the schema says of single fields (required, one of, bounds, forms), and the rules of `rules/` for what
concerns several. On an update the old object is looked at too: identity and whatever else is immutable stays.

    >>> from cluster_engine.api.kinds import DEPLOYMENT
    >>> from cluster_engine.api.defaulting import default
    >>> obj = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"replicas": -1}}
    >>> default(DEPLOYMENT, obj)
    >>> [str(cause) for cause in validate(DEPLOYMENT, obj)][:2]
    ['spec.selector: Required value', 'spec.replicas: Invalid value: -1: must be greater than or equal to 0']
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from cluster_engine.api.causes import IMMUTABLE, Go, go_label_selector, invalid, not_supported, required
from cluster_engine.api.derived import derived
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.rules import metadata
from cluster_engine.api.schema import Field, Kind, ListOf, MapOf, Message, Rule, Type
from cluster_engine.api.schemas.meta import LABEL_SELECTOR, OBJECT_META
from cluster_engine.api.status import Cause

FieldCheck: TypeAlias = Callable[[JSON, str, list[Cause]], None]


def validate(kind: Kind, new: Object, old: Object | None = None) -> list[Cause]:
    """Return everything that is wrong with an object, nothing if it may be stored. It must have its defaults."""
    causes: list[Cause] = []
    if "get" in kind.verbs:
        _validate_metadata(kind, new, old, causes)
    validator = _validator(kind.schema)
    if validator:
        validator(new, "", causes)
    if old is not None:
        _validate_update(kind, new, old, causes)
    return causes


def require_resource_version(kind: Kind, new: Object) -> list[Cause]:
    """Refuse an update without a resourceVersion, for kinds that cannot be updated unconditionally."""
    if kind.unconditional_update or new["metadata"].get("resourceVersion"):
        return []
    return [invalid("metadata.resourceVersion", Go("0x0"), "must be specified for an update")]


def _validate_metadata(kind: Kind, new: Object, old: Object | None, causes: list[Cause]) -> None:
    found = new["metadata"]
    metadata.name(found, kind.name_problems(found.get("name", "")), causes)
    metadata.namespace(found, kind.namespaced, causes)
    metadata.metadata(found, "metadata", causes)
    if old is not None:
        metadata.update(found, old["metadata"], causes)


def _validate_update(kind: Kind, new: Object, old: Object, causes: list[Cause]) -> None:
    for keys, field in _immutable(kind):
        before, after = _at(old, keys), _at(new, keys)
        if before != after:
            value = go_label_selector(after) if field.type is LABEL_SELECTOR else after
            causes.append(invalid(".".join(keys), value, IMMUTABLE))
    if kind.update_rules:
        kind.update_rules(new, old, causes)


@derived
def _immutable(kind: Kind) -> list[tuple[tuple[str, ...], Field]]:
    """Find where a kind's immutable fields are."""
    return list(_immutable_below(kind.schema, ()))


def _immutable_below(message: Message, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Field]]:
    for field in message.fields:
        if field.immutable:
            yield (*path, field.name), field
        elif isinstance(field.type, Message) and len(path) < 2:
            yield from _immutable_below(field.type, (*path, field.name))


def _at(obj: JSON, keys: tuple[str, ...]) -> JSON:
    for key in keys:
        obj = (obj or {}).get(key)
    return obj


@derived
def _validator(message: Message) -> Rule | None:
    """Make the function that checks one message, None if there is nothing to check."""
    if message is OBJECT_META:
        return None  # an object's own is checked apart, a template's by the template's rule
    checks = tuple((each.name, check) for each in message.fields if (check := _field_check(each)))
    needed = tuple(each.name for each in message.fields if each.required)
    rules = message.rules
    if not (checks or needed or rules):
        return None

    def validate_message(obj: Object, path: str, causes: list[Cause]) -> None:
        prefix = f"{path}." if path else ""
        causes += [required(prefix + name) for name in needed if obj.get(name) in _MISSING]
        for name, check in checks:
            value = obj.get(name)
            if value is not None:
                check(value, prefix + name, causes)
        if rules:
            rules(obj, path, causes)

    return validate_message


_MISSING: tuple[JSON, ...] = (None, "", 0, [])


def _field_check(field: Field) -> FieldCheck | None:
    if below := _below(field.type):
        return below
    if field.enum:
        return _one_of(field.enum)
    if field.minimum is not None or field.maximum is not None:
        return _bounded(field)
    return None


def _below(type_: Type) -> FieldCheck | None:
    """Make the function that checks what lies in a value of a type, None if there is nothing to check."""
    if isinstance(type_, Message):
        return _validator(type_)
    if isinstance(type_, ListOf) and (check := _below(type_.item)):
        return _for_each(check, enumerate)
    if isinstance(type_, MapOf) and (check := _below(type_.value)):
        return _for_each(check, dict.items)
    return None


def _for_each(inner: FieldCheck, within: Callable[[JSON], Iterable[tuple[JSON, JSON]]]) -> FieldCheck:
    def check(values: JSON, path: str, causes: list[Cause]) -> None:
        for key, value in within(values):
            inner(value, f"{path}[{key}]", causes)

    return check


def _one_of(supported: tuple[str, ...]) -> FieldCheck:
    def check(value: JSON, path: str, causes: list[Cause]) -> None:
        if value not in supported and value != "":
            causes.append(not_supported(path, value, supported))

    return check


def _bounded(field: Field) -> FieldCheck:
    low, high = field.minimum, field.maximum
    if low is not None and high is not None:
        text = f"must be between {low} and {high}, inclusive"
    elif low is not None:
        text = "must be greater than or equal to 0" if low == 0 else f"must be greater than or equal to {low}"
    else:
        low, text = 0, f"must be between 1 and {high}, inclusive"
    zero_is_missing = field.required or not (field.pointer or field.always)

    def check(value: JSON, path: str, causes: list[Cause]) -> None:
        below = low is not None and value < low and not (value == 0 and zero_is_missing)
        if below or (high is not None and value > high):
            causes.append(invalid(path, value, text))

    return check
