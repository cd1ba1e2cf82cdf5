"""OpenAPI 3 and 2, by what kubectl looks for in them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from cluster_engine.api import openapi, openapi_v2
from cluster_engine.api.kind_set import GroupVersion
from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.patches import patch_types
from cluster_engine.api.schema import Kind
from cluster_engine.rpc import openapi_v2_pb2 as pb

GVK = "x-kubernetes-group-version-kind"


def document(kind: Kind) -> dict[str, Any]:
    of = BUILT_IN.group_version(kind.group, kind.version)
    assert of is not None
    return openapi.v3(of)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


@pytest.mark.parametrize("of", BUILT_IN.group_versions, ids=lambda each: each.name)
def test_every_reference_leads_to_a_schema(of: GroupVersion) -> None:
    made = openapi.v3(of)
    assert set(references(made)) <= set(made["components"]["schemas"])


@pytest.mark.parametrize("kind", BUILT_IN.stored, ids=lambda each: each.name)
def test_a_kind_can_be_patched_strategically_and_is_validated_by_the_server(kind: Kind) -> None:
    path = kind.template("{name}")
    patch = document(kind)["paths"][path]["patch"]
    assert patch[GVK] == {"group": kind.group, "version": kind.version, "kind": kind.name}
    assert "fieldValidation" in [each["name"] for each in patch["parameters"] if each["in"] == "query"]
    assert tuple(patch["requestBody"]["content"]) == patch_types(kind), "what is not taken is not offered"


@pytest.mark.parametrize("kind", BUILT_IN.stored, ids=lambda each: each.name)
def test_a_kinds_schema_is_found_by_group_version_and_kind(kind: Kind) -> None:
    wanted = {"group": kind.group, "version": kind.version, "kind": kind.name}
    schemas = document(kind)["components"]["schemas"]
    assert [name for name, schema in schemas.items() if wanted in schema.get(GVK, ())] == [kind.schema.name]


def test_lists_say_how_they_are_merged() -> None:
    properties = openapi.v3(BUILT_IN.groups["apps"][0])["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"][
        "properties"
    ]
    assert properties["containers"]["x-kubernetes-patch-merge-key"] == "name"
    assert properties["containers"]["x-kubernetes-patch-strategy"] == "merge"
    assert properties["volumes"]["x-kubernetes-patch-strategy"] == "merge,retainKeys"
    assert "x-kubernetes-patch-strategy" not in properties["tolerations"]


def test_the_index_names_each_document_by_the_hash_of_its_content() -> None:
    paths = openapi.v3_index(BUILT_IN)["paths"]
    assert set(paths) == {openapi.document_name(each) for each in BUILT_IN.group_versions}
    for name, entry in paths.items():
        assert re.fullmatch(rf"/openapi/v3/{re.escape(name)}\?hash=[0-9A-F]{{128}}", entry["serverRelativeURL"])
    assert len({entry["serverRelativeURL"].partition("=")[2] for entry in paths.values()}) == len(paths)


@pytest.fixture(scope="module")
def v2() -> pb.Document:
    made = pb.Document()
    made.ParseFromString(openapi_v2.v2(BUILT_IN))
    return made


def test_version_2_defines_every_stored_kind(v2: pb.Document) -> None:
    found = []
    for each in v2.definitions.additional_properties:
        for extension in each.value.vendor_extension:
            assert extension.name == GVK
            found += [(gvk["group"], gvk["kind"]) for gvk in json.loads(extension.value.yaml)]
    assert {(kind.group, kind.name) for kind in BUILT_IN.stored} <= set(found)


def test_version_2_has_no_reference_to_nowhere_and_no_typed_object_with_properties(v2: pb.Document) -> None:
    names = {each.name for each in v2.definitions.additional_properties}
    for definition in v2.definitions.additional_properties:
        if definition.value.properties.additional_properties:
            assert not definition.value.type.value
        for each in definition.value.properties.additional_properties:
            reference = each.value._ref or (each.value.items.schema[0]._ref if each.value.items.schema else "")
            assert not reference or reference.removeprefix("#/definitions/") in names


def test_version_2_lets_kubectl_leave_validation_to_the_server(v2: pb.Document) -> None:
    patches = {path.name: path.value.patch for path in v2.paths.path}
    patch = patches["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]
    queries = [each.parameter.non_body_parameter.query_parameter_sub_schema.name for each in patch.parameters]
    assert {"fieldValidation", "dryRun"} <= set(queries)
    assert "application/strategic-merge-patch+json" in patch.consumes


def test_version_2_keeps_merge_keys(v2: pb.Document) -> None:
    definitions = {each.name: each.value for each in v2.definitions.additional_properties}
    properties = definitions["io.k8s.api.core.v1.PodSpec"].properties.additional_properties
    containers = next(each.value for each in properties if each.name == "containers")
    extensions = {each.name: json.loads(each.value.yaml) for each in containers.vendor_extension}
    assert extensions["x-kubernetes-patch-merge-key"] == "name"
    assert containers.items.schema[0]._ref == "#/definitions/io.k8s.api.core.v1.Container"
