"""Which ReplicaSet is a Deployment's new one, and what is written on it: hash, revision, wanted sizes. Pure functions.

Theory of operation. A Deployment's pod template *is* its version. The ReplicaSet whose template equals it (but for the
label `pod-template-hash`) is the new one, all others are old. Its name and that label carry a hash of the template, so
that two ReplicaSets never select each other's pods. The annotation `deployment.kubernetes.io/revision` numbers
versions; going back to an old template makes its ReplicaSet the newest revision again.

Modelled on `pkg/controller/deployment/util/deployment_util.go`.
"""

from cluster_engine.api.kinds import DEPLOYMENT, REPLICA_SET
from cluster_engine.api.names import pod_template_hash
from cluster_engine.api.objects import Object
from cluster_engine.api.strconv import int_of
from cluster_engine.controllers.ownership import controller_reference
from cluster_engine.controllers.rolling import DESIRED_REPLICAS, MAX_REPLICAS, age_order, max_surge, wanted

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
REVISION_HISTORY_BYTES_MAX = 2000
_NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        REVISION_HISTORY,
        DESIRED_REPLICAS,
        MAX_REPLICAS,
        "deprecated.deployment.rollback.to",
    }
)


def find_new(deployment: Object, replica_sets: list[Object]) -> Object | None:
    """Return the ReplicaSet with the Deployment's template; the oldest, should there be several."""
    template = deployment["spec"]["template"]
    for one in sorted(replica_sets, key=age_order):
        if _without_hash(one["spec"]["template"]) == _without_hash(template):
            return one
    return None


def _without_hash(template: Object) -> Object:
    metadata = template.get("metadata", {})
    labels = {key: value for key, value in metadata.get("labels", {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {**metadata, "labels": labels}}


def revision(obj: Object) -> int:
    """Return the revision written on an object; 0 for none."""
    text = obj["metadata"].get("annotations", {}).get(REVISION, "0")
    return max(0, int_of(text) or 0)


def next_revision(old: list[Object]) -> int:
    """Return the number that the new ReplicaSet should carry."""
    return max((revision(one) for one in old), default=0) + 1


def build(deployment: Object, number: int) -> Object:
    """Make the new ReplicaSet, with 0 replicas as yet."""
    template = deployment["spec"]["template"]
    digest = pod_template_hash(template, deployment.get("status", {}).get("collisionCount", 0))
    labels = {**template.get("metadata", {}).get("labels", {}), HASH_LABEL: digest}
    selector = deployment["spec"]["selector"]
    metadata = deployment["metadata"]
    replica_set: Object = {
        "kind": "ReplicaSet",
        "apiVersion": REPLICA_SET.api_version,
        "metadata": {
            "name": f"{metadata['name']}-{digest}",
            "namespace": metadata["namespace"],
            "labels": labels,
            "ownerReferences": [controller_reference(DEPLOYMENT, deployment)],
        },
        "spec": {
            "replicas": 0,
            "selector": {**selector, "matchLabels": {**selector.get("matchLabels", {}), HASH_LABEL: digest}},
            "template": {**template, "metadata": {**template.get("metadata", {}), "labels": labels}},
        },
    }
    if min_ready := deployment["spec"].get("minReadySeconds"):
        replica_set["spec"]["minReadySeconds"] = min_ready
    replica_set["metadata"]["annotations"] = annotations_for(deployment, replica_set, number, exists=False)
    return replica_set


def annotations_for(deployment: Object, replica_set: Object, number: int, *, exists: bool) -> dict[str, str]:
    """Return the annotations that the new ReplicaSet should have."""
    annotations = dict(replica_set["metadata"].get("annotations", {}))
    theirs = deployment["metadata"].get("annotations", {})
    annotations.update({key: value for key, value in theirs.items() if key not in _NOT_COPIED})
    before = revision(replica_set)
    if before < number:
        annotations[REVISION] = str(number)
        if before:
            annotations[REVISION_HISTORY] = _history(annotations.get(REVISION_HISTORY, ""), before)
    if not exists:
        annotations.update(size_annotations(deployment))
    return annotations


def _history(history: str, before: int) -> str:
    numbers = [*(each for each in history.split(",") if each), str(before)]
    while len(",".join(numbers)) > REVISION_HISTORY_BYTES_MAX:
        numbers.pop(0)
    return ",".join(numbers)


def size_annotations(deployment: Object) -> dict[str, str]:
    """Return what each ReplicaSet is told about the whole, so that a later change of size can be shared out."""
    replicas = wanted(deployment)
    return {DESIRED_REPLICAS: str(replicas), MAX_REPLICAS: str(replicas + max_surge(deployment))}
