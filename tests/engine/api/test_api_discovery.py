"""Discovery: two forms of one truth."""

from cluster_engine.api import discovery
from cluster_engine.api.kinds import DEPLOYMENT, KINDS, POD


def test_every_kind_with_a_path_is_served_in_a_known_group() -> None:
    served = {kind.name for group in ("", *discovery.GROUPS) for kind in discovery.resources(group)}
    assert served == {kind.name for kind in KINDS if kind.verbs}


def test_storage_version_hashes_are_those_of_real_clusters() -> None:
    assert discovery.storage_version_hash(POD) == "xPOwRZ+Yhw8="
    assert discovery.storage_version_hash(DEPLOYMENT) == "8aSe+NMegvE="


def test_both_forms_name_the_same_resources_and_verbs() -> None:
    aggregated = {}
    for item in discovery.aggregated_core()["items"] + discovery.aggregated_groups()["items"]:
        for resource in item["versions"][0]["resources"]:
            group = item["metadata"].get("name", "")
            aggregated[group, resource["resource"]] = resource["verbs"]
            for below in resource.get("subresources", ()):
                aggregated[group, f"{resource['resource']}/{below['subresource']}"] = below["verbs"]
    legacy = {
        (group, entry["name"]): entry["verbs"]
        for group in ("", *discovery.GROUPS)
        for entry in discovery.api_resource_list(f"{group}/v1" if group else "v1")["resources"]
    }
    assert aggregated == legacy


def test_an_entry_is_as_kubectl_reads_it() -> None:
    entries = {each["name"]: each for each in discovery.api_resource_list("apps/v1")["resources"]}
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


def test_groups_have_one_version() -> None:
    assert discovery.api_versions()["versions"] == ["v1"]
    group = discovery.api_group("apps")
    assert group["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    assert [each["name"] for each in discovery.api_group_list()["groups"]] == list(discovery.GROUPS)
