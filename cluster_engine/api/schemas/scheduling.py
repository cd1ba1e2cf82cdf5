"""PriorityClass: how important pods are. From `scheduling.k8s.io/v1`."""

from cluster_engine.api.cells.common import age, name, text
from cluster_engine.api.cells.scheduling import global_default, value
from cluster_engine.api.rules import scheduling as rules
from cluster_engine.api.schema import BOOL, INT32, STRING, Column, Field, Kind
from cluster_engine.api.schemas.meta import object_message

PRIORITY_CLASS = Kind(
    group="scheduling.k8s.io",
    version="v1",
    name="PriorityClass",
    plural="priorityclasses",
    singular="priorityclass",
    short_names=("pc",),
    namespaced=False,
    has_generation=True,
    update_rules=rules.priority_class_update,
    schema=object_message(
        "io.k8s.api.scheduling.v1.PriorityClass",
        "PriorityClass gives a priority a name.",
        Field(2, "value", INT32, "The priority; more is more important.", always=True),
        Field(3, "globalDefault", BOOL, "Pods that name no class are of this one."),
        Field(4, "description", STRING, "What it is for."),
        Field(
            5,
            "preemptionPolicy",
            STRING,
            "PreemptLowerPriority, or Never.",
            pointer=True,
            default="PreemptLowerPriority",
            enum=("Never", "PreemptLowerPriority"),
        ),
        rules=rules.priority_class,
    ),
    columns=(
        name(),
        Column("Value", value, "The priority.", type="integer"),
        Column("Global-Default", global_default, "Pods that name no class are of this one.", type="boolean"),
        age(),
        Column("PreemptionPolicy", text("preemptionPolicy"), "Whether pods of it make room for themselves."),
    ),
)
