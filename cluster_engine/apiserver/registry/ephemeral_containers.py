"""Pods' subresource `ephemeralcontainers`, by which `kubectl debug` puts a container into a pod that runs.

    PATCH …/pods/web-0/ephemeralcontainers {"spec": {"ephemeralContainers": [{"name": "shell", …}]}}

Nothing else of the pod changes by it, and what has come stays as it is.

Modelled on pkg/registry/core/pod (podEphemeralContainersStrategy) and ValidatePodEphemeralContainersUpdate.
"""

from cluster_engine.api.causes import forbidden, go
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Invalid
from cluster_engine.apiserver.registry.backend import Call

NAME = "ephemeralcontainers"


def changed(call: Call, new: Object, old: Object) -> Object:
    """Return a pod that has of the new one its ephemeral containers. 422 if one of the old ones went or changed."""
    containers = new["spec"].get("ephemeralContainers") or []
    known = {each["name"]: each for each in containers}
    causes = []
    for each in old["spec"].get("ephemeralContainers") or ():
        if known.get(each["name"]) != each:
            what = "changed" if each["name"] in known else "removed"
            detail = f"existing ephemeral containers {go(each['name'])} may not be {what}\n"
            causes.append(forbidden("spec.ephemeralContainers", detail))
    if causes:
        raise Invalid(call.kind, call.name, causes)
    return {**old, "metadata": {**old["metadata"]}, "spec": {**old["spec"], "ephemeralContainers": containers}}
