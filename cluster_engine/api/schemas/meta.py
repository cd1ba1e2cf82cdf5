"""What every object carries: metadata, selectors, conditions; and the two kinds that belong to no resource.

From `apimachinery/pkg/apis/meta/v1`.
"""

from collections.abc import Callable

from cluster_engine.api.objects import Object
from cluster_engine.api.schema import (
    BOOL,
    INT32,
    INT64,
    RAW,
    STRING,
    TIME,
    Field,
    Kind,
    ListOf,
    MapOf,
    Message,
    Rule,
    message,
)

PACKAGE = "io.k8s.apimachinery.pkg.apis.meta.v1."

OWNER_REFERENCE = message(
    PACKAGE + "OwnerReference",
    "OwnerReference names the object that owns this one: when no owner is left, this object is garbage.",
    Field(1, "kind", STRING, "Kind of the owner.", required=True),
    Field(3, "name", STRING, "Name of the owner, in the same namespace or cluster-scoped.", required=True),
    Field(4, "uid", STRING, "UID of the owner: a new object of the same name does not own this one.", required=True),
    Field(5, "apiVersion", STRING, "API version of the owner.", required=True),
    Field(6, "controller", BOOL, "True for the one owner that manages this object.", pointer=True),
    Field(
        7,
        "blockOwnerDeletion",
        BOOL,
        "True if the owner, deleted in the foreground, must wait for this object to be gone.",
        pointer=True,
    ),
    atomic=True,
)

MANAGED_FIELDS_ENTRY = message(
    PACKAGE + "ManagedFieldsEntry",
    "ManagedFieldsEntry says which manager set which fields of the object, and when.",
    Field(1, "manager", STRING, "Name of the program or person that manages these fields."),
    Field(2, "operation", STRING, "Apply or Update."),
    Field(3, "apiVersion", STRING, "Version of the resource to which the set of fields applies."),
    Field(4, "time", TIME, "When the set last changed.", pointer=True),
    Field(6, "fieldsType", STRING, "Format of the set: FieldsV1."),
    Field(7, "fieldsV1", RAW, "The set of fields, as a tree.", pointer=True),
    Field(8, "subresource", STRING, "Subresource through which the fields were set, if any."),
)

OBJECT_META = message(
    PACKAGE + "ObjectMeta",
    "ObjectMeta is metadata that all stored objects have: who they are, when they came, who owns them.",
    Field(
        1,
        "name",
        STRING,
        "Name of the object, unique among those of its kind in its namespace. It cannot be changed.",
    ),
    Field(2, "generateName", STRING, "Prefix from which the server makes a unique name when no name is given."),
    Field(3, "namespace", STRING, "Namespace within which the name is unique. Empty for cluster-scoped objects."),
    Field(4, "selfLink", STRING, "No longer filled in by the system."),
    Field(
        5,
        "uid",
        STRING,
        "Identity of the object in time and space: set by the server, never used again by another object.",
    ),
    Field(
        6,
        "resourceVersion",
        STRING,
        "Opaque version of the stored object. Send it back with an update and the update fails if somebody was faster.",
    ),
    Field(7, "generation", INT64, "Counts the changes of the desired state. Set by the server."),
    Field(8, "creationTimestamp", TIME, "When the server made the object.", always=True),
    Field(
        9,
        "deletionTimestamp",
        TIME,
        "When the object is to be gone: set by the server on a graceful deletion; the object goes once this time has "
        "passed and its finalizers are done.",
        pointer=True,
    ),
    Field(10, "deletionGracePeriodSeconds", INT64, "Seconds the object was given to end itself.", pointer=True),
    Field(11, "labels", MapOf(STRING), "Keys and values to organise and select objects by."),
    Field(12, "annotations", MapOf(STRING), "Keys and values for tools; objects cannot be selected by them."),
    Field(
        13,
        "ownerReferences",
        ListOf(OWNER_REFERENCE),
        "Objects that this one depends on; with the last of them it goes.",
        patch_strategy="merge",
        merge_key="uid",
        list_keys=("uid",),
    ),
    Field(
        14,
        "finalizers",
        ListOf(STRING),
        "Names of those who must act before the object may go; each removes its own.",
        patch_strategy="merge",
    ),
    Field(17, "managedFields", ListOf(MANAGED_FIELDS_ENTRY), "Which manager set which fields.", pointer=True),
)

LIST_META = message(
    PACKAGE + "ListMeta",
    "ListMeta is metadata of a list.",
    Field(1, "selfLink", STRING, "No longer filled in by the system."),
    Field(2, "resourceVersion", STRING, "Version at which the list was read; a watch can begin there."),
    Field(3, "continue", STRING, "Token for the next page, if there is one."),
    Field(4, "remainingItemCount", INT64, "Number of items on the pages that follow.", pointer=True),
)

LABEL_SELECTOR_REQUIREMENT = message(
    PACKAGE + "LabelSelectorRequirement",
    "LabelSelectorRequirement relates a key to a set of values.",
    Field(1, "key", STRING, "Label key that the requirement is about.", required=True),
    Field(2, "operator", STRING, "In, NotIn, Exists or DoesNotExist.", required=True),
    Field(3, "values", ListOf(STRING), "Values; none for Exists and DoesNotExist."),
)

