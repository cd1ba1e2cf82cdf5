"""Kinds of the pods family."""

from cluster_engine.api.schema import STATUS_SUBRESOURCE, Kind, Subresource, field_path
from cluster_engine.api.schemas.meta import object_message

POD = Kind(
    group="",
    version="v1",
    name="Pod",
    plural="pods",
    singular="pod",
    namespaced=True,
    schema=object_message("io.k8s.api.core.v1.Pod", "Pod."),
    short_names=("po",),
    categories=("all",),
    has_status=True,
    delete_returns_object=True,
    subresources=(
        Subresource("binding", ("create",), version="v1", kind="Binding"),
        Subresource("ephemeralcontainers"),
        Subresource("eviction", ("create",), "policy", "v1", "Eviction"),
        Subresource("log", ("get",)),
        STATUS_SUBRESOURCE,
    ),
    field_labels={
        label: field_path(label)
        for label in (
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        )
    },
)

BINDING = Kind(
    group="",
    version="v1",
    name="Binding",
    plural="bindings",
    singular="binding",
    namespaced=True,
    schema=object_message("io.k8s.api.core.v1.Binding", "Binding."),
    verbs=("create",),
)
