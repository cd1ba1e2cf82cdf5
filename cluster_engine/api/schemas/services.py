"""Kinds of the services family."""

from cluster_engine.api.schema import STATUS_SUBRESOURCE, Kind, field_path
from cluster_engine.api.schemas.meta import object_message

SERVICE = Kind(
    group="",
    version="v1",
    name="Service",
    plural="services",
    singular="service",
    namespaced=True,
    schema=object_message("io.k8s.api.core.v1.Service", "Service."),
    short_names=("svc",),
    categories=("all",),
    has_status=True,
    delete_returns_object=True,
    create_on_update=True,
    storage_prefix="services/specs",
    subresources=(STATUS_SUBRESOURCE,),
    field_labels={label: field_path(label) for label in ("spec.clusterIP", "spec.type")},
)

ENDPOINTS = Kind(
    group="",
    version="v1",
    name="Endpoints",
    plural="endpoints",
    singular="endpoints",
    namespaced=True,
    schema=object_message("io.k8s.api.core.v1.Endpoints", "Endpoints."),
    short_names=("ep",),
    create_on_update=True,
    storage_prefix="services/endpoints",
)
