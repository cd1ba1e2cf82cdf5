"""The four patches."""

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.api import strategic
from cluster_engine.api.kinds import CONFIG_MAP, DEPLOYMENT, NODE, POD
from cluster_engine.api.nesting import exceeds
from cluster_engine.api.patches import json_patch, merge_patch, strategic_patch, three_way
from cluster_engine.api.status import BadRequest, Refusal


def containers(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(items), **more}}


A, B = {"name": "a", "image": "1"}, {"name": "b", "image": "1"}


def test_a_json_patch_changes_by_path() -> None:
    obj = {"spec": {"replicas": 1}}
    patched = json_patch(obj, [{"op": "replace", "path": "/spec/replicas", "value": 2}])
    assert patched == {"spec": {"replicas": 2}}
    assert obj == {"spec": {"replicas": 1}}


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "test", "path": "/a", "value": 2}],
        [{"op": "remove", "path": "/nowhere"}],
        [{"op": "explode", "path": "/a"}],
        [{"op": "add"}],
        ["nonsense"],
        [{"op": "replace", "path": "", "value": 1}],
        [{"op": "add", "path": "a", "value": 1}],
        [{"op": "add", "path": 1, "value": 1}],
        [None],
    ],
)
def test_a_json_patch_that_does_not_apply_is_unprocessable(operations: Any) -> None:
    with pytest.raises(Refusal) as refused:
        json_patch({"a": 1}, operations)
    assert refused.value.code == 422
    assert refused.value.message == "the server rejected our request due to an error in our request"
    assert refused.value.status()["details"] == {}


def test_a_json_patch_is_a_list_and_not_too_long() -> None:
    with pytest.raises(BadRequest):
        json_patch({}, {})
    with pytest.raises(Refusal) as refused:
        json_patch({}, [{"op": "test", "path": ""}] * 10_001)
    assert refused.value.code == 413


@pytest.mark.parametrize(
    ("obj", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": "b"}, ["c"], ["c"]),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_follows_the_examples_of_rfc_7386(obj: Any, patch: Any, merged: Any) -> None:
    assert merge_patch(obj, patch) == merged


STRATEGIC = {
    "an item is merged by its key": (
        containers(A, B),
        containers({"name": "b", "image": "2"}),
        # what the patch names keeps the patch's order, what only the server has stays in front of it
        containers(A, {"name": "b", "image": "2"}),
    ),
    "a new item is added": (containers(A), containers(B), containers(B, A)),
    "an item is deleted": (containers(A, B), containers({"$patch": "delete", "name": "a"}), containers(B)),
    "a list is replaced": (containers(A, B), containers({"$patch": "replace"}, A), containers(A)),
    "an order is set": (
        containers(A, B),
        {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}},
        containers(B, A),
    ),
    "a list without a key is replaced": (
        {"spec": {"tolerations": [{"key": "a"}]}},
        {"spec": {"tolerations": [{"key": "b"}]}},
        {"spec": {"tolerations": [{"key": "b"}]}},
    ),
    "strings are joined": (
        {"metadata": {"finalizers": ["a"]}},
        {"metadata": {"finalizers": ["b", "a"]}},
        {"metadata": {"finalizers": ["b", "a"]}},
    ),
    "strings are taken out": (
        {"metadata": {"finalizers": ["a", "b"]}},
        {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}},
        {"metadata": {"finalizers": ["b"]}},
    ),
    "an object is replaced": (
        {"metadata": {"labels": {"a": "1"}}},
        {"metadata": {"labels": {"$patch": "replace", "b": "2"}}},
        {"metadata": {"labels": {"b": "2"}}},
    ),
    "an object is emptied": (
        {"metadata": {"labels": {"a": "1"}}},
        {"metadata": {"labels": {"$patch": "delete"}}},
        {"metadata": {"labels": {}}},
    ),
    "null deletes": ({"metadata": {"labels": {"a": "1", "b": "2"}}}, {"metadata": {"labels": {"a": None}}}, None),
    "keys are retained": (
        {"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}},
        {"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}]}},
        {"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/x"}}]}},
    ),
    "directives leave no trace where there was nothing": (
        {},
        {
            "spec": {
                "$setElementOrder/containers": [{"name": "a"}],
                "containers": [A, {"$patch": "delete", "name": "z"}],
            }
        },
        containers(A),
    ),
}


@pytest.mark.parametrize("name", STRATEGIC)
def test_in_a_strategic_patch(name: str) -> None:
    obj, patch, merged = STRATEGIC[name]
    before = copy.deepcopy((obj, patch))
    expected = {"metadata": {"labels": {"b": "2"}}} if merged is None else merged
    assert strategic_patch(POD, obj, patch) == expected
    assert (obj, patch) == before


