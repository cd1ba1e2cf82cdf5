"""Discovery: what a server serves, as clients ask for it before they say anything else.

Two forms of one thing. *Aggregated* (apidiscovery.k8s.io/v2): two documents, `/api` and `/apis`, with all that there
is. *Legacy*: a list of groups, then one list of resources for each group version, subresources as `pods/status`.
Modelled on `apiserver/pkg/endpoints/discovery`.

    >>> [entry["name"] for entry in api_resource_list("apps/v1")["resources"]][:3]
    ['deployments', 'deployments/scale', 'deployments/status']
"""

from base64 import b64encode
from hashlib import sha256

from cluster_engine.api.kinds import KINDS
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind, Subresource

# The order in which the real server offers them; kubectl takes the first group that has a short name.
GROUPS = (
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "rbac.authorization.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
)


def resources(group: str) -> list[Kind]:
    """Return the kinds of a group that have a path of their own, by their plurals."""
    return sorted((kind for kind in KINDS if kind.group == group and kind.verbs), key=lambda kind: kind.plural)


def aggregated_core() -> Object:
    """Return the aggregated document of `/api`."""
    return _aggregated([_aggregated_group("")])


def aggregated_groups() -> Object:
    """Return the aggregated document of `/apis`."""
    return _aggregated([_aggregated_group(group) for group in GROUPS])


def _aggregated(items: list[Object]) -> Object:
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _aggregated_group(group: str) -> Object:
    metadata = {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None}
    found = [_aggregated_resource(kind) for kind in resources(group)]
    return {"metadata": metadata, "versions": [{"version": "v1", "resources": found, "freshness": "Current"}]}


def _aggregated_resource(kind: Kind) -> Object:
    entry: Object = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.name},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if kind.subresources:
        entry["subresources"] = [
            {
                "subresource": each.name,
                "responseKind": dict(zip(("group", "version", "kind"), _response_kind(kind, each), strict=True)),
                "verbs": list(each.verbs),
            }
            for each in kind.subresources
        ]
    return entry


def _response_kind(kind: Kind, subresource: Subresource) -> tuple[str, str, str]:
    if subresource.kind:
        return subresource.group, subresource.version, subresource.kind
    return kind.group, kind.version, kind.name


def api_versions(server_address: str = "10.0.0.1:6443") -> Object:
    """Return the legacy document of `/api`."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": server_address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def api_group_list() -> Object:
    """Return the legacy document of `/apis`."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(group) for group in GROUPS]}


def api_group(group: str) -> Object:
    """Return the legacy document of `/apis/<group>`."""
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}


def _group(group: str) -> Object:
    version = {"groupVersion": f"{group}/v1", "version": "v1"}
    return {"name": group, "versions": [version], "preferredVersion": dict(version)}


def api_resource_list(group_version: str) -> Object:
    """Return the legacy document of `/api/v1` (`v1`) or `/apis/<group>/<version>` (`apps/v1`)."""
    group, slash, _ = group_version.rpartition("/")
    document: Object = {"kind": "APIResourceList"}
    if slash:
        document["apiVersion"] = "v1"
    document["groupVersion"] = group_version
    document["resources"] = [entry for kind in resources(group) for entry in _entries(kind)]
    return document


def _entries(kind: Kind) -> list[Object]:
    entry: Object = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if "get" in kind.verbs:
        entry["storageVersionHash"] = storage_version_hash(kind)
    return [entry, *(_subresource_entry(kind, each) for each in kind.subresources)]


def _subresource_entry(kind: Kind, subresource: Subresource) -> Object:
    group, version, name = _response_kind(kind, subresource)
    entry: Object = {"name": f"{kind.plural}/{subresource.name}", "singularName": "", "namespaced": kind.namespaced}
    if (group, version) != (kind.group, kind.version):
        entry |= {"group": group, "version": version}
    return {**entry, "kind": name, "verbs": list(subresource.verbs)}


def storage_version_hash(kind: Kind) -> str:
    """Name the version that objects are stored in: the start of a hash of group, version and kind."""
    digest = sha256(f"{kind.group}/{kind.version}/{kind.name}".encode()).digest()
    return b64encode(digest[:8]).decode()
