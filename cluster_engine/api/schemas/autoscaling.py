"""Scale: the number of replicas of anything that has one, behind one path. From `autoscaling/v1`."""

from cluster_engine.api.cells import apps as cells
from cluster_engine.api.cells.common import age, name
from cluster_engine.api.schema import INT32, STRING, Column, Field, Kind, Subresource, message
from cluster_engine.api.schemas.meta import object_message

PACKAGE = "io.k8s.api.autoscaling.v1."

SCALE_SPEC = message(
    PACKAGE + "ScaleSpec",
    "ScaleSpec is what is wanted.",
    Field(1, "replicas", INT32, "Number of replicas wanted.", minimum=0),
)

SCALE_STATUS = message(
    PACKAGE + "ScaleStatus",
    "ScaleStatus is what there is.",
    Field(1, "replicas", INT32, "Number of replicas there are.", always=True),
    Field(2, "selector", STRING, "Label selector of the pods, as text."),
)

SCALE = Kind(
    group="autoscaling",
    version="v1",
    name="Scale",
    plural="scales",
    singular="scale",
    namespaced=True,
    verbs=(),
    schema=object_message(
        PACKAGE + "Scale",
        "Scale is the number of replicas of an object, wanted and real.",
        Field(2, "spec", SCALE_SPEC, "What is wanted.", always=True),
        Field(3, "status", SCALE_STATUS, "What there is.", always=True),
    ),
    columns=(
        name(),
        Column("Desired", cells.count("spec", "replicas"), "Replicas wanted.", type="integer"),
        Column("Available", cells.count("status", "replicas"), "Replicas there are.", type="integer"),
        age(),
    ),
)

SCALE_SUBRESOURCE = Subresource("scale", body=SCALE)
