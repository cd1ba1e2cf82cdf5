"""Rules for PriorityClasses, from `pkg/apis/scheduling` (validation, helpers.go)."""

from cluster_engine.api.causes import IMMUTABLE, forbidden, invalid
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause

SYSTEM = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
SYSTEM_PREFIX = "system-"
VALUE_MAX = 1_000_000_000


def priority_class(obj: Object, path: str, causes: list[Cause]) -> None:
    """Names and values of the system's are its own."""
    name, value = obj["metadata"].get("name", ""), obj.get("value") or 0
    if name.startswith(SYSTEM_PREFIX):
        if SYSTEM.get(name) != value or obj.get("globalDefault"):
            detail = f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only"
            causes.append(forbidden("metadata.name", detail))
    elif value > VALUE_MAX:
        causes.append(forbidden("value", f"maximum allowed value of a user defined priority is {VALUE_MAX}"))


def priority_class_update(new: Object, old: Object, causes: list[Cause]) -> None:
    """The value stays, and whether it preempts."""
    if new.get("value") != old.get("value"):
        causes.append(forbidden("value", "may not be changed in an update."))
    if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
        causes.append(invalid("preemptionPolicy", new.get("preemptionPolicy"), IMMUTABLE))
