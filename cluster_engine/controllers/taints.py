"""The taints that the control plane puts on nodes, and how they are put on. Pure functions.

A taint is known by its key and effect. NoExecute taints carry the time they were added, because tolerations count from
there. A patch of taints replaces the whole list (`$patch: replace` is how strategic merge says it), guarded by the
resourceVersion it was computed from.

    Ready=Unknown → node.kubernetes.io/unreachable:NoSchedule      MemoryPressure=True → …/memory-pressure:NoSchedule
"""

from cluster_engine.api.objects import Object
from cluster_engine.controllers.pods import condition


def _taint(name: str, effect: str) -> Object:
    return {"key": f"node.kubernetes.io/{name}", "effect": effect}


NOT_READY_NO_EXECUTE = _taint("not-ready", "NoExecute")
UNREACHABLE_NO_EXECUTE = _taint("unreachable", "NoExecute")
NOT_READY = _taint("not-ready", "NoSchedule")
UNREACHABLE = _taint("unreachable", "NoSchedule")
UNSCHEDULABLE = _taint("unschedulable", "NoSchedule")
_BY_CONDITION = (
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    ("MemoryPressure", "True", _taint("memory-pressure", "NoSchedule")),
    ("DiskPressure", "True", _taint("disk-pressure", "NoSchedule")),
    ("PIDPressure", "True", _taint("pid-pressure", "NoSchedule")),
    ("NetworkUnavailable", "True", _taint("network-unavailable", "NoSchedule")),
)
NO_SCHEDULE = (*(taint for _, _, taint in _BY_CONDITION), UNSCHEDULABLE)


def same(one: Object, other: Object) -> bool:
    """Return whether two taints are the same one."""
    return bool(one["key"] == other["key"] and one["effect"] == other["effect"])


def has(node: Object, taint: Object) -> bool:
    """Return whether the node bears the taint."""
    return any(same(each, taint) for each in node["spec"].get("taints") or ())


def by_conditions(node: Object) -> list[Object]:
    """Return the NoSchedule taints that the node's conditions and spec.unschedulable ask for."""
    wanted = []
    for type_, status, taint in _BY_CONDITION:
        found = condition(node, type_)
        if found is not None and found["status"] == status:
            wanted.append(taint)
    if node["spec"].get("unschedulable"):
        wanted.append(UNSCHEDULABLE)
    return wanted


def swap_patch(node: Object, add: list[Object], remove: list[Object], now: str) -> Object | None:
    """Make the patch that adds and removes taints; None when nothing changes."""
    before: list[Object] = list(node["spec"].get("taints") or ())
    kept = [taint for taint in before if not any(same(taint, each) for each in remove)]
    new = [taint for taint in add if not any(same(taint, each) for each in kept)]
    if len(kept) == len(before) and not new:
        return None
    taints = [*({**taint, "timeAdded": now} for taint in new), *kept]
    return {
        "metadata": {"resourceVersion": node["metadata"]["resourceVersion"]},
        "spec": {"taints": [{"$patch": "replace"}, *taints] if taints else None},
    }
