"""Nodes with their pods, as a scheduler sees them: who is where, and who is nowhere yet.

worker-1  Ready  taints: []    default/web-6dc5cd68db-c92ds  1/1  Running
waiting                        default/web-6dc5cd68db-x2k4p  0/1  Pending
"""

from collections.abc import Mapping
from datetime import datetime

from cluster_engine.api.kinds import NODE, POD
from cluster_engine.api.objects import Object
from cluster_engine.state.keys import Resource, cell_of
from cluster_engine.state.moment import Moment, Standing

NODES_MAX = 100
PODS_MAX = 500
PODS, NODES = (Resource(kind.plural, kind.group) for kind in (POD, NODE))


def view(moment: Moment, args: Mapping[str, str]) -> Object:
    """Answer `board`: the first nodes and the first pods, by name."""
    del args
    now = moment.now
    nodes = moment.first(moment.standing(NODES), NODES_MAX)
    board = {one.subject.name: _node(one, moment.object_at(one.point), now) for one in nodes}
    waiting: list[Object] = []
    for one in moment.first(moment.standing(PODS), PODS_MAX):
        obj = moment.object_at(one.point) or {}
        node = board.get((obj.get("spec") or {}).get("nodeName", ""))
        (waiting if node is None else node["pods"]).append(_pod(one, obj, now))
    return {"nodes": list(board.values()), "waiting": waiting}


def _node(standing: Standing, obj: Object | None, now: datetime) -> Object:
    shown = _cells(NODES, obj or {}, now)
    taints = [_taint(one) for one in ((obj or {}).get("spec") or {}).get("taints") or ()]
    told = {"name": standing.subject.name, "status": shown.get("Status"), "seq": standing.point.seq}
    return {**told, "taints": taints, "pods": []}


def _pod(standing: Standing, obj: Object, now: datetime) -> Object:
    shown = _cells(PODS, obj, now)
    restarts = shown.get("Restarts", "").partition(" ")[0]
    return {
        "namespace": standing.subject.namespace,
        "name": standing.subject.name,
        "status": shown.get("Status"),
        "ready": shown.get("Ready"),
        "restarts": int(restarts) if restarts.isdecimal() else None,
        "seq": standing.point.seq,
    }


def _cells(resource: Resource, obj: Object, now: datetime) -> dict[str, str]:
    return {column.name: cell_of(column, obj, now) for column in resource.columns if not column.wide} if obj else {}


def _taint(taint: Object) -> str:
    value = taint.get("value")
    return f"{taint.get('key')}{f'={value}' if value else ''}:{taint.get('effect')}"
