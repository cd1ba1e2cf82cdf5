"""How objects go: at once, after a grace period, or when the last finalizer has let go.

Theory of operation. A DELETE either removes the key or only marks the object with a deletionTimestamp and leaves the
rest to somebody else: to the kubelet, for a pod that runs (it confirms with a second DELETE, grace 0); to whoever
holds a finalizer; to the namespace controller, for a namespace. An update that takes the last finalizer from a marked
object removes it.

    pod bound to a node, grace 30      marked: deletionTimestamp = now + 30 s
    the same pod, DELETE grace 0       removed
    propagationPolicy=Foreground       marked, finalizer foregroundDeletion; the garbage collector takes it away later

Modelled on apiserver/pkg/registry/rest/delete.go and generic/registry/store.go. The rules are functions of the object
and the options alone.
"""

from datetime import datetime, timedelta

import msgspec

from cluster_engine.api.kinds import DELETE_OPTIONS, NAMESPACE, POD
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import Cause, Conflict, Invalid
from cluster_engine.api.strconv import int_of
from cluster_engine.api.time import parse, rfc3339

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
POLICIES = ("Orphan", "Background", "Foreground")


class Options(msgspec.Struct, frozen=True):
    """What a DELETE asks for."""

    grace_seconds: int | None = None
    policy: str = ""
    uid: str = ""
    version: str = ""
    dry_run: bool = False
    ignored: tuple[str, ...] = ()


def options_from(body: Object | None, parameters: dict[str, str]) -> Options:
    """Read DeleteOptions from a body, or where there is none from the query. 422 for what they may not say."""
    given = dict(body or {})
    if body is None:
        if (seconds := int_of(parameters.get("gracePeriodSeconds", ""))) is not None:
            given["gracePeriodSeconds"] = seconds
        for name in ("propagationPolicy", "orphanDependents"):
            if name in parameters:
                given[name] = parameters[name]
    policy, orphan = given.get("propagationPolicy"), given.get("orphanDependents")
    causes = []
    if policy is not None and orphan is not None:
        text = "Invalid value: orphanDependents and deletionPropagation cannot be both set"
        causes.append(Cause("propagationPolicy", "FieldValueInvalid", text))
    elif policy is not None and policy not in POLICIES:
        supported = ", ".join(f'"{each}"' for each in ("Foreground", "Background", "Orphan", "nil"))
        text = f'Unsupported value: "{policy}": supported values: {supported}'
        causes.append(Cause("propagationPolicy", "FieldValueNotSupported", text))
    if causes:
        raise Invalid(DELETE_OPTIONS, "", causes)
    if policy is None and orphan is not None:
        policy = "Orphan" if orphan in (True, "true") else "Background"
    preconditions = given.get("preconditions") or {}
    return Options(
        grace_seconds=given.get("gracePeriodSeconds"),
        policy=policy or "",
        uid=preconditions.get("uid") or "",
        version=preconditions.get("resourceVersion") or "",
        dry_run=bool(given.get("dryRun")) or bool(parameters.get("dryRun")),
    )


def check_preconditions(kind: Kind, key: str, obj: Object, options: Options) -> None:
    """Refuse to delete an object that is not the one that was meant."""
    metadata = obj["metadata"]
    why = ""
    if options.uid and options.uid != metadata["uid"]:
        why = f"UID in precondition: {options.uid}, UID in object meta: {metadata['uid']}"
    elif options.version and options.version != metadata["resourceVersion"]:
        why = (
            f"ResourceVersion in precondition: {options.version}, "
            f"ResourceVersion in object meta: {metadata['resourceVersion']}"
        )
    if why:
        error = f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
        raise Conflict(kind, metadata["name"], f"{error}Precondition failed: {why}")


def marked(kind: Kind, obj: Object, options: Options, now: datetime) -> Object | None:
    """Return the object as a DELETE leaves it, or None when it is to be removed at once.

    The object itself comes back (`is`) when this DELETE changes nothing.
    """
    metadata = obj["metadata"]
    grace = grace_of(kind, obj, options)
    finalizers = _finalizers(metadata, options)
    if "deletionTimestamp" in metadata:
        return _again(obj, grace, finalizers, now)
    waits = bool(grace) or bool(finalizers) or (kind is NAMESPACE and bool((obj.get("spec") or {}).get("finalizers")))
    if not waits:
        return None
    new_metadata = {
        **metadata,
        "deletionTimestamp": rfc3339(now + timedelta(seconds=grace)),
        "deletionGracePeriodSeconds": grace,
    }
    if kind is NAMESPACE:
        del new_metadata["deletionGracePeriodSeconds"]
    if "generation" in metadata:
        new_metadata["generation"] = metadata["generation"] + 1
    _set_finalizers(new_metadata, finalizers)
    new = {**obj, "metadata": new_metadata}
    if kind is NAMESPACE:
        new["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
    return new


def _again(obj: Object, grace: int, finalizers: list[str], now: datetime) -> Object | None:
    """Decide about an object that is going already: a grace period may only become shorter."""
    metadata = obj["metadata"]
    present = metadata.get("deletionGracePeriodSeconds", 0)
    if grace >= present and not (grace == 0 and present == 0):
        return obj
    waits = finalizers or (obj["kind"] == "Namespace" and (obj.get("spec") or {}).get("finalizers"))
    if grace == 0 and not waits:
        return None
    if grace == present:
        return obj
    begun = parse(metadata["deletionTimestamp"]) - timedelta(seconds=present)
    changed = {
        **metadata,
        "deletionTimestamp": rfc3339(max(begun + timedelta(seconds=grace), now)),
        "deletionGracePeriodSeconds": grace,
    }
    return {**obj, "metadata": changed}


def grace_of(kind: Kind, obj: Object, options: Options) -> int:
    """Tell the grace period: only pods have one, and only those that run somewhere."""
    if kind is not POD:
        return 0
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    grace = options.grace_seconds
    if grace is None:
        grace = spec.get("terminationGracePeriodSeconds", 30)
    if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
        return 0
    return 1 if grace < 0 else int(grace)


def _finalizers(metadata: Object, options: Options) -> list[str]:
    present = [each for each in metadata.get("finalizers") or () if each not in (FOREGROUND, ORPHAN)]
    had = [each for each in metadata.get("finalizers") or () if each in (FOREGROUND, ORPHAN)]
    match options.policy:
        case "Orphan":
            return [*present, ORPHAN]
        case "Foreground":
            return [*present, FOREGROUND]
        case "Background":
            return present
    return [*present, *had]


def _set_finalizers(metadata: Object, finalizers: list[str]) -> None:
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)


def is_released(kind: Kind, obj: Object) -> bool:
    """Return whether an update leaves an object that waits for nothing any more, so that it goes."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if kind is NAMESPACE and (obj.get("spec") or {}).get("finalizers"):
        return False
    return not metadata.get("deletionGracePeriodSeconds")
