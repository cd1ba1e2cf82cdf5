"""Kinds of the coordination family."""

from cluster_engine.api.schema import Kind
from cluster_engine.api.schemas.meta import object_message

LEASE = Kind(
    group="coordination.k8s.io",
    version="v1",
    name="Lease",
    plural="leases",
    singular="lease",
    namespaced=True,
    schema=object_message("io.k8s.api.coordination.v1.Lease", "Lease."),
    create_on_update=True,
    unconditional_update=False,
)
