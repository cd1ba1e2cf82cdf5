"""Rules for ResourceQuotas and LimitRanges, from `pkg/apis/core/validation/validation.go`."""

from cluster_engine.api.causes import NOT_NEGATIVE, child, duplicate, forbidden, invalid, not_supported, required
from cluster_engine.api.names import qualified_name_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.quantity import parse
from cluster_engine.api.status import Cause

COMPUTE = ("cpu", "memory", "ephemeral-storage")
COUNTED = (
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
)
STANDARD = {
    *COMPUTE,
    *COUNTED,
    *(f"{half}.{name}" for half in ("requests", "limits") for name in COMPUTE),
    "storage",
    "requests.storage",
}
SCOPES = ("BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating")
OPPOSITES = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
PREFIXES = ("requests.", "limits.", "hugepages-")


def quota_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """What is limited can be counted; scopes exist and do not exclude each other."""
    for name, text in (obj.get("hard") or {}).items():
        where = f"{child(path, 'hard')}[{name}]"
        causes += [invalid(where, name, each) for each in qualified_name_problems(name)]
        if "/" not in name and name not in STANDARD and not name.startswith(PREFIXES):
            causes.append(invalid(where, name, "must be a standard resource for quota"))
        value = parse(text)
        if value < 0:
            causes.append(invalid(where, str(text), NOT_NEGATIVE))
        if (name in COUNTED or name.startswith("count/")) and value != value.to_integral_value():
            causes.append(invalid(where, str(text), "must be an integer"))
    scopes = obj.get("scopes") or ()
    where = child(path, "scopes")
    causes += [invalid(where, list(scopes), "unsupported scope") for each in scopes if each not in SCOPES]
    if any(pair <= set(scopes) for pair in OPPOSITES):
        causes.append(invalid(where, list(scopes), "conflicting scopes"))


def default_limits(item: Object) -> None:
    """Of a container, what is not said follows from what is: limit from most, request from limit, else from least."""
    if item.get("type") != "Container":
        return
    limits = {**(item.get("max") or {}), **(item.get("default") or {})}
    requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
    for field, values in (("default", limits), ("defaultRequest", requests)):
        if values:
            item[field] = values


def limit_range_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """Each type stands once, and its numbers in order: least, request, limit, most."""
    seen: set[str] = set()
    for index, item in enumerate(obj.get("limits") or ()):
        where = f"{child(path, 'limits')}[{index}]"
        kind = item.get("type", "")
        if kind in seen:
            causes.append(duplicate(child(where, "type"), kind))
        seen.add(kind)
        if kind not in ("Container", "Pod", "PersistentVolumeClaim") and "/" not in kind:
            supported = ("Container", "PersistentVolumeClaim", "Pod")
            causes.append(not_supported(child(where, "type"), kind, supported))
        if kind == "Pod":
            detail = "may not be specified when `type` is 'Pod'"
            given = [field for field in ("default", "defaultRequest") if item.get(field)]
            causes += [forbidden(child(where, field), detail) for field in given]
        bounds = {**(item.get("min") or {}), **(item.get("max") or {})}
        if kind == "PersistentVolumeClaim" and "storage" not in bounds:
            detail = "either minimum or maximum storage value is required, but neither was provided"
            causes.append(required(child(where, "limits"), detail))
        _in_order(item, where, causes)


_ORDER = (
    ("min", "max", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest", "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest", "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min value {} is greater than default value {}"),
    ("default", "max", "default", "default value {} is greater than max value {}"),
)


def _in_order(item: Object, path: str, causes: list[Cause]) -> None:
    for low, high, blamed, sentence in _ORDER:
        less, more = item.get(low) or {}, item.get(high) or {}
        for name in sorted(less.keys() & more.keys()):
            if parse(less[name]) > parse(more[name]):
                detail = sentence.format(less[name], more[name])
                causes.append(invalid(f"{child(path, blamed)}[{name}]", str((item[blamed])[name]), detail))
