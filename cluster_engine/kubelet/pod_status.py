"""The status of a pod: spec, runtime state and what lately went wrong in, `pod.status` out. Pure.

What `kubectl get pods` shows is made here: phase, conditions, container states. ErrImagePull, CrashLoopBackOff and
their kin are the reason of a *waiting* container, not phases: while a crashed container waits for its next start, its
end is in `lastState` and its `state` is waiting.

    no sandbox yet        Pending, waiting ContainerCreating,  Ready False (ContainersNotReady)
    started               Running, running since …,            Ready True
    ended with 1          Running, waiting CrashLoopBackOff,   lastState terminated Error 1
    ended, policy Never   Succeeded or Failed, terminated,     Ready False (PodCompleted)

Modelled on kubelet_pods.go (`convertStatusToAPIStatus`, `getPhase`) and status/generate.go. Left out:
resizing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.api.quality_of_service import quality_of_service
from cluster_engine.api.time import rfc3339
from cluster_engine.kubelet import conditions, pods
from cluster_engine.kubelet.actions import should_restart
from cluster_engine.kubelet.runtime_cache import PodRuntime
from cluster_engine.rpc import cri_pb2 as cri


class Waiting(msgspec.Struct, frozen=True):
    """Why a container could not be started: the reason and the message of a waiting state."""

    reason: str
    message: str


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What status needs beyond spec and runtime. Probes by container name; those not named are True."""

    now: datetime
    host_ip: str
    waiting: Mapping[str, Waiting] = msgspec.field(default_factory=dict)
    last_words: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Termination messages, by container id."""
    probed_ready: Mapping[str, bool] = msgspec.field(default_factory=dict)
    probed_started: Mapping[str, bool] = msgspec.field(default_factory=dict)
    is_terminating: bool = False
    failure: tuple[str, str] | None = None
    """Reason and message, where the kubelet itself has the pod fail."""


def generate(pod: Object, runtime: PodRuntime, old: Object, knowledge: Knowledge) -> Object:
    """Make the status that the API should have. `old` is the one it was given before, or has.

    Nothing leaves a phase that is an end, whoever has said it.
    """
    before = _ended_before(old)
    init = [_container_status(pod, c, runtime, knowledge, before, is_init=True) for c in pods.init_containers(pod)]
    mains = [_container_status(pod, c, runtime, knowledge, before, is_init=False) for c in pods.containers(pod)]
    phase = _phase(pod, init, mains, is_terminating=knowledge.is_terminating)
    said = old if old.get("phase") in pods.TERMINAL_PHASES else pod.get("status") or {}
    if said.get("phase") in pods.TERMINAL_PHASES:
        phase = str(said["phase"])
    elif knowledge.failure is not None:
        phase = "Failed"
    status: Object = {"phase": phase}
    status |= {name: said[name] for name in ("reason", "message") if name in said and phase == "Failed"}
    if phase == "Failed" and knowledge.failure is not None:
        status |= {"reason": knowledge.failure[0], "message": knowledge.failure[1]}
    has_network = runtime.sandbox is not None and runtime.sandbox.is_ready
    beside = {container["name"] for container in pods.sidecars(pod)}
    lasting = [status for status in init if status["name"] in beside] + mains
    facts = conditions.facts(pod, phase, [_as_init(one, beside) for one in init], lasting, has_network=has_network)
    status["conditions"] = conditions.merge(facts, pod, old, knowledge.now)
    status["hostIP"] = knowledge.host_ip
    status["hostIPs"] = [{"ip": knowledge.host_ip}]
    ip = knowledge.host_ip if pods.uses_host_network(pod) else runtime.ip or str(old.get("podIP") or "")
    if ip:
        status["podIP"] = ip
        status["podIPs"] = [{"ip": ip}]
    status["startTime"] = old.get("startTime") or rfc3339(knowledge.now)
    if init:
        status["initContainerStatuses"] = init
    status["containerStatuses"] = mains
    if later := pods.ephemeral_containers(pod):
        states = [_container_status(pod, container, runtime, knowledge, before, is_init=False) for container in later]
        status["ephemeralContainerStatuses"] = [_as_ephemeral(state) for state in states]
    status["qosClass"] = (pod.get("status") or {}).get("qosClass") or quality_of_service(pod["spec"])
    return status


def _ended_before(old: Object) -> Mapping[str, Object]:
    """Return what was last said of containers that have ended, by name: it stays once they are removed."""
    fields = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
    statuses = [status for field in fields for status in old.get(field) or ()]
    return {status["name"]: status for status in statuses if "terminated" in status.get("state", {})}


def _as_init(status: Object, sidecars: set[str]) -> Object:
    """Return an init container's status as initialization sees it: a sidecar is done once it has started."""
    return {**status, "ready": status["started"]} if status["name"] in sidecars else status


