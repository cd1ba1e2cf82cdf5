"""The strategic merge patch: Kubernetes' own, which knows from the schema which lists are sets of named things.

Modelled on `apimachinery/pkg/util/strategicpatch/patch.go`. Objects are laid over objects; a list with a merge key is
merged item by item, any other is replaced; directives say the rest: `$patch: replace|delete|merge` in object or item,
`$deleteFromPrimitiveList/<field>`, `$setElementOrder/<field>`, and `$retainKeys` for unions such as a volume.

    >>> from cluster_engine.api.kinds import NODE
    >>> node = {"conditions": [{"type": "Ready", "status": "True"}, {"type": "PIDPressure", "status": "False"}]}
    >>> strategic_patch(NODE, {"status": node}, {"status": {"conditions": [{"type": "Ready", "status": "False"}]}})
    {'status': {'conditions': [{'type': 'Ready', 'status': 'False'}, {'type': 'PIDPressure', 'status': 'False'}]}}
"""

from collections import deque
from collections.abc import Hashable, Sequence
from operator import itemgetter

import msgspec

from cluster_engine.api.nesting import TOO_DEEP, exceeds
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import Field, Kind, ListOf, MapOf, Message
from cluster_engine.api.status import BadRequest

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList/"
ELEMENT_ORDER = "$setElementOrder/"


def strategic_patch(kind: Kind, obj: Object, patch: JSON) -> Object:
    """Apply a strategic merge patch by the kind's schema. Raises BadRequest for a patch that makes no sense."""
    if not isinstance(patch, dict):
        raise BadRequest("invalid JSON document")
    if exceeds(patch):
        raise BadRequest(TOO_DEEP)
    return _merge_objects(obj, patch, kind.schema)


def field_of(message: Message | None, name: str) -> Field | None:
    """Find a field; below what has no schema there is none."""
    return message.by_name.get(name) if message else None


def message_of(field: Field | None) -> Message | None:
    """Return the schema of the objects below a field, if they have one."""
    if field is None:
        return None
    inner = field.type
    if isinstance(inner, ListOf):
        return inner.item if isinstance(inner.item, Message) else None
    if isinstance(inner, MapOf):
        return None
    return inner if isinstance(inner, Message) else None


def is_merged(field: Field | None) -> bool:
    """Return whether a list is merged item by item."""
    return field is not None and "merge" in field.patch_strategy.split(",")


def _merge_objects(original: Object, patch: Object, message: Message | None) -> Object:
    directive = patch.get(DIRECTIVE)
    if directive == "replace":
        return {key: _without_directives(each) for key, each in patch.items() if each is not None and key != DIRECTIVE}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise BadRequest(f"unknown patch type: {directive} in map: {patch}")
    merged = _retained(original, patch)
    for key, value in patch.items():
        if key in (DIRECTIVE, RETAIN_KEYS) or key.startswith((DELETE_FROM, ELEMENT_ORDER)):
            continue
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge_values(merged.get(key), value, field_of(message, key), patch, key)
    _merge_lists_without_items(merged, patch, message)
    return merged


def _retained(original: Object, patch: Object) -> Object:
    """Copy the original, but only the fields that `$retainKeys` names, if it is there."""
    retain = patch.get(RETAIN_KEYS)
    if retain is None:
        return dict(original)
    if not isinstance(retain, list):
        raise BadRequest("invalid patch format of retainKeys")
    for key, value in patch.items():
        if value is not None and not key.startswith("$") and key not in retain:
            raise BadRequest("patch content doesn't match retainKeys list")
    return {key: value for key, value in original.items() if key in retain}


def _merge_values(old: JSON, new: JSON, field: Field | None, patch: Object, key: str) -> JSON:
    if isinstance(new, dict):
        if isinstance(old, dict) and not (field and field.patch_strategy == "replace"):
            return _merge_objects(old, new, message_of(field))
        return _without_directives(new)
    if isinstance(new, list):
        if isinstance(old, list) and is_merged(field):
            return _merge_lists(old, new, field, patch, key)
        return _without_directives(new)
    return new


def _merge_lists_without_items(merged: Object, patch: Object, message: Message | None) -> None:
    """Delete from and put into order those lists to which the patch adds nothing."""
    for directive in patch:
        prefix, slash, key = directive.partition("/")
        if not slash or prefix + slash not in (DELETE_FROM, ELEMENT_ORDER) or key in patch:
            continue
        field = field_of(message, key)
        if isinstance(merged.get(key), list) and is_merged(field):
            merged[key] = _merge_lists(merged[key], [], field, patch, key)


