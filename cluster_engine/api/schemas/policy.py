"""PodDisruptionBudget, and Eviction: a deletion that asks disruption budgets first. From `policy/v1`."""

from cluster_engine.api.cells import policy as cells
from cluster_engine.api.cells.apps import count
from cluster_engine.api.cells.common import age, name
from cluster_engine.api.rules import policy as rules
from cluster_engine.api.schema import (
    INT32,
    INT64,
    INT_OR_STRING,
    STATUS_SUBRESOURCE,
    STRING,
    TIME,
    Column,
    Field,
    Kind,
    MapOf,
    message,
)
from cluster_engine.api.schemas.meta import CONDITION, DELETE_OPTIONS, LABEL_SELECTOR, conditions, object_message

PACKAGE = "io.k8s.api.policy.v1."

EVICTION = Kind(
    group="policy",
    version="v1",
    name="Eviction",
    plural="evictions",
    singular="eviction",
    namespaced=True,
    verbs=(),
    schema=object_message(
        PACKAGE + "Eviction",
        "Eviction asks that a pod be deleted, if its disruption budgets allow.",
        Field(2, "deleteOptions", DELETE_OPTIONS.schema, "Options of the deletion.", pointer=True),
    ),
)

POD_DISRUPTION_BUDGET_SPEC = message(
    PACKAGE + "PodDisruptionBudgetSpec",
    "PodDisruptionBudgetSpec says how many pods may be missing by somebody's will.",
    Field(1, "minAvailable", INT_OR_STRING, "Pods that must stay, as a number or per cent.", pointer=True),
    Field(2, "selector", LABEL_SELECTOR, "Labels of the pods.", pointer=True, patch_strategy="replace"),
    Field(3, "maxUnavailable", INT_OR_STRING, "Pods that may be missing, as a number or per cent.", pointer=True),
    Field(
        4,
        "unhealthyPodEvictionPolicy",
        STRING,
        "When pods that are not ready may be evicted.",
        pointer=True,
        enum=("AlwaysAllow", "IfHealthyBudget"),
    ),
    rules=rules.budget_spec,
)
POD_DISRUPTION_BUDGET_STATUS = message(
    PACKAGE + "PodDisruptionBudgetStatus",
    "PodDisruptionBudgetStatus is what is known of a budget.",
    Field(1, "observedGeneration", INT64, "Generation that the controller has seen."),
    Field(2, "disruptedPods", MapOf(TIME), "Pods whose eviction was allowed and has not been seen yet, and when."),
    Field(3, "disruptionsAllowed", INT32, "Pods that may be evicted now.", always=True),
    Field(4, "currentHealthy", INT32, "Pods that are ready.", always=True),
    Field(5, "desiredHealthy", INT32, "Pods that must be ready.", always=True),
    Field(6, "expectedPods", INT32, "Pods that are counted.", always=True),
    conditions(7, CONDITION),
)

POD_DISRUPTION_BUDGET = Kind(
    group="policy",
    version="v1",
    name="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    singular="poddisruptionbudget",
    short_names=("pdb",),
    namespaced=True,
    has_status=True,
    has_generation=True,
    unconditional_update=False,
    subresources=(STATUS_SUBRESOURCE,),
    schema=object_message(
        PACKAGE + "PodDisruptionBudget",
        "PodDisruptionBudget limits how many of its pods may be evicted at a time.",
        Field(2, "spec", POD_DISRUPTION_BUDGET_SPEC, "How many pods may be missing.", always=True),
        Field(3, "status", POD_DISRUPTION_BUDGET_STATUS, "What is known of the budget.", always=True),
    ),
    columns=(
        name(),
        Column("Min Available", cells.min_available, "Pods that must stay."),
        Column("Max Unavailable", cells.max_unavailable, "Pods that may be missing."),
        Column("Allowed Disruptions", count("status", "disruptionsAllowed"), "Pods that may go now.", type="integer"),
        age(),
    ),
)
