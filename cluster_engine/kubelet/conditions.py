"""The conditions of a pod's status: five that the kubelet owns, and those of others, which it leaves alone.

    PodReadyToStartContainers   the sandbox is there and has a network
    Initialized                 every init container has ended with 0
    ContainersReady             every container runs and its probes say so
    Ready                       that, and the readiness gates: what puts the pod behind its Services
    PodScheduled                it is here, so it was scheduled

A condition's lastTransitionTime is when its status last changed, not when it was last looked at.
Modelled on pkg/kubelet/status/generate.go.
"""

from datetime import datetime

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.api.time import rfc3339
from cluster_engine.kubelet import pods


class Fact(msgspec.Struct, frozen=True):
    """What a condition says now."""

    value: str
    reason: str = ""
    message: str = ""


TRUE = Fact("True")


def facts(pod: Object, phase: str, init: list[Object], mains: list[Object], *, has_network: bool) -> dict[str, Fact]:
    """Work out the kubelet's conditions from phase and container statuses; Ready is still without the gates."""
    ready = _containers_ready(phase, mains)
    return {
        "PodReadyToStartContainers": Fact("True" if has_network else "False"),
        "Initialized": _initialized(phase, init),
        "Ready": ready,
        "ContainersReady": ready,
        "PodScheduled": TRUE,
    }


def merge(facts: dict[str, Fact], pod: Object, old: Object, now: datetime) -> list[Object]:
    """Write the conditions, with those of others that are in the old status."""
    before = {condition["type"]: condition for condition in old.get("conditions") or []}
    facts = facts | {"Ready": _gated(pod, facts["Ready"], before)}
    ours = [_condition(type_, fact, before.get(type_), now) for type_, fact in facts.items()]
    return ours + [condition for type_, condition in before.items() if type_ not in facts]


def _initialized(phase: str, init: list[Object]) -> Fact:
    if phase == "Succeeded":
        return Fact("True", "PodCompleted")
    names = [status["name"] for status in init if not status["ready"]]
    if not names:
        return TRUE
    return Fact("False", "ContainersNotInitialized", f"containers with incomplete status: {_go(names)}")


def _containers_ready(phase: str, mains: list[Object]) -> Fact:
    if phase in pods.TERMINAL_PHASES:
        return Fact("False", "PodCompleted" if phase == "Succeeded" else "PodFailed")
    names = [status["name"] for status in mains if not status["ready"]]
    if not names:
        return TRUE
    return Fact("False", "ContainersNotReady", f"containers with unready status: {_go(names)}")


def _gated(pod: Object, ready: Fact, before: dict[str, Object]) -> Fact:
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []]
    closed = [gate for gate in gates if before.get(gate, {}).get("status") != "True"]
    if ready.value != "True" or not closed:
        return ready
    text = "; ".join(f'corresponding condition of pod readiness gate "{gate}" does not exist.' for gate in closed)
    return Fact("False", "ReadinessGatesNotReady", text)


def _condition(type_: str, fact: Fact, before: Object | None, now: datetime) -> Object:
    unchanged = before is not None and before["status"] == fact.value
    condition: Object = {"type": type_, "status": fact.value, "lastProbeTime": None}
    condition["lastTransitionTime"] = before["lastTransitionTime"] if before and unchanged else rfc3339(now)
    if fact.reason:
        condition["reason"] = fact.reason
    if fact.message:
        condition["message"] = fact.message
    return condition


def _go(names: list[str]) -> str:
    return f"[{' '.join(names)}]"
