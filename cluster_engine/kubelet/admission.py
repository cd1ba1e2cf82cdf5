"""Whether a pod that is bound to this node may begin: a node runs so many pods and no more.

The scheduler counts as well, but whoever sets `spec.nodeName` passes it by. A rejected pod ends before it has begun:

    111th pod    phase Failed, reason OutOfpods, "Pod was rejected: Node didn't have enough resource: pods, …"

Modelled on pkg/kubelet/lifecycle/predicate.go. Left out: CPU, memory and ephemeral storage, taints and selectors.
"""

from collections.abc import Iterable
from datetime import datetime

from cluster_engine.api.objects import Object
from cluster_engine.api.time import rfc3339
from cluster_engine.client.events import EventRecorder
from cluster_engine.kubelet import pods
from cluster_engine.kubelet.node_status import CAPACITY
from cluster_engine.kubelet.status_manager import StatusManager

REASON = "OutOfpods"


class Admission:
    """The pods that were rejected, until they are deleted."""

    def __init__(self, statuses: StatusManager, recorder: EventRecorder) -> None:
        self._statuses = statuses
        self._recorder = recorder
        self._rejected: dict[str, Object] = {}

    def rejects(self, pod: Object, others: Iterable[Object], now: datetime) -> bool:
        """Return whether a pod may not begin beside these others; say so in its status when it is new."""
        status = self._rejected.get(pods.uid(pod))
        if status is None:
            if pods.is_terminal(pod) or pods.is_deleted(pod):
                return False
            used, capacity = sum(not pods.is_terminal(other) for other in others), int(CAPACITY["pods"])
            if used < capacity:
                return False
            why = f"Node didn't have enough resource: pods, requested: 1, used: {used}, capacity: {capacity}"
            message = f"Pod was rejected: {why}"
            status = {"phase": "Failed", "reason": REASON, "message": message, "startTime": rfc3339(now)}
            self._rejected[pods.uid(pod)] = status
            self._recorder.event(pod, "Warning", REASON, why)
        self._statuses.finish(pod, status)
        return True

    def forget(self, uid: str) -> None:
        """Drop a pod that the API no longer has."""
        if self._rejected.pop(uid, None) is not None:
            self._statuses.forget(uid)
