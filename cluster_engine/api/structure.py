"""Which values of a kind are one piece and which have parts, for who must know which fields somebody has set.

Theory of operation. Server-side apply tells fields apart by path. A *leaf* is owned as a whole: a scalar, an atomic
list, an atomic object such as a label selector. A *struct* or a map has fields, and a list may have items that are
found again by their keys (`containers` by name) or by themselves (`finalizers`). A `Shape` of each of these is made
once from the description of a kind; it answers what the two ways of writing ask:

    update    compare(before, after)   which paths came or changed, which went
    apply     fields(config)           which paths the configuration sets
              merge(live, config)      the configuration laid over the object
              without(value, fields)   the object without some paths
              named(fields)            the paths, with every struct field on the way

    >>> from cluster_engine.api.kinds import CONFIG_MAP
    >>> shape(CONFIG_MAP).compare({"data": {"a": "1"}}, {"data": {"a": "2", "b": "3"}})
    ({'f:data': {'f:a': {}, 'f:b': {}}}, None)

Modelled on structured-merge-diff/typed (compare.go, tofieldset.go, merge.go, remove.go). Left out: unions; lists whose
items stand twice are compared as one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from cluster_engine.api.derived import derived
from cluster_engine.api.field_sets import HERE, FieldSet, ending, is_end
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import ANY, STRING, Field, Kind, ListOf, MapOf, Message, Type, list_type

Difference = tuple[FieldSet | None, FieldSet | None]
"""The node of what came or changed, and of what went; None where there is nothing."""


class Shape(Protocol):
    """What can be asked of values of one form. `before` and `after` are not equal where they are compared."""

    def whole(self, value: JSON) -> FieldSet:
        """Return the node of a value that was not there: all its paths."""

    def compare(self, before: JSON, after: JSON) -> Difference:
        """Compare two values that differ."""

    def fields(self, value: JSON) -> FieldSet | None:
        """Return the node of what a configuration sets, None where that is nothing."""

    def merge(self, live: JSON, config: JSON) -> JSON:
        """Lay a configuration over what is there."""

    def without(self, value: JSON, fields: FieldSet) -> JSON:
        """Return a value without some of its paths; None where nothing is left."""

    def named(self, fields: FieldSet) -> FieldSet:
        """Add the struct fields that lie on the way."""


class Leaf:
    """A scalar, or something that is owned as a whole."""

    def whole(self, value: JSON) -> FieldSet:
        """Return the one path."""
        del value
        return {}

    def compare(self, before: JSON, after: JSON) -> Difference:
        """Say that it changed."""
        del before, after
        return {}, None

    def fields(self, value: JSON) -> FieldSet | None:
        """Return the one path."""
        return self.whole(value)

    def merge(self, live: JSON, config: JSON) -> JSON:
        """Take the configuration's."""
        del live
        return config

    def without(self, value: JSON, fields: FieldSet) -> JSON:
        """Keep it: nothing lies below."""
        del fields
        return value

    def named(self, fields: FieldSet) -> FieldSet:
        """Return the set as it is."""
        return fields


LEAF = Leaf()


class Anything(Leaf):
    """A value of which no schema speaks: objects have fields, all else is one piece."""

    def whole(self, value: JSON) -> FieldSet:
        """Return all paths."""
        return _ANY_OBJECT.whole(value) if isinstance(value, dict) else {}

    def compare(self, before: JSON, after: JSON) -> Difference:
        """Compare objects by their fields."""
        both = isinstance(before, dict) and isinstance(after, dict)
        return _ANY_OBJECT.compare(before, after) if both else ({}, None)

    def fields(self, value: JSON) -> FieldSet | None:
        """Return the paths of an object, or the one."""
        return _ANY_OBJECT.fields(value) if isinstance(value, dict) else {}

    def merge(self, live: JSON, config: JSON) -> JSON:
        """Merge objects."""
        both = isinstance(live, dict) and isinstance(config, dict)
        return _ANY_OBJECT.merge(live, config) if both else config

    def without(self, value: JSON, fields: FieldSet) -> JSON:
        """Remove from an object."""
        return _ANY_OBJECT.without(value, fields) if isinstance(value, dict) else value


