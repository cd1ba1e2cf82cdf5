"""The cells of HorizontalPodAutoscalers, from `pkg/printers/internalversion/printers.go`. No metric is ever known."""

from datetime import datetime

from cluster_engine.api.objects import JSON, Object

UNKNOWN = "<unknown>"
METRICS_SHOWN = 2


def _spec(obj: Object) -> JSON:
    return obj.get("spec") or {}


def reference(autoscaler: Object, now: datetime) -> str:
    """`Deployment/web`."""
    del now
    target = _spec(autoscaler).get("scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def least(autoscaler: Object, now: datetime) -> str:
    """Least replicas."""
    del now
    return str(_spec(autoscaler).get("minReplicas", "<unset>"))


def targets(autoscaler: Object, now: datetime) -> str:
    """`cpu: <unknown>/80%`."""
    del now
    metrics = _spec(autoscaler).get("metrics") or ()
    shown = ", ".join(_target(each) for each in metrics[:METRICS_SHOWN])
    return f"{shown} + {len(metrics) - METRICS_SHOWN} more..." if len(metrics) > METRICS_SHOWN else shown or "<none>"


def _target(metric: Object) -> str:
    kind = str(metric.get("type", ""))
    source = metric.get(kind[:1].lower() + kind[1:]) or {}
    target = source.get("target") or {}
    average = target.get("averageValue")
    if kind in ("Resource", "ContainerResource"):
        wanted = average if average is not None else f"{target.get('averageUtilization', '<auto>')}%"
        return f"{source.get('name', '')}: {UNKNOWN}/{wanted}"
    if average is not None:
        return f"{UNKNOWN}/{average}{'' if kind == 'Pods' else ' (avg)'}"
    return f"{UNKNOWN}/{target.get('value', UNKNOWN)}"
