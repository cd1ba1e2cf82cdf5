"""`kubectl describe pod`."""

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.describe.containers import describe_containers, describe_volumes, tolerations
from cluster_engine.programs.kubectl.describe.lines import Lines, controller, date


def describe_pod(lines: Lines, pod: Object, events: list[Object]) -> None:
    """Write a pod."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    lines.identity(metadata)
    if spec.get("priority") is not None:
        lines.add(0, f"Priority:\t{spec['priority']}")
    if spec.get("priorityClassName"):
        lines.add(0, f"Priority Class Name:\t{spec['priorityClassName']}")
    lines.add(0, f"Service Account:\t{spec.get('serviceAccountName', '')}")
    node = spec.get("nodeName")
    lines.add(0, f"Node:\t{node}/{status.get('hostIP', '')}" if node else "Node:\t<none>")
    if status.get("startTime"):
        lines.add(0, f"Start Time:\t{date(status['startTime'])}")
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))
    _phase(lines, metadata, status)
    lines.add(0, f"IP:\t{status.get('podIP', '')}")
    ips = status.get("podIPs") or []
    lines.add(0, "IPs:" if ips else "IPs:\t<none>")
    for ip in ips:
        lines.add(1, f"IP:\t{ip['ip']}")
    if owner := controller(metadata):
        lines.add(0, f"Controlled By:\t{owner}")
    if status.get("nominatedNodeName"):
        lines.add(0, f"NominatedNodeName:\t{status['nominatedNodeName']}")
    if spec.get("initContainers"):
        statuses = {each["name"]: each for each in status.get("initContainerStatuses") or []}
        describe_containers(lines, "Init Containers", spec["initContainers"], statuses, pod=pod)
    statuses = {each["name"]: each for each in status.get("containerStatuses") or []}
    describe_containers(lines, "Containers", spec.get("containers") or [], statuses, pod=pod)
    if spec.get("ephemeralContainers"):
        statuses = {each["name"]: each for each in status.get("ephemeralContainerStatuses") or []}
        describe_containers(lines, "Ephemeral Containers", spec["ephemeralContainers"], statuses, pod=pod)
    if status.get("conditions"):
        lines.add(0, "Conditions:")
        lines.add(1, "Type\tStatus")
        for condition in status["conditions"]:
            lines.add(1, f"{condition['type']} \t{condition['status']} ")
    describe_volumes(lines, spec.get("volumes") or [])
    if status.get("qosClass"):
        lines.add(0, f"QoS Class:\t{status['qosClass']}")
    lines.labels("Node-Selectors", spec.get("nodeSelector"))
    lines.several("Tolerations", tolerations(spec))
    lines.events(events)


def _phase(lines: Lines, metadata: Object, status: Object) -> None:
    if metadata.get("deletionTimestamp"):
        lines.add(0, f"Status:\tTerminating (lasts {lines.since(metadata['deletionTimestamp'])})")
        lines.add(0, f"Termination Grace Period:\t{metadata.get('deletionGracePeriodSeconds', 0)}s")
    else:
        lines.add(0, f"Status:\t{status.get('phase', '')}")
    for field in ("reason", "message"):
        if status.get(field):
            lines.add(0, f"{field.capitalize()}:\t{status[field]}")
