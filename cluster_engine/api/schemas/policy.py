"""Eviction: a deletion that asks disruption budgets first. From `policy/v1`."""

from cluster_engine.api.schema import Field, Kind
from cluster_engine.api.schemas.meta import DELETE_OPTIONS, object_message

EVICTION = Kind(
    group="policy",
    version="v1",
    name="Eviction",
    plural="evictions",
    singular="eviction",
    namespaced=True,
    verbs=(),
    schema=object_message(
        "io.k8s.api.policy.v1.Eviction",
        "Eviction asks that a pod be deleted, if its disruption budgets allow.",
        Field(2, "deleteOptions", DELETE_OPTIONS.schema, "Options of the deletion.", pointer=True),
    ),
)
