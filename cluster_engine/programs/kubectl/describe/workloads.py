"""`kubectl describe` for Deployments, ReplicaSets, DaemonSets and StatefulSets."""

from cluster_engine.api.objects import Object
from cluster_engine.api.selectors import label_selector_from_object
from cluster_engine.programs.kubectl.describe.lines import Lines, controller, date, selector_text
from cluster_engine.programs.kubectl.describe.pod_template import describe_template

HASH = "pod-template-hash"


def describe_deployment(lines: Lines, deployment: Object, replica_sets: list[Object], events: list[Object]) -> None:
    """Write a deployment; `replica_sets` are its own."""
    metadata, spec, status = deployment["metadata"], deployment["spec"], deployment.get("status") or {}
    lines.identity(metadata)
    lines.add(0, f"CreationTimestamp:\t{date(metadata.get('creationTimestamp'))}")
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))
    lines.add(0, f"Selector:\t{selector_text(spec['selector'].get('matchLabels'))}")
    counts = ((spec.get("replicas", 1), "desired"), *((status.get(field, 0), word) for field, word in _COUNTS))
    lines.add(0, "Replicas:\t" + " | ".join(f"{count} {word}" for count, word in counts))
    strategy = spec.get("strategy") or {}
    lines.add(0, f"StrategyType:\t{strategy.get('type', '')}")
    lines.add(0, f"MinReadySeconds:\t{spec.get('minReadySeconds', 0)}")
    if rolling := strategy.get("rollingUpdate"):
        text = f"{rolling.get('maxUnavailable')} max unavailable, {rolling.get('maxSurge')} max surge"
        lines.add(0, f"RollingUpdateStrategy:\t{text}")
    describe_template(lines, spec["template"])
    _conditions(lines, status)
    new = next((each for each in replica_sets if _same_template(each, deployment)), None)
    old = [each for each in replica_sets if each is not new]
    lines.add(0, f"OldReplicaSets:\t{_created(old)}")
    lines.add(0, f"NewReplicaSet:\t{_created([new] if new else [])}")
    lines.events(events)


_COUNTS = (
    ("updatedReplicas", "updated"),
    ("replicas", "total"),
    ("availableReplicas", "available"),
    ("unavailableReplicas", "unavailable"),
)


def describe_replica_set(lines: Lines, replica_set: Object, pods: list[Object], events: list[Object]) -> None:
    """Write a replica set; `pods` are its own."""
    metadata, spec, status = replica_set["metadata"], replica_set["spec"], replica_set.get("status") or {}
    lines.identity(metadata)
    lines.add(0, f"Selector:\t{selector_text(spec['selector'].get('matchLabels'))}")
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))
    if owner := controller(metadata):
        lines.add(0, f"Controlled By:\t{owner}")
    lines.add(0, f"Replicas:\t{status.get('replicas', 0)} current / {spec.get('replicas', 1)} desired")
    _pods_status(lines, pods)
    describe_template(lines, spec["template"])
    _conditions(lines, status)
    lines.events(events)


def _pods_status(lines: Lines, pods: list[Object]) -> None:
    phases = [(pod.get("status") or {}).get("phase") for pod in pods]
    counted = (("Running", "Running"), ("Pending", "Waiting"), ("Succeeded", "Succeeded"), ("Failed", "Failed"))
    lines.add(0, "Pods Status:\t" + " / ".join(f"{phases.count(phase)} {word}" for phase, word in counted))


_NODES = (
    ("desiredNumberScheduled", "Desired Number of Nodes Scheduled"),
    ("currentNumberScheduled", "Current Number of Nodes Scheduled"),
    ("updatedNumberScheduled", "Number of Nodes Scheduled with Up-to-date Pods"),
    ("numberAvailable", "Number of Nodes Scheduled with Available Pods"),
    ("numberMisscheduled", "Number of Nodes Misscheduled"),
)


def describe_daemon_set(lines: Lines, daemon_set: Object, pods: list[Object], events: list[Object]) -> None:
    """Write a daemon set; `pods` are its own."""
    metadata, spec, status = daemon_set["metadata"], daemon_set["spec"], daemon_set.get("status") or {}
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Selector:\t{label_selector_from_object(spec['selector'])}")
    lines.add(0, f"Node-Selector:\t{selector_text((spec['template'].get('spec') or {}).get('nodeSelector'))}")
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))
    for field, title in _NODES:
        lines.add(0, f"{title}: {status.get(field, 0)}")
    _pods_status(lines, pods)
    describe_template(lines, spec["template"])
    lines.events(events)


def describe_stateful_set(lines: Lines, stateful_set: Object, pods: list[Object], events: list[Object]) -> None:
    """Write a stateful set; `pods` are its own."""
    metadata, spec, status = stateful_set["metadata"], stateful_set["spec"], stateful_set.get("status") or {}
    lines.identity(metadata)
    lines.add(0, f"CreationTimestamp:\t{date(metadata.get('creationTimestamp'))}")
    lines.add(0, f"Selector:\t{label_selector_from_object(spec['selector'])}")
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))
    lines.add(0, f"Replicas:\t{spec.get('replicas', 1)} desired | {status.get('replicas', 0)} total")
    strategy = spec.get("updateStrategy") or {}
    lines.add(0, f"Update Strategy:\t{strategy.get('type', '')}")
    rolling = strategy.get("rollingUpdate") or {}
    if "partition" in rolling:
        lines.add(1, f"Partition:\t{rolling['partition']}")
        if "maxUnavailable" in rolling:
            lines.add(1, f"MaxUnavailable:\t{rolling['maxUnavailable']}")
    _pods_status(lines, pods)
    describe_template(lines, spec["template"])
    lines.add(0, "Volume Claims:\t<none>")
    lines.events(events)


def _conditions(lines: Lines, status: Object) -> None:
    if status.get("conditions"):
        lines.add(0, "Conditions:")
        lines.add(1, "Type\tStatus\tReason")
        lines.add(1, "----\t------\t------")
        for condition in status["conditions"]:
            lines.add(1, f"{condition['type']} \t{condition['status']}\t{condition.get('reason', '')}")


def _same_template(replica_set: Object, deployment: Object) -> bool:
    return _without_hash(replica_set["spec"]["template"]) == _without_hash(deployment["spec"]["template"])


def _without_hash(template: Object) -> Object:
    labels = {key: value for key, value in (template["metadata"].get("labels") or {}).items() if key != HASH}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}


def _created(replica_sets: list[Object]) -> str:
    texts = []
    for each in replica_sets:
        made, wanted = (each.get("status") or {}).get("replicas", 0), each["spec"].get("replicas", 0)
        texts.append(f"{each['metadata']['name']} ({made}/{wanted} replicas created)")
    return ", ".join(texts) or "<none>"
