"""States of objects, as people name them: `pod/default/web-*=Ready`, `node/worker-1=NotReady`, `job/*=Complete`.

    kind/name=State                 in any namespace
    kind/namespace/name=State       `*` in the names stands for anything

A kind is called as kubectl takes it: pod, pods, po, deployments.apps. A state is one of these, whatever its case:

    Ready, Available, Complete …    the condition of that type is "True"
    NotReady, NotAvailable …        it is anything else, or is not there
    Running, Pending, Bound …       the phase
    CrashLoopBackOff …              a word in kubectl's column STATUS
    Created, Deleted                the object is there, or is not

An object *comes into* a state with the write after which it holds and before which it did not.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.objects import Object
from cluster_engine.predicates.globs import fits
from cluster_engine.state.keys import Resource, Subject, cell_of

TEXT_MAX = 200
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""For cells that do not look at the clock, as STATUS does not."""

_FORM = re.compile(r"([^/=]+)/(?:([^/=]*)/)?([^/=]+)=([A-Za-z]+)")


class Wanted(NamedTuple):
    """A state of some objects; names with `*`."""

    resource: Resource
    namespace: str
    name: str
    state: str

    def is_about(self, subject: Subject) -> bool:
        """Whether an object is one of them."""
        return (
            subject.resource == self.resource
            and fits(self.name, subject.name)
            and fits(self.namespace, subject.namespace)
        )


def read(text: str) -> Wanted:
    """Read a state as people write it. LookupError, in words for them, where it is none."""
    form = _FORM.fullmatch(text) if len(text) <= TEXT_MAX else None
    if form is None:
        raise LookupError("A state is written as pod/default/web-*=Ready.")
    kind, namespace, name, state = form.groups()
    return Wanted(_resource(kind.lower()), namespace or "*", name.lower(), state.lower())


def _resource(called: str) -> Resource:
    plain, _, group = called.partition(".")
    for kind in BUILT_IN.stored:
        if plain in (kind.plural, kind.name.lower(), *kind.short_names) and group in ("", kind.group):
            return Resource(kind.plural, kind.group)
    if group:
        return Resource(plain, group)
    raise LookupError(f"There is no kind {called} here.")


def holds(wanted: Wanted, obj: Object | None) -> bool:
    """Whether an object is in the state; None is an object that is not there."""
    state = wanted.state
    if obj is None:
        return state == "deleted"
    if state in ("created", "deleted"):
        return state == "created"
    status = obj.get("status")
    status = status if isinstance(status, Mapping) else {}
    conditions = {str(one.get("type")).lower(): one.get("status") for one in _conditions(status)}
    if conditions.get(state) == "True" or str(status.get("phase")).lower() == state:
        return True
    if state.startswith("not") and state != "not":
        return conditions.get(state[3:]) != "True"
    return state in _shown(wanted.resource, obj)


def _conditions(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = status.get("conditions")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _shown(resource: Resource, obj: Object) -> list[str]:
    """Return what kubectl's column STATUS says, by words."""
    column = next((one for one in resource.columns if one.name == "Status"), None)
    return [] if column is None else cell_of(column, obj, NO_TIME).lower().split(",")
