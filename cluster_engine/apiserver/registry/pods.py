"""Pods' subresource `binding`, by which a scheduler places a pod.

A Binding is the only way to set spec.nodeName; it also says PodScheduled=True, in the same transaction. A pod that is
already placed is a Conflict: two schedulers cannot both win.

Modelled on pkg/registry/core/pod/storage/storage.go.
"""

from cluster_engine.api.kinds import POD
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause, Conflict, Invalid, success
from cluster_engine.api.time import rfc3339
from cluster_engine.apiserver.registry.backend import Call
from cluster_engine.apiserver.registry.store import Store


async def bind(store: Store, call: Call, binding: Object) -> Object:
    """Place a pod on the node that the Binding names."""
    target = binding.get("target") or {}
    node = target.get("name") or ""
    if not node:
        cause = Cause("target.name", "FieldValueRequired", "Required value")
        raise Invalid(POD, call.name, [cause])
    if target.get("kind") not in (None, "", "Node"):
        text = f'Unsupported value: "{target["kind"]}": supported values: "Node", "<empty>"'
        raise Invalid(POD, call.name, [Cause("target.kind", "FieldValueNotSupported", text)])
    metadata = binding.get("metadata") or {}

    def place(pod: Object) -> Object:
        uid = metadata.get("uid")
        if uid and uid != pod["metadata"]["uid"]:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {pod['metadata']['uid']}"
            raise Conflict(POD, call.name, why, subresource="binding")
        return placed(pod, node, metadata.get("annotations") or {}, rfc3339(call.now))

    await store.guaranteed_update(call, place)
    return success(code=201)


def placed(pod: Object, node: str, annotations: dict[str, str], now: str) -> Object:
    """Return the pod as bound to `node`; Conflict when it is going or bound already."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    name = metadata["name"]
    if "deletionTimestamp" in metadata:
        why = f"pod {name} is being deleted, cannot be assigned to a host"
        raise Conflict(POD, name, why, subresource="binding")
    if spec.get("nodeName"):
        why = f'pod {name} is already assigned to node "{spec["nodeName"]}"'
        raise Conflict(POD, name, why, subresource="binding")
    others = [each for each in status.get("conditions") or () if each["type"] != "PodScheduled"]
    condition = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
    if annotations:
        metadata = {**metadata, "annotations": {**(metadata.get("annotations") or {}), **annotations}}
    return {
        **pod,
        "metadata": metadata,
        "spec": {**spec, "nodeName": node},
        "status": {**status, "conditions": [*others, condition]},
    }
