"""The scale subresource: one number of a Deployment or ReplicaSet, in a form that is alike for all kinds.

    GET …/deployments/web/scale  ──►  {kind: Scale, spec: {replicas: 3}, status: {replicas: 3, selector: "app=web"}}

Modelled on pkg/registry/apps/deployment/storage/storage.go (ScaleREST).
"""

from cluster_engine.api.kinds import SCALE
from cluster_engine.api.objects import Object
from cluster_engine.api.selectors import label_selector_from_object
from cluster_engine.api.status import BadRequest, Cause, Conflict, Invalid
from cluster_engine.apiserver.registry.backend import Call

METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Object) -> Object:
    """Return the Scale of an object."""
    metadata = obj["metadata"]
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    replicas = spec.get("replicas", 1)
    scale: Object = {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in METADATA if name in metadata},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {"replicas": status.get("replicas", 0)},
    }
    if spec.get("selector"):
        scale["status"]["selector"] = str(label_selector_from_object(spec["selector"]))
    return scale


def scaled(call: Call, obj: Object, scale: Object) -> Object:
    """Return the object with the number of replicas that the Scale says."""
    said = (scale.get("metadata") or {}).get("name") or call.name
    if said != call.name:
        raise BadRequest(f"the name of the object ({said}) does not match the name on the URL ({call.name})")
    version = (scale.get("metadata") or {}).get("resourceVersion")
    if version and version != obj["metadata"]["resourceVersion"]:
        raise Conflict(call.kind, call.name)
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise BadRequest("Scale.spec.replicas must be a number")
    if replicas < 0:
        text = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise Invalid(SCALE, call.name, [Cause("spec.replicas", "FieldValueInvalid", text)])
    return {**obj, "spec": {**(obj.get("spec") or {}), "replicas": replicas}}
