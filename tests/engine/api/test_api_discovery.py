"""Discovery: two forms of one truth."""

from cluster_engine.api import discovery
from cluster_engine.api.kinds import BUILT_IN, DEPLOYMENT, POD


def test_every_kind_with_a_path_is_served_in_its_group() -> None:
    served = {kind.name for each in BUILT_IN.group_versions for kind in each.kinds}
    assert served == {kind.name for kind in BUILT_IN if kind.verbs}


def test_groups_are_offered_in_the_order_of_the_real_server() -> None:
    assert [each["name"] for each in discovery.api_group_list(BUILT_IN)["groups"]] == [
        "apps",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "networking.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "scheduling.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
    ]


def test_storage_version_hashes_are_those_of_real_clusters() -> None:
    assert discovery.storage_version_hash(POD) == "xPOwRZ+Yhw8="
    assert discovery.storage_version_hash(DEPLOYMENT) == "8aSe+NMegvE="


def test_both_forms_name_the_same_resources_and_verbs() -> None:
    aggregated = {}
    for item in discovery.aggregated_core(BUILT_IN)["items"] + discovery.aggregated_groups(BUILT_IN)["items"]:
        for version, resource in [(each["version"], one) for each in item["versions"] for one in each["resources"]]:
            group = item["metadata"].get("name", "")
            aggregated[group, version, resource["resource"]] = resource["verbs"]
            for below in resource.get("subresources", ()):
                aggregated[group, version, f"{resource['resource']}/{below['subresource']}"] = below["verbs"]
    legacy = {
        (of.group, of.version, entry["name"]): entry["verbs"]
        for of in BUILT_IN.group_versions
        for entry in discovery.api_resource_list(of)["resources"]
    }
    assert aggregated == legacy


def test_an_entry_is_as_kubectl_reads_it() -> None:
    entries = {each["name"]: each for each in discovery.api_resource_list(BUILT_IN.groups["apps"][0])["resources"]}
    assert entries["deployments"] == {
        "name": "deployments",
        "singularName": "deployment",
        "namespaced": True,
        "kind": "Deployment",
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        "shortNames": ["deploy"],
        "categories": ["all"],
        "storageVersionHash": "8aSe+NMegvE=",
    }
    assert entries["deployments/scale"] == {
        "name": "deployments/scale",
        "singularName": "",
        "namespaced": True,
        "group": "autoscaling",
        "version": "v1",
        "kind": "Scale",
        "verbs": ["get", "patch", "update"],
    }


def test_built_in_groups_have_one_version() -> None:
    assert discovery.api_versions(BUILT_IN)["versions"] == ["v1"]
    group = discovery.api_group(BUILT_IN, "apps")
    assert group["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
