"""Rules for events, from `pkg/apis/core/validation/events.go`."""

from cluster_engine.api.causes import invalid
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause


def event(obj: Object, path: str, causes: list[Cause]) -> None:
    """An event lives beside its object; those about cluster-scoped ones live in default or kube-system."""
    del path
    namespace, about = obj["metadata"].get("namespace", ""), obj["involvedObject"].get("namespace", "")
    if about:
        if namespace != about:
            causes.append(invalid("involvedObject.namespace", about, "does not match event.namespace"))
    elif namespace not in ("", "default", "kube-system"):
        causes.append(invalid("involvedObject.namespace", about, "does not match event.namespace"))
