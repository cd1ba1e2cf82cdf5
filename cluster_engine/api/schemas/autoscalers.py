"""HorizontalPodAutoscaler: so many replicas as metrics ask for. From `autoscaling/v2`; v1 is another spelling of it."""

from cluster_engine.api.cells import autoscalers as cells
from cluster_engine.api.cells.apps import count
from cluster_engine.api.cells.common import age, name
from cluster_engine.api.rules import autoscalers as rules
from cluster_engine.api.schema import (
    INT32,
    INT64,
    QUANTITY,
    STATUS_SUBRESOURCE,
    STRING,
    TIME,
    Column,
    Field,
    Kind,
    ListOf,
    Message,
    message,
)
from cluster_engine.api.schemas.meta import LABEL_SELECTOR, conditions, object_message

V1, V2 = "io.k8s.api.autoscaling.v1.", "io.k8s.api.autoscaling.v2."


def _reference(package: str) -> Message:
    return message(
        package + "CrossVersionObjectReference",
        "CrossVersionObjectReference names an object.",
        Field(1, "kind", STRING, "Kind of the object.", required=True, always=True),
        Field(2, "name", STRING, "Name of the object.", required=True, always=True),
        Field(3, "apiVersion", STRING, "API version of the object."),
        atomic=True,
    )


REFERENCE_V1, REFERENCE = _reference(V1), _reference(V2)
METRIC_TARGET = message(
    V2 + "MetricTarget",
    "MetricTarget is the value that is wanted.",
    Field(1, "type", STRING, "Utilization, Value or AverageValue.", required=True, always=True),
    Field(2, "value", QUANTITY, "The value.", pointer=True),
    Field(3, "averageValue", QUANTITY, "The value for each pod.", pointer=True),
    Field(4, "averageUtilization", INT32, "Per cent of what pods request.", pointer=True),
)
METRIC_IDENTIFIER = message(
    V2 + "MetricIdentifier",
    "MetricIdentifier names a metric.",
    Field(1, "name", STRING, "Name of the metric.", required=True, always=True),
    Field(2, "selector", LABEL_SELECTOR, "Which of its series.", pointer=True),
)
_TARGET = Field(2, "target", METRIC_TARGET, "The value that is wanted.", required=True, always=True)
_RESOURCE = Field(1, "name", STRING, "cpu, or memory.", required=True, always=True)
_METRIC = Field(1, "metric", METRIC_IDENTIFIER, "The metric.", required=True, always=True)
RESOURCE_METRIC = message(V2 + "ResourceMetricSource", "ResourceMetricSource is what pods use.", _RESOURCE, _TARGET)
CONTAINER_RESOURCE_METRIC = message(
    V2 + "ContainerResourceMetricSource",
    "ContainerResourceMetricSource is what one container of each pod uses.",
    _RESOURCE,
    _TARGET,
    Field(3, "container", STRING, "Name of the container.", required=True, always=True),
)
PODS_METRIC = message(V2 + "PodsMetricSource", "PodsMetricSource is a metric of the pods.", _METRIC, _TARGET)
EXTERNAL_METRIC = message(V2 + "ExternalMetricSource", "ExternalMetricSource comes from elsewhere.", _METRIC, _TARGET)
OBJECT_METRIC = message(
    V2 + "ObjectMetricSource",
    "ObjectMetricSource is a metric of some object.",
    Field(1, "describedObject", REFERENCE, "The object.", required=True, always=True),
    _TARGET,
    Field(3, "metric", METRIC_IDENTIFIER, "The metric.", required=True, always=True),
)
METRIC_SPEC = message(
    V2 + "MetricSpec",
    "MetricSpec is one metric, and what it should be.",
    Field(1, "type", STRING, "Resource, ContainerResource, Pods, Object or External.", required=True, always=True),
    Field(2, "object", OBJECT_METRIC, "Of some object.", pointer=True),
    Field(3, "pods", PODS_METRIC, "Of the pods.", pointer=True),
    Field(4, "resource", RESOURCE_METRIC, "What pods use.", pointer=True),
    Field(5, "external", EXTERNAL_METRIC, "From elsewhere.", pointer=True),
    Field(7, "containerResource", CONTAINER_RESOURCE_METRIC, "What one container of each pod uses.", pointer=True),
)
SCALING_POLICY = message(
    V2 + "HPAScalingPolicy",
    "HPAScalingPolicy bounds how much may change in how long.",
    Field(1, "type", STRING, "Pods, or Percent.", required=True, always=True),
    Field(2, "value", INT32, "How much.", required=True, always=True),
    Field(3, "periodSeconds", INT32, "In how long.", required=True, always=True),
)
SCALING_RULES = message(
    V2 + "HPAScalingRules",
    "HPAScalingRules say how fast the number changes in one direction.",
    Field(1, "selectPolicy", STRING, "Max, Min or Disabled.", pointer=True),
    Field(2, "policies", ListOf(SCALING_POLICY), "Bounds."),
    Field(3, "stabilizationWindowSeconds", INT32, "How long is looked back.", pointer=True),
)
BEHAVIOR = message(
    V2 + "HorizontalPodAutoscalerBehavior",
    "HorizontalPodAutoscalerBehavior says how fast the number changes.",
    Field(1, "scaleUp", SCALING_RULES, "Upwards.", pointer=True),
    Field(2, "scaleDown", SCALING_RULES, "Downwards.", pointer=True),
)
AUTOSCALER_SPEC = message(
    V2 + "HorizontalPodAutoscalerSpec",
    "HorizontalPodAutoscalerSpec says what is scaled, and by what.",
    Field(1, "scaleTargetRef", REFERENCE, "What is scaled.", required=True, always=True),
    Field(2, "minReplicas", INT32, "Least replicas.", pointer=True, default=1, minimum=1),
    Field(3, "maxReplicas", INT32, "Most replicas.", always=True),
    Field(4, "metrics", ListOf(METRIC_SPEC), "What decides; the largest number counts."),
    Field(5, "behavior", BEHAVIOR, "How fast.", pointer=True),
    defaults=rules.default_metrics,
    rules=rules.autoscaler_spec,
)
AUTOSCALER_CONDITION = message(
    V2 + "HorizontalPodAutoscalerCondition",
    "HorizontalPodAutoscalerCondition is one aspect of the autoscaler's current state.",
    Field(1, "type", STRING, "AbleToScale, ScalingActive or ScalingLimited.", always=True),
    Field(2, "status", STRING, "True, False or Unknown.", always=True),
    Field(3, "lastTransitionTime", TIME, "When the status last changed."),
    Field(4, "reason", STRING, "Why, as one word in CamelCase."),
    Field(5, "message", STRING, "Why, for people."),
)
AUTOSCALER_STATUS = message(
    V2 + "HorizontalPodAutoscalerStatus",
    "HorizontalPodAutoscalerStatus is what is known of an autoscaler.",
    Field(1, "observedGeneration", INT64, "Generation that the controller has seen.", pointer=True),
    Field(2, "lastScaleTime", TIME, "When the number last changed.", pointer=True),
    Field(3, "currentReplicas", INT32, "Replicas there are."),
    Field(4, "desiredReplicas", INT32, "Replicas that there should be.", always=True),
    conditions(6, AUTOSCALER_CONDITION),
)
_COLUMNS = (
    name(),
    Column("Reference", cells.reference, "What is scaled."),
    Column("Targets", cells.targets, "What decides, and what it should be."),
    Column("MinPods", cells.least, "Least replicas."),
    Column("MaxPods", count("spec", "maxReplicas"), "Most replicas.", type="integer"),
    Column("Replicas", count("status", "currentReplicas"), "Replicas there are.", type="integer"),
    age(),
)

