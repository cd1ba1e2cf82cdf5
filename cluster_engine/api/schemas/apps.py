"""Deployment and ReplicaSet: keep so many pods like this, and change them step by step. From `apps/v1`."""

from cluster_engine.api.cells import apps as cells
from cluster_engine.api.cells.common import age, name
from cluster_engine.api.objects import Object
from cluster_engine.api.rules import apps as rules
from cluster_engine.api.schema import (
    BOOL,
    INT32,
    INT64,
    INT_OR_STRING,
    STATUS_SUBRESOURCE,
    STRING,
    TIME,
    Column,
    Field,
    Kind,
    message,
)
from cluster_engine.api.schemas.autoscaling import SCALE_SUBRESOURCE
from cluster_engine.api.schemas.meta import LABEL_SELECTOR, conditions, object_message
from cluster_engine.api.schemas.pods import POD_TEMPLATE_SPEC

PACKAGE = "io.k8s.api.apps.v1."

ROLLING_UPDATE_DEPLOYMENT = message(
    PACKAGE + "RollingUpdateDeployment",
    "RollingUpdateDeployment says how fast pods are replaced.",
    Field(
        1,
        "maxUnavailable",
        INT_OR_STRING,
        "Pods that may be missing meanwhile, as a number or per cent, rounded down.",
        pointer=True,
        default="25%",
    ),
    Field(
        2,
        "maxSurge",
        INT_OR_STRING,
        "Pods that may be too many meanwhile, as a number or per cent, rounded up.",
        pointer=True,
        default="25%",
    ),
)


def default_strategy(strategy: Object) -> None:
    """Only a rolling update has parameters."""
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")


DEPLOYMENT_STRATEGY = message(
    PACKAGE + "DeploymentStrategy",
    "DeploymentStrategy is how old pods are replaced by new ones.",
    Field(
        1,
        "type",
        STRING,
        "Recreate, or RollingUpdate.",
        default="RollingUpdate",
        enum=("Recreate", "RollingUpdate"),
    ),
    Field(2, "rollingUpdate", ROLLING_UPDATE_DEPLOYMENT, "How fast, for RollingUpdate.", pointer=True),
    defaults=default_strategy,
    rules=rules.strategy,
)

DEPLOYMENT_SPEC = message(
    PACKAGE + "DeploymentSpec",
    "DeploymentSpec is what a Deployment is to be.",
    Field(1, "replicas", INT32, "Number of pods wanted.", pointer=True, default=1, minimum=0),
    Field(2, "selector", LABEL_SELECTOR, "Labels of its pods. It cannot be changed.", required=True, immutable=True),
    Field(3, "template", POD_TEMPLATE_SPEC, "The pods to make.", required=True, always=True),
    Field(
        4,
        "strategy",
        DEPLOYMENT_STRATEGY,
        "How old pods are replaced by new ones.",
        always=True,
        patch_strategy="retainKeys",
    ),
    Field(5, "minReadySeconds", INT32, "Seconds a pod must be ready to count as available.", minimum=0),
    Field(6, "revisionHistoryLimit", INT32, "Old ReplicaSets to keep.", pointer=True, default=10, minimum=0),
    Field(7, "paused", BOOL, "Changes of the template are not rolled out."),
    Field(
        9,
        "progressDeadlineSeconds",
        INT32,
        "Seconds without progress after which the rollout counts as failed.",
        pointer=True,
        default=600,
        minimum=0,
    ),
    rules=rules.workload_spec,
)

DEPLOYMENT_CONDITION = message(
    PACKAGE + "DeploymentCondition",
    "DeploymentCondition is one aspect of the Deployment's current state.",
    Field(1, "type", STRING, "Available, Progressing or ReplicaFailure.", always=True),
    Field(2, "status", STRING, "True, False or Unknown.", always=True),
    Field(4, "reason", STRING, "Why, as one word in CamelCase."),
    Field(5, "message", STRING, "Why, for people."),
    Field(6, "lastUpdateTime", TIME, "When it was last updated.", always=True),
    Field(7, "lastTransitionTime", TIME, "When the status last changed.", always=True),
)

DEPLOYMENT_STATUS = message(
    PACKAGE + "DeploymentStatus",
    "DeploymentStatus is what is known of a Deployment.",
    Field(1, "observedGeneration", INT64, "Generation that the controller has seen."),
    Field(2, "replicas", INT32, "Pods of the Deployment.", minimum=0),
    Field(3, "updatedReplicas", INT32, "Pods of the current template.", minimum=0),
    Field(4, "availableReplicas", INT32, "Pods that have been ready long enough.", minimum=0),
    Field(5, "unavailableReplicas", INT32, "Pods that are missing.", minimum=0),
    conditions(6, DEPLOYMENT_CONDITION),
    Field(7, "readyReplicas", INT32, "Pods that are ready.", minimum=0),
    Field(8, "collisionCount", INT32, "Hash collisions met so far.", pointer=True),
)