def _as_ephemeral(status: Object) -> Object:
    """Return an ephemeral container's status: nobody asks whether it is ready, or has started."""
    return {name: value for name, value in status.items() if name != "started"} | {"ready": False}


# -- containers --------------------------------------------------------------------------------------------------------


def _container_status(
    pod: Object,
    container: Object,
    runtime: PodRuntime,
    knowledge: Knowledge,
    before: Mapping[str, Object],
    *,
    is_init: bool,
) -> Object:
    name = container["name"]
    history = runtime.of_name(name)
    latest = history[0] if history else None
    waiting = knowledge.waiting.get(name)
    if latest is None and waiting is None and name in before:
        return before[name]
    state = _state(latest, knowledge) if latest else _not_created(pod)
    last = next((_state(status, knowledge) for status in history[1:2] if status.state == cri.CONTAINER_EXITED), {})
    is_once = is_init and not pods.is_sidecar(container)
    if waiting is not None and (latest is None or _would_start(pod, container, latest, is_once=is_once)):
        if "terminated" in state:
            last = state
        state = {"waiting": {"reason": waiting.reason, "message": waiting.message}}
    running = latest is not None and latest.state == cri.CONTAINER_RUNNING
    started = running and knowledge.probed_started.get(name, True)
    ready = started and knowledge.probed_ready.get(name, True)
    if is_once:
        ready = latest is not None and latest.state == cri.CONTAINER_EXITED and latest.exit_code == 0
    status: Object = {
        "name": name,
        "state": state,
        "lastState": last,
        "ready": ready,
        "restartCount": latest.metadata.attempt if latest else 0,
        "image": latest.image.image if latest else container.get("image", ""),
        "imageID": latest.image_ref if latest else "",
    }
    if latest is not None:
        status["containerID"] = f"containerd://{latest.id}"
    status["started"] = started
    mounts = [_mount_status(mount) for mount in container.get("volumeMounts") or []]
    if mounts:
        status["volumeMounts"] = mounts
    return status


def _mount_status(mount: Object) -> Object:
    status = {"name": mount["name"], "mountPath": mount["mountPath"]}
    if mount.get("readOnly"):
        status |= {"readOnly": True, "recursiveReadOnly": "Disabled"}
    return status


def _would_start(pod: Object, container: Object, status: cri.ContainerStatus, *, is_once: bool) -> bool:
    if is_once:
        failed = status.state == cri.CONTAINER_EXITED and status.exit_code != 0
        return failed and pods.restart_policy(pod) != "Never"
    return should_restart(pod, status, container)


def _not_created(pod: Object) -> Object:
    return {"waiting": {"reason": "PodInitializing" if pods.init_containers(pod) else "ContainerCreating"}}


def _state(status: cri.ContainerStatus, knowledge: Knowledge) -> Object:
    if status.state == cri.CONTAINER_RUNNING:
        return {"running": {"startedAt": _time(status.started_at)}}
    if status.state == cri.CONTAINER_EXITED:
        ended: Object = {"exitCode": status.exit_code, "reason": status.reason}
        if message := status.message or knowledge.last_words.get(status.id, ""):
            ended["message"] = message
        ended["startedAt"] = _time(status.started_at)
        ended["finishedAt"] = _time(status.finished_at)
        ended["containerID"] = f"containerd://{status.id}"
        return {"terminated": ended}
    return {"waiting": {"reason": "ContainerCreating"}}


def _time(nanoseconds: int) -> str:
    return rfc3339(datetime.fromtimestamp(nanoseconds / 1e9, UTC))


# -- phase -------------------------------------------------------------------------------------------------------------


def _phase(pod: Object, init: list[Object], mains: list[Object], *, is_terminating: bool) -> str:
    policy = pods.restart_policy(pod)
    beside = {container["name"] for container in pods.sidecars(pod)}
    failed_init = any(_exit_code(status) not in (None, 0) for status in init if status["name"] not in beside)
    pending_init = any(not _as_init(status, beside)["ready"] for status in init)
    started = [status for status in mains if not _waits(status)]
    if failed_init and policy == "Never":
        return "Failed"
    if pending_init and not started:
        return "Failed" if is_terminating else "Pending"
    if len(started) < len(mains):
        return "Failed" if is_terminating else "Pending"
    if any("running" in status["state"] for status in mains):
        return "Running"
    codes = [_exit_code(status) for status in mains]
    succeeded = all(code == 0 for code in codes)
    if is_terminating or policy == "Never":
        return "Succeeded" if succeeded else "Failed"
    return "Succeeded" if policy == "OnFailure" and succeeded else "Running"


def _waits(status: Object) -> bool:
    """Return whether a container has not been started even once."""
    return "waiting" in status["state"] and "terminated" not in status["lastState"]


def _exit_code(status: Object) -> int | None:
    ended = status["state"].get("terminated") or status["lastState"].get("terminated")
    return int(ended["exitCode"]) if ended else None
