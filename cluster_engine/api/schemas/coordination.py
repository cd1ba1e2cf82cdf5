"""Lease: who holds something, and until when: nodes' heartbeats, controllers' leadership. From `coordination/v1`."""

from cluster_engine.api.cells.common import age, name, text
from cluster_engine.api.schema import INT32, MICRO_TIME, STRING, Column, Field, Kind, message
from cluster_engine.api.schemas.meta import object_message

PACKAGE = "io.k8s.api.coordination.v1."

LEASE_SPEC = message(
    PACKAGE + "LeaseSpec",
    "LeaseSpec says who holds the lease and until when.",
    Field(1, "holderIdentity", STRING, "Who holds it.", pointer=True),
    Field(2, "leaseDurationSeconds", INT32, "Seconds after renewTime for which others wait.", pointer=True, minimum=1),
    Field(3, "acquireTime", MICRO_TIME, "When the holder got it.", pointer=True),
    Field(4, "renewTime", MICRO_TIME, "When the holder last renewed it.", pointer=True),
    Field(5, "leaseTransitions", INT32, "How often the holder changed.", pointer=True, minimum=0),
    Field(6, "strategy", STRING, "How leaders are elected among candidates.", pointer=True),
    Field(7, "preferredHolder", STRING, "To whom it should be given up.", pointer=True),
)

LEASE = Kind(
    group="coordination.k8s.io",
    version="v1",
    name="Lease",
    plural="leases",
    singular="lease",
    namespaced=True,
    create_on_update=True,
    unconditional_update=False,
    schema=object_message(
        PACKAGE + "Lease",
        "Lease says who holds something, and until when.",
        Field(2, "spec", LEASE_SPEC, "The holder and the times.", always=True),
    ),
    columns=(name(), Column("Holder", text("spec.holderIdentity"), "Who holds it."), age()),
)
