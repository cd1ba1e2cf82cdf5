"""The cells of ResourceQuotas, from `pkg/printers/internalversion/printers.go`."""

from datetime import datetime

from cluster_engine.api.cells.common import status_of
from cluster_engine.api.objects import Object

LIMITS = "limits."


def requests(quota: Object, now: datetime) -> str:
    """`pods: 1/5, requests.cpu: 100m/1`."""
    del now
    return _pairs(quota, of_limits=False)


def limits(quota: Object, now: datetime) -> str:
    """`limits.cpu: 0/2`."""
    del now
    return _pairs(quota, of_limits=True)


def _pairs(quota: Object, *, of_limits: bool) -> str:
    hard, used = status_of(quota).get("hard") or {}, status_of(quota).get("used") or {}
    names = [name for name in sorted(hard) if name.startswith(LIMITS) is of_limits]
    return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in names)
