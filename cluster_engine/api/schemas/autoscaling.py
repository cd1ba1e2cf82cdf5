"""Kinds of the autoscaling family."""

from cluster_engine.api.schema import Kind
from cluster_engine.api.schemas.meta import object_message

SCALE = Kind(
    group="autoscaling",
    version="v1",
    name="Scale",
    plural="scales",
    singular="scale",
    namespaced=True,
    schema=object_message("io.k8s.api.autoscaling.v1.Scale", "Scale."),
    verbs=(),
)
