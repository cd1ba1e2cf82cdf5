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

from collections.abc import Callable, Iterable
from typing import TypeAlias

from cluster_engine.api.derived import derived
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import Field, Kind, ListOf, MapOf, Message, Type

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
    parts = tuple((each.name, plan) for each in message.fields if (plan := _below(each.type)))
    after = message.defaults
    scalars = constants + tuple(pair for pair in zeros if pair[0] not in {name for name, _ in constants})
    if not (scalars or makers or parts or after):
        return None

    def fill(obj: Object) -> None:
        for name, value in scalars:
            if name not in obj:
                obj[name] = value
        for name, make in makers:
            if name not in obj:
                obj[name] = make()
        for name, plan in parts:
            value = obj.get(name)
            if value is not None:
                plan(value)
        if after:
            after(obj)

    return fill


def _below(type_: Type) -> Callable[[JSON], None] | None:
    """Make the function that fills in what lies in a value of a type, None if there is nothing to fill in."""
    if isinstance(type_, Message):
        return _plan(type_)
    if isinstance(type_, ListOf) and (plan := _below(type_.item)):
        return _for_each(plan, list.__iter__)
    if isinstance(type_, MapOf) and (plan := _below(type_.value)):
        return _for_each(plan, dict.values)
    return None


def _for_each(plan: Callable[[JSON], None], within: Callable[[JSON], Iterable[JSON]]) -> Callable[[JSON], None]:
    def fill(values: JSON) -> None:
        for value in within(values):
            plan(value)

    return fill


_NO_ZERO = object()


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
