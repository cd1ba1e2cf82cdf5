"""Facts about pods that several controllers ask for, and the order in which a ReplicaSet gives its pods up.

Modelled on `pkg/api/v1/pod/util.go` and `pkg/controller/controller_utils.go` (ActivePodsWithRanks). The order, worst
first: not bound, Pending before Unknown before Running, not Ready, cheapest `pod-deletion-cost`, on the node with most
siblings, Ready for the shortest time (times within a power of two count as equal), most restarts, youngest.
"""

import math
from collections.abc import Iterable
from datetime import datetime
from functools import cmp_to_key
from typing import Any

from cluster_engine.api import time
from cluster_engine.api.objects import Object

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def condition(obj: Object, type_: str) -> Object | None:
    """Return a condition of an object's status by its type."""
    for each in obj.get("status", {}).get("conditions") or ():
        if each["type"] == type_:
            return dict(each)
    return None


def phase(pod: Object) -> str:
    """Return the pod's phase; a pod without status is Pending."""
    return str(pod.get("status", {}).get("phase") or "Pending")


def is_terminal(pod: Object) -> bool:
    """Return whether its containers have ended for good."""
    return phase(pod) in ("Succeeded", "Failed")


def is_active(pod: Object) -> bool:
    """Return whether it counts as a replica: not ended, not on its way out."""
    return not is_terminal(pod) and "deletionTimestamp" not in pod["metadata"]


def is_ready(pod: Object) -> bool:
    """Return whether its Ready condition is True."""
    ready = condition(pod, "Ready")
    return ready is not None and ready["status"] == "True"


def is_available(pod: Object, min_ready_seconds: int, now: datetime) -> bool:
    """Return whether it has been Ready for long enough."""
    ready = condition(pod, "Ready")
    if ready is None or ready["status"] != "True":
        return False
    if not min_ready_seconds:
        return True
    since = ready.get("lastTransitionTime", "")
    return bool(since) and (now - time.parse(since)).total_seconds() >= min_ready_seconds


def to_delete(pods: list[Object], related: Iterable[Object], count: int, now: datetime) -> list[Object]:
    """Choose `count` of the pods to give up; `related` are all pods of the same Deployment, for the crowding."""
    if count >= len(pods):
        return list(pods)
    crowd: dict[str, int] = {}
    for each in related:
        if is_active(each) and (node := each["spec"].get("nodeName")):
            crowd[node] = crowd.get(node, 0) + 1

    def order(one: Object, other: Object) -> int:
        mine, theirs = _rank(one, crowd), _rank(other, crowd)
        if mine != theirs:
            return -1 if mine < theirs else 1
        if is_ready(one) and (difference := _by_age(one, other, _ready_since(one), _ready_since(other), now)):
            return difference
        if (restarts := _restarts(other) - _restarts(one)) != 0:
            return restarts
        return _by_age(one, other, _created(one), _created(other), now)

    return sorted(pods, key=cmp_to_key(order))[:count]


def _rank(pod: Object, crowd: dict[str, int]) -> tuple[bool, int, bool, int, int]:
    node = pod["spec"].get("nodeName", "")
    return (bool(node), _PHASES.get(phase(pod), 2), is_ready(pod), _cost(pod), -crowd.get(node, 0))


def _cost(pod: Object) -> int:
    try:
        return int(pod["metadata"].get("annotations", {}).get(DELETION_COST, "0"))
    except ValueError:
        return 0


def _ready_since(pod: Object) -> datetime | None:
    ready = condition(pod, "Ready") or {}
    since = ready.get("lastTransitionTime")
    return time.parse(since) if since else None


def _created(pod: Object) -> datetime | None:
    created = pod["metadata"].get("creationTimestamp")
    return time.parse(created) if created else None


def _restarts(pod: Object) -> int:
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return max((status.get("restartCount", 0) for status in statuses), default=0)


def _by_age(one: Object, other: Object, mine: datetime | None, theirs: datetime | None, now: datetime) -> int:
    """Order younger first, where ages differ by a power of two; else by uid, which is chance that stays the same."""
    if mine == theirs or mine is None or theirs is None:
        return 0
    difference = _log2(now - mine) - _log2(now - theirs)
    if difference:
        return difference
    return -1 if one["metadata"]["uid"] < other["metadata"]["uid"] else 1


def _log2(age: Any) -> int:
    nanoseconds = int(age.total_seconds() * 1e9)
    return int(math.log2(nanoseconds)) if nanoseconds > 0 else -1
