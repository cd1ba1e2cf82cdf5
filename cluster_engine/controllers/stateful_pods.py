"""What the pods of a StatefulSet look like, and which revision each is to be of: pure functions.

Theory of operation. A pod is its number: `web-0` has that name, that host name, labels with both, and a label with the
name of the ControllerRevision that it was made from. While a template is rolled out the set has two revisions; a pod
below the partition is made of the old one, all others of the new one.

    partition 1, three pods     web-0 of web-6d9f (currentRevision), web-1 and web-2 of web-7c4b (updateRevision)

Modelled on `pkg/controller/statefulset/stateful_set_utils.go`. Left out: volume claims.
"""

import re
from datetime import datetime

from cluster_engine.api.kinds import STATEFUL_SET
from cluster_engine.api.objects import Object
from cluster_engine.controllers import pods
from cluster_engine.controllers.history import template_of
from cluster_engine.controllers.ownership import controller_reference, is_deleting

REVISION = "controller-revision-hash"
POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
_NUMBERED = re.compile(r"(.*)-([0-9]{1,9})")


def number_of(pod: Object) -> int:
    """Return the number in a pod's name; -1 for a name without one."""
    found = _NUMBERED.fullmatch(pod["metadata"]["name"])
    return int(found[2]) if found else -1


def is_member(stateful_set: Object, pod: Object) -> bool:
    """Return whether a pod has a name of the set's."""
    found = _NUMBERED.fullmatch(pod["metadata"]["name"])
    return found is not None and found[1] == stateful_set["metadata"]["name"]


def numbers(stateful_set: Object) -> range:
    """Return the numbers that there should be pods of."""
    spec = stateful_set["spec"]
    start = int((spec.get("ordinals") or {}).get("start", 0))
    return range(start, start + int(spec.get("replicas", 1)))


def partition_of(stateful_set: Object) -> int:
    """Return below which place of the numbers pods stay as they were."""
    rolling = (stateful_set["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return int(rolling.get("partition", 0))


def revision_of(pod: Object) -> str:
    """Return the name of the revision that a pod was made from."""
    return str((pod["metadata"].get("labels") or {}).get(REVISION, ""))


def pod_of(stateful_set: Object, number: int, revision: Object) -> Object:
    """Make the pod of a number, of a revision's template."""
    template, metadata = template_of(revision), stateful_set["metadata"]
    name = f"{metadata['name']}-{number}"
    said = template.get("metadata") or {}
    labels = {REVISION: revision["metadata"]["name"], POD_NAME: name, POD_INDEX: str(number)}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": {**said.get("labels", {}), **labels},
            **({"annotations": said["annotations"]} if said.get("annotations") else {}),
            "ownerReferences": [controller_reference(STATEFUL_SET, stateful_set)],
        },
        "spec": {**template["spec"], "hostname": name, "subdomain": stateful_set["spec"].get("serviceName", "")},
    }


def is_available(stateful_set: Object, pod: Object, now: datetime) -> bool:
    """Return whether a pod runs, and has been ready for long enough."""
    seconds = stateful_set["spec"].get("minReadySeconds", 0)
    return pods.phase(pod) == "Running" and pods.is_available(pod, seconds, now)


def status_of(stateful_set: Object, own: list[Object], current: str, update: str, now: datetime) -> Object:
    """Count the pods; where all are of the newest revision and ready, that is the current one too."""
    ready = [pod for pod in own if pods.phase(pod) == "Running" and pods.is_ready(pod)]
    alive = [revision_of(pod) for pod in own if not is_deleting(pod)]
    counted = {
        "readyReplicas": len(ready),
        "currentReplicas": alive.count(current),
        "updatedReplicas": alive.count(update),
    }
    is_rolling = (stateful_set["spec"].get("updateStrategy") or {}).get("type") == "RollingUpdate"
    if is_rolling and counted["updatedReplicas"] == len(own) == len(ready):
        current, counted["currentReplicas"] = update, counted["updatedReplicas"]
    return {
        "observedGeneration": stateful_set["metadata"].get("generation", 0),
        "replicas": len(own),
        **{name: number for name, number in counted.items() if number},
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": stateful_set.get("status", {}).get("collisionCount", 0),
        "availableReplicas": sum(is_available(stateful_set, pod, now) for pod in ready),
    }
