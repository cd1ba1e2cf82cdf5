"""Discovery: what a server serves, as clients ask for it before they say anything else.

Two forms of one thing. *Aggregated* (apidiscovery.k8s.io/v2): two documents, `/api` and `/apis`, with all that there
is. *Legacy*: a list of groups, then one list of resources for each group version, subresources as `pods/status`.
Modelled on `apiserver/pkg/endpoints/discovery`.

    >>> from cluster_engine.api.kinds import BUILT_IN
    >>> [entry["name"] for entry in api_resource_list(BUILT_IN.groups["apps"][0])["resources"]][:3]
    ['controllerrevisions', 'daemonsets', 'daemonsets/status']
"""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256

from cluster_engine.api.kind_set import GroupVersion, KindSet
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind, Subresource


def aggregated_core(kinds: KindSet) -> Object:
    """Return the aggregated document of `/api`."""
    return _aggregated([_aggregated_group("", kinds.groups[""])])


def aggregated_groups(kinds: KindSet) -> Object:
    """Return the aggregated document of `/apis`."""
    return _aggregated([_aggregated_group(group, versions) for group, versions in kinds.groups.items() if group])


def _aggregated(items: list[Object]) -> Object:
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _aggregated_group(group: str, versions: Iterable[GroupVersion]) -> Object:
    metadata = {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None}
    found = [
        {
            "version": each.version,
            "resources": [_aggregated_resource(kind) for kind in each.kinds],
            "freshness": "Current",
        }
        for each in versions
    ]
    return {"metadata": metadata, "versions": found}


def _aggregated_resource(kind: Kind) -> Object:
    entry: Object = {
        "resource": kind.plural,
        "responseKind": _response_kind(kind),
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
            {"subresource": each.name, "responseKind": _spoken(kind, each), "verbs": list(each.verbs)}
            for each in kind.subresources
        ]
    return entry


def _spoken(kind: Kind, subresource: Subresource) -> Object:
    spoken = _response_kind(subresource.body or kind)
    return {**spoken, "kind": subresource.connects} if subresource.connects else spoken


def _response_kind(kind: Kind) -> Object:
    return {"group": kind.group, "version": kind.version, "kind": kind.name}


def api_versions(kinds: KindSet, server_address: str = "10.0.0.1:6443") -> Object:
    """Return the legacy document of `/api`."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": server_address}]
    versions = [each.version for each in kinds.groups[""]]
    return {"kind": "APIVersions", "versions": versions, "serverAddressByClientCIDRs": addresses}


def api_group_list(kinds: KindSet) -> Object:
    """Return the legacy document of `/apis`."""
    groups = [_group(group, versions) for group, versions in kinds.groups.items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def api_group(kinds: KindSet, group: str) -> Object:
    """Return the legacy document of `/apis/<group>`. KeyError when there is no such group."""
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, kinds.groups[group])}


def _group(group: str, versions: Iterable[GroupVersion]) -> Object:
    found = [{"groupVersion": each.name, "version": each.version} for each in versions]
    return {"name": group, "versions": found, "preferredVersion": dict(found[0])}


def api_resource_list(of: GroupVersion) -> Object:
    """Return the legacy document of `/api/v1` or `/apis/<group>/<version>`."""
    document: Object = {"kind": "APIResourceList"}
    if of.group:
        document["apiVersion"] = "v1"
    document["groupVersion"] = of.name
    document["resources"] = [entry for kind in of.kinds for entry in _entries(kind)]
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
    body = subresource.body or kind
    entry: Object = {"name": f"{kind.plural}/{subresource.name}", "singularName": "", "namespaced": kind.namespaced}
    if body.api_version != kind.api_version:
        entry |= {"group": body.group, "version": body.version}
    return {**entry, "kind": subresource.connects or body.name, "verbs": list(subresource.verbs)}


def storage_version_hash(kind: Kind) -> str:
    """Name the version that objects are stored in: the start of a hash of group, version and kind."""
    digest = sha256(f"{kind.group}/{kind.version}/{kind.name}".encode()).digest()
    return b64encode(digest[:8]).decode()
