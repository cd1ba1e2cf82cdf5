"""Where a DaemonSet's pods belong, and what they look like: pure functions.

Theory of operation. A node should run a pod when the pod's own words allow it: nodeName, nodeSelector, affinity and
taints, of which a daemon's pod tolerates those that come with trouble. Each pod is made for one node, by an affinity
to the node's name; the scheduler binds it.

The pods of a template carry its hash in the label HASH, as its ControllerRevision does.

Modelled on `pkg/controller/daemon/{daemon_controller,update}.go` and `util/daemonset_util.go`.
"""

from cluster_engine.api.kinds import DAEMON_SET
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.daemons import TEMPLATE_GENERATION
from cluster_engine.controllers.ownership import controller_reference
from cluster_engine.scheduler.affinity import matches_node_selector, tolerates

HASH = "controller-revision-hash"
GENERATION = "pod-template-generation"
POD_NAME_PREFIX_MAX = 253 - 5
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_TOLERATED_ON_HOST = ("node.kubernetes.io/network-unavailable", "NoSchedule")


def tolerations(spec: Object) -> list[Object]:
    """Return the tolerations of a template, and those that every daemon's pod has."""
    wanted = [*_TOLERATED, *((_TOLERATED_ON_HOST,) if spec.get("hostNetwork") else ())]
    own = list(spec.get("tolerations") or ())
    known = [(each.get("key"), each.get("effect"), each.get("operator")) for each in own]
    added = [{"effect": effect, "key": key, "operator": "Exists"} for key, effect in wanted]
    return own + [each for each in added if (each["key"], each["effect"], "Exists") not in known]


def should_run(daemon_set: Object, node: Object) -> tuple[bool, bool]:
    """Return whether the node should get a pod, and whether one that it has may stay."""
    spec = daemon_set["spec"]["template"]["spec"]
    pod = {"spec": {**spec, "tolerations": tolerations(spec)}}
    wanted = spec.get("nodeName")
    if (wanted and wanted != node["metadata"]["name"]) or not matches_node_selector(pod, node):
        return False, False
    taints = [each for each in node["spec"].get("taints") or () if not tolerates(pod, each)]
    if any(each["effect"] in ("NoSchedule", "NoExecute") for each in taints):
        return False, not any(each["effect"] == "NoExecute" for each in taints)
    return True, True


def target_of(pod: Object) -> str:
    """Return the node that a pod is on, or was made for."""
    spec = pod["spec"]
    if spec.get("nodeName"):
        return str(spec["nodeName"])
    node_affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = node_affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and len(field.get("values") or ()) == 1:
                return str(field["values"][0])
    return ""


def pod_of(daemon_set: Object, node: str, digest: str) -> Object:
    """Make a pod for one node."""
    template, metadata = daemon_set["spec"]["template"], daemon_set["metadata"]
    spec = template["spec"]
    labels = {**(template.get("metadata") or {}).get("labels", {}), HASH: digest}
    if generation := (metadata.get("annotations") or {}).get(TEMPLATE_GENERATION):
        labels[GENERATION] = generation
    carried = {"annotations": annotations} if (annotations := template.get("metadata", {}).get("annotations")) else {}
    named = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity = dict(spec.get("affinity") or {})
    node_affinity = dict(affinity.get("nodeAffinity") or {})
    node_affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": [named]}
    affinity["nodeAffinity"] = node_affinity
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "generateName": f"{metadata['name']}-"[:POD_NAME_PREFIX_MAX],
            "namespace": metadata["namespace"],
            "labels": labels,
            **carried,
            "ownerReferences": [controller_reference(DAEMON_SET, daemon_set)],
        },
        "spec": {**spec, "affinity": affinity, "tolerations": tolerations(spec)},
    }
