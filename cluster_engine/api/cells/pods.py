"""The cells of a pod: one word for what dozens of states amount to.

Modelled on `printPod`. The order of the questions is the point: the reason of the phase, then of an init container that
holds things up, then of the last container that has one, then `Completed` beside a running one, then deletion.
"""

from datetime import datetime

import msgspec

from cluster_engine.api.cells.common import NONE, since
from cluster_engine.api.objects import Object


class Summary(msgspec.Struct):
    """What the three cells READY, STATUS and RESTARTS are made of."""

    reason: str
    total: int
    ready: int = 0
    restarts: int = 0
    last_restart: str = ""
    sidecar_restarts: int = 0
    sidecar_last_restart: str = ""


def summary(pod: Object) -> Summary:
    """Boil a pod's status down."""
    spec, status_ = pod.get("spec") or {}, pod.get("status") or {}
    sidecars = [each["name"] for each in spec.get("initContainers", ()) if each.get("restartPolicy") == "Always"]
    found = Summary(_phase_reason(status_), len(spec.get("containers", ())) + len(sidecars))
    initializing = _look_at_init_containers(found, spec, status_, sidecars)
    if not initializing or _has(status_, "Initialized"):
        _look_at_containers(found, status_)
    if pod["metadata"].get("deletionTimestamp"):
        if status_.get("reason") == "NodeLost":
            found.reason = "Unknown"
        elif status_.get("phase") not in ("Succeeded", "Failed"):
            found.reason = "Terminating"
    return found


def _phase_reason(status_: Object) -> str:
    for condition in status_.get("conditions", ()):
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            return "SchedulingGated"
    reason: str = status_.get("reason") or status_.get("phase", "")
    return reason


def _look_at_init_containers(found: Summary, spec: Object, status_: Object, sidecars: list[str]) -> bool:
    """Count their restarts, and tell whether one of them holds the pod up; if so, it gives the reason."""
    for index, container in enumerate(status_.get("initContainerStatuses", ())):
        state = container.get("state") or {}
        sidecar = container["name"] in sidecars
        finished = _last_end(container)
        found.restarts += container.get("restartCount", 0)
        found.last_restart = max(found.last_restart, finished)
        if sidecar:
            found.sidecar_restarts += container.get("restartCount", 0)
            found.sidecar_last_restart = max(found.sidecar_last_restart, finished)
        ended = state.get("terminated")
        if ended is not None and ended.get("exitCode", 0) == 0:
            continue
        if sidecar and container.get("started"):
            found.ready += bool(container.get("ready"))
            continue
        waiting = (state.get("waiting") or {}).get("reason", "")
        if ended is not None:
            found.reason = "Init:" + _end(ended)
        elif waiting and waiting != "PodInitializing":
            found.reason = "Init:" + waiting
        else:
            found.reason = f"Init:{index}/{len(spec.get('initContainers', ()))}"
        return True
    return False


def _look_at_containers(found: Summary, status_: Object) -> None:
    found.restarts, found.last_restart = found.sidecar_restarts, found.sidecar_last_restart
    running = False
    for container in reversed(status_.get("containerStatuses", ())):
        state = container.get("state") or {}
        found.restarts += container.get("restartCount", 0)
        if container.get("lastState"):
            found.last_restart = max(found.last_restart, _last_end(container))
        waiting = (state.get("waiting") or {}).get("reason")
        if waiting:
            found.reason = waiting
        elif state.get("terminated") is not None:
            found.reason = _end(state["terminated"])
        elif container.get("ready") and state.get("running") is not None:
            running = True
            found.ready += 1
    if found.reason == "Completed" and running:
        found.reason = "Running" if _has(status_, "Ready") else "NotReady"


def _end(ended: Object) -> str:
    if ended.get("reason"):
        reason: str = ended["reason"]
        return reason
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _last_end(container: Object) -> str:
    return ((container.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or ""


def _has(status_: Object, condition_type: str) -> bool:
    return any(
        each.get("type") == condition_type and each.get("status") == "True" for each in status_.get("conditions", ())
    )


def ready(pod: Object, now: datetime) -> str:
    """`1/2`."""
    del now
    found = summary(pod)
    return f"{found.ready}/{found.total}"


def status(pod: Object, now: datetime) -> str:
    """`Running`, `ContainerCreating`, `CrashLoopBackOff`, `Terminating`, `Init:0/1`, …"""
    del now
    return summary(pod).reason


def restarts(pod: Object, now: datetime) -> str:
    """`0`, or `2 (5s ago)`."""
    found = summary(pod)
    if found.restarts and found.last_restart:
        return f"{found.restarts} ({since(found.last_restart, now)} ago)"
    return str(found.restarts)


def ip(pod: Object, now: datetime) -> str:
    """The pod's address."""
    del now
    return (pod.get("status") or {}).get("podIP") or NONE


def node(pod: Object, now: datetime) -> str:
    """The pod's node."""
    del now
    return (pod.get("spec") or {}).get("nodeName") or NONE


def nominated_node(pod: Object, now: datetime) -> str:
    """The node on which room is being made."""
    del now
    return (pod.get("status") or {}).get("nominatedNodeName") or NONE


def readiness_gates(pod: Object, now: datetime) -> str:
    """`1/2`, if there are any."""
    del now
    gates = (pod.get("spec") or {}).get("readinessGates") or ()
    if not gates:
        return NONE
    open_ = sum(_has(pod.get("status") or {}, gate["conditionType"]) for gate in gates)
    return f"{open_}/{len(gates)}"