LABEL_SELECTOR = message(
    PACKAGE + "LabelSelector",
    "LabelSelector selects objects by their labels. All its requirements must hold; an empty one selects everything.",
    Field(1, "matchLabels", MapOf(STRING), "Labels that must be there with exactly these values."),
    Field(2, "matchExpressions", ListOf(LABEL_SELECTOR_REQUIREMENT), "Requirements on single keys."),
    atomic=True,
)

CONDITION = message(
    PACKAGE + "Condition",
    "Condition is one aspect of the current state.",
    Field(1, "type", STRING, "What it is about.", required=True),
    Field(2, "status", STRING, "True, False or Unknown.", required=True, enum=("True", "False", "Unknown")),
    Field(3, "observedGeneration", INT64, "Generation of the object the condition was computed from."),
    Field(4, "lastTransitionTime", TIME, "When the status last changed.", required=True),
    Field(5, "reason", STRING, "Why, as one word in CamelCase.", required=True),
    Field(6, "message", STRING, "Why, for people; may be empty.", always=True),
)


def conditions(
    number: int, condition: Message, doc: str = "Aspects of the current state.", *, is_map: bool = True
) -> Field:
    """Describe a status' conditions: of each type there is one, also where appliers share them (`is_map`)."""
    keys = ("type",) if is_map else ()
    return Field(number, "conditions", ListOf(condition), doc, patch_strategy="merge", merge_key="type", list_keys=keys)


PRECONDITIONS = message(
    PACKAGE + "Preconditions",
    "Preconditions must hold before an operation is carried out.",
    Field(1, "uid", STRING, "The object must have this UID.", pointer=True),
    Field(2, "resourceVersion", STRING, "The object must have this resourceVersion.", pointer=True),
)

STATUS_CAUSE = message(
    PACKAGE + "StatusCause",
    "StatusCause is one thing that was wrong.",
    Field(1, "reason", STRING, "Why, as one word in CamelCase."),
    Field(2, "message", STRING, "Why, for people."),
    Field(3, "field", STRING, "Where, as a path into the object."),
)

STATUS_DETAILS = message(
    PACKAGE + "StatusDetails",
    "StatusDetails says which object a failure is about and what was wrong.",
    Field(1, "name", STRING, "Name of the object."),
    Field(2, "group", STRING, "API group of the object."),
    Field(3, "kind", STRING, "Resource or kind of the object."),
    Field(4, "causes", ListOf(STATUS_CAUSE), "Everything that was wrong."),
    Field(5, "retryAfterSeconds", INT32, "Seconds to wait before trying again."),
    Field(6, "uid", STRING, "UID of the object."),
)

API_VERSION = Field(0, "apiVersion", STRING, "API group and version in which this object is written, such as apps/v1.")
KIND = Field(0, "kind", STRING, "What this object is, such as Deployment.")


def object_message(
    name: str,
    doc: str,
    *fields: Field,
    defaults: Callable[[Object], None] | None = None,
    rules: Rule | None = None,
    preserve_unknown: bool = False,
) -> Message:
    """Describe a kind's top level: apiVersion, kind, metadata (1), and the fields given."""
    metadata = Field(1, "metadata", OBJECT_META, "Standard metadata of the object.", always=True)
    own = (API_VERSION, KIND, metadata, *fields)
    return message(name, doc, *own, defaults=defaults, rules=rules, preserve_unknown=preserve_unknown)


DELETE_OPTIONS = Kind(
    group="",
    version="v1",
    name="DeleteOptions",
    plural="deleteoptions",
    singular="deleteoptions",
    namespaced=False,
    verbs=(),
    schema=message(
        PACKAGE + "DeleteOptions",
        "DeleteOptions may be given with a deletion.",
        API_VERSION,
        KIND,
        Field(1, "gracePeriodSeconds", INT64, "Seconds the object has to end itself; 0 is at once.", pointer=True),
        Field(2, "preconditions", PRECONDITIONS, "What must hold, or the answer is 409.", pointer=True),
        Field(3, "orphanDependents", BOOL, "Deprecated: use propagationPolicy.", pointer=True),
        Field(
            4,
            "propagationPolicy",
            STRING,
            "What happens to dependents: Orphan leaves them, Background lets the garbage collector delete them, "
            "Foreground deletes them first.",
            pointer=True,
        ),
        Field(5, "dryRun", ListOf(STRING), "All: go through everything but store nothing."),
        Field(
            6,
            "ignoreStoreReadErrorWithClusterBreakingPotential",
            BOOL,
            "Delete the object even if it cannot be read. Dangerous.",
            pointer=True,
        ),
    ),
)

STATUS = Kind(
    group="",
    version="v1",
    name="Status",
    plural="status",
    singular="status",
    namespaced=False,
    verbs=(),
    schema=message(
        PACKAGE + "Status",
        "Status is the answer to a request that does not return an object, failures above all.",
        API_VERSION,
        KIND,
        Field(1, "metadata", LIST_META, "Standard metadata of a list.", always=True),
        Field(2, "status", STRING, "Success or Failure."),
        Field(3, "message", STRING, "What happened, for people."),
        Field(4, "reason", STRING, "Why it failed, as one word in CamelCase."),
        Field(5, "details", STATUS_DETAILS, "Which object, and what was wrong.", pointer=True),
        Field(6, "code", INT32, "HTTP status code."),
    ),
)
