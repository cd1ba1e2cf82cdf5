"""What a pod asks for and what a node has, in whole numbers: CPU in thousandths, the rest in units or bytes.

A pod's request is the sum over its containers, or what one of its init containers needs if that is more (sidecars, init
containers that go on running, count as containers). For *scoring* a container that asks for nothing counts as 100m CPU
and 200 MB, so that pods without requests spread too.

Modelled on `pkg/scheduler/framework/types.go` and `pkg/api/v1/resource/helpers.go`.
"""

import math
from functools import lru_cache

from cluster_engine.api import quantity
from cluster_engine.api.objects import Object

Amounts = dict[str, int]

NONZERO_DEFAULTS = {"cpu": 100, "memory": 200 * 1024 * 1024}


@lru_cache(maxsize=1024)
def amount(resource: str, text: str) -> int:
    """Parse a quantity, rounded up: CPU in thousandths."""
    value = quantity.parse(text)
    return math.ceil(value * 1000) if resource == "cpu" else math.ceil(value)


def amounts(quantities: Object | None) -> Amounts:
    """Parse a resource list."""
    return {name: amount(name, str(text)) for name, text in (quantities or {}).items()}


def requests(pod: Object, *, nonzero: bool = False) -> Amounts:
    """Return what a pod asks for; `nonzero` as scoring counts it."""
    spec = pod["spec"]
    total: Amounts = {}
    for container in spec["containers"]:
        _add(total, _container(container, nonzero))
    peak: Amounts = {}
    sidecars: Amounts = {}
    for container in spec.get("initContainers") or ():
        needed = _container(container, nonzero)
        if container.get("restartPolicy") == "Always":
            _add(total, needed)
            _add(sidecars, needed)
            needed = sidecars
        else:
            needed = {name: value + sidecars.get(name, 0) for name, value in needed.items()}
        for name, value in needed.items():
            peak[name] = max(peak.get(name, 0), value)
    for name, value in peak.items():
        total[name] = max(total.get(name, 0), value)
    _add(total, amounts(spec.get("overhead")))
    return total


def _container(container: Object, nonzero: bool) -> Amounts:
    asked = amounts(container.get("resources", {}).get("requests"))
    return {**NONZERO_DEFAULTS, **asked} if nonzero else asked


def _add(total: Amounts, more: Amounts) -> None:
    for name, value in more.items():
        total[name] = total.get(name, 0) + value
