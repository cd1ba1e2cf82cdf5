"""Role, ClusterRole and their bindings: who may do what. From `rbac/v1`.

There are no denials: a request is allowed if one rule of one bound role allows it.
"""

from cluster_engine.api.cells import rbac as cells
from cluster_engine.api.cells.common import age, created_at, name
from cluster_engine.api.names import path_segment_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.rules import rbac as rules
from cluster_engine.api.schema import STRING, Column, Field, Kind, ListOf, message
from cluster_engine.api.schemas.meta import LABEL_SELECTOR, object_message

GROUP = "rbac.authorization.k8s.io"
PACKAGE = "io.k8s.api.rbac.v1."

POLICY_RULE = message(
    PACKAGE + "PolicyRule",
    "PolicyRule is one thing that is allowed.",
    Field(1, "verbs", ListOf(STRING), "Verbs, such as get, or * for all.", always=True),
    Field(2, "apiGroups", ListOf(STRING), 'API groups of the resources; "" is the core group, * is all.'),
    Field(3, "resources", ListOf(STRING), "Resources, such as pods or pods/log, or * for all."),
    Field(4, "resourceNames", ListOf(STRING), "Names of objects; all unless given."),
    Field(5, "nonResourceURLs", ListOf(STRING), "Paths outside /api and /apis, such as /healthz; * ends a prefix."),
    rules=rules.policy_rule,
)


def default_subject(subject: Object) -> None:
    """Users and groups belong to the RBAC group, service accounts to the core group."""
    if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
        subject["apiGroup"] = GROUP


def default_role_ref(reference: Object) -> None:
    """A role belongs to the RBAC group."""
    reference["apiGroup"] = reference.get("apiGroup") or GROUP


SUBJECT = message(
    PACKAGE + "Subject",
    "Subject is who is allowed.",
    Field(1, "kind", STRING, "User, Group or ServiceAccount.", required=True),
    Field(2, "apiGroup", STRING, "API group of the subject."),
    Field(3, "name", STRING, "Name of the subject.", required=True),
    Field(4, "namespace", STRING, "Namespace of a service account."),
    defaults=default_subject,
    rules=rules.subject,
    atomic=True,
)

ROLE_REF = message(
    PACKAGE + "RoleRef",
    "RoleRef names the role that is bound.",
    Field(1, "apiGroup", STRING, "API group of the role.", always=True),
    Field(2, "kind", STRING, "Role or ClusterRole.", required=True),
    Field(3, "name", STRING, "Name of the role.", required=True),
    defaults=default_role_ref,
    rules=rules.role_ref,
    atomic=True,
)

AGGREGATION_RULE = message(
    PACKAGE + "AggregationRule",
    "AggregationRule fills a ClusterRole from others.",
    Field(1, "clusterRoleSelectors", ListOf(LABEL_SELECTOR), "ClusterRoles whose rules are taken."),
)

_RULES = Field(2, "rules", ListOf(POLICY_RULE), "What is allowed.", always=True)
_SUBJECTS = Field(2, "subjects", ListOf(SUBJECT), "Who is allowed.")
_ROLE_REF = Field(3, "roleRef", ROLE_REF, "The role. It cannot be changed.", required=True, always=True)

_ROLE_COLUMNS = (name(), Column("Created At", created_at, "When it was made.", type="date"))
_BINDING_COLUMNS = (
    name(),
    Column("Role", cells.role, "The role that is bound."),
    age(),
    Column("Users", cells.users, "Users among the subjects.", wide=True),
    Column("Groups", cells.groups, "Groups among the subjects.", wide=True),
    Column("ServiceAccounts", cells.service_accounts, "Service accounts among the subjects.", wide=True),
)

ROLE = Kind(
    group=GROUP,
    version="v1",
    name="Role",
    plural="roles",
    singular="role",
    namespaced=True,
    create_on_update=True,
    name_problems=path_segment_problems,
    schema=object_message(PACKAGE + "Role", "Role is a set of rules within a namespace.", _RULES, rules=rules.role),
    columns=_ROLE_COLUMNS,
)

CLUSTER_ROLE = Kind(
    group=GROUP,
    version="v1",
    name="ClusterRole",
    plural="clusterroles",
    singular="clusterrole",
    namespaced=False,
    create_on_update=True,
    name_problems=path_segment_problems,
    schema=object_message(
        PACKAGE + "ClusterRole",
        "ClusterRole is a set of rules for the whole cluster, or for a RoleBinding to use in its namespace.",
        _RULES,
        Field(3, "aggregationRule", AGGREGATION_RULE, "How to fill it from others.", pointer=True),
    ),
    columns=_ROLE_COLUMNS,
)

ROLE_BINDING = Kind(
    group=GROUP,
    version="v1",
    name="RoleBinding",
    plural="rolebindings",
    singular="rolebinding",
    namespaced=True,
    create_on_update=True,
    name_problems=path_segment_problems,
    update_rules=rules.role_ref_update,
    schema=object_message(
        PACKAGE + "RoleBinding", "RoleBinding gives a role to subjects within its namespace.", _SUBJECTS, _ROLE_REF
    ),
    columns=_BINDING_COLUMNS,
)

CLUSTER_ROLE_BINDING = Kind(
    group=GROUP,
    version="v1",
    name="ClusterRoleBinding",
    plural="clusterrolebindings",
    singular="clusterrolebinding",
    namespaced=False,
    create_on_update=True,
    name_problems=path_segment_problems,
    update_rules=rules.role_ref_update,
    schema=object_message(
        PACKAGE + "ClusterRoleBinding",
        "ClusterRoleBinding gives a ClusterRole to subjects in the whole cluster.",
        _SUBJECTS,
        _ROLE_REF,
    ),
    columns=_BINDING_COLUMNS,
)