@dataclass(frozen=True, slots=True)
class Struct:
    """An object: the fields that are known, and the form of all others (None: there are none)."""

    known: Mapping[str, tuple[str, Shape]]
    other: Shape | None
    by_step: Mapping[str, Shape] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_step", dict(self.known.values()))

    def at(self, name: str) -> tuple[str, Shape]:
        """Return the step to a field, and its form."""
        return self.known.get(name) or (f"f:{name}", self.other or ANYTHING)

    def whole(self, value: JSON) -> FieldSet:
        """Return the object's own path and all below it."""
        if not value:
            return {}
        found: FieldSet = {HERE: {}}
        for name, each in value.items():
            step, shape_ = self.at(name)
            found[step] = shape_.whole(each)
        return found

    def compare(self, before: JSON, after: JSON) -> Difference:
        """Compare field by field; that null became empty is a change of the object itself."""
        before, after = before or {}, after or {}
        if not before and not after:
            return {}, None
        changed: FieldSet = {}
        gone: FieldSet = {}
        for name, value in after.items():
            if name not in before:
                step, shape_ = self.at(name)
                changed[step] = shape_.whole(value)
            elif (old := before[name]) != value:
                step, shape_ = self.at(name)
                more, less = shape_.compare(old, value)
                if more is not None:
                    changed[step] = more
                if less is not None:
                    gone[step] = less
        for name, value in before.items():
            if name not in after:
                step, shape_ = self.at(name)
                gone[step] = shape_.whole(value)
        return changed or None, gone or None

    def fields(self, value: JSON) -> FieldSet | None:
        """Return the paths of what is set: keys of a map always, a struct's field if it is empty or a leaf."""
        found: FieldSet = {}
        for name, each in value.items():
            step, shape_ = self.at(name)
            node = None if each is None else shape_.fields(each)
            if each is None or each == {} or name not in self.known:
                node = ending(node)
            if node is not None:
                found[step] = node
        return found or None

    def merge(self, live: JSON, config: JSON) -> JSON:
        """Merge what both have, keep and add the rest."""
        if not isinstance(live, dict) or config is None:
            return config
        merged = dict(live)
        for name, value in config.items():
            merged[name] = self.at(name)[1].merge(live[name], value) if name in live else value
        return merged

    def without(self, value: JSON, fields: FieldSet) -> JSON:
        """Remove fields."""
        if not value:
            return value
        left: Object = {}
        for name, each in value.items():
            step, shape_ = self.at(name)
            node = fields.get(step)
            if node is None:
                left[name] = each
            elif not is_end(node):
                left[name] = shape_.without(each, node)
        return left or None

    def named(self, fields: FieldSet) -> FieldSet:
        """Add the known fields on the way."""
        found: FieldSet = {}
        for step, node in fields.items():
            shape_ = self.by_step.get(step) or self.other or ANYTHING
            below = shape_.named(node) if node else node
            found[step] = ending(below) if step in self.by_step else below
        return found


