"""`kubectl describe hpa`."""

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.describe.lines import Lines, date


def describe_autoscaler(lines: Lines, autoscaler: Object, events: list[Object]) -> None:
    """Write a HorizontalPodAutoscaler of v2. What is measured is never known."""
    metadata, spec, status = autoscaler["metadata"], autoscaler["spec"], autoscaler.get("status") or {}
    lines.identity(metadata)
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))
    lines.add(0, f"CreationTimestamp:\t{date(metadata.get('creationTimestamp'))}")
    target = spec["scaleTargetRef"]
    lines.add(0, f"Reference:\t{target['kind']}/{target['name']}")
    lines.add(0, "Metrics:\t( current / target )")
    for metric in spec.get("metrics") or ():
        lines.add(1, _metric(metric))
    lines.add(0, f"Min replicas:\t{spec.get('minReplicas', '<unset>')}")
    lines.add(0, f"Max replicas:\t{spec.get('maxReplicas', 0)}")
    current, desired = status.get("currentReplicas", 0), status.get("desiredReplicas", 0)
    lines.add(0, f"{target['kind']} pods:\t{current} current / {desired} desired")
    if status.get("conditions"):
        lines.add(0, "Conditions:")
        lines.add(1, "Type\tStatus\tReason\tMessage")
        lines.add(1, "----\t------\t------\t-------")
        for each in status["conditions"]:
            lines.add(1, f"{each['type']}\t{each['status']}\t{each.get('reason', '')}\t{each.get('message', '')}")
    lines.events(events)


def _metric(metric: Object) -> str:
    kind = str(metric.get("type", ""))
    source = metric.get(kind[:1].lower() + kind[1:]) or {}
    target = source.get("target") or {}
    average = target.get("averageValue")
    wanted = average if average is not None else target.get("value")
    name = (source.get("metric") or {}).get("name", "")
    if kind == "Resource":
        if average is not None:
            return f"resource {source.get('name')} on pods:\t<unknown> / {average}"
        percent = target.get("averageUtilization")
        said = "<auto>" if percent is None else f"{percent}%"
        return f"resource {source.get('name')} on pods  (as a percentage of request):\t<unknown> / {said}"
    if kind == "Pods":
        return f'"{name}" on pods:\t<unknown> / {average}'
    meant = "target average value" if average is not None else "target value"
    if kind == "Object":
        described = source.get("describedObject") or {}
        where = f"{described.get('kind')}/{described.get('name')}"
        return f'"{name}" on {where} ({meant}):\t<unknown> / {wanted}'
    return f'"{name}" ({meant}):\t<unknown> / {wanted}'
