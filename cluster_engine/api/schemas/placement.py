"""Where a pod may or should run: affinity, tolerations, spreading.

From `core/v1` `Affinity`, `Toleration` and `TopologySpreadConstraint`.
"""

from cluster_engine.api.rules import placement as rules
from cluster_engine.api.schema import INT32, INT64, STRING, Field, ListOf, message
from cluster_engine.api.schemas.meta import LABEL_SELECTOR
from cluster_engine.api.schemas.references import PACKAGE

NODE_SELECTOR_REQUIREMENT = message(
    PACKAGE + "NodeSelectorRequirement",
    "NodeSelectorRequirement relates a node's label to a set of values.",
    Field(1, "key", STRING, "Label key.", required=True),
    Field(
        2,
        "operator",
        STRING,
        "In, NotIn, Exists, DoesNotExist, Gt or Lt.",
        required=True,
        enum=("DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"),
    ),
    Field(3, "values", ListOf(STRING), "Values; one integer for Gt and Lt, none for Exists and DoesNotExist."),
    rules=rules.node_requirement,
)

NODE_SELECTOR_TERM = message(
    PACKAGE + "NodeSelectorTerm",
    "NodeSelectorTerm selects nodes that meet all its requirements; an empty one selects none.",
    Field(1, "matchExpressions", ListOf(NODE_SELECTOR_REQUIREMENT), "Requirements on labels."),
    Field(2, "matchFields", ListOf(NODE_SELECTOR_REQUIREMENT), "Requirements on fields; only metadata.name."),
    atomic=True,
)

NODE_SELECTOR = message(
    PACKAGE + "NodeSelector",
    "NodeSelector selects nodes that meet at least one of its terms.",
    Field(1, "nodeSelectorTerms", ListOf(NODE_SELECTOR_TERM), "The terms.", required=True),
    atomic=True,
)

PREFERRED_SCHEDULING_TERM = message(
    PACKAGE + "PreferredSchedulingTerm",
    "PreferredSchedulingTerm adds a weight to the score of the nodes it selects.",
    Field(1, "weight", INT32, "1 to 100.", required=True, minimum=1, maximum=100),
    Field(2, "preference", NODE_SELECTOR_TERM, "The nodes.", always=True),
)

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"

NODE_AFFINITY = message(
    PACKAGE + "NodeAffinity",
    "NodeAffinity is which nodes the pod must or should run on.",
    Field(
        1, _REQUIRED, NODE_SELECTOR, "Only these nodes. A later change of labels does not move the pod.", pointer=True
    ),
    Field(2, _PREFERRED, ListOf(PREFERRED_SCHEDULING_TERM), "Rather these nodes."),
)

POD_AFFINITY_TERM = message(
    PACKAGE + "PodAffinityTerm",
    "PodAffinityTerm means the places, by topologyKey, where the selected pods run.",
    Field(1, "labelSelector", LABEL_SELECTOR, "The pods.", pointer=True),
    Field(2, "namespaces", ListOf(STRING), "Their namespaces; this pod's unless given."),
    Field(3, "topologyKey", STRING, "Node label whose equal values are one place.", required=True),
    Field(4, "namespaceSelector", LABEL_SELECTOR, "Their namespaces by label; {} is all.", pointer=True),
    Field(5, "matchLabelKeys", ListOf(STRING), "Keys whose values are taken from this pod and must be equal."),
    Field(6, "mismatchLabelKeys", ListOf(STRING), "Keys whose values are taken from this pod and must differ."),
)

WEIGHTED_POD_AFFINITY_TERM = message(
    PACKAGE + "WeightedPodAffinityTerm",
    "WeightedPodAffinityTerm adds a weight to the score of the places it means.",
    Field(1, "weight", INT32, "1 to 100.", required=True, minimum=1, maximum=100),
    Field(2, "podAffinityTerm", POD_AFFINITY_TERM, "The places.", always=True),
)

POD_AFFINITY = message(
    PACKAGE + "PodAffinity",
    "PodAffinity is near which pods this one must or should run.",
    Field(1, _REQUIRED, ListOf(POD_AFFINITY_TERM), "Only in these places."),
    Field(2, _PREFERRED, ListOf(WEIGHTED_POD_AFFINITY_TERM), "Rather in these places."),
)

POD_ANTI_AFFINITY = message(
    PACKAGE + "PodAntiAffinity",
    "PodAntiAffinity is near which pods this one must not or should not run.",
    Field(1, _REQUIRED, ListOf(POD_AFFINITY_TERM), "Not in these places."),
    Field(2, _PREFERRED, ListOf(WEIGHTED_POD_AFFINITY_TERM), "Rather not in these places."),
)

AFFINITY = message(
    PACKAGE + "Affinity",
    "Affinity says where a pod wants to be.",
    Field(1, "nodeAffinity", NODE_AFFINITY, "By nodes.", pointer=True),
    Field(2, "podAffinity", POD_AFFINITY, "Near pods.", pointer=True),
    Field(3, "podAntiAffinity", POD_ANTI_AFFINITY, "Away from pods.", pointer=True),
)

TOLERATION = message(
    PACKAGE + "Toleration",
    "Toleration lets a pod run, or stay, on a node with a matching taint.",
    Field(1, "key", STRING, "Key of the taint; empty with Exists matches all."),
    Field(2, "operator", STRING, "Exists, or Equal, the default.", enum=("Equal", "Exists")),
    Field(3, "value", STRING, "Value of the taint; none with Exists."),
    Field(
        4,
        "effect",
        STRING,
        "Effect of the taint; empty matches all.",
        enum=("NoExecute", "NoSchedule", "PreferNoSchedule"),
    ),
    Field(
        5, "tolerationSeconds", INT64, "Seconds the pod may stay under NoExecute; for ever unless given.", pointer=True
    ),
    rules=rules.toleration,
)

TOPOLOGY_SPREAD_CONSTRAINT = message(
    PACKAGE + "TopologySpreadConstraint",
    "TopologySpreadConstraint spreads pods evenly over places.",
    Field(1, "maxSkew", INT32, "How uneven it may be.", required=True, minimum=1),
    Field(2, "topologyKey", STRING, "Node label whose equal values are one place.", required=True),
    Field(
        3,
        "whenUnsatisfiable",
        STRING,
        "DoNotSchedule or ScheduleAnyway.",
        required=True,
        enum=("DoNotSchedule", "ScheduleAnyway"),
    ),
    Field(4, "labelSelector", LABEL_SELECTOR, "The pods that count.", pointer=True),
    Field(5, "minDomains", INT32, "Places that there should be at least.", pointer=True, minimum=1),
    Field(6, "nodeAffinityPolicy", STRING, "Honor or Ignore the pod's node affinity.", pointer=True),
    Field(7, "nodeTaintsPolicy", STRING, "Honor or Ignore taints.", pointer=True),
    Field(8, "matchLabelKeys", ListOf(STRING), "Keys whose values are taken from this pod."),
)
