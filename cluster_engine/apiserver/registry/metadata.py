"""What the server writes into metadata, and what nobody may change there.

Modelled on apiserver/pkg/registry/rest/{create,update,meta}.go. `managedFields` are in their own module.

    create   uid, creationTimestamp, namespace, generation 1, a name from generateName
    update   uid, creationTimestamp, deletionTimestamp stay as they were; generation + 1 when the spec changed
"""

from cluster_engine.api.names import generated
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import BadRequest, Cause, Conflict, Invalid, Refusal
from cluster_engine.api.time import rfc3339
from cluster_engine.api.validation import require_resource_version
from cluster_engine.apiserver.registry.backend import Backend, Call
from cluster_engine.apiserver.storage import in_order

VERSION_DIGITS_MAX = 20
"""What is longer is no number to Go (uint64), and what is none counts as not set."""

SYSTEM_FIELDS = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generateName",
    "generation",
    "namespace",
    "name",
)


def check_place(call: Call, obj: Object) -> None:
    """Refuse an object whose kind, namespace or name is not the URL's; fill in what it does not say."""
    kind = call.kind
    check_kind(kind, obj)
    metadata = obj["metadata"] if isinstance(obj.get("metadata"), dict) else {}
    obj["metadata"] = metadata
    if kind.namespaced:
        namespace = metadata.get("namespace") or call.namespace
        if namespace != call.namespace:
            raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    if call.name and call.verb != "create":
        name = metadata.get("name") or call.name
        if name != call.name:
            raise BadRequest(f"the name of the object ({name}) does not match the name on the URL ({call.name})")
        metadata["name"] = name


def check_kind(kind: Kind, obj: Object) -> None:
    """Refuse an object that says it is something else; one that says nothing is what the URL says."""
    said = (obj.get("apiVersion") or kind.api_version, obj.get("kind") or kind.name)
    if said != (kind.api_version, kind.name):
        group, _, version = said[0].rpartition("/")
        gvk = f"{group or ''}/{version}, Kind={said[1]}"
        ours = f"{kind.group or ''}/{kind.version}, Kind={kind.name}"
        raise BadRequest(
            f"the API version in the data ({said[0]}) does not match the expected API version ({kind.api_version})"
            if said[1] == kind.name
            else f"no kind matches the object: the data is {gvk}, the URL is {ours}"
        )
    obj["apiVersion"], obj["kind"] = said


def on_create(backend: Backend, call: Call, obj: Object) -> Object:
    """Fill in a new object's metadata; give the object in order."""
    metadata = obj["metadata"]
    version = metadata.pop("resourceVersion", "")
    if version.isascii() and version.isdecimal() and version.strip("0") and len(version) <= VERSION_DIGITS_MAX:
        raise Refusal("resourceVersion should not be set on objects to be created", code=500)
    for name in ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
        metadata.pop(name, None)
    if not metadata.get("name"):
        if not metadata.get("generateName"):
            text = "Required value: name or generateName is required"
            raise Invalid(call.kind, "", [Cause("metadata.name", "FieldValueRequired", text)])
        metadata["name"] = generated(metadata["generateName"], backend.process.rng)
    metadata["uid"] = backend.process.uuid()
    metadata["creationTimestamp"] = rfc3339(call.now)
    if call.kind.has_generation:
        metadata["generation"] = 1
    else:
        metadata.pop("generation", None)
    return in_order(obj)


def check_preconditions(call: Call, new: Object, old: Object) -> None:
    """Refuse an update that was made for another object or another version of it."""
    metadata, current = new["metadata"], old["metadata"]
    uid = metadata.get("uid")
    if uid and uid != current["uid"]:
        why = (
            f"StorageError: invalid object, Code: 4, Key: {call.key}, ResourceVersion: 0, AdditionalErrorMsg: "
            f"Precondition failed: UID in precondition: {uid}, UID in object meta: {current['uid']}"
        )
        raise Conflict(call.kind, call.name, why)
    version = metadata.get("resourceVersion")
    if version and version not in ("0", current["resourceVersion"]):
        raise Conflict(call.kind, call.name)
    causes = require_resource_version(call.kind, new)
    if causes:
        raise Invalid(call.kind, call.name, causes)


def on_update(call: Call, new: Object, old: Object) -> Object:
    """Keep what nobody may change, count the generation; give the object in order."""
    metadata, current = new["metadata"], old["metadata"]
    for name in SYSTEM_FIELDS:
        if name in current:
            metadata[name] = current[name]
        else:
            metadata.pop(name, None)
    metadata["resourceVersion"] = current["resourceVersion"]
    metadata.pop("selfLink", None)
    if call.kind.has_generation and _changed(call.kind, new, old):
        metadata["generation"] = current.get("generation", 0) + 1
    return in_order(new)


def _changed(kind: Kind, new: Object, old: Object) -> bool:
    """Return whether what the generation counts has changed: everything but metadata and status."""
    ignored = ("metadata", "status")
    return {k: v for k, v in new.items() if k not in ignored} != {k: v for k, v in old.items() if k not in ignored}