HORIZONTAL_POD_AUTOSCALER = Kind(
    group="autoscaling",
    version="v2",
    name="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    singular="horizontalpodautoscaler",
    short_names=("hpa",),
    categories=("all",),
    namespaced=True,
    has_status=True,
    subresources=(STATUS_SUBRESOURCE,),
    schema=object_message(
        V2 + "HorizontalPodAutoscaler",
        "HorizontalPodAutoscaler changes the number of something's replicas as metrics ask for.",
        Field(2, "spec", AUTOSCALER_SPEC, "What is scaled, and by what.", always=True),
        Field(3, "status", AUTOSCALER_STATUS, "What is known of it.", always=True),
    ),
    columns=_COLUMNS,
)

HORIZONTAL_POD_AUTOSCALER_V1 = Kind(
    group="autoscaling",
    version="v1",
    name="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    singular="horizontalpodautoscaler",
    short_names=("hpa",),
    categories=("all",),
    namespaced=True,
    has_status=True,
    verbs=("create", "delete", "deletecollection", "get", "list", "update"),
    subresources=(STATUS_SUBRESOURCE,),
    stored_as=HORIZONTAL_POD_AUTOSCALER,
    to_stored=rules.to_v2,
    from_stored=rules.to_v1,
    schema=object_message(
        V1 + "HorizontalPodAutoscaler",
        "HorizontalPodAutoscaler changes the number of something's replicas as its pods' CPU asks for.",
        Field(
            2,
            "spec",
            message(
                V1 + "HorizontalPodAutoscalerSpec",
                "HorizontalPodAutoscalerSpec says what is scaled.",
                Field(1, "scaleTargetRef", REFERENCE_V1, "What is scaled.", required=True, always=True),
                Field(2, "minReplicas", INT32, "Least replicas.", pointer=True, default=1, minimum=1),
                Field(3, "maxReplicas", INT32, "Most replicas.", always=True),
                Field(
                    4, "targetCPUUtilizationPercentage", INT32, "Per cent of the CPU that pods request.", pointer=True
                ),
            ),
            "What is scaled.",
            always=True,
        ),
        Field(
            3,
            "status",
            message(
                V1 + "HorizontalPodAutoscalerStatus",
                "HorizontalPodAutoscalerStatus is what is known of an autoscaler.",
                Field(1, "observedGeneration", INT64, "Generation that the controller has seen.", pointer=True),
                Field(2, "lastScaleTime", TIME, "When the number last changed.", pointer=True),
                Field(3, "currentReplicas", INT32, "Replicas there are.", always=True),
                Field(4, "desiredReplicas", INT32, "Replicas that there should be.", always=True),
                Field(5, "currentCPUUtilizationPercentage", INT32, "What is used now.", pointer=True),
            ),
            "What is known of it.",
            always=True,
        ),
    ),
    columns=_COLUMNS,
)
