"""Where pods go, when they have to leave, and how long a container waits to be started again.

bound       onto a node that was not cordoned, whose taints it tolerates, and that had room, as far as the scheduler
            had been told
tainted     unreachable, GRACE_SECONDS after the node was last heard of, as far as the controller had been told
evicted     when the taint has been there as long as the pod tolerates it, and not much later
restarted   at once, then after 10 s, 20 s, … 300 s at least, as long as the kubelet lives that counts
"""

from collections.abc import Iterable, Iterator
from typing import Any

from cluster_engine.api.quantity import parse
from tests.simulate.knowledge import Told, believed
from tests.simulate.story import History, Object, Violation, Write
from tests.simulate.traffic import SLACK_SECONDS, Exchange

BOUND = "pods are bound where they may and can be"
CORDONED = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
DECIDE_SECONDS = 1.0
OVER = ("Succeeded", "Failed")


def misplaced(traffic: Iterable[Exchange], history: History, told: Told) -> Iterator[Violation]:
    """Judge every binding that was done."""
    bindings = [one for one in traffic if one.subresource == "binding" and one.status == 201]
    for one in bindings:
        write = next((each for each in history.about(one.token) if _binds(each) and each.at >= one.began), None)
        if write is None or write.now is None or write.at > one.ended + SLACK_SECONDS:
            continue
        node = write.now["spec"]["nodeName"]
        floor = told.floor(one.request["from"], "nodes", one.began - DECIDE_SECONDS)
        nodes = believed(history, f"nodes//{node}", floor, one.began)
        if why := _objection(write, nodes, history):
            yield Violation(BOUND, f"{one.token} was bound to {node} at {write.revision}, {why}", one.seqs)


def _binds(write: Write) -> bool:
    return bool(write.now and write.now["spec"].get("nodeName") and write.before) and not (
        write.before and write.before["spec"].get("nodeName")
    )


def _objection(write: Write, nodes: list[Object], history: History) -> str:
    assert write.now is not None
    if not nodes:
        return "which is not there"
    pod = write.now
    ignores = any(covers(one, CORDONED) for one in pod["spec"].get("tolerations") or ())  # as a DaemonSet's pods do
    free = [node for node in nodes if ignores or not node["spec"].get("unschedulable")]
    if not free:
        return "which was cordoned"
    if not any(all(_tolerates(pod, taint) for taint in node["spec"].get("taints") or ()) for node in free):
        return "whose taints it does not tolerate"
    there = _on_node(history, pod["spec"]["nodeName"], write.revision)
    for resource in ("cpu", "memory"):
        asked = sum(asks(each, resource) for each in there)
        room = max(parse(node["status"]["allocatable"][resource]) for node in free)
        if asked > room and asks(pod, resource):
            return f"whose pods then ask for {asked} {resource} of {room}"
    room = max(parse(node["status"]["allocatable"]["pods"]) for node in free)
    return f"which then has {len(there)} pods of {room}" if len(there) > room else ""


def _on_node(history: History, node: str, revision: int) -> list[Object]:
    pods = history.state("pods", revision).values()
    return [pod for pod in pods if pod["spec"].get("nodeName") == node and pod["status"].get("phase") not in OVER]


def asks(pod: Object, resource: str) -> Any:
    """Give how much of a resource a pod requests."""
    containers = pod["spec"].get("containers") or ()
    asked = [each.get("resources", {}).get("requests", {}).get(resource) for each in containers]
    return sum(parse(each) for each in asked if each)


def _tolerates(pod: Object, taint: Object) -> bool:
    preferred = taint["effect"] == "PreferNoSchedule"
    return preferred or any(covers(each, taint) for each in pod["spec"].get("tolerations") or ())


def covers(toleration: Object, taint: Object) -> bool:
    """Tell whether a toleration covers a taint."""
    return (
        toleration.get("effect") in (None, "", taint["effect"])
        and toleration.get("key") in (None, "", taint["key"])
        and (toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", ""))
    )
