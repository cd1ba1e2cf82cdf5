"""The cells of PodDisruptionBudgets, from `pkg/printers/internalversion/printers.go`."""

from datetime import datetime

from cluster_engine.api.objects import Object


def _amount(budget: Object, field: str) -> str:
    value = (budget.get("spec") or {}).get(field)
    return "N/A" if value is None else str(value)


def min_available(budget: Object, now: datetime) -> str:
    """Pods that must stay."""
    del now
    return _amount(budget, "minAvailable")


def max_unavailable(budget: Object, now: datetime) -> str:
    """Pods that may be missing."""
    del now
    return _amount(budget, "maxUnavailable")
