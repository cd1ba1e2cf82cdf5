"""ResourceQuota: how much a namespace may use; LimitRange: how much a container may. From `core/v1`."""

from cluster_engine.api.cells import quotas as cells
from cluster_engine.api.cells.common import age, created_at, name
from cluster_engine.api.rules import quotas as rules
from cluster_engine.api.schema import (
    QUANTITY,
    STATUS_SUBRESOURCE,
    STRING,
    Column,
    Field,
    Kind,
    ListOf,
    MapOf,
    message,
)
from cluster_engine.api.schemas.meta import object_message
from cluster_engine.api.schemas.references import PACKAGE

SCOPED_RESOURCE_SELECTOR_REQUIREMENT = message(
    PACKAGE + "ScopedResourceSelectorRequirement",
    "ScopedResourceSelectorRequirement relates a scope to a set of values.",
    Field(1, "scopeName", STRING, "Name of the scope.", required=True, always=True),
    Field(2, "operator", STRING, "In, NotIn, Exists or DoesNotExist.", required=True, always=True),
    Field(3, "values", ListOf(STRING), "Values; none for Exists and DoesNotExist."),
)
SCOPE_SELECTOR = message(
    PACKAGE + "ScopeSelector",
    "ScopeSelector selects objects by scopes and their values.",
    Field(1, "matchExpressions", ListOf(SCOPED_RESOURCE_SELECTOR_REQUIREMENT), "Requirements; all must hold."),
    atomic=True,
)
RESOURCE_QUOTA_SPEC = message(
    PACKAGE + "ResourceQuotaSpec",
    "ResourceQuotaSpec says how much may be used.",
    Field(1, "hard", MapOf(QUANTITY), "Most of each resource."),
    Field(2, "scopes", ListOf(STRING), "Which objects are counted; all, if none is given."),
    Field(3, "scopeSelector", SCOPE_SELECTOR, "Which objects are counted, by values of scopes.", pointer=True),
    rules=rules.quota_spec,
)
RESOURCE_QUOTA_STATUS = message(
    PACKAGE + "ResourceQuotaStatus",
    "ResourceQuotaStatus says how much is used.",
    Field(1, "hard", MapOf(QUANTITY), "Most of each resource, as it is enforced."),
    Field(2, "used", MapOf(QUANTITY), "How much of each is used."),
)

RESOURCE_QUOTA = Kind(
    group="",
    version="v1",
    name="ResourceQuota",
    plural="resourcequotas",
    singular="resourcequota",
    short_names=("quota",),
    namespaced=True,
    has_status=True,
    delete_returns_object=True,
    subresources=(STATUS_SUBRESOURCE,),
    schema=object_message(
        PACKAGE + "ResourceQuota",
        "ResourceQuota limits what the objects of a namespace use together.",
        Field(2, "spec", RESOURCE_QUOTA_SPEC, "How much may be used.", always=True),
        Field(3, "status", RESOURCE_QUOTA_STATUS, "How much is used.", always=True),
    ),
    columns=(
        name(),
        Column("Request", cells.requests, "What is used and may be, of requests and of numbers of objects."),
        Column("Limit", cells.limits, "What is used and may be, of limits."),
        age(),
    ),
)

LIMIT_RANGE_ITEM = message(
    PACKAGE + "LimitRangeItem",
    "LimitRangeItem limits things of one type.",
    Field(1, "type", STRING, "Container, Pod or PersistentVolumeClaim.", required=True, always=True),
    Field(2, "max", MapOf(QUANTITY), "Most of each resource."),
    Field(3, "min", MapOf(QUANTITY), "Least of each resource."),
    Field(4, "default", MapOf(QUANTITY), "Limits of containers that name none."),
    Field(5, "defaultRequest", MapOf(QUANTITY), "Requests of containers that name none."),
    Field(6, "maxLimitRequestRatio", MapOf(QUANTITY), "How many times the request a limit may be."),
    defaults=rules.default_limits,
)
LIMIT_RANGE_SPEC = message(
    PACKAGE + "LimitRangeSpec",
    "LimitRangeSpec is a list of limits.",
    Field(1, "limits", ListOf(LIMIT_RANGE_ITEM), "The limits.", required=True, always=True),
    rules=rules.limit_range_spec,
)

LIMIT_RANGE = Kind(
    group="",
    version="v1",
    name="LimitRange",
    plural="limitranges",
    singular="limitrange",
    short_names=("limits",),
    namespaced=True,
    schema=object_message(
        PACKAGE + "LimitRange",
        "LimitRange limits what single pods and containers of a namespace use, and says what they use by default.",
        Field(2, "spec", LIMIT_RANGE_SPEC, "The limits.", always=True),
    ),
    columns=(name(), Column("Created At", created_at, "When the object was made.", type="date")),
)