class Items(msgspec.Struct, frozen=True):
    """A list whose items are found again: `step_to` makes the step that leads to one."""

    step_to: Callable[[JSON], str]
    item: Shape

    def _by_step(self, items: list[JSON]) -> dict[str, JSON]:
        """Index the items; those that stand twice become one, a tuple."""
        found: dict[str, JSON] = {}
        for item in items:
            step = self.step_to(item)
            if step in found:
                others = found[step]
                found[step] = (*others, item) if isinstance(others, tuple) else (others, item)
            else:
                found[step] = item
        return found

    def _whole(self, item: JSON) -> FieldSet:
        return {} if isinstance(item, tuple) else self.item.whole(item)

    def whole(self, value: JSON) -> FieldSet:
        """Return the list's own path and all below it."""
        if not value:
            return {}
        return {HERE: {}} | {step: self._whole(item) for step, item in self._by_step(value).items()}

    def compare(self, before: JSON, after: JSON) -> Difference:
        """Compare the items that both have; their order does not count."""
        if not before and not after:
            return {}, None
        old, new = self._by_step(before or []), self._by_step(after or [])
        changed: FieldSet = {}
        gone: FieldSet = {}
        for step, item in new.items():
            if step not in old:
                changed[step] = self._whole(item)
            elif (other := old[step]) != item:
                twice = isinstance(item, tuple) or isinstance(other, tuple)
                more, less = (LEAF if twice else self.item).compare(other, item)
                if more is not None:
                    changed[step] = more
                if less is not None:
                    gone[step] = less
        gone |= {step: self._whole(item) for step, item in old.items() if step not in new}
        return changed or None, gone or None

    def fields(self, value: JSON) -> FieldSet | None:
        """Return the paths of the items, each with its own; an empty list sets nothing."""
        return {self.step_to(item): ending(self.item.fields(item)) for item in value} or None

    def merge(self, live: JSON, config: JSON) -> JSON:
        """Merge what both have, in the configuration's order; what only one has keeps its place among them."""
        if not isinstance(live, list) or config is None:
            return config
        ours, theirs = self._by_step(config), self._by_step(live)
        order, left = list(ours), list(theirs)
        shared = [step for step in order if step in theirs]
        merged: list[JSON] = []
        for step in left:
            if step not in ours:
                found = theirs[step]
                merged.extend(found if isinstance(found, tuple) else [found])
            elif shared and step == shared[0]:
                merged.extend(self._taken(order, theirs, ours, until=step))
                shared.pop(0)
        merged.extend(self._taken(order, theirs, ours))
        return merged

    def _taken(
        self, order: list[str], theirs: Mapping[str, JSON], ours: Mapping[str, JSON], until: str = ""
    ) -> list[JSON]:
        """Take items of the configuration off `order`, up to one of them, or all."""
        taken: list[JSON] = []
        while order and (not until or until in order):
            step = order.pop(0)
            there = theirs.get(step)
            is_one = step in theirs and not isinstance(there, tuple)
            taken.append(self.item.merge(there, ours[step]) if is_one else ours[step])
        return taken

    def without(self, value: JSON, fields: FieldSet) -> JSON:
        """Remove items, or parts of them."""
        left: list[JSON] = []
        for item in value or ():
            node = fields.get(self.step_to(item))
            if node is None:
                left.append(item)
            elif not is_end(node):
                left.append(self.item.without(item, node) or {})
        return left or None

    def named(self, fields: FieldSet) -> FieldSet:
        """Go on below each item."""
        return {step: self.item.named(node) if node and step != HERE else node for step, node in fields.items()}


ANYTHING = Anything()
_ANY_OBJECT = Struct({}, ANYTHING)


@derived
def shape(kind: Kind) -> Struct:
    """Make the shape of a kind's objects."""
    return _struct(kind.schema)


@derived
def _struct(message: Message) -> Struct:
    known = {each.name: (f"f:{each.name}", _of_field(each)) for each in message.fields}
    return Struct(known, ANYTHING if message.preserve_unknown else None)


def _of_field(field_: Field) -> Shape:
    if isinstance(field_.type, ListOf):
        return _of_list(field_, field_.type)
    return LEAF if field_.atomic else _of_type(field_.type)


def _of_type(type_: Type) -> Shape:
    if isinstance(type_, Message):
        return LEAF if type_.atomic else _struct(type_)
    if isinstance(type_, MapOf):
        return Struct({}, _of_type(type_.value))
    return ANYTHING if type_ is ANY else LEAF


def _of_list(field_: Field, type_: ListOf) -> Shape:
    form = list_type(field_)
    if form == "set":
        return Items(lambda item: f"v:{_json(item)}", LEAF)
    if form == "map" and isinstance(type_.item, Message):
        return Items(_stepper(field_.list_keys, type_.item), _of_type(type_.item))
    return LEAF


def _stepper(keys: tuple[str, ...], message: Message) -> Callable[[JSON], str]:
    """Make the function that makes the step to an item; keys that are not given count with their defaults."""
    defaults = {name: _key_default(message.by_name[name]) for name in sorted(keys)}

    def step_to(item: JSON) -> str:
        found = {name: item.get(name, value) for name, value in defaults.items()}
        return f"k:{_json({name: value for name, value in found.items() if value is not None})}"

    return step_to


def _key_default(field_: Field) -> JSON:
    return "" if field_.default is None and field_.type is STRING else field_.default


def _json(value: JSON) -> str:
    return msgspec.json.encode(value).decode()


@derived
def zero(message: Message) -> Object:
    """Return what Go writes of an object in which nothing is set; never to be changed."""
    return {each.name: _zero(each) for each in message.fields if each.always or each.required}


def _zero(field_: Field) -> JSON:
    if isinstance(field_.type, ListOf | MapOf) or field_.pointer:
        return None
    return zero(field_.type) if isinstance(field_.type, Message) else field_.type.zero
