"""What an object uses of its namespace's quotas, and which quotas count it.

Each object counts as one, `count/deployments.apps`; some have an older name beside it, `pods`, `services`. A pod that
has not ended uses what its containers ask for, under several names.

    pod with requests {cpu: 100m}     pods 1, count/pods 1, cpu 100m, requests.cpu 100m
    Service of type NodePort          services 1, count/services 1, services.nodeports 1

Modelled on `pkg/quota/v1/evaluator/core/{pods,services}.go` and `apiserver/pkg/quota/v1/generic/evaluator.go`. Left
out: volume claims, huge pages' and extended resources' limits, the scope CrossNamespacePodAffinity.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from cluster_engine.api.kinds import POD, SERVICE
from cluster_engine.api.objects import Object
from cluster_engine.api.quality_of_service import quality_of_service
from cluster_engine.api.quantity import parse, total
from cluster_engine.api.resource import Resource

Usage = dict[str, str]
OLD_NAMES = ("configmaps", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services")
SHORT = ("cpu", "memory", "ephemeral-storage")
"""Resources whose requests are counted under their own name, too."""
DEMANDED = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
"""What each container must name if a quota limits it."""


def usage_of(kind: Resource, obj: Object) -> Usage:
    """Return what an object uses, by the names that quotas know."""
    used = {f"count/{kind.resource_name}": "1"}
    if not kind.group and kind.plural in OLD_NAMES and not (kind.resource_name == "pods" and has_ended(obj)):
        used[kind.plural] = "1"
    if kind.resource_name == POD.resource_name and not has_ended(obj):
        used |= _of_pod(obj["spec"])
    elif kind.resource_name == SERVICE.resource_name:
        used |= _of_service(obj["spec"])
    return used


def has_ended(pod: Object) -> bool:
    """Return whether a pod uses nothing any more."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _of_pod(spec: Object) -> Usage:
    used: Usage = {}
    for field, prefix in (("requests", "requests."), ("limits", "limits.")):
        for name, amount in _sums(spec, field).items():
            used[prefix + name] = amount
            if field == "requests" and name in SHORT:
                used[name] = amount
    return used


def _sums(spec: Object, field: str) -> Usage:
    """Sum up what a pod's containers say: all at once, or one of the first ones if that is more."""
    running = [*(spec.get("containers") or ())]
    first: list[Object] = []
    for each in spec.get("initContainers") or ():
        (running if each.get("restartPolicy") == "Always" else first).append(each)
    listed = [_said(each, field) for each in running]
    if field == "requests" or any(listed):
        listed.append(spec.get("overhead") or {})
    found = {name: total(each[name] for each in listed if name in each) for name in _names(listed)}
    for each in (_said(container, field) for container in first):
        for name, amount in each.items():
            if name not in found or parse(amount) > parse(found[name]):
                found[name] = str(amount)
    return found


def _said(container: Object, field: str) -> Mapping[str, str]:
    return (container.get("resources") or {}).get(field) or {}


def _names(listed: Iterable[Mapping[str, str]]) -> list[str]:
    return list(dict.fromkeys(name for each in listed for name in each))


def _of_service(spec: Object) -> Usage:
    kind, ports = spec.get("type"), len(spec.get("ports") or ())
    if kind == "NodePort":
        return {"services.nodeports": str(ports)}
    if kind == "LoadBalancer":
        nodes = ports if spec.get("allocateLoadBalancerNodePorts", True) else 0
        return {"services.loadbalancers": "1", "services.nodeports": str(nodes)}
    return {}


def counts(quota: Object, kind: Resource, obj: Object) -> bool:
    """Return whether a quota's scopes are about an object: those without are about all, others about pods."""
    spec = quota.get("spec") or {}
    scopes = [(scope, "Exists", ()) for scope in spec.get("scopes") or ()]
    selected = (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    scopes += [(each["scopeName"], each["operator"], each.get("values") or ()) for each in selected]
    if scopes and kind.resource_name != POD.resource_name:
        return False
    return all(_in_scope(obj["spec"], *each) for each in scopes)


def _in_scope(spec: Object, scope: str, operator: str, values: Iterable[str]) -> bool:
    if scope == "PriorityClass":
        name = spec.get("priorityClassName", "")
        match operator:
            case "In":
                return name in values
            case "NotIn":
                return name not in values
        return bool(name) is (operator == "Exists")
    if scope in ("Terminating", "NotTerminating"):
        return (spec.get("activeDeadlineSeconds") is not None) is (scope == "Terminating")
    return (quality_of_service(spec) == "BestEffort") is (scope == "BestEffort")


def undemanded(spec: Object, limited: Iterable[str]) -> dict[str, list[str]]:
    """Say which of the limited resources containers of a pod do not name: by resource, the containers."""
    missing: dict[str, list[str]] = {}
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        named = _of_pod({"containers": [container]})
        for name in limited:
            if name in DEMANDED and name not in named:
                missing.setdefault(name, []).append(container["name"])
    return {name: sorted(missing[name]) for name in sorted(missing)}


def added(used: Mapping[str, str], more: Mapping[str, str]) -> Usage:
    """Add a usage to another: only what is counted there already."""
    return {name: total((amount, more[name])) if name in more else str(amount) for name, amount in used.items()}


def beyond(used: Mapping[str, str], hard: Mapping[str, str]) -> list[str]:
    """Name what is used beyond the limit."""
    return sorted(name for name, amount in used.items() if name in hard and parse(amount) > parse(hard[name]))


def is_none(amount: str) -> bool:
    """Return whether an amount is nothing."""
    return parse(amount) == Decimal(0)
