"""DaemonSet: a pod on each node; ControllerRevision: what its pods have looked like. From `apps/v1`."""

from cluster_engine.api.cells import daemons as cells
from cluster_engine.api.cells.apps import containers, count, images, selector
from cluster_engine.api.cells.common import age, name
from cluster_engine.api.rules import daemons as rules
from cluster_engine.api.schema import (
    INT32,
    INT64,
    INT_OR_STRING,
    RAW_EXTENSION,
    STATUS_SUBRESOURCE,
    STRING,
    TIME,
    Column,
    Field,
    Kind,
    message,
)
from cluster_engine.api.schemas.apps import PACKAGE
from cluster_engine.api.schemas.meta import LABEL_SELECTOR, conditions, object_message
from cluster_engine.api.schemas.pods import POD_TEMPLATE_SPEC

ROLLING_UPDATE_DAEMON_SET = message(
    PACKAGE + "RollingUpdateDaemonSet",
    "RollingUpdateDaemonSet says how fast pods are replaced.",
    Field(1, "maxUnavailable", INT_OR_STRING, "Nodes that may be without meanwhile.", pointer=True, default=1),
    Field(2, "maxSurge", INT_OR_STRING, "Nodes that may have two meanwhile.", pointer=True, default=0),
)
DAEMON_SET_UPDATE_STRATEGY = message(
    PACKAGE + "DaemonSetUpdateStrategy",
    "DaemonSetUpdateStrategy is how old pods are replaced by new ones.",
    Field(
        1,
        "type",
        STRING,
        "OnDelete, or RollingUpdate.",
        default="RollingUpdate",
        enum=("OnDelete", "RollingUpdate"),
    ),
    Field(2, "rollingUpdate", ROLLING_UPDATE_DAEMON_SET, "How fast, for RollingUpdate.", pointer=True),
    defaults=rules.default_strategy,
    rules=rules.strategy,
)
DAEMON_SET_SPEC = message(
    PACKAGE + "DaemonSetSpec",
    "DaemonSetSpec is what a DaemonSet is to be.",
    Field(1, "selector", LABEL_SELECTOR, "Labels of its pods. It cannot be changed.", required=True, immutable=True),
    Field(2, "template", POD_TEMPLATE_SPEC, "The pods to make.", required=True, always=True),
    Field(3, "updateStrategy", DAEMON_SET_UPDATE_STRATEGY, "How old pods are replaced.", always=True),
    Field(4, "minReadySeconds", INT32, "Seconds a pod must be ready to count as available.", minimum=0),
    Field(6, "revisionHistoryLimit", INT32, "Old revisions to keep.", pointer=True, default=10, minimum=0),
    rules=rules.daemon_set_spec,
)
DAEMON_SET_CONDITION = message(
    PACKAGE + "DaemonSetCondition",
    "DaemonSetCondition is one aspect of the DaemonSet's current state.",
    Field(1, "type", STRING, "What aspect.", always=True),
    Field(2, "status", STRING, "True, False or Unknown.", always=True),
    Field(3, "lastTransitionTime", TIME, "When the status last changed.", always=True),
    Field(4, "reason", STRING, "Why, as one word in CamelCase."),
    Field(5, "message", STRING, "Why, for people."),
)
DAEMON_SET_STATUS = message(
    PACKAGE + "DaemonSetStatus",
    "DaemonSetStatus is what is known of a DaemonSet.",
    Field(1, "currentNumberScheduled", INT32, "Nodes that have a pod and should.", always=True, minimum=0),
    Field(2, "numberMisscheduled", INT32, "Nodes that have a pod and should not.", always=True, minimum=0),
    Field(3, "desiredNumberScheduled", INT32, "Nodes that should have a pod.", always=True, minimum=0),
    Field(4, "numberReady", INT32, "Nodes whose pod is ready.", always=True, minimum=0),
    Field(5, "observedGeneration", INT64, "Generation that the controller has seen."),
    Field(6, "updatedNumberScheduled", INT32, "Nodes whose pod is of the current template.", minimum=0),
    Field(7, "numberAvailable", INT32, "Nodes whose pod has been ready long enough.", minimum=0),
    Field(8, "numberUnavailable", INT32, "Nodes that should have a pod available and have none.", minimum=0),
    Field(9, "collisionCount", INT32, "Hash collisions met so far.", pointer=True),
    conditions(10, DAEMON_SET_CONDITION),
)

DAEMON_SET = Kind(
    group="apps",
    version="v1",
    name="DaemonSet",
    plural="daemonsets",
    singular="daemonset",
    short_names=("ds",),
    categories=("all",),
    namespaced=True,
    has_status=True,
    has_generation=True,
    subresources=(STATUS_SUBRESOURCE,),
    prepare_create=rules.prepare_daemon_set,
    prepare_update=rules.prepare_daemon_set_update,
    schema=object_message(
        PACKAGE + "DaemonSet",
        "DaemonSet keeps a pod on each node, or on those that it selects.",
        Field(2, "spec", DAEMON_SET_SPEC, "What the DaemonSet is to be.", always=True),
        Field(3, "status", DAEMON_SET_STATUS, "What is known of the DaemonSet.", always=True),
    ),
    columns=(
        name(),
        Column("Desired", count("status", "desiredNumberScheduled"), "Nodes that should have a pod.", type="integer"),
        Column("Current", count("status", "currentNumberScheduled"), "Nodes that have one.", type="integer"),
        Column("Ready", count("status", "numberReady"), "Nodes whose pod is ready.", type="integer"),
        Column("Up-to-date", count("status", "updatedNumberScheduled"), "Of the current template.", type="integer"),
        Column("Available", count("status", "numberAvailable"), "Nodes whose pod is available.", type="integer"),
        Column("Node Selector", cells.node_selector, "Labels of the nodes that it is for."),
        age(),
        Column("Containers", containers, "Names of the containers.", wide=True),
        Column("Images", images, "Images of the containers.", wide=True),
        Column("Selector", selector, "Labels of its pods.", wide=True),
    ),
)

CONTROLLER_REVISION = Kind(
    group="apps",
    version="v1",
    name="ControllerRevision",
    plural="controllerrevisions",
    singular="controllerrevision",
    namespaced=True,
    update_rules=rules.revision_update,
    schema=object_message(
        PACKAGE + "ControllerRevision",
        "ControllerRevision keeps what a DaemonSet or StatefulSet looked like at one time.",
        Field(2, "data", RAW_EXTENSION, "What it looked like, as a patch."),
        Field(3, "revision", INT64, "Its number.", required=True, always=True),
    ),
    columns=(
        name(),
        Column("Controller", cells.controller, "Whose past it is."),
        Column("Revision", cells.revision, "Its number.", type="integer"),
        age(),
    ),
)
