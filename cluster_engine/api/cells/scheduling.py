"""The cells of PriorityClasses, from `pkg/printers/internalversion/printers.go`."""

from datetime import datetime

from cluster_engine.api.objects import Object


def value(priority_class: Object, now: datetime) -> int:
    """The priority."""
    del now
    return int(priority_class.get("value") or 0)


def global_default(priority_class: Object, now: datetime) -> bool:
    """Whether pods that name no class are of this one."""
    del now
    return bool(priority_class.get("globalDefault"))