@pytest.mark.parametrize(
    "patch",
    [
        [],
        containers({"image": "x"}),
        {"spec": {"$patch": "explode"}},
        {"spec": {"containers": ["x"]}},
        {"spec": {"$retainKeys": "x"}},
        {"spec": {"$retainKeys": ["a"], "nodeName": "x"}},
        {"spec": {"$setElementOrder/containers": "x", "containers": [A]}},
        containers({"$patch": "delete"}),
    ],
)
def test_a_strategic_patch_without_sense_is_a_bad_request(patch: Any) -> None:
    with pytest.raises(BadRequest):
        strategic_patch(POD, containers(A), patch)


@pytest.mark.parametrize("depth", [150, 199, 201, 250, 330, 2_000, 8_000])
def test_a_patch_nested_too_deep_is_a_bad_request(depth: int) -> None:
    deep: dict[str, Any] = {}
    for _ in range(depth - 1):
        deep = {"a": deep}
    for apply in (
        lambda: merge_patch({}, deep),
        lambda: strategic_patch(POD, {}, deep),
        lambda: json_patch({}, [{"op": "add", "path": "/a", "value": deep}]),
    ):
        if depth < 190:
            assert isinstance(apply(), dict)
        elif depth > 200:
            with pytest.raises(BadRequest, match="exceeded max depth"):
                apply()


def test_nesting_is_counted_in_objects_and_lists() -> None:
    assert [exceeds({"a": [1]}, depth) for depth in (0, 1, 2, 3)] == [True, True, False, False]
    assert not exceeds("text", 0)


