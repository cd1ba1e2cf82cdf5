"""Kinds of the discovery family."""

from cluster_engine.api.schema import Kind
from cluster_engine.api.schemas.meta import object_message

ENDPOINT_SLICE = Kind(
    group="discovery.k8s.io",
    version="v1",
    name="EndpointSlice",
    plural="endpointslices",
    singular="endpointslice",
    namespaced=True,
    schema=object_message("io.k8s.api.discovery.v1.EndpointSlice", "EndpointSlice."),
    has_generation=True,
)
