"""Kinds of the nodes family."""

from cluster_engine.api.schema import STATUS_SUBRESOURCE, Kind, field_path
from cluster_engine.api.schemas.meta import object_message

NODE = Kind(
    group="",
    version="v1",
    name="Node",
    plural="nodes",
    singular="node",
    namespaced=False,
    schema=object_message("io.k8s.api.core.v1.Node", "Node."),
    short_names=("no",),
    has_status=True,
    storage_prefix="minions",
    subresources=(STATUS_SUBRESOURCE,),
    field_labels={"spec.unschedulable": field_path("spec.unschedulable")},
)
