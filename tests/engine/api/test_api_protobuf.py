"""Protobuf bodies, as kubectl 1.32.5 really sent them (recorded from it) and as nobody sends them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.api import protobuf
from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.protobuf import MAGIC
from cluster_engine.api.status import BadRequest, Refusal, UnsupportedMediaType

# kubectl create deployment web --image=nginx --replicas=3 --port=80
DEPLOYMENT = bytes.fromhex(
    "6b3873000a150a07617070732f7631120a4465706c6f796d656e7412b8010a1f0a0377656212001a0022002a003200380042005a0a0a0361707012"
    "037765621286010803120c0a0a0a0361707012037765621a6c0a1c0a0012001a0022002a003200380042005a0a0a036170701203776562124c122e"
    "0a056e67696e7812056e67696e782a00320a0a001000185022002a0042006a007200800100880100900100a201001a00320042004a005200580060"
    "0068008201008a01009a0100c2010022020a00280038001a0c0800100018002000280038001a002200"
)
# kubectl create secret generic s --from-literal=p=x
SECRET = bytes.fromhex(
    "6b3873000a0c0a0276311206536563726574121d0a110a017312001a0022002a0032003800420012060a01701201781a001a002200"
)
# kubectl auth can-i get pods/log --namespace x
ACCESS_REVIEW = bytes.fromhex(
    "6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a656374416363657373526576696577"
    "12390a100a0012001a0022002a00320038004200121b0a190a017812036765741a0022002a04706f647332003a036c6f671a0808001200"
    "1a0020001a002200"
)
# kubectl create role r --verb=get --resource=pods
ROLE = bytes.fromhex(
    "6b3873000a240a1c726261632e617574686f72697a6174696f6e2e6b38732e696f2f76311204526f6c6512220a110a017212001a0022002a00"
    "320038004200120d0a0367657412001a04706f64731a002200"
)


def decode(bytes_: bytes) -> Any:
    return protobuf.decode(BUILT_IN, bytes_)


def test_a_deployment_is_what_its_json_would_be() -> None:
    labels = {"app": "web"}
    container = {"name": "nginx", "image": "nginx", "ports": [{"containerPort": 80}], "resources": {}}
    assert decode(DEPLOYMENT) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": labels},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            "strategy": {},
        },
        "status": {},
    }


def test_bytes_become_base64() -> None:
    assert decode(SECRET)["data"] == {"p": "eA=="}


def test_empty_strings_that_mean_something_stay() -> None:
    assert decode(ROLE)["rules"] == [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]


def test_empty_strings_that_mean_nothing_go() -> None:
    assert decode(ACCESS_REVIEW)["spec"] == {
        "resourceAttributes": {"namespace": "x", "verb": "get", "resource": "pods", "name": "log"}
    }


def field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


def body(kind: bytes, raw: bytes, api_version: bytes = b"v1", more: bytes = b"") -> bytes:
    return MAGIC + field(1, field(1, api_version) + field(2, kind)) + field(2, raw) + more


def test_inlined_messages_times_and_numbers_or_names_are_read() -> None:
    volume = field(1, b"v") + field(2, field(19, field(1, field(1, b"c"))).replace(b"\x9a", b"\x9a\x01", 1))
    port = field(2, b"\x08\x01" + b"\x10\x00" + field(3, b"http"))
    probe = field(1, field(2, port))
    container = field(1, b"c") + field(10, probe)
    metadata = field(1, b"p") + field(8, b"\x08\x80\xf2\xd6\xca\x06")
    pod = field(1, metadata) + field(2, field(1, volume) + field(2, container))
    assert decode(body(b"Pod", pod)) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {
            "volumes": [{"name": "v", "configMap": {"name": "c"}}],
            "containers": [{"name": "c", "livenessProbe": {"httpGet": {"port": "http"}}}],
        },
    }


def test_a_negative_number_is_negative() -> None:
    options = b"\x08" + b"\xff" * 9 + b"\x01"
    assert decode(body(b"DeleteOptions", options))["gracePeriodSeconds"] == -1


def test_an_unknown_field_is_skipped() -> None:
    assert decode(body(b"ConfigMap", field(1, field(1, b"c")) + field(15, b"new")))["metadata"] == {"name": "c"}


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{}",
        MAGIC,
        body(b"Widget", b""),
        body(b"Pod", b"\x0a\xff"),
        body(b"Pod", b"\x0f"),
        body(b"Pod", b"\x08\x01"),
        body(b"ConfigMap", field(2, field(1, b"\xff"))),
        body(b"Pod", b"\xff" * 11),
    ],
)
def test_what_is_no_object_is_a_bad_request(bad: bytes) -> None:
    with pytest.raises(BadRequest):
        decode(bad)


def test_a_packed_body_is_not_supported() -> None:
    with pytest.raises(UnsupportedMediaType):
        decode(body(b"Pod", b"", more=field(3, b"gzip")))


@given(st.sampled_from([DEPLOYMENT, SECRET, ROLE]), st.integers(min_value=4), st.integers(0, 255))
def test_a_damaged_body_is_an_object_or_a_refusal(recorded: bytes, where: int, byte: int) -> None:
    damaged = bytearray(recorded)
    damaged[4 + where % (len(recorded) - 4)] = byte
    try:
        decode(bytes(damaged))
    except Refusal as refusal:
        assert refusal.code in (400, 415)
