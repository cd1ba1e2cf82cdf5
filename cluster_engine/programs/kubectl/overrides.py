"""--overrides: what `run` and `expose` lay over the object that their flags have made.

    run x --image=nginx --overrides='{"spec": {"nodeName": "worker-1"}}'              a merge patch, as it is by default
    run x --image=nginx --override-type=strategic --overrides='{"spec": …}'           lists are merged by their keys
    run x --image=nginx --override-type=json --overrides='[{"op": "add", …}]'         a JSON patch

Modelled on kubectl/pkg/cmd/util/override_options.go.
"""

from cluster_engine.api.documents import Unreadable, read_json
from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.objects import Object
from cluster_engine.api.patches import json_patch, merge_patch, strategic_patch
from cluster_engine.api.status import Refusal
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

FLAGS = (Flag("overrides", default=""), Flag("override-type", default="merge"))
TYPES = ("json", "merge", "strategic")


def overridden(session: Session, obj: Object) -> Object:
    """Lay --overrides over an object. CommandError."""
    text, type_ = session.flags["overrides"], session.flags["override-type"]
    if type_ not in TYPES:
        raise CommandError(f"invalid override type: {type_}")
    return patched(obj, text.encode("utf-8", "replace"), type_) if text else obj


def patched(obj: Object, patch: bytes, type_: str) -> Object:
    """Apply a patch of one of TYPES to an object, without a server. CommandError."""
    kind = BUILT_IN.by_kind(obj["apiVersion"], obj["kind"])
    try:
        read = read_json(patch)
        if type_ == "json":
            return json_patch(obj, read)
        if type_ == "merge" or kind is None:
            merged: Object = merge_patch(obj, read)
            return merged
        return strategic_patch(kind, obj, read)
    except Unreadable as problem:
        raise CommandError("Invalid JSON Patch") from problem
    except Refusal as problem:
        raise CommandError(str(problem)) from problem
