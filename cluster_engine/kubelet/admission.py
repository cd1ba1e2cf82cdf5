"""Whether a pod that is bound to this node may begin: what nobody could overlook, the kubelet looks at once more.

The scheduler has filtered already, but whoever sends a Binding passes it by. A rejected pod ends before it has begun:

    too little CPU      phase Failed, reason OutOfcpu, "Pod was rejected: Node didn't have enough resource: cpu, …"
    the wrong labels    reason NodeAffinity      a host port that is taken    reason NodePorts
    NoExecute           reason TaintToleration; the kubelet does not look at other taints, nor whether it is cordoned
    kernel.msgmax       reason SysctlForbidden: a sysctl that could harm others on the node and is not allowed there
    the node is short   reason Evicted, "The node had condition: [MemoryPressure]. "; of memory alone it is so only for
                        those that asked for nothing (BestEffort) and do not tolerate it; critical pods may always

Modelled on pkg/kubelet/lifecycle/predicate.go, which asks the scheduler's filters too (pkg/scheduler, AdmissionCheck),
pkg/kubelet/sysctl, and `Admit` of pkg/kubelet/eviction, which is asked first.
Left out: another look at the node's labels at the API server before they are found wrong.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from cluster_engine.api.objects import Object
from cluster_engine.api.quality_of_service import quality_of_service
from cluster_engine.api.time import rfc3339
from cluster_engine.client.events import EventRecorder
from cluster_engine.kubelet import pods
from cluster_engine.kubelet.status_manager import StatusManager
from cluster_engine.scheduler import filters
from cluster_engine.scheduler.affinity import tolerates
from cluster_engine.scheduler.nodes import NodeInfo
from cluster_engine.scheduler.resources import amounts

SAFE_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
"""What pods may set on every node (pkg/kubelet/sysctl/safe_sysctls.go); no node here allows more."""
UNTOLERATED = "node(s) had taints that the pod didn't tolerate"
SHORT_OF_MEMORY = {"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule"}


class Admission:
    """The pods that were rejected, until they are deleted."""

    def __init__(
        self, statuses: StatusManager, recorder: EventRecorder, pressure: Callable[[], frozenset[str]]
    ) -> None:
        self._statuses = statuses
        self._recorder = recorder
        self._pressure = pressure
        self._rejected: dict[str, Object] = {}

    def rejects(self, pod: Object, others: Iterable[Object], node: Object, now: datetime) -> bool:
        """Return whether a pod may not begin beside these others on this node; say so in its status when it is new."""
        status = self._rejected.get(pods.uid(pod))
        if status is None:
            if pods.is_terminal(pod) or pods.is_deleted(pod):
                return False
            info = NodeInfo(node, amounts(node.get("status", {}).get("allocatable")))
            for other in others:
                if not pods.is_terminal(other):
                    info.add(other)
            found = pressed(pod, self._pressure()) or objection(pod, info)
            if found is None:
                return False
            reason, why = found
            message = f"Pod was rejected: {why}"
            status = {"phase": "Failed", "reason": reason, "message": message, "startTime": rfc3339(now)}
            self._rejected[pods.uid(pod)] = status
            self._recorder.event(pod, "Warning", reason, why)
        self._statuses.finish(pod, status)
        return True

    def forget(self, uid: str) -> None:
        """Drop a pod that the API no longer has."""
        if self._rejected.pop(uid, None) is not None:
            self._statuses.forget(uid)


def pressed(pod: Object, conditions: frozenset[str]) -> tuple[str, str] | None:
    """Return reason and message of why a node with these conditions takes no such pod, None if it does."""
    if not conditions or pods.is_critical(pod):
        return None
    may_ask = quality_of_service(pod["spec"]) != "BestEffort" or tolerates(pod, SHORT_OF_MEMORY)
    if may_ask and conditions == {"MemoryPressure"}:
        return None
    return "Evicted", f"The node had condition: [{' '.join(sorted(conditions))}]. "


def objection(pod: Object, info: NodeInfo) -> tuple[str, str] | None:
    """Return reason and message of the first objection to a pod on a node, None without one."""
    for sysctl in (pod["spec"].get("securityContext") or {}).get("sysctls") or ():
        if sysctl["name"].replace("/", ".") not in SAFE_SYSCTLS:
            return "SysctlForbidden", f'forbidden sysctl: "{sysctl["name"]}" not allowlisted'
    for short in filters.shortages(pod, info):
        figures = f"requested: {short.asked}, used: {short.used}, capacity: {short.allocatable}"
        return f"OutOf{short.resource}", f"Node didn't have enough resource: {short.resource}, {figures}"
    for name, check in (("NodeAffinity", filters.node_affinity), ("NodePorts", filters.node_ports)):
        for why in check(pod, info):
            return name, f"Predicate {name} failed: {why}"
    taints = info.node["spec"].get("taints") or ()
    if any(taint["effect"] == "NoExecute" and not tolerates(pod, taint) for taint in taints):
        return "TaintToleration", f"Predicate TaintToleration failed: {UNTOLERATED}"
    return None
