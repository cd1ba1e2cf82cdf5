"""Filters: can this node run this pod at all? Each says why not, in the words that `kubectl describe` shows.

Theory of operation. For a pod every node goes through the filters in order; the first that objects decides what is said
of the node. What is said is counted over all nodes and becomes the message of the FailedScheduling event:

    0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.
    preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful …

An objection that nobody's leaving could remove (the wrong name, a taint) is *unresolvable*: preemption would not help.

Modelled on `pkg/scheduler/framework/plugins/*`. Left out: volumes, inter-pod affinity, hard topology spread, and
preemption itself.
"""

from collections.abc import Callable

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.scheduler.affinity import matches_node_selector, tolerates
from cluster_engine.scheduler.nodes import NodeInfo, host_ports
from cluster_engine.scheduler.resources import requests


class Objection(msgspec.Struct, frozen=True):
    """Why not this node: several reasons are possible (cpu, memory). `unresolvable`: freeing space would not help."""

    plugin: str
    reasons: tuple[str, ...]
    unresolvable: bool


def node_unschedulable(pod: Object, info: NodeInfo) -> tuple[str, ...]:
    """Refuse a cordoned node."""
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    if info.node["spec"].get("unschedulable") and not tolerates(pod, taint):
        return ("node(s) were unschedulable",)
    return ()


def node_name(pod: Object, info: NodeInfo) -> tuple[str, ...]:
    """Refuse all nodes but the one named."""
    wanted = pod["spec"].get("nodeName")
    return ("node(s) didn't match the requested node name",) if wanted and wanted != info.name else ()


def taint_toleration(pod: Object, info: NodeInfo) -> tuple[str, ...]:
    """Refuse a node with a NoSchedule or NoExecute taint that the pod does not tolerate."""
    for taint in info.node["spec"].get("taints") or ():
        if taint["effect"] in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
            return (f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}",)
    return ()


def node_affinity(pod: Object, info: NodeInfo) -> tuple[str, ...]:
    """Refuse a node without the labels asked for."""
    return () if matches_node_selector(pod, info.node) else ("node(s) didn't match Pod's node affinity/selector",)


def node_ports(pod: Object, info: NodeInfo) -> tuple[str, ...]:
    """Refuse a node where a wanted host port is taken."""
    for address, protocol, port in host_ports(pod):
        for taken_address, taken_protocol, taken in info.ports:
            everywhere = "0.0.0.0" in (address, taken_address)
            if (protocol, port) == (taken_protocol, taken) and (everywhere or address == taken_address):
                return ("node(s) didn't have free ports for the requested pod ports",)
    return ()


class Shortage(msgspec.Struct, frozen=True):
    """Of what a node has too little for a pod: what is asked, taken and there; CPU in thousandths, memory in bytes."""

    resource: str
    asked: int
    used: int
    allocatable: int


def shortages(pod: Object, info: NodeInfo) -> list[Shortage]:
    """Compare what a pod requests with what a node has left; none: it fits."""
    asked = {"pods": 1, **requests(pod)}
    used = {**info.requested, "pods": len(info.pods)}
    compared = [
        Shortage(name, value, used.get(name, 0), info.allocatable.get(name, 0)) for name, value in asked.items()
    ]
    return [one for one in compared if one.asked and one.asked > one.allocatable - one.used]


def node_resources_fit(pod: Object, info: NodeInfo) -> tuple[str, ...]:
    """Refuse a node without room."""
    return tuple(
        "Too many pods" if one.resource == "pods" else f"Insufficient {one.resource}" for one in shortages(pod, info)
    )


FILTERS: tuple[tuple[str, Callable[[Object, NodeInfo], tuple[str, ...]], bool], ...] = (
    ("NodeUnschedulable", node_unschedulable, True),
    ("NodeName", node_name, True),
    ("TaintToleration", taint_toleration, True),
    ("NodeAffinity", node_affinity, True),
    ("NodePorts", node_ports, False),
    ("NodeResourcesFit", node_resources_fit, False),
)
"""Name, filter, and whether its objections are unresolvable."""


def objection(pod: Object, info: NodeInfo) -> Objection | None:
    """Return the first objection to a node, if there is one."""
    for plugin, check, unresolvable in FILTERS:
        if reasons := check(pod, info):
            return Objection(plugin, reasons, unresolvable)
    return None


def message(objections: dict[str, Objection]) -> str:
    """Say why no node would do; nodes' names to objections."""
    if not objections:
        return "no nodes available to schedule pods"
    reasons = [reason for each in objections.values() for reason in each.reasons]
    preemption = [
        "Preemption is not helpful for scheduling"
        if each.unresolvable
        else "No preemption victims found for incoming pod"
        for each in objections.values()
    ]
    head = f"0/{len(objections)} nodes are available: "
    return f"{head}{_histogram(reasons)}. preemption: {head}{_histogram(preemption)}."


def _histogram(reasons: list[str]) -> str:
    counts = {reason: reasons.count(reason) for reason in reasons}
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
