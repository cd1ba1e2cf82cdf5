"""Rules for PodDisruptionBudgets, from `pkg/apis/policy/validation/validation.go`."""

from cluster_engine.api.causes import Go, child, invalid
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.apps import amount, at_most_100_percent
from cluster_engine.api.rules.selection import label_selector
from cluster_engine.api.status import Cause


def budget_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """One of the two numbers is given, and is one."""
    if obj.get("minAvailable") is not None and obj.get("maxUnavailable") is not None:
        spec = Go("policy.PodDisruptionBudgetSpec{…}")
        causes.append(invalid(path, spec, "minAvailable and maxUnavailable cannot be both set"))
    for field in ("minAvailable", "maxUnavailable"):
        if (value := obj.get(field)) is not None:
            amount(value, child(path, field), causes)
            at_most_100_percent(value, child(path, field), causes)
    if obj.get("selector") is not None:
        label_selector(obj["selector"], child(path, "selector"), causes)