DEPLOYMENT = Kind(
    group="apps",
    version="v1",
    name="Deployment",
    plural="deployments",
    singular="deployment",
    short_names=("deploy",),
    categories=("all",),
    namespaced=True,
    has_status=True,
    status_carries=("annotations",),  # the deployment controller numbers revisions so
    has_generation=True,
    subresources=(SCALE_SUBRESOURCE, STATUS_SUBRESOURCE),
    schema=object_message(
        PACKAGE + "Deployment",
        "Deployment keeps a number of equal pods, by way of ReplicaSets, and replaces them step by step.",
        Field(2, "spec", DEPLOYMENT_SPEC, "What the Deployment is to be.", always=True),
        Field(3, "status", DEPLOYMENT_STATUS, "What is known of the Deployment.", always=True),
    ),
    columns=(
        name(),
        Column("Ready", cells.deployment_ready, "Pods that are ready, of how many."),
        Column("Up-to-date", cells.count("status", "updatedReplicas"), "Pods of the current template.", type="integer"),
        Column("Available", cells.count("status", "availableReplicas"), "Pods that are available.", type="integer"),
        age(),
        Column("Containers", cells.containers, "Names of the containers.", wide=True),
        Column("Images", cells.images, "Images of the containers.", wide=True),
        Column("Selector", cells.selector, "Labels of its pods.", wide=True),
    ),
)

REPLICA_SET_SPEC = message(
    PACKAGE + "ReplicaSetSpec",
    "ReplicaSetSpec is what a ReplicaSet is to be.",
    Field(1, "replicas", INT32, "Number of pods wanted.", pointer=True, default=1, minimum=0),
    Field(2, "selector", LABEL_SELECTOR, "Labels of its pods. It cannot be changed.", required=True, immutable=True),
    Field(3, "template", POD_TEMPLATE_SPEC, "The pods to make.", always=True),
    Field(4, "minReadySeconds", INT32, "Seconds a pod must be ready to count as available.", minimum=0),
    rules=rules.workload_spec,
)

REPLICA_SET_CONDITION = message(
    PACKAGE + "ReplicaSetCondition",
    "ReplicaSetCondition is one aspect of the ReplicaSet's current state.",
    Field(1, "type", STRING, "ReplicaFailure.", always=True),
    Field(2, "status", STRING, "True, False or Unknown.", always=True),
    Field(3, "lastTransitionTime", TIME, "When the status last changed.", always=True),
    Field(4, "reason", STRING, "Why, as one word in CamelCase."),
    Field(5, "message", STRING, "Why, for people."),
)

REPLICA_SET_STATUS = message(
    PACKAGE + "ReplicaSetStatus",
    "ReplicaSetStatus is what is known of a ReplicaSet.",
    Field(1, "replicas", INT32, "Pods of the ReplicaSet.", always=True, minimum=0),
    Field(2, "fullyLabeledReplicas", INT32, "Pods with all labels of the template.", minimum=0),
    Field(3, "observedGeneration", INT64, "Generation that the controller has seen."),
    Field(4, "readyReplicas", INT32, "Pods that are ready.", minimum=0),
    Field(5, "availableReplicas", INT32, "Pods that have been ready long enough.", minimum=0),
    conditions(6, REPLICA_SET_CONDITION),
)

REPLICA_SET = Kind(
    group="apps",
    version="v1",
    name="ReplicaSet",
    plural="replicasets",
    singular="replicaset",
    short_names=("rs",),
    categories=("all",),
    namespaced=True,
    has_status=True,
    status_carries=("labels", "annotations"),  # the deployment controller numbers revisions so
    has_generation=True,
    subresources=(SCALE_SUBRESOURCE, STATUS_SUBRESOURCE),
    schema=object_message(
        PACKAGE + "ReplicaSet",
        "ReplicaSet keeps a number of equal pods.",
        Field(2, "spec", REPLICA_SET_SPEC, "What the ReplicaSet is to be.", always=True),
        Field(3, "status", REPLICA_SET_STATUS, "What is known of the ReplicaSet.", always=True),
    ),
    columns=(
        name(),
        Column("Desired", cells.count("spec", "replicas"), "Pods wanted.", type="integer"),
        Column("Current", cells.count("status", "replicas"), "Pods there are.", type="integer"),
        Column("Ready", cells.count("status", "readyReplicas"), "Pods that are ready.", type="integer"),
        age(),
        Column("Containers", cells.containers, "Names of the containers.", wide=True),
        Column("Images", cells.images, "Images of the containers.", wide=True),
        Column("Selector", cells.selector, "Labels of its pods.", wide=True),
    ),
)
