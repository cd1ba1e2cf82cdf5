"""What `kubectl apply` sends: a strategic patch made of three objects.

Modelled on `CreateThreeWayMergePatch` of `apimachinery/pkg/util/strategicpatch/patch.go`. Deletions are what was
applied last and is not to be applied now; additions and changes are what is to be applied now and is not on the server.
What only the server has (defaults, status, other people's fields) is left alone.

    >>> from cluster_engine.api.kinds import CONFIG_MAP
    >>> applied, live = {"data": {"a": "1", "b": "2"}}, {"data": {"a": "1", "b": "2", "c": "4"}}
    >>> three_way(CONFIG_MAP, applied, {"data": {"a": "3"}}, live)
    {'data': {'a': '3', 'b': None}}
"""

from collections.abc import Hashable
from copy import deepcopy

from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import Field, Kind, Message
from cluster_engine.api.strategic import (
    DELETE_FROM,
    DIRECTIVE,
    ELEMENT_ORDER,
    RETAIN_KEYS,
    field_of,
    identity_of,
    is_merged,
    key_of,
    message_of,
    no_merge_key,
    positions_of,
    without,
)


def three_way(kind: Kind, original: Object | None, modified: Object, current: Object) -> Object:
    """Compute the strategic patch that `kubectl apply` sends; `{}` means that there is nothing to do.

    `original` is what was applied last (None if nothing was), `modified` is to be applied, `current` is on the server.
    """
    return deepcopy(_difference(original or {}, modified, current, kind.schema))


def _difference(
    original: Object, modified: Object, current: Object, message: Message | None, *, retain_keys: bool = False
) -> Object:
    patch: Object = {}
    for key, value in modified.items():
        there, field = current.get(key), field_of(message, key)
        if isinstance(value, dict) and isinstance(there, dict):
            found = _object_difference(field, _as_object(original.get(key)), value, there)
            if found:
                patch[key] = found
        elif isinstance(value, list) and isinstance(there, list) and field and is_merged(field):
            patch.update(_list_difference(field, _as_list(original.get(key)), value, there))
        elif key not in current or value != there:
            patch[key] = value
    patch.update({key: None for key in original if key not in modified})
    if retain_keys and (patch or any(key not in modified for key in current)):
        patch[RETAIN_KEYS] = sorted(key for key, value in modified.items() if value is not None)
    return patch


def _object_difference(field: Field | None, applied: Object, value: Object, there: Object) -> Object:
    if field and field.patch_strategy == "replace":
        return value if value != there else {}
    retain_keys = field is not None and "retainKeys" in field.patch_strategy
    return _difference(applied, value, there, message_of(field), retain_keys=retain_keys)


def _as_object(value: JSON) -> Object:
    return value if isinstance(value, dict) else {}


def _as_list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else []


def _list_difference(field: Field, applied: list[JSON], value: list[JSON], there: list[JSON]) -> Object:
    if not there and not applied:
        return {field.name: value} if value else {}
    if field.merge_key:
        return _items_difference(field, applied, value, there)
    return _scalars_difference(field.name, applied, value, there)


def _items_difference(field: Field, applied: list[JSON], value: list[JSON], there: list[JSON]) -> Object:
    merge_key = field.merge_key
    before, now = _by_identity(applied, merge_key), _by_identity(there, merge_key)
    changes = [change for item in value if (change := _item_difference(field, item, before, now))]
    gone = without(applied, value, merge_key)
    changes += [{DIRECTIVE: "delete", merge_key: each[merge_key]} for each in gone]
    same_order = [key_of(each, merge_key) for each in there] == [key_of(each, merge_key) for each in value]
    patch: Object = {field.name: changes} if changes else {}
    if changes or not same_order:
        patch[ELEMENT_ORDER + field.name] = [{merge_key: each[merge_key]} for each in value]
    return patch


def _by_identity(items: list[JSON], merge_key: str) -> dict[Hashable, JSON]:
    return {identity: items[position] for identity, position in positions_of(items, merge_key).items()}


def _item_difference(field: Field, item: JSON, applied: dict[Hashable, JSON], there: dict[Hashable, JSON]) -> Object:
    """Return the item, what has to be changed in it, or nothing."""
    merge_key = field.merge_key
    if not isinstance(item, dict) or merge_key not in item:
        raise no_merge_key(item, merge_key)
    identity = identity_of(item, merge_key)
    if identity not in there:
        return item
    retain_keys = "retainKeys" in field.patch_strategy
    old = applied.get(identity, {})
    found = _difference(old, item, there[identity], message_of(field), retain_keys=retain_keys)
    return {**found, merge_key: item[merge_key]} if found else {}


def _scalars_difference(name: str, applied: list[JSON], value: list[JSON], there: list[JSON]) -> Object:
    added, gone = without(value, there, ""), without(applied, value, "")
    patch: Object = {}
    if added:
        patch[name] = added
    if gone:
        patch[DELETE_FROM + name] = gone
    if added or gone or there != value:
        patch[ELEMENT_ORDER + name] = value
    return patch
