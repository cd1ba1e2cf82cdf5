"""What a kubelet says about its node: addresses, capacity, conditions, versions, images. Pure.

    node_object("worker-1", "10.0.0.11", facts)     the Node that is POSTed at registration
    changed(old, new)                               whether that is worth a PATCH: heartbeat times do not count

Modelled on pkg/kubelet/nodestatus/setters.go. The machine described is made up, and the same for every worker.
"""

from datetime import datetime

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.api.time import rfc3339
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.version import VERSION
from cluster_engine.world.hardware import CPUS, DISK_KIB, KERNEL, MEMORY_KIB, OS_IMAGE

KUBELET_PORT = 10250
IMAGES_MAX = 50

CAPACITY = {
    "cpu": str(CPUS),
    "ephemeral-storage": f"{DISK_KIB}Ki",
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
    "memory": f"{MEMORY_KIB}Ki",
    "pods": "110",
}
ALLOCATABLE = CAPACITY | {"ephemeral-storage": "56403987978", "memory": "8027832Ki"}

PRESSED = {
    "MemoryPressure": ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    "DiskPressure": ("KubeletHasDiskPressure", "kubelet has disk pressure"),
    "PIDPressure": ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
}
_PRESSURE = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


class Facts(msgspec.Struct, kw_only=True):
    """What the status is made of. `problems` are why the node is not ready; none: it is."""

    now: datetime
    machine_id: str
    system_uuid: str
    boot_id: str
    runtime_version: str
    problems: list[str] = msgspec.field(default_factory=list)
    pressure: frozenset[str] = frozenset()
    images: list[cri.Image] = msgspec.field(default_factory=list)


def node_object(name: str, address: str, facts: Facts) -> Object:
    """Make the Node to register."""
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    }
    annotations = {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}
    return {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": labels, "annotations": annotations},
        "spec": {},
        "status": node_status(name, address, facts, {}),
    }


def node_status(name: str, address: str, facts: Facts, old: Object) -> Object:
    """Make the node's status; conditions that have not changed keep their transition time."""
    return {
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
        "capacity": CAPACITY,
        "allocatable": ALLOCATABLE,
        "conditions": _conditions(facts, old),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": KUBELET_PORT}},
        "images": [_image(image) for image in sorted(facts.images, key=lambda image: -image.size)[:IMAGES_MAX]],
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": facts.boot_id,
            "containerRuntimeVersion": facts.runtime_version,
            "kernelVersion": KERNEL,
            "kubeProxyVersion": VERSION,
            "kubeletVersion": VERSION,
            "machineID": facts.machine_id,
            "operatingSystem": "linux",
            "osImage": OS_IMAGE,
            "systemUUID": facts.system_uuid,
        },
    }


def changed(old: Object, new: Object) -> bool:
    """Return whether two statuses differ in more than their heartbeats."""
    return _without_heartbeats(old) != _without_heartbeats(new)


def is_ready(status: Object) -> bool:
    """Return whether a status says Ready."""
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in status["conditions"])


def _without_heartbeats(status: Object) -> Object:
    conditions = [
        {name: value for name, value in condition.items() if name != "lastHeartbeatTime"}
        for condition in status.get("conditions") or []
    ]
    return {**status, "conditions": conditions}


def _conditions(facts: Facts, old: Object) -> list[Object]:
    conditions = [
        _condition(type_, "True", *PRESSED[type_], now=facts.now, old=old)
        if type_ in facts.pressure
        else _condition(type_, "False", reason, text, now=facts.now, old=old)
        for type_, reason, text in _PRESSURE
    ]
    if facts.problems:
        text = f"[{', '.join(facts.problems)}]" if len(facts.problems) > 1 else facts.problems[0]
        ready = _condition("Ready", "False", "KubeletNotReady", text, now=facts.now, old=old)
    else:
        ready = _condition("Ready", "True", "KubeletReady", "kubelet is posting ready status", now=facts.now, old=old)
    foreign = [c for c in old.get("conditions") or [] if c["type"] not in {"Ready", *(p[0] for p in _PRESSURE)}]
    return [*foreign, *conditions, ready]


def _condition(type_: str, value: str, *said: str, now: datetime, old: Object) -> Object:
    before = next((condition for condition in old.get("conditions") or [] if condition["type"] == type_), None)
    unchanged = before is not None and before["status"] == value
    return {
        "type": type_,
        "status": value,
        "lastHeartbeatTime": rfc3339(now),
        "lastTransitionTime": before["lastTransitionTime"] if before and unchanged else rfc3339(now),
        "reason": said[0],
        "message": said[1],
    }


def _image(image: cri.Image) -> Object:
    return {"names": [*image.repo_digests, *image.repo_tags], "sizeBytes": image.size}
