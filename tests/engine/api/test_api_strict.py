"""Strict decoding."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.api.kinds import BUILT_IN, CONFIG_MAP, DEPLOYMENT, LEASE, NODE, POD, ROLE, SECRET
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import BadRequest
from cluster_engine.api.strict import check, duplicate_fields, strict_error


def refusal(kind: Kind, obj: Any) -> str:
    with pytest.raises(BadRequest) as refused:
        check(kind, obj)
    return refused.value.message


def test_unknown_fields_are_named_with_their_paths_and_left_out() -> None:
    problems, cleaned = check(POD, {"zz": 1, "spec": {"containers": [{"name": "c", "foo": {"bar": 1}}], "x": 2}})
    assert problems == ['unknown field "zz"', 'unknown field "spec.containers[0].foo"', 'unknown field "spec.x"']
    assert cleaned == {"spec": {"containers": [{"name": "c"}]}}
    assert strict_error(POD, problems[:2]).message == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "zz", '
        'unknown field "spec.containers[0].foo"'
    )


@pytest.mark.parametrize(
    ("kind", "obj", "why"),
    [
        (
            DEPLOYMENT,
            {"spec": {"replicas": "x"}},
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            DEPLOYMENT,
            {"spec": {"template": {"spec": {"containers": [{"ports": [{"containerPort": "a"}]}]}}}},
            "json: cannot unmarshal string into Go struct field "
            "ContainerPort.spec.template.spec.containers.ports.containerPort of type int32",
        ),
        (
            DEPLOYMENT,
            {"spec": {"replicas": 1.5}},
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            DEPLOYMENT,
            {"spec": {"replicas": 2**31}},
            "json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (POD, [], "json: cannot unmarshal array into Go value of type v1.Pod"),
        (POD, {"spec": 1}, "json: cannot unmarshal number into Go struct field Pod.spec of type v1.PodSpec"),
        (
            POD,
            {"spec": {"containers": {}}},
            "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
        ),
        (
            POD,
            {"spec": {"hostNetwork": "yes"}},
            "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool",
        ),
        (
            POD,
            {"metadata": {"labels": {"a": 1}}},
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            POD,
            {"metadata": {"labels": {"a": None, "b": {}}}},
            "json: cannot unmarshal object into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            ROLE,
            {"rules": [{"verbs": "get"}]},
            "json: cannot unmarshal string into Go struct field PolicyRule.rules.verbs of type []string",
        ),
        (
            NODE,
            {"status": {"capacity": {"cpu": "many"}}},
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (SECRET, {"data": {"a": "!"}}, "illegal base64 data at input byte 0"),
        (
            POD,
            {"metadata": {"creationTimestamp": "now"}},
            'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"',
        ),
    ],
)
def test_a_wrong_type_is_refused_in_the_go_decoders_words(kind: Kind, obj: Any, why: str) -> None:
    assert refusal(kind, obj) == f'{kind.name} in version "v1" cannot be handled as a {kind.name}: {why}'


def test_empty_values_vanish_unless_they_mean_something() -> None:
    given_ = {
        "metadata": {"name": "a", "labels": {}, "generation": 0, "annotations": None},
        "spec": {"replicas": 0, "paused": False, "minReadySeconds": 0, "template": {"spec": {"nodeName": ""}}},
    }
    assert check(DEPLOYMENT, given_) == (
        [],
        {"metadata": {"name": "a"}, "spec": {"replicas": 0, "template": {"spec": {}}}},
    )


def test_two_spellings_of_an_object_become_one() -> None:
    spelt = {"status": {"capacity": {"cpu": 2, "memory": "1024Mi"}}}
    assert check(NODE, spelt)[1] == {"status": {"capacity": {"cpu": "2", "memory": "1Gi"}}}
    lease = {"spec": {"renewTime": "2026-01-01T01:00:00.5+01:00"}}
    assert check(LEASE, lease)[1] == {"spec": {"renewTime": "2026-01-01T00:00:00.500000Z"}}


def test_fields_given_twice_are_found_in_the_text() -> None:
    body = (
        b'{"spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "a", "name": "b"}]}}, "replicas": 2}}'
    )
    assert duplicate_fields(body) == [
        'duplicate field "spec.template.spec.containers[0].name"',
        'duplicate field "spec.replicas"',
    ]
    assert duplicate_fields(b'{"a": {"b": 1}, "b": 1}') == []
    many = ", ".join(f'"{at}": 1' for at in range(5000))
    assert len(duplicate_fields(f"{{{many}, {many}}}")) == 100


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["metadata", "spec", "status", "containers", "name", "data", "labels", "rules", "ports"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(BUILT_IN.stored), JSON_VALUES)
def test_any_json_is_cleaned_once_and_for_all_or_refused(kind: Kind, value: Any) -> None:
    try:
        _, cleaned = check(kind, value)
    except BadRequest:
        return
    assert check(kind, cleaned) == ([], cleaned)


def test_a_config_maps_keys_are_free() -> None:
    assert check(CONFIG_MAP, {"data": {"anything.at-all": ""}}) == ([], {"data": {"anything.at-all": ""}})
