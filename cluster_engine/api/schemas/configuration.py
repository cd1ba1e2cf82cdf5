"""Namespace, ConfigMap, Secret and ServiceAccount: what pods live in, read, and act as. From `core/v1`."""

from base64 import b64encode

from cluster_engine.api.cells import configuration as cells
from cluster_engine.api.cells.common import age, name
from cluster_engine.api.names import dns_label_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.rules import configuration as rules
from cluster_engine.api.schema import (
    BOOL,
    BYTES,
    STATUS_SUBRESOURCE,
    STRING,
    TIME,
    Column,
    Field,
    Kind,
    ListOf,
    MapOf,
    Subresource,
    field_path,
    message,
)
from cluster_engine.api.schemas.authentication import TOKEN_REQUEST
from cluster_engine.api.schemas.meta import conditions, object_message
from cluster_engine.api.schemas.references import LOCAL_OBJECT_REFERENCE, OBJECT_REFERENCE, PACKAGE

NAMESPACE_CONDITION = message(
    PACKAGE + "NamespaceCondition",
    "NamespaceCondition is one aspect of the namespace's current state.",
    Field(1, "type", STRING, "What it is about.", always=True),
    Field(2, "status", STRING, "True, False or Unknown.", always=True),
    Field(4, "lastTransitionTime", TIME, "When the status last changed.", always=True),
    Field(5, "reason", STRING, "Why, as one word in CamelCase."),
    Field(6, "message", STRING, "Why, for people."),
)

NAMESPACE_SPEC = message(
    PACKAGE + "NamespaceSpec",
    "NamespaceSpec is what a namespace is to be.",
    Field(1, "finalizers", ListOf(STRING), "Who must act before the namespace may go."),
)

NAMESPACE_STATUS = message(
    PACKAGE + "NamespaceStatus",
    "NamespaceStatus is what is known of a namespace.",
    Field(1, "phase", STRING, "Active or Terminating."),
    conditions(2, NAMESPACE_CONDITION),
)


NAMESPACE = Kind(
    group="",
    version="v1",
    name="Namespace",
    plural="namespaces",
    singular="namespace",
    short_names=("ns",),
    namespaced=False,
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    has_status=True,
    status_carries=("labels", "annotations"),
    prepare_create=rules.prepare_namespace,
    prepare_update=rules.prepare_namespace_update,
    delete_returns_object=True,
    name_problems=dns_label_problems,
    subresources=(Subresource("finalize", ("update",)), STATUS_SUBRESOURCE),
    field_labels={
        "metadata.name": field_path("metadata.name"),
        "name": field_path("metadata.name"),
        "status.phase": field_path("status.phase"),
    },
    schema=object_message(
        PACKAGE + "Namespace",
        "Namespace is a scope for names.",
        Field(2, "spec", NAMESPACE_SPEC, "What the namespace is to be.", always=True),
        Field(3, "status", NAMESPACE_STATUS, "What is known of the namespace.", always=True),
        defaults=rules.label_namespace,
    ),
    columns=(name(), Column("Status", cells.namespace_status, "Active or Terminating."), age()),
)

CONFIG_MAP = Kind(
    group="",
    version="v1",
    name="ConfigMap",
    plural="configmaps",
    singular="configmap",
    short_names=("cm",),
    namespaced=True,
    update_rules=rules.immutable_data,
    schema=object_message(
        PACKAGE + "ConfigMap",
        "ConfigMap holds configuration for pods to read.",
        Field(2, "data", MapOf(STRING), "The data, as text."),
        Field(3, "binaryData", MapOf(BYTES), "Data that is not text, in base64."),
        Field(4, "immutable", BOOL, "The data can no longer be changed, nor this field.", pointer=True),
        rules=rules.config_map,
    ),
    columns=(name(), Column("Data", cells.config_map_data, "Number of keys.", type="integer"), age()),
)


def default_secret(secret: Object) -> None:
    """Move `stringData`, which is for writing only, into `data`."""
    text = secret.pop("stringData", None)
    if text:
        encoded = {key: b64encode(value.encode()).decode() for key, value in text.items()}
        secret["data"] = {**secret.get("data", {}), **encoded}


SECRET = Kind(
    group="",
    version="v1",
    name="Secret",
    plural="secrets",
    singular="secret",
    namespaced=True,
    update_rules=rules.secret_update,
    field_labels={
        "metadata.name": field_path("metadata.name"),
        "metadata.namespace": field_path("metadata.namespace"),
        "type": field_path("type"),
    },
    schema=object_message(
        PACKAGE + "Secret",
        "Secret holds data that not everybody should read.",
        Field(2, "data", MapOf(BYTES), "The data, in base64."),
        Field(3, "type", STRING, "What kind of secret it is.", default="Opaque"),
        Field(4, "stringData", MapOf(STRING), "Data as text; write-only, put into data by the server."),
        Field(5, "immutable", BOOL, "The data can no longer be changed, nor this field.", pointer=True),
        defaults=default_secret,
        rules=rules.secret,
    ),
    columns=(
        name(),
        Column("Type", cells.secret_type, "Kind of secret."),
        Column("Data", cells.secret_data, "Number of keys.", type="integer"),
        age(),
    ),
)

SERVICE_ACCOUNT = Kind(
    group="",
    version="v1",
    name="ServiceAccount",
    plural="serviceaccounts",
    singular="serviceaccount",
    short_names=("sa",),
    namespaced=True,
    delete_returns_object=True,
    subresources=(Subresource("token", ("create",), TOKEN_REQUEST),),
    schema=object_message(
        PACKAGE + "ServiceAccount",
        "ServiceAccount is who a pod is to the API server.",
        Field(
            2,
            "secrets",
            ListOf(OBJECT_REFERENCE),
            "Deprecated: secrets that its pods may use.",
            patch_strategy="merge",
            merge_key="name",
            list_keys=("name",),
        ),
        Field(3, "imagePullSecrets", ListOf(LOCAL_OBJECT_REFERENCE), "Secrets to pull its pods' images with."),
        Field(4, "automountServiceAccountToken", BOOL, "Whether its pods get a token mounted.", pointer=True),
    ),
    columns=(name(), Column("Secrets", cells.service_account_secrets, "Number of secrets.", type="string"), age()),
)