def test_a_copy_is_weighed_before_it_is_made() -> None:
    obj = {"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "x" * 1000}}
    doubling = [{"op": "copy", "from": "/metadata", "path": f"/metadata/c{i}"} for i in range(40)]
    with pytest.raises(Refusal) as refused:
        json_patch(obj, doubling)
    assert refused.value.code == 422
    assert re.search(r"accumulated size increase of copy is \d{7}, exceeding the limit 3145728", refused.value.message)
    assert obj == {"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "x" * 1000}}
    copies = [{"op": "copy", "from": "/data/a", "path": f"/data/c{i}"} for i in range(3000)]
    assert len(json_patch(obj, copies)["data"]) == 3001


def test_copies_into_each_other_are_nested_no_deeper_than_anything_else() -> None:
    nested: dict[str, Any] = {}
    for _ in range(100):
        nested = {"a": nested}
    at_the_bottom = "/a" * 100 + "/x"
    with pytest.raises(BadRequest, match="exceeded max depth"):
        json_patch({"a": nested}, [{"op": "copy", "from": "/a", "path": at_the_bottom}] * 2)


def test_a_json_patch_may_be_applied_twice() -> None:
    operations = [{"op": "add", "path": "/a", "value": []}, {"op": "add", "path": "/a/-", "value": 1}]
    assert json_patch({}, operations) == json_patch({}, operations) == {"a": [1]}


def test_merging_long_lists_takes_time_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    key_of = strategic.key_of

    def counted(item: Any, merge_key: str) -> Any:
        nonlocal looked
        looked += 1
        return key_of(item, merge_key)

    monkeypatch.setattr(strategic, "key_of", counted)
    old = [{"name": f"c{i}", "image": "1"} for i in range(3000)]
    new = [{"name": f"c{i}", "image": "2"} for i in range(1500, 4500)]
    gone = [{"name": f"c{i}", "$patch": "delete"} for i in range(1500)]
    merged = strategic_patch(POD, containers(*old), containers(*gone, *new))["spec"]["containers"]
    assert {each["name"]: each["image"] for each in merged} == {f"c{i}": "2" for i in range(1500, 4500)}
    assert looked < 20 * 4500


def test_a_kubelet_changes_one_condition_and_leaves_the_others() -> None:
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    disk = {"type": "DiskPressure", "status": "False"}
    node = {"status": {"conditions": [disk, ready]}}
    patch = {
        "status": {
            "$setElementOrder/conditions": [{"type": "DiskPressure"}, {"type": "Ready"}],
            "conditions": [{"type": "Ready", "status": "False"}],
        }
    }
    assert strategic_patch(NODE, node, patch) == {
        "status": {"conditions": [disk, {"type": "Ready", "status": "False", "reason": "KubeletReady"}]}
    }


def deployment(image: str, **env: str) -> dict[str, Any]:
    container = {"name": "c", "image": image, "env": [{"name": key, "value": value} for key, value in env.items()]}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


def test_apply_sends_what_kubectl_sends() -> None:
    applied = deployment("nginx:1", A="1", B="2")
    modified = deployment("nginx:2", B="3")
    live = copy.deepcopy(applied)
    live["spec"]["replicas"] = 5
    live["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    patch = three_way(DEPLOYMENT, applied, modified, live)
    assert patch == {
        "spec": {
            "template": {
                "spec": {
                    "$setElementOrder/containers": [{"name": "c"}],
                    "containers": [
                        {
                            "name": "c",
                            "image": "nginx:2",
                            "$setElementOrder/env": [{"name": "B"}],
                            "env": [{"name": "B", "value": "3"}, {"$patch": "delete", "name": "A"}],
                        }
                    ],
                }
            }
        }
    }
    patched = strategic_patch(DEPLOYMENT, live, patch)
    assert patched["spec"]["replicas"] == 5
    assert patched["spec"]["template"]["spec"]["containers"][0] == {
        "name": "c",
        "image": "nginx:2",
        "env": [{"name": "B", "value": "3"}],
        "imagePullPolicy": "Always",
    }


def test_apply_has_nothing_to_say_when_all_is_there() -> None:
    live = deployment("nginx:1", A="1")
    assert three_way(DEPLOYMENT, live, live, {**live, "status": {"replicas": 1}}) == {}


def test_apply_retains_the_keys_of_a_strategy() -> None:
    live = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    modified = {"spec": {"strategy": {"type": "Recreate"}}}
    patch = three_way(DEPLOYMENT, None, modified, live)
    assert patch == {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic_patch(DEPLOYMENT, live, patch) == modified


def test_apply_removes_only_those_strings_that_it_gave() -> None:
    applied, modified = {"metadata": {"finalizers": ["a", "b"]}}, {"metadata": {"finalizers": ["b"]}}
    live = {"metadata": {"finalizers": ["a", "b", "c"]}}
    patch = three_way(CONFIG_MAP, applied, modified, live)
    assert strategic_patch(CONFIG_MAP, live, patch) == {"metadata": {"finalizers": ["b", "c"]}}


def test_apply_sends_an_order_when_only_the_order_differs() -> None:
    patch = three_way(POD, containers(A, B), containers(B, A), containers(A, B))
    assert patch == {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}
    assert strategic_patch(POD, containers(A, B), patch) == containers(B, A)


def test_apply_lets_a_volume_have_one_source_only() -> None:
    live = {"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}
    modified = {"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/x"}}]}}
    patch = three_way(POD, None, modified, live)
    assert patch["spec"]["volumes"] == [
        {"name": "v", "$retainKeys": ["hostPath", "name"], "hostPath": {"path": "/x"}},
    ]
    assert strategic_patch(POD, live, patch) == modified


NAMES = st.sampled_from(["a", "b", "c", "d"])
ITEMS = st.lists(st.tuples(NAMES, st.sampled_from(["1", "2"])), max_size=4, unique_by=lambda each: each[0]).map(
    lambda pairs: [{"name": name, "image": image} for name, image in pairs]
)
SPECS = st.fixed_dictionaries(
    {}, optional={"containers": ITEMS, "nodeSelector": st.dictionaries(NAMES, NAMES, max_size=3), "nodeName": NAMES}
)


@given(SPECS, SPECS, SPECS)
def test_after_apply_everything_is_as_it_was_to_be_applied(applied: Any, modified: Any, live: Any) -> None:
    patch = three_way(POD, {"spec": applied}, {"spec": modified}, {"spec": live})
    patched = strategic_patch(POD, {"spec": live}, patch)["spec"]
    assert patched.get("nodeName") == modified.get("nodeName", None if "nodeName" in applied else live.get("nodeName"))
    for key, value in modified.get("nodeSelector", {}).items():
        assert patched["nodeSelector"][key] == value
    names = [each["name"] for each in modified.get("containers", [])]
    found = [each for each in patched.get("containers", []) if each["name"] in names]
    assert found == modified.get("containers", [])
    gone = {each["name"] for each in applied.get("containers", [])} - set(names)
    if "containers" in modified:
        assert not gone & {each["name"] for each in patched.get("containers", [])}
    assert three_way(POD, {"spec": modified}, {"spec": modified}, {"spec": patched}) in ({}, _order_only(patched))


def _order_only(patched: dict[str, Any]) -> Any:
    """Allow what kubectl does too: an order is sent again while the server has items of its own."""

    class Anything:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, dict) and list(other.get("spec", {})) == ["$setElementOrder/containers"]

        __hash__ = None  # type: ignore[assignment]

    return Anything()
