"""Rules for metadata, from `apimachinery/pkg/api/validation/objectmeta.go`."""

from collections.abc import Mapping

from cluster_engine.api.causes import IMMUTABLE, child, forbidden, invalid, required, too_long
from cluster_engine.api.names import (
    dns_label_problems,
    label_value_problems,
    qualified_name_problems,
)
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause

ANNOTATIONS_BYTES_MAX = 256 * 1024
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")


def labels(obj: Mapping[str, str], path: str, causes: list[Cause]) -> None:
    """Check keys and values of labels."""
    for key, value in obj.items():
        causes += [invalid(path, key, each) for each in qualified_name_problems(key)]
        causes += [invalid(path, value, each) for each in label_value_problems(value)]


def metadata(obj: Object, path: str, causes: list[Cause]) -> None:
    """Check what all kinds share; the name is checked by each kind's own rule."""
    if obj.get("labels"):
        labels(obj["labels"], child(path, "labels"), causes)
    if obj.get("annotations"):
        _annotations(obj["annotations"], child(path, "annotations"), causes)
    if obj.get("ownerReferences"):
        _owners(obj["ownerReferences"], child(path, "ownerReferences"), causes)
    for finalizer in obj.get("finalizers", ()):
        where = child(path, "finalizers")
        problems = qualified_name_problems(finalizer)
        causes += [invalid(where, finalizer, each) for each in problems]
        if not problems and "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            detail = "name is neither a standard finalizer name nor is it fully qualified"
            causes.append(invalid(where, finalizer, detail))


def _annotations(obj: Mapping[str, str], path: str, causes: list[Cause]) -> None:
    for key in obj:
        causes += [invalid(path, key, each) for each in qualified_name_problems(key.lower())]
    if sum(len(key) + len(value) for key, value in obj.items()) > ANNOTATIONS_BYTES_MAX:
        causes.append(too_long(path, ANNOTATIONS_BYTES_MAX))


def _owners(owners: list[Object], path: str, causes: list[Cause]) -> None:
    controllers = [owner for owner in owners if owner.get("controller")]
    if len(controllers) > 1:
        names = f"{controllers[0].get('name', '')} and {controllers[1].get('name', '')}"
        detail = f'Only one reference can have Controller set to true. Found "true" in references for {names}'
        causes.append(invalid(path, "", detail))
    for owner in owners:
        for field, what in (("apiVersion", "version"), ("kind", "kind"), ("name", "name"), ("uid", "uid")):
            if not owner.get(field):
                causes.append(invalid(child(path, field), owner.get(field, ""), f"{what} must not be empty"))


def namespace(obj: Object, namespaced: bool, causes: list[Cause]) -> None:
    """A namespaced object has a namespace, another has none."""
    value = obj.get("namespace", "")
    if not namespaced:
        if value:
            causes.append(forbidden("metadata.namespace", "not allowed on this type"))
    elif not value:
        causes.append(required("metadata.namespace"))
    else:
        causes += [invalid("metadata.namespace", value, each) for each in dns_label_problems(value)]


def update(new: Object, old: Object, causes: list[Cause]) -> None:
    """Identity does not change; finalizers do not come once deletion has begun."""
    causes += [
        invalid(f"metadata.{field}", new.get(field), IMMUTABLE)
        for field in (
            "name",
            "namespace",
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        )
        if new.get(field) != old.get(field)
    ]
    if old.get("deletionTimestamp"):
        added = [each for each in new.get("finalizers", ()) if each not in old.get("finalizers", ())]
        if added:
            found = ", ".join(f'"{each}"' for each in added)
            detail = "no new finalizers can be added if the object is being deleted, "
            detail += f"found new finalizers []string{{{found}}}"
            causes.append(forbidden("metadata.finalizers", detail))


def name(obj: Object, problems: list[str], causes: list[Cause]) -> None:
    """The name is there and has the form that its kind wants."""
    value = obj.get("name", "")
    if not value:
        causes.append(required("metadata.name", "name or generateName is required"))
    else:
        causes += [invalid("metadata.name", value, each) for each in problems]
