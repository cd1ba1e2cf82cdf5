"""StatefulSet: pods that keep their names, made and replaced in order. From `apps/v1`."""

from cluster_engine.api.cells.apps import containers, deployment_ready, images
from cluster_engine.api.cells.common import age, name
from cluster_engine.api.rules import stateful as rules
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
    message,
)
from cluster_engine.api.schemas.apps import PACKAGE
from cluster_engine.api.schemas.autoscaling import SCALE_SUBRESOURCE
from cluster_engine.api.schemas.meta import LABEL_SELECTOR, conditions, object_message
from cluster_engine.api.schemas.pods import POD_TEMPLATE_SPEC

ROLLING_UPDATE_STATEFUL_SET_STRATEGY = message(
    PACKAGE + "RollingUpdateStatefulSetStrategy",
    "RollingUpdateStatefulSetStrategy says which pods are replaced.",
    Field(1, "partition", INT32, "Pods with lower numbers stay as they were.", pointer=True, minimum=0),
    Field(2, "maxUnavailable", INT_OR_STRING, "Pods that may be missing meanwhile (not enabled).", pointer=True),
)
STATEFUL_SET_UPDATE_STRATEGY = message(
    PACKAGE + "StatefulSetUpdateStrategy",
    "StatefulSetUpdateStrategy is how old pods are replaced by new ones.",
    Field(
        1,
        "type",
        STRING,
        "OnDelete, or RollingUpdate.",
        default="RollingUpdate",
        enum=("OnDelete", "RollingUpdate"),
    ),
    Field(2, "rollingUpdate", ROLLING_UPDATE_STATEFUL_SET_STRATEGY, "Which, for RollingUpdate.", pointer=True),
    defaults=rules.default_strategy,
    rules=rules.strategy,
)
CLAIM_RETENTION_POLICY = message(
    PACKAGE + "StatefulSetPersistentVolumeClaimRetentionPolicy",
    "StatefulSetPersistentVolumeClaimRetentionPolicy says what becomes of volume claims.",
    Field(1, "whenDeleted", STRING, "When the set is deleted.", default="Retain", enum=("Delete", "Retain")),
    Field(2, "whenScaled", STRING, "When there are to be fewer pods.", default="Retain", enum=("Delete", "Retain")),
)
STATEFUL_SET_ORDINALS = message(
    PACKAGE + "StatefulSetOrdinals",
    "StatefulSetOrdinals says how pods are numbered.",
    Field(1, "start", INT32, "Number of the first pod.", always=True, minimum=0),
)
STATEFUL_SET_SPEC = message(
    PACKAGE + "StatefulSetSpec",
    "StatefulSetSpec is what a StatefulSet is to be.",
    Field(1, "replicas", INT32, "Number of pods wanted.", pointer=True, default=1, minimum=0),
    Field(2, "selector", LABEL_SELECTOR, "Labels of its pods. It cannot be changed.", required=True),
    Field(3, "template", POD_TEMPLATE_SPEC, "The pods to make.", required=True, always=True),
    Field(5, "serviceName", STRING, "The Service under whose name its pods have names.", always=True),
    Field(6, "podManagementPolicy", STRING, "OrderedReady, or Parallel.", default="OrderedReady"),
    Field(7, "updateStrategy", STATEFUL_SET_UPDATE_STRATEGY, "How old pods are replaced.", always=True),
    Field(8, "revisionHistoryLimit", INT32, "Old revisions to keep.", pointer=True, default=10, minimum=0),
    Field(9, "minReadySeconds", INT32, "Seconds a pod must be ready to count as available.", minimum=0),
    Field(
        10,
        "persistentVolumeClaimRetentionPolicy",
        CLAIM_RETENTION_POLICY,
        "What becomes of volume claims.",
        pointer=True,
        default={},
    ),
    Field(11, "ordinals", STATEFUL_SET_ORDINALS, "How pods are numbered.", pointer=True),
    rules=rules.stateful_set_spec,
)
STATEFUL_SET_CONDITION = message(
    PACKAGE + "StatefulSetCondition",
    "StatefulSetCondition is one aspect of the StatefulSet's current state.",
    Field(1, "type", STRING, "What aspect.", always=True),
    Field(2, "status", STRING, "True, False or Unknown.", always=True),
    Field(3, "lastTransitionTime", TIME, "When the status last changed.", always=True),
    Field(4, "reason", STRING, "Why, as one word in CamelCase."),
    Field(5, "message", STRING, "Why, for people."),
)
STATEFUL_SET_STATUS = message(
    PACKAGE + "StatefulSetStatus",
    "StatefulSetStatus is what is known of a StatefulSet.",
    Field(1, "observedGeneration", INT64, "Generation that the controller has seen."),
    Field(2, "replicas", INT32, "Pods of the set.", always=True, minimum=0),
    Field(3, "readyReplicas", INT32, "Pods that are ready.", minimum=0),
    Field(4, "currentReplicas", INT32, "Pods of the revision that is being replaced, or is there.", minimum=0),
    Field(5, "updatedReplicas", INT32, "Pods of the newest revision.", minimum=0),
    Field(6, "currentRevision", STRING, "Revision that is being replaced, or is there."),
    Field(7, "updateRevision", STRING, "The newest revision."),
    Field(9, "collisionCount", INT32, "Hash collisions met so far.", pointer=True),
    conditions(10, STATEFUL_SET_CONDITION),
    Field(11, "availableReplicas", INT32, "Pods that have been ready long enough.", always=True, minimum=0),
)

STATEFUL_SET = Kind(
    group="apps",
    version="v1",
    name="StatefulSet",
    plural="statefulsets",
    singular="statefulset",
    short_names=("sts",),
    categories=("all",),
    namespaced=True,
    has_status=True,
    has_generation=True,
    subresources=(SCALE_SUBRESOURCE, STATUS_SUBRESOURCE),
    update_rules=rules.stateful_set_update,
    schema=object_message(
        PACKAGE + "StatefulSet",
        "StatefulSet keeps a number of pods that have names and an order.",
        Field(2, "spec", STATEFUL_SET_SPEC, "What the StatefulSet is to be.", always=True),
        Field(3, "status", STATEFUL_SET_STATUS, "What is known of the StatefulSet.", always=True),
    ),
    columns=(
        name(),
        Column("Ready", deployment_ready, "Pods that are ready, of how many."),
        age(),
        Column("Containers", containers, "Names of the containers.", wide=True),
        Column("Images", images, "Images of the containers.", wide=True),
    ),
)
