"""What each program believes beside what etcd held, and where the two differ.

    control-plane/kube-scheduler   pods   12 objects   default/web-1: believes 1043, etcd 1051 since entry 812

A difference is no mistake: between a write and the event that tells of it everybody is behind. `seq` is the write that
has not been heard of.
"""

from collections.abc import Iterator, Mapping
from heapq import nlargest

from cluster_engine.api.objects import Object
from cluster_engine.api.selectors import parse_field, parse_label
from cluster_engine.api.status import Refusal
from cluster_engine.state.keys import Resource, Subject, key_of
from cluster_engine.state.moment import Moment
from cluster_engine.state.timeline import Point
from cluster_engine.state.watches import NOT_WATCHING, Belief, Name, Selection

DIFFERS_MAX = 50
READ_MAX = 500
"""So many objects are read to see whether a selector takes them, of those that it may have missed the latest."""

Held = dict[Name, int]


def view(moment: Moment, args: Mapping[str, str]) -> Object:
    """Answer `beliefs`."""
    del args
    held: dict[Resource, Held] = {}
    who: dict[str, list[Object]] = {}
    for belief in moment.fold.watches.beliefs.values():
        watch = belief.watches.at(moment.at)
        if watch is not None and watch.told != NOT_WATCHING:
            resource = belief.selection.resource
            if resource not in held:
                held[resource] = moment.revisions(resource)
            who.setdefault(belief.participant, []).append(_belief(moment, belief, watch, held[resource]))
    return {"who": [{"participant": name, "resources": who[name]} for name in sorted(who)]}


def _belief(moment: Moment, belief: Belief, watch: Point, there: Held) -> Object:
    selection = belief.selection
    believed = dict(belief.at(moment.at))
    differs = sorted(_differences(moment, selection, believed, there))
    return {
        "resource": selection.resource.plural,
        "group": selection.resource.group,
        "namespace": selection.namespace,
        "selector": ", ".join(filter(None, (selection.fields, selection.labels))),
        "count": len(believed),
        "from": watch.told,
        "differs": [_difference(moment, selection, *one) for one in differs[:DIFFERS_MAX]],
    }


def _differences(
    moment: Moment, selection: Selection, believed: dict[Name, int], there: Held
) -> Iterator[tuple[Name, int, int]]:
    """Give what differs: an object, the version that is believed and the one that etcd held, 0 for none."""
    for name, version in believed.items():
        revision = there.get(name, 0)
        if revision != version:
            yield name, version, revision
    unheard = [(revision, name) for name, revision in there.items() if name not in believed]
    if selection.fields or selection.labels:
        unheard = nlargest(READ_MAX, unheard)
    for revision, name in unheard:
        if _selects(moment, selection, name):
            yield name, 0, revision


def _selects(moment: Moment, selection: Selection, name: Name) -> bool:
    """Whether what etcd held is among what somebody has asked for; what cannot be told is taken for not so."""
    if selection.namespace and selection.namespace != name[0]:
        return False
    if not selection.fields and not selection.labels:
        return True
    point, kind = moment.point_of(Subject(selection.resource, *name)), selection.resource.kind
    obj = None if point is None else moment.object_at(point)
    if obj is None or (selection.fields and kind is None):
        return False
    try:
        fields = kind is None or parse_field(kind, selection.fields).matches(obj)
        return fields and parse_label(selection.labels).matches(obj["metadata"].get("labels"))
    except Refusal:
        return False


def _difference(moment: Moment, selection: Selection, name: Name, believes: int, held: int) -> Object:
    return {
        "namespace": name[0],
        "name": name[1],
        "believes": str(believes) if believes else None,
        "etcd": str(held) if held else None,
        "seq": _unheard(moment, selection, name, believes),
    }


def _unheard(moment: Moment, selection: Selection, name: Name, believes: int) -> int | None:
    """Return the entry of the first write after the version that is believed; None where none is known."""
    timeline = moment.fold.keys.timelines.get(key_of(Subject(selection.resource, *name)))
    found = None
    for point in reversed(timeline) if timeline is not None else ():
        if point.seq <= moment.at:
            if point.number == believes:
                break
            found = point.seq
    return found
