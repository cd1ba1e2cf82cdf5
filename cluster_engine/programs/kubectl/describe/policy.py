"""`kubectl describe` for what limits: disruption budgets, quotas, limit ranges, priority classes."""

from collections.abc import Sequence

from cluster_engine.api.objects import Object
from cluster_engine.api.selectors import label_selector_from_object
from cluster_engine.programs.kubectl.describe.lines import Lines

_SCOPES = {
    "Terminating": "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before "
    "being actively terminated by the system.",
    "NotTerminating": "Matches all pods that do not have an active deadline. These pods usually include long running "
    "pods whose container command is not expected to terminate.",
    "BestEffort": "Matches all pods that do not have resource requirements set. These pods have a best effort quality "
    "of service.",
    "NotBestEffort": "Matches all pods that have at least one resource requirement set. These pods have a burstable or "
    "guaranteed quality of service.",
}
_LIMITS = ("Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio")
_FIELDS = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")


def describe_budget(lines: Lines, budget: Object, events: list[Object]) -> None:
    """Write a PodDisruptionBudget."""
    spec, status = budget["spec"], budget.get("status") or {}
    lines.identity(budget["metadata"])
    for field, title in (("minAvailable", "Min available"), ("maxUnavailable", "Max unavailable")):
        if field in spec:
            lines.add(0, f"{title}:\t{spec[field]}")
            break
    selector = spec.get("selector")
    text = "<unset>" if selector is None else str(label_selector_from_object(selector)) or "<none>"
    lines.add(0, f"Selector:\t{text}")
    lines.add(0, "Status:")
    for field, title in (
        ("disruptionsAllowed", "Allowed disruptions"),
        ("currentHealthy", "Current"),
        ("desiredHealthy", "Desired"),
        ("expectedPods", "Total"),
    ):
        lines.add(2, f"{title}:\t{status.get(field, 0)}")
    lines.events(events)


def describe_quota(lines: Lines, quota: Object) -> None:
    """Write a ResourceQuota."""
    lines.identity(quota["metadata"])
    _quota(lines, quota, 0, " * ")


def describe_quotas(lines: Lines, quotas: Sequence[Object]) -> None:
    """Write all quotas of a namespace."""
    if not quotas:
        lines.add(0, "No resource quota.")
        return
    lines.add(0, "Resource Quotas")
    for quota in sorted(quotas, key=lambda each: each["metadata"]["name"]):
        lines.add(1, f"Name:\t{quota['metadata']['name']}")
        _quota(lines, quota, 1, "* ", dashes="---")


def _quota(lines: Lines, quota: Object, level: int, mark: str, *, dashes: str = "----") -> None:
    scopes = sorted((quota.get("spec") or {}).get("scopes") or ())
    if scopes:
        lines.add(level, f"Scopes:\t{', '.join(scopes)}")
        for scope in scopes:
            if scope in _SCOPES:
                lines.add(level, f"{mark}{_SCOPES[scope]}")
    lines.add(level, "Resource\tUsed\tHard")
    lines.add(level, f"--------\t{dashes}\t{dashes}")
    status = quota.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    for name in sorted(hard):
        lines.add(level, f"{name}\t{used.get(name, '0')}\t{hard[name]}")


def describe_limit_range(lines: Lines, limit_range: Object) -> None:
    """Write a LimitRange."""
    lines.identity(limit_range["metadata"])
    _limit_head(lines, "")
    _limits(lines, limit_range, "")


def describe_limit_ranges(lines: Lines, limit_ranges: Sequence[Object]) -> None:
    """Write all limit ranges of a namespace."""
    if not limit_ranges:
        lines.add(0, "No LimitRange resource.")
        return
    lines.add(0, "Resource Limits")
    _limit_head(lines, " ")
    for each in limit_ranges:
        _limits(lines, each, " ")


def _limit_head(lines: Lines, prefix: str) -> None:
    lines.add(0, prefix + "\t".join(_LIMITS))
    lines.add(0, prefix + "\t".join("-" * len(each) for each in _LIMITS))


def _limits(lines: Lines, limit_range: Object, prefix: str) -> None:
    for item in (limit_range.get("spec") or {}).get("limits") or ():
        names = sorted({name for field in _FIELDS for name in item.get(field) or ()})
        for name in names:
            values = ((item.get(field) or {}).get(name, "-") for field in _FIELDS)
            lines.add(0, "\t".join([f"{prefix}{item['type']}", name, *map(str, values)]))


def describe_priority_class(lines: Lines, priority_class: Object, events: list[Object]) -> None:
    """Write a PriorityClass."""
    metadata = priority_class["metadata"]
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Value:\t{priority_class.get('value', 0)}")
    lines.add(0, f"GlobalDefault:\t{str(bool(priority_class.get('globalDefault'))).lower()}")
    if policy := priority_class.get("preemptionPolicy"):
        lines.add(0, f"PreemptionPolicy:\t{policy}")
    lines.add(0, f"Description:\t{priority_class.get('description', '')}")
    annotations = metadata.get("annotations") or {}
    lines.add(0, f"Annotations:\t{','.join(f'{key}={annotations[key]}' for key in sorted(annotations)) or '<none>'}")
    lines.events(events)
