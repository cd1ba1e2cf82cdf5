"""The scheduler's cache: for each node what it has, what is taken, and by whom; pods just placed counted in advance.

Theory of operation. Between choosing a node and hearing from the API server that the pod is bound to it, some time
passes. So the chosen pod is *assumed*: counted at once, confirmed by the watch, forgotten if the binding fails. Without
that, ten pods would be put on one node before the first is seen there.

Modelled on `pkg/scheduler/backend/cache/cache.go`. Left out: snapshots (nothing runs between filter and assume here),
expiry of assumed pods (off by default).
"""

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.client import key_of
from cluster_engine.scheduler.resources import Amounts, amounts, requests

HostPort = tuple[str, str, int]


class NodeInfo(msgspec.Struct):
    """A node and the pods on it. `requested` is exact, `nonzero` is as scoring counts."""

    node: Object
    allocatable: Amounts
    pods: dict[str, Object] = msgspec.field(default_factory=dict)
    requested: Amounts = msgspec.field(default_factory=dict)
    nonzero: Amounts = msgspec.field(default_factory=dict)
    ports: dict[HostPort, int] = msgspec.field(default_factory=dict)

    @property
    def name(self) -> str:
        """The node's name."""
        return str(self.node["metadata"]["name"])

    def add(self, pod: Object) -> None:
        """Count a pod."""
        self.pods[key_of(pod)] = pod
        self._count(pod, 1)

    def remove(self, key: str) -> None:
        """Count a pod no more."""
        if (pod := self.pods.pop(key, None)) is not None:
            self._count(pod, -1)

    def _count(self, pod: Object, sign: int) -> None:
        for table, asked in ((self.requested, requests(pod)), (self.nonzero, requests(pod, nonzero=True))):
            for name, value in asked.items():
                table[name] = table.get(name, 0) + sign * value
        for port in host_ports(pod):
            self.ports[port] = self.ports.get(port, 0) + sign
            if not self.ports[port]:
                del self.ports[port]


def host_ports(pod: Object) -> list[HostPort]:
    """Return the (address, protocol, port) that a pod wants of its node."""
    return [
        (port.get("hostIP") or "0.0.0.0", port.get("protocol", "TCP"), port["hostPort"])
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or ()
        if port.get("hostPort")
    ]


class Cache:
    """Nodes by name, in the order in which they became known."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodeInfo] = {}
        self._homes: dict[str, str] = {}
        self._homeless: dict[str, dict[str, Object]] = {}
        self._assumed: dict[str, None] = {}

    def nodes(self) -> list[NodeInfo]:
        """Return all nodes."""
        return list(self._nodes.values())

    def set_node(self, node: Object) -> None:
        """Take a node, new or changed."""
        name = node["metadata"]["name"]
        allocatable = amounts(node.get("status", {}).get("allocatable"))
        info = self._nodes.get(name)
        if info is not None:
            info.node, info.allocatable = node, allocatable
            return
        info = self._nodes[name] = NodeInfo(node, allocatable)
        for pod in self._homeless.pop(name, {}).values():
            info.add(pod)

    def remove_node(self, node: Object) -> None:
        """Forget a node; its pods stay known, should it come back."""
        name = node["metadata"]["name"]
        info = self._nodes.pop(name, None)
        if info is not None and info.pods:
            self._homeless[name] = info.pods

    def is_known(self, key: str) -> bool:
        """Return whether a pod is counted somewhere, assumed or bound."""
        return key in self._homes

    def assume(self, pod: Object, node: str) -> None:
        """Count a pod on the node it was given, before anyone else knows."""
        self._assumed[key_of(pod)] = None
        self.add_pod({**pod, "spec": {**pod["spec"], "nodeName": node}})

    def forget(self, pod: Object) -> None:
        """Take an assumption back; a confirmed pod stays."""
        if key_of(pod) in self._assumed:
            self.remove_pod(pod)

    def confirm(self, pod: Object) -> None:
        """Take a bound pod as the watch tells it."""
        self._assumed.pop(key_of(pod), None)
        self.add_pod(pod)

    def add_pod(self, pod: Object) -> None:
        """Count a bound pod, or count it anew."""
        self._uncount(key_of(pod))
        name = pod["spec"]["nodeName"]
        self._homes[key_of(pod)] = name
        info = self._nodes.get(name)
        if info is not None:
            info.add(pod)
        else:
            self._homeless.setdefault(name, {})[key_of(pod)] = pod

    def remove_pod(self, pod: Object) -> None:
        """Count a pod no more."""
        self._assumed.pop(key_of(pod), None)
        self._uncount(key_of(pod))

    def _uncount(self, key: str) -> None:
        name = self._homes.pop(key, None)
        if name is None:
            return
        info = self._nodes.get(name)
        if info is not None:
            info.remove(key)
        else:
            self._homeless.get(name, {}).pop(key, None)
