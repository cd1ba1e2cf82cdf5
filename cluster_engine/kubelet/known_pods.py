"""The pods of a node, wherever they come from: the API's, and for mirror pods the static pods that they show.

    get("kube-system/etcd-control-plane")      the static pod: its uid is the one that containers and logs bear
    get("default/web-0")                       the API's
    a mirror pod that shows nothing here       is not there

Modelled on pkg/kubelet/pod/pod_manager.go.
"""

from cluster_engine.api.objects import Object
from cluster_engine.client.informer import Informer
from cluster_engine.kubelet import pods
from cluster_engine.kubelet.static_pods import StaticPods


class KnownPods:
    """What the kubelet's port tells of."""

    def __init__(self, api: Informer, static: StaticPods) -> None:
        self._api = api
        self._static = static

    def get(self, full_name: str) -> Object | None:
        """Return the pod of a full name."""
        pod = self._static.get(full_name) or self._api.get(full_name)
        return None if pod is None or pods.is_mirror(pod) else pod

    def items(self) -> list[Object]:
        """Return all pods."""
        return [*self._static.items(), *(pod for pod in self._api.items() if not pods.is_mirror(pod))]
