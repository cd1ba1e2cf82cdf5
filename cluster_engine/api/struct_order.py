"""Objects with their fields in the order of Go's structs, as typed clients print them in JSON.

    in_struct_order({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {}, "name": "web"}})
    {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web", "labels": {}}}

The order is that of the kinds' descriptions, which is protobuf's, but where a struct has a field elsewhere (MOVED);
what is in a map is sorted. Whatever is of no built-in kind stays as it is. Modelled on encoding/json, which writes a
struct's fields as they are declared.
"""

from collections.abc import Mapping

from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import ListOf, MapOf, Message, Type

HEAD = ("kind", "apiVersion")
_CONTAINER = {
    "envFrom": "ports",
    "resizePolicy": "resources",
    "restartPolicy": "resizePolicy",
    "volumeDevices": "volumeMounts",
    "startupProbe": "readinessProbe",
    "terminationMessagePolicy": "terminationMessagePath",
}
MOVED: Mapping[str, Mapping[str, str]] = {
    "Container": _CONTAINER,
    "EphemeralContainer": _CONTAINER,
    "PodSpec": {
        "initContainers": "volumes",
        "ephemeralContainers": "containers",
        "automountServiceAccountToken": "serviceAccount",
        "shareProcessNamespace": "hostIPC",
    },
    "PodStatus": {
        "hostIPs": "hostIP",
        "podIPs": "podIP",
        "nominatedNodeName": "reason",
        "initContainerStatuses": "startTime",
    },
    "OwnerReference": {"apiVersion": ""},
    "HTTPIngressPath": {"pathType": "path"},
    "ReplicaSetStatus": {"observedGeneration": "availableReplicas"},
    "DeploymentCondition": {"reason": "lastTransitionTime", "message": "reason"},
    "DeploymentStatus": {"readyReplicas": "updatedReplicas"},
    "JobSpec": {
        "podFailurePolicy": "activeDeadlineSeconds",
        "successPolicy": "podFailurePolicy",
        "backoffLimit": "successPolicy",
        "backoffLimitPerIndex": "backoffLimit",
        "maxFailedIndexes": "backoffLimitPerIndex",
    },
    "SecurityContext": {"windowsOptions": "seLinuxOptions", "runAsGroup": "runAsUser"},
}
"""Of structs whose fields stand elsewhere than their numbers say: behind which one each does ("": before all)."""


def in_struct_order(obj: Object) -> Object:
    """Return an object, or a list of objects, so ordered."""
    kind = BUILT_IN.by_kind(str(obj.get("apiVersion", "")), str(obj.get("kind", "")))
    head: Object = {name: obj[name] for name in HEAD if name in obj}
    if kind is not None:
        ordered: JSON = _ordered(kind.schema, obj)
        return head | ordered if isinstance(ordered, dict) else obj
    if isinstance(obj.get("items"), list):
        return head | {**obj, "items": [in_struct_order(item) for item in obj["items"]]}
    return obj


def _names(message: Message) -> list[str]:
    names = list(message.by_name)
    for name, before in MOVED.get(message.go_name, {}).items():
        names.remove(name)
        names.insert(names.index(before) + 1 if before else 0, name)
    return names


def _ordered(type_: Type, value: JSON) -> JSON:
    if isinstance(type_, Message) and isinstance(value, dict):
        fields = type_.by_name
        known = {name: _ordered(fields[name].type, value[name]) for name in _names(type_) if name in value}
        return known | {name: each for name, each in value.items() if name not in known}
    if isinstance(type_, ListOf) and isinstance(value, list):
        return [_ordered(type_.item, each) for each in value]
    if isinstance(type_, MapOf) and isinstance(value, dict):
        return {name: _ordered(type_.value, value[name]) for name in sorted(value)}
    return value