def _merge_lists(old: list[JSON], new: list[JSON], field: Field | None, patch: Object, key: str) -> list[JSON]:
    assert field is not None
    order, gone = patch.get(ELEMENT_ORDER + key), patch.get(DELETE_FROM + key)
    if order is not None and not isinstance(order, list):
        raise BadRequest("invalid patch format of setElementOrder list")
    if gone is not None and not isinstance(gone, list):
        raise BadRequest("invalid patch format of primitive list")
    merge_key = field.merge_key
    if merge_key:
        kept, added = _special_items(old, new, merge_key)
        merged = _merge_items(kept, added, merge_key, message_of(field))
    else:
        kept, added = without(old, gone or (), ""), new
        fresh = without(added, kept, "")
        merged = kept + [fresh[index] for index in positions_of(fresh, "").values()]
    return _ordered(merged, added if order is None else order, old, merge_key)


def _special_items(old: list[JSON], new: list[JSON], merge_key: str) -> tuple[list[JSON], list[JSON]]:
    """Carry out `$patch` in list items; return what is left of the old list and the ordinary items of the new."""
    gone: list[JSON] = []
    ordinary: list[JSON] = []
    replace = False
    for item in new:
        if not isinstance(item, dict):
            raise BadRequest("invalid patch format of primitive list")
        directive = item.get(DIRECTIVE)
        if directive == "replace":
            replace = True
        elif directive == "delete":
            if merge_key not in item:
                raise no_merge_key(item, merge_key)
            gone.append(item)
        elif directive not in (None, "merge"):
            raise BadRequest(f"unknown patch type: {directive} in map: {item}")
        else:
            ordinary.append(item)
    return ([] if replace else without(old, gone, merge_key)), ordinary


def no_merge_key(item: JSON, merge_key: str) -> BadRequest:
    """Make the refusal of a list item that cannot be matched."""
    return BadRequest(f"map: {item} does not contain declared merge key: {merge_key}")


def _merge_items(old: list[JSON], new: list[JSON], merge_key: str, message: Message | None) -> list[JSON]:
    merged = list(old)
    positions = positions_of(merged, merge_key)
    for item in new:
        if merge_key not in item:
            raise no_merge_key(item, merge_key)
        identity = identity_of(item, merge_key)
        index = positions.setdefault(identity, len(merged))
        if index == len(merged):
            merged.append(_without_directives(item))
        else:
            merged[index] = _merge_objects(merged[index], item, message)
    return merged


def identity_of(item: JSON, merge_key: str) -> Hashable:
    """Return what an item is found by in time that does not grow with the list; equal for items with the same key."""
    key = key_of(item, merge_key)
    if isinstance(key, dict | list):
        return msgspec.json.encode(key, order="deterministic")
    return type(key) is bool, key


def without(items: Sequence[JSON], others: Sequence[JSON], merge_key: str) -> list[JSON]:
    """Return the items that are not among the others."""
    known = positions_of(others, merge_key)
    return [each for each in items if identity_of(each, merge_key) not in known]


def positions_of(items: Sequence[JSON], merge_key: str) -> dict[Hashable, int]:
    """Say where each item stands, the first of equal ones."""
    positions: dict[Hashable, int] = {}
    for position, item in enumerate(items):
        positions.setdefault(identity_of(item, merge_key), position)
    return positions


def key_of(item: JSON, merge_key: str) -> JSON:
    """Return what identifies an item: its merge key's value, or itself."""
    return item.get(merge_key) if merge_key and isinstance(item, dict) else item


def _ordered(merged: list[JSON], order: list[JSON], server: list[JSON], merge_key: str) -> list[JSON]:
    """Put what the patch names into its order, and what only the server has where it was among them."""
    ordered, there = positions_of(order, merge_key), positions_of(server, merge_key)
    places = [(ordered.get(identity_of(each, merge_key), -1), each) for each in merged]
    named = deque(each for _, each in sorted((pair for pair in places if pair[0] >= 0), key=itemgetter(0)))
    rest = deque(each for place, each in places if place < 0)
    result: list[JSON] = []
    while named and rest:
        one = there.get(identity_of(rest[0], merge_key), -1)
        other = there.get(identity_of(named[0], merge_key), -1)
        result.append(rest.popleft() if 0 <= one < other else named.popleft())
    return [*result, *named, *rest]


def _without_directives(value: JSON) -> JSON:
    """Copy a value that had nothing to be merged with: directives and nulls mean nothing there."""
    if isinstance(value, dict):
        return {key: _without_directives(each) for key, each in value.items() if each is not None and key[:1] != "$"}
    if isinstance(value, list):
        ordinary = (each for each in value if not (isinstance(each, dict) and each.get(DIRECTIVE) in _REMOVERS))
        return [_without_directives(each) for each in ordinary]
    return value


_REMOVERS = ("delete", "replace")
