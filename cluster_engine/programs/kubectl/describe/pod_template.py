"""A pod template, as deployments and replica sets have one."""

from datetime import UTC, datetime

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.describe.containers import describe_containers, describe_volumes, tolerations
from cluster_engine.programs.kubectl.describe.lines import Lines


def describe_template(lines: Lines, template: Object) -> None:
    """Write a template."""
    metadata, spec = template.get("metadata") or {}, template["spec"]
    lines.add(0, "Pod Template:")
    lines.labels("Labels", metadata.get("labels"), indent="  ")
    if metadata.get("annotations"):
        lines.annotations("Annotations", metadata["annotations"], indent="  ")
    if spec.get("serviceAccountName"):
        lines.add(0, f"  Service Account:\t{spec['serviceAccountName']}")
    if spec.get("initContainers"):
        describe_containers(lines, "Init Containers", spec["initContainers"], None, space="  ")
    describe_containers(lines, "Containers", spec.get("containers") or [], None, space="  ")
    describe_volumes(lines, spec.get("volumes") or [], space="  ")
    if spec.get("priorityClassName"):
        lines.add(0, f"  Priority Class Name:\t{spec['priorityClassName']}")
    lines.labels("Node-Selectors", spec.get("nodeSelector"), indent="  ")
    lines.several("Tolerations", tolerations(spec), indent="  ")


def template_lines(template: Object) -> list[str]:
    """Return a template's lines with their tabs: `kubectl rollout history --revision` prints them so."""
    lines = Lines(datetime.min.replace(tzinfo=UTC))
    describe_template(lines, template)
    return lines.raw
