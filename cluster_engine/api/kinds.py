"""The registry: every kind this API server knows, under one name each, and how to find one from a URL or an object.

>>> by_resource("apps", "v1", "deployments") is DEPLOYMENT
True
>>> by_kind("v1", "Pod").path("default", "web-0", "status")
'/api/v1/namespaces/default/pods/web-0/status'
"""

from cluster_engine.api.schema import Column, Kind, Subresource
from cluster_engine.api.schemas.apps import DEPLOYMENT, REPLICA_SET
from cluster_engine.api.schemas.authentication import SELF_SUBJECT_REVIEW, TOKEN_REQUEST, TOKEN_REVIEW
from cluster_engine.api.schemas.authorization import (
    LOCAL_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_RULES_REVIEW,
    SUBJECT_ACCESS_REVIEW,
)
from cluster_engine.api.schemas.autoscaling import SCALE
from cluster_engine.api.schemas.configuration import CONFIG_MAP, NAMESPACE, SECRET, SERVICE_ACCOUNT
from cluster_engine.api.schemas.coordination import LEASE
from cluster_engine.api.schemas.discovery import ENDPOINT_SLICE
from cluster_engine.api.schemas.events import EVENT
from cluster_engine.api.schemas.meta import DELETE_OPTIONS, STATUS
from cluster_engine.api.schemas.nodes import NODE
from cluster_engine.api.schemas.pods import BINDING, POD
from cluster_engine.api.schemas.policy import EVICTION
from cluster_engine.api.schemas.rbac import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from cluster_engine.api.schemas.services import ENDPOINTS, SERVICE

STORED: tuple[Kind, ...] = (
    POD,
    NODE,
    NAMESPACE,
    SERVICE,
    ENDPOINTS,
    CONFIG_MAP,
    SECRET,
    SERVICE_ACCOUNT,
    EVENT,
    DEPLOYMENT,
    REPLICA_SET,
    ENDPOINT_SLICE,
    LEASE,
    ROLE,
    ROLE_BINDING,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
)
VIRTUAL: tuple[Kind, ...] = (
    BINDING,
    SCALE,
    TOKEN_REQUEST,
    TOKEN_REVIEW,
    SELF_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_RULES_REVIEW,
    SUBJECT_ACCESS_REVIEW,
    LOCAL_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_REVIEW,
    EVICTION,
    DELETE_OPTIONS,
    STATUS,
)
KINDS: tuple[Kind, ...] = STORED + VIRTUAL

_BY_RESOURCE = {(kind.group, kind.version, kind.plural): kind for kind in KINDS if kind.verbs}
_BY_KIND = {(kind.api_version, kind.name): kind for kind in KINDS}


def by_resource(group: str, version: str, plural: str) -> Kind | None:
    """Find the kind that a URL's resource names; the core group is the empty one."""
    return _BY_RESOURCE.get((group, version, plural))


def by_kind(api_version: str, name: str) -> Kind | None:
    """Find the kind that an object says it is. `DeleteOptions` and `Status` exist in every group, as in Kubernetes."""
    return _BY_KIND.get((api_version, name)) or _BY_KIND.get(("v1", name) if name in _EVERYWHERE else ("", ""))


_EVERYWHERE = ("DeleteOptions", "Status")

__all__ = [
    "BINDING",
    "CLUSTER_ROLE",
    "CLUSTER_ROLE_BINDING",
    "CONFIG_MAP",
    "DELETE_OPTIONS",
    "DEPLOYMENT",
    "ENDPOINTS",
    "ENDPOINT_SLICE",
    "EVENT",
    "EVICTION",
    "KINDS",
    "LEASE",
    "LOCAL_SUBJECT_ACCESS_REVIEW",
    "NAMESPACE",
    "NODE",
    "POD",
    "REPLICA_SET",
    "ROLE",
    "ROLE_BINDING",
    "SCALE",
    "SECRET",
    "SELF_SUBJECT_ACCESS_REVIEW",
    "SELF_SUBJECT_REVIEW",
    "SELF_SUBJECT_RULES_REVIEW",
    "SERVICE",
    "SERVICE_ACCOUNT",
    "STATUS",
    "STORED",
    "SUBJECT_ACCESS_REVIEW",
    "TOKEN_REQUEST",
    "TOKEN_REVIEW",
    "VIRTUAL",
    "Column",
    "Kind",
    "Subresource",
    "by_kind",
    "by_resource",
]
