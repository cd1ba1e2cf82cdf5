"""The quality-of-service class of a pod, from what its containers request and may use.

    every container has limits of cpu and memory, and requests nothing less     Guaranteed
    no container has a request or a limit of either                             BestEffort
    else                                                                        Burstable

Modelled on pkg/apis/core/v1/helper/qos/qos.go.
"""

from decimal import Decimal

from cluster_engine.api.objects import Object
from cluster_engine.api.quantity import parse

COUNTED = ("cpu", "memory")


def quality_of_service(spec: Object) -> str:
    """Return the class of a pod with this spec."""
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    asks = [container.get("resources") or {} for container in containers]
    if not any(_counted(ask.get(said)) for ask in asks for said in ("requests", "limits")):
        return "BestEffort"
    return "Guaranteed" if all(_is_guaranteed(ask) for ask in asks) else "Burstable"


def _is_guaranteed(ask: Object) -> bool:
    limits, requests = _counted(ask.get("limits")), ask.get("requests") or {}
    if len(limits) < len(COUNTED):
        return False
    return all(parse(requests[name]) == limits[name] for name in COUNTED if name in requests)


def _counted(amounts: Object | None) -> dict[str, Decimal]:
    found = {name: parse(amounts[name]) for name in COUNTED if amounts and name in amounts}
    return {name: amount for name, amount in found.items() if amount}
