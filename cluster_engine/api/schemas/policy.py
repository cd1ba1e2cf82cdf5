"""Kinds of the policy family."""

from cluster_engine.api.schema import Kind
from cluster_engine.api.schemas.meta import object_message

EVICTION = Kind(
    group="policy",
    version="v1",
    name="Eviction",
    plural="evictions",
    singular="eviction",
    namespaced=True,
    schema=object_message("io.k8s.api.policy.v1.Eviction", "Eviction."),
    verbs=(),
)
