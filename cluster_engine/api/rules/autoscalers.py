"""Rules for HorizontalPodAutoscalers, and their two spellings, from `pkg/apis/autoscaling` (validation, v1, v2)."""

from cluster_engine.api.causes import child, invalid
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause

CPU_PERCENT = 80
_SAME = ("scaleTargetRef", "minReplicas", "maxReplicas")


def _cpu(percent: int) -> Object:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def default_metrics(spec: Object) -> None:
    """Without a metric, pods are to use four fifths of the CPU that they request."""
    if not spec.get("metrics"):
        spec["metrics"] = [_cpu(CPU_PERCENT)]


def autoscaler_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """Most is at least one, and no less than least."""
    least, most = obj.get("minReplicas"), obj.get("maxReplicas", 0)
    where = child(path, "maxReplicas")
    if most < 1:
        causes.append(invalid(where, most, "must be greater than 0"))
    if least is not None and most < least:
        causes.append(invalid(where, most, "must be greater than or equal to `minReplicas`"))


def to_v2(obj: Object) -> Object:
    """Spell an autoscaler of v1 as v2 does."""
    spec = obj.get("spec") or {}
    said: Object = {name: spec[name] for name in _SAME if name in spec}
    if (percent := spec.get("targetCPUUtilizationPercentage")) is not None:
        said["metrics"] = [_cpu(percent)]
    return {**obj, "apiVersion": "autoscaling/v2", "spec": said}


def to_v1(obj: Object) -> Object:
    """Spell an autoscaler of v2 as v1 does; metrics other than the CPU's have no place there."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    said: Object = {name: spec[name] for name in _SAME if name in spec}
    for metric in spec.get("metrics") or ():
        resource = metric.get("resource") or {}
        if resource.get("name") == "cpu" and "averageUtilization" in (resource.get("target") or {}):
            said["targetCPUUtilizationPercentage"] = resource["target"]["averageUtilization"]
    known = {name: status[name] for name in ("observedGeneration", "lastScaleTime") if name in status}
    counted = {name: status.get(name, 0) for name in ("currentReplicas", "desiredReplicas")}
    return {**obj, "apiVersion": "autoscaling/v1", "spec": said, "status": {**known, **counted}}
