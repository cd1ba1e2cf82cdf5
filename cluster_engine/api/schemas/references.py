"""How objects of the core group point at each other."""

from cluster_engine.api.schema import BOOL, QUANTITY, STRING, Field, Inline, Message, message

PACKAGE = "io.k8s.api.core.v1."

OBJECT_REFERENCE = message(
    PACKAGE + "ObjectReference",
    "ObjectReference names another object, well enough to find it.",
    Field(1, "kind", STRING, "Kind of the object."),
    Field(2, "namespace", STRING, "Namespace of the object."),
    Field(3, "name", STRING, "Name of the object."),
    Field(4, "uid", STRING, "UID of the object."),
    Field(5, "apiVersion", STRING, "API version of the object."),
    Field(6, "resourceVersion", STRING, "Version of the object that is meant."),
    Field(7, "fieldPath", STRING, "Part of the object that is meant, such as spec.containers{web}."),
    atomic=True,
)

LOCAL_OBJECT_REFERENCE = message(
    PACKAGE + "LocalObjectReference",
    "LocalObjectReference names an object in the same namespace.",
    Field(1, "name", STRING, "Name of the object."),
    atomic=True,
)

TYPED_LOCAL_OBJECT_REFERENCE = message(
    PACKAGE + "TypedLocalObjectReference",
    "TypedLocalObjectReference names an object of some kind in the same namespace.",
    Field(1, "apiGroup", STRING, "Group of the object; the core group, if none is given.", pointer=True),
    Field(2, "kind", STRING, "Kind of the object.", required=True, always=True),
    Field(3, "name", STRING, "Name of the object.", required=True, always=True),
    atomic=True,
)

OBJECT_FIELD_SELECTOR = message(
    PACKAGE + "ObjectFieldSelector",
    "ObjectFieldSelector selects a field of the pod itself.",
    Field(1, "apiVersion", STRING, "Version in which the path is written.", default="v1"),
    Field(2, "fieldPath", STRING, "Path of the field, such as metadata.name or status.podIP.", required=True),
    atomic=True,
)

RESOURCE_FIELD_SELECTOR = message(
    PACKAGE + "ResourceFieldSelector",
    "ResourceFieldSelector selects a container's resource.",
    Field(1, "containerName", STRING, "Name of the container; needed in volumes, optional in variables."),
    Field(2, "resource", STRING, "Resource, such as limits.cpu.", required=True),
    Field(3, "divisor", QUANTITY, "Unit in which the value is given.", always=True),
    atomic=True,
)


def key_selector(name: str, what: str) -> Message:
    """Describe a reference to one key of a ConfigMap or Secret."""
    return message(
        PACKAGE + name,
        f"{name} selects a key of a {what}.",
        Inline(1, LOCAL_OBJECT_REFERENCE),
        Field(2, "key", STRING, f"Key within the {what}.", required=True),
        Field(3, "optional", BOOL, f"Whether the {what} or its key may be missing.", pointer=True),
        atomic=True,
    )
