"""Kinds of the configuration family."""

from cluster_engine.api.schema import STATUS_SUBRESOURCE, Kind, Subresource, field_path
from cluster_engine.api.schemas.meta import object_message

NAMESPACE = Kind(
    group="",
    version="v1",
    name="Namespace",
    plural="namespaces",
    singular="namespace",
    namespaced=False,
    schema=object_message("io.k8s.api.core.v1.Namespace", "Namespace."),
    short_names=("ns",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    has_status=True,
    delete_returns_object=True,
    subresources=(Subresource("finalize", ("update",)), STATUS_SUBRESOURCE),
    field_labels={"status.phase": field_path("status.phase")},
)

CONFIG_MAP = Kind(
    group="",
    version="v1",
    name="ConfigMap",
    plural="configmaps",
    singular="configmap",
    namespaced=True,
    schema=object_message("io.k8s.api.core.v1.ConfigMap", "ConfigMap."),
    short_names=("cm",),
)

SECRET = Kind(
    group="",
    version="v1",
    name="Secret",
    plural="secrets",
    singular="secret",
    namespaced=True,
    schema=object_message("io.k8s.api.core.v1.Secret", "Secret."),
    field_labels={"type": field_path("type")},
)

SERVICE_ACCOUNT = Kind(
    group="",
    version="v1",
    name="ServiceAccount",
    plural="serviceaccounts",
    singular="serviceaccount",
    namespaced=True,
    schema=object_message("io.k8s.api.core.v1.ServiceAccount", "ServiceAccount."),
    short_names=("sa",),
    delete_returns_object=True,
    subresources=(Subresource("token", ("create",), "authentication.k8s.io", "v1", "TokenRequest"),),
)
