"""Kinds of the apps family."""

from cluster_engine.api.schema import SCALE_SUBRESOURCE, STATUS_SUBRESOURCE, Kind
from cluster_engine.api.schemas.meta import object_message

DEPLOYMENT = Kind(
    group="apps",
    version="v1",
    name="Deployment",
    plural="deployments",
    singular="deployment",
    namespaced=True,
    schema=object_message("io.k8s.api.apps.v1.Deployment", "Deployment."),
    short_names=("deploy",),
    categories=("all",),
    has_status=True,
    has_generation=True,
    subresources=(SCALE_SUBRESOURCE, STATUS_SUBRESOURCE),
)

REPLICA_SET = Kind(
    group="apps",
    version="v1",
    name="ReplicaSet",
    plural="replicasets",
    singular="replicaset",
    namespaced=True,
    schema=object_message("io.k8s.api.apps.v1.ReplicaSet", "ReplicaSet."),
    short_names=("rs",),
    categories=("all",),
    has_status=True,
    has_generation=True,
    subresources=(SCALE_SUBRESOURCE, STATUS_SUBRESOURCE),
)
