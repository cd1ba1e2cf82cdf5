"""Defaulting: what the server fills in before it validates and stores.

Three things from the schema: constants (`restartPolicy: Always`), what Go always writes (`resources: {}`), and, after
a message's own fields and those below it, its `defaults` function for what depends on other fields. A plan is made of
each message once, and only of those parts that have something to fill in.

    >>> from cluster_engine.api.kinds import DEPLOYMENT
    >>> obj = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "nginx"}]}}}}
    >>> default(DEPLOYMENT, obj)
    >>> obj["spec"]["replicas"], obj["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"]
    (1, 'Always')
"""

from collections.abc import Callable
from typing import TypeAlias

from cluster_engine.api.derived import derived
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import Field, Kind, ListOf, MapOf, Message

Plan: TypeAlias = Callable[[Object], None]


def default(kind: Kind, obj: Object) -> None:
    """Fill in the defaults of a kind, in place."""
    plan = _plan(kind.schema)
    if plan:
        plan(obj)


@derived
def _plan(message: Message) -> Plan | None:
    """Make the function that fills in one message, None if there is nothing to fill in."""
    constants = tuple((each.name, each.default) for each in message.fields if _is_constant(each))
    zeros = tuple((each.name, _zero(each)) for each in message.fields if _zero(each) is not _NO_ZERO)
    makers = tuple((each.name, dict if _is_object(each) else list) for each in message.fields if _is_made(each))
    objects, lists, maps = _children(message)
    after = message.defaults
    scalars = constants + tuple(pair for pair in zeros if pair[0] not in {name for name, _ in constants})
    if not (scalars or makers or objects or lists or maps or after):
        return None

    def fill(obj: Object) -> None:
        for name, value in scalars:
            if name not in obj:
                obj[name] = value
        for name, make in makers:
            if name not in obj:
                obj[name] = make()
        for name, plan in objects:
            value = obj.get(name)
            if value is not None:
                plan(value)
        for name, plan in lists:
            for value in obj.get(name) or ():
                plan(value)
        for name, plan in maps:
            for value in (obj.get(name) or {}).values():
                plan(value)
        if after:
            after(obj)

    return fill


_NO_ZERO = object()
_Named: TypeAlias = tuple[tuple[str, Plan], ...]


def _children(message: Message) -> tuple[_Named, _Named, _Named]:
    objects, lists, maps = [], [], []
    for each in message.fields:
        if isinstance(each.type, Message):
            objects.append((each.name, _plan(each.type)))
        elif isinstance(each.type, ListOf) and isinstance(each.type.item, Message):
            lists.append((each.name, _plan(each.type.item)))
        elif isinstance(each.type, MapOf) and isinstance(each.type.value, Message):
            maps.append((each.name, _plan(each.type.value)))
    return _present(objects), _present(lists), _present(maps)


def _present(found: list[tuple[str, Plan | None]]) -> _Named:
    return tuple((name, plan) for name, plan in found if plan)


def _is_object(field: Field) -> bool:
    return isinstance(field.type, Message | MapOf)


def _is_constant(field: Field) -> bool:
    return field.default is not None and not isinstance(field.default, dict | list)


def _is_made(field: Field) -> bool:
    if isinstance(field.type, Message):
        return field.always or field.default == {}
    return isinstance(field.type, ListOf | MapOf) and (field.always or field.required)


def _zero(field: Field) -> JSON:
    if isinstance(field.type, Message | ListOf | MapOf) or not (field.always or field.required):
        return _NO_ZERO
    return field.type.zero
