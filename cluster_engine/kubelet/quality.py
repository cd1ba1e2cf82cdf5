"""The quality-of-service class of a pod, from what its containers request and may use.

    every container has cpu and memory limits, and requests nothing less     Guaranteed
    no container has any request or limit                                    BestEffort
    else                                                                     Burstable

Modelled on pkg/apis/core/v1/helper/qos/qos.go.
"""

from cluster_engine.kubelet import pods
from cluster_engine.kubelet.pods import Obj

COUNTED = ("cpu", "memory")


def quality_of_service(pod: Obj) -> str:
    """Give the pod's class."""
    resources = [c.get("resources") or {} for c in pods.init_containers(pod) + pods.containers(pod)]
    limits = [_counted(resource.get("limits")) for resource in resources]
    requests = [_counted(resource.get("requests")) for resource in resources]
    if not any(limits) and not any(requests):
        return "BestEffort"
    guaranteed = all(
        set(limit) == set(COUNTED) and all(request.get(name, limit[name]) == limit[name] for name in COUNTED)
        for limit, request in zip(limits, requests, strict=True)
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _counted(amounts: Obj | None) -> Obj:
    return {name: amount for name, amount in (amounts or {}).items() if name in COUNTED and str(amount) != "0"}
