"""Sets of paths into an object, as `managedFields` writes them: a tree whose nodes are the steps of the paths.

A set is the JSON of FieldsV1 itself, so what is stored is computed with as it is. A key is one step: `f:` a field's or
a map's name, `k:` the keys of an item in a list that has keys, `v:` the item of a set. Below it lie further steps.
A node without any is a path that ends there; one with some is a path's end as well only if it holds `.`.

    {"f:spec": {"f:replicas": {}, "f:template": {".": {}, "f:metadata": {}}}}
    ──► .spec.replicas, .spec.template, .spec.template.metadata           (and not .spec itself)

    >>> union({"f:a": {}}, {"f:a": {"f:b": {}}, "f:c": {}})
    {'f:a': {'.': {}, 'f:b': {}}, 'f:c': {}}
    >>> difference({"f:a": {".": {}, "f:b": {}}}, {"f:a": {}})
    {'f:a': {'f:b': {}}}

The empty set is `{}`. Sets are never changed in place; the results share parts with what they are made of.

Modelled on structured-merge-diff/fieldpath (set.go, serialize.go). Left out: `i:` steps, which no kind has.
"""

import json
from collections.abc import Iterator, Mapping

from cluster_engine.api.objects import JSON, Object

FieldSet = Object

HERE = "."
_KINDS = ("f:", "k:", "v:", "i:")


def is_end(node: FieldSet) -> bool:
    """Return whether a path ends at a node."""
    return not node or HERE in node


def ending(node: FieldSet | None) -> FieldSet:
    """Return a node at which a path ends too; None is no node yet."""
    return node or {} if node is None or is_end(node) else {HERE: {}, **node}


def union(one: FieldSet, other: FieldSet) -> FieldSet:
    """Return the paths of either set."""
    if not one or not other:
        return one or other
    merged = dict(one)
    for step, below in other.items():
        merged[step] = _union_below(merged[step], below) if step in merged else below
    return merged


def _union_below(one: FieldSet, other: FieldSet) -> FieldSet:
    if not one:
        return ending(other)
    return ending(one) if not other else union(one, other)


def difference(one: FieldSet, other: FieldSet) -> FieldSet:
    """Return the paths of the first set that are not in the other; each by itself, whatever lies below it."""
    left: FieldSet = {}
    for step, below in one.items():
        theirs = other.get(step)
        rest = below if theirs is None else _difference_below(below, theirs)
        if rest is not None:
            left[step] = rest
    return left


def _difference_below(one: FieldSet, other: FieldSet) -> FieldSet | None:
    left = difference({step: below for step, below in one.items() if step != HERE}, other)
    if is_end(one) and not is_end(other):
        return ending(left or None)
    return left or None


def intersection(one: FieldSet, other: FieldSet) -> FieldSet:
    """Return the paths that are in both sets."""
    both: FieldSet = {}
    for step, below in one.items():
        theirs = other.get(step)
        if theirs is not None and (shared := _intersection_below(below, theirs)) is not None:
            both[step] = shared
    return both


def _intersection_below(one: FieldSet, other: FieldSet) -> FieldSet | None:
    both = intersection({step: below for step, below in one.items() if step != HERE}, other)
    if is_end(one) and is_end(other):
        return ending(both or None)
    return both or None


def ordered(fields: FieldSet) -> FieldSet:
    """Return the same set in the order in which Kubernetes writes it."""
    return {step: ordered(fields[step]) for step in sorted(fields)}


def paths(fields: FieldSet, before: str = "") -> Iterator[str]:
    """Write the paths as conflicts name them, `.spec.containers[name="app"].image`: shorter ones first."""
    steps = sorted(step for step in fields if step != HERE)
    yield from (before + _text(step) for step in steps if is_end(fields[step]))
    for step in steps:
        yield from paths(fields[step], before + _text(step))


def _text(step: str) -> str:
    kind, value = step[:2], step[2:]
    if kind == "f:":
        return f".{value}"
    if kind == "k:":
        return keys_text(json.loads(value))
    return f"[={value}]" if kind == "v:" else f"[{value}]"


def keys_text(keys: Mapping[str, JSON]) -> str:
    """Write what tells an item from the others of its list."""
    return f"[{','.join(f'{name}={json.dumps(value, ensure_ascii=False)}' for name, value in keys.items())}]"


def is_readable(fields: JSON) -> bool:
    """Return whether a value that a client sent is a set."""
    return isinstance(fields, dict) and all(
        (step == HERE and below == {}) or (_is_step(step) and is_readable(below)) for step, below in fields.items()
    )


def _is_step(step: str) -> bool:
    if step[:2] not in _KINDS:
        return False
    if step[:2] == "f:":
        return True
    try:
        value = json.loads(step[2:])
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) if step[:2] == "k:" else not isinstance(value, dict | list)
