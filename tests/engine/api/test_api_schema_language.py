"""What a schema can say: floats, lists of lists, maps of messages, what is kept unknown, fields without a number."""

import struct
from typing import Any

import pytest
from widgets import widget

from cluster_engine.api import openapi, openapi_v2, protobuf
from cluster_engine.api.causes import invalid
from cluster_engine.api.defaulting import default
from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.schema import ANY, FLOAT64, INT32, STRING, Field, Kind, ListOf, MapOf, message
from cluster_engine.api.schemas.meta import object_message
from cluster_engine.api.status import BadRequest
from cluster_engine.api.strict import check
from cluster_engine.api.validation import validate
from cluster_engine.rpc import openapi_v2_pb2 as pb


def no_odd_size(obj: dict[str, Any], path: str, causes: list[Any]) -> None:
    if obj.get("size", 0) % 2:
        causes.append(invalid(f"{path}.size", obj["size"], "must be even"))


PART = message(
    "example.Part",
    "Part is a part.",
    Field(1, "size", INT32, "Its size.", default=2),
    Field(0, "note", STRING, "What JSON alone says of it."),
    rules=no_odd_size,
)
FREE = message("example.Free", "Free is what it is.", Field(1, "known", INT32, "A number."), preserve_unknown=True)
SPEC = message(
    "example.Spec",
    "Spec is what there can be.",
    Field(1, "ratio", FLOAT64, "A number."),
    Field(0, "grid", ListOf(ListOf(PART)), "Rows of parts."),
    Field(0, "names", ListOf(ListOf(STRING)), "Rows of names."),
    Field(3, "byName", MapOf(PART), "Parts by their names."),
    Field(4, "free", FREE, "Something free."),
    Field(0, "example", ANY, "Anything."),
)
KIND: Kind = widget(
    schema=object_message("example.Widget", "Widget is a toy.", Field(2, "spec", SPEC, "What it is.", always=True))
)


def cleaned(**spec: Any) -> tuple[list[str], dict[str, Any]]:
    problems, obj = check(KIND, {"metadata": {"name": "w", "namespace": "x"}, "spec": spec})
    default(KIND, obj)
    return problems, obj["spec"]


def refusal(**spec: Any) -> str:
    with pytest.raises(BadRequest) as refused:
        cleaned(**spec)
    return refused.value.message


def test_floats_are_kept_and_written_as_go_writes_them() -> None:
    assert cleaned(ratio=0.5)[1] == {"ratio": 0.5}
    (whole,) = cleaned(ratio=3.0)[1].values()
    assert repr(whole) == "3"
    assert cleaned(ratio=0)[1] == {}
    assert refusal(ratio="x").endswith(
        "json: cannot unmarshal string into Go struct field Spec.spec.ratio of type float64"
    )
    assert "cannot unmarshal bool" in refusal(ratio=True)


def test_lists_of_lists_are_checked_defaulted_and_validated_to_the_bottom() -> None:
    problems, spec = cleaned(grid=[[{}, {"size": 4, "zz": 1}], None], names=[["a"], []])
    assert problems == ['unknown field "spec.grid[0][1].zz"']
    assert spec == {"grid": [[{"size": 2}, {"size": 4}], []], "names": [["a"], []]}
    assert "Spec.spec.names of type string" in refusal(names=[["a", 1]])
    assert "Spec.spec.grid of type []v1.Part" in refusal(grid=[{}])
    assert causes(grid=[[{}], [{"size": 3}]]) == ["spec.grid[1][0].size: Invalid value: 3: must be even"]


def test_maps_of_messages_are_checked_defaulted_and_validated_by_their_keys() -> None:
    problems, spec = cleaned(byName={"a": {"zz": 1}, "b": {"size": 6}})
    assert problems == ['unknown field "spec.byName.a.zz"']
    assert spec == {"byName": {"a": {"size": 2}, "b": {"size": 6}}}
    assert causes(byName={"a": {"size": 5}}) == ["spec.byName[a].size: Invalid value: 5: must be even"]


def causes(**spec: Any) -> list[str]:
    obj = {"metadata": {"name": "w", "namespace": "x"}, "spec": cleaned(**spec)[1]}
    return [str(cause) for cause in validate(KIND, obj)]


def test_unknown_fields_are_kept_where_a_message_says_so_and_known_ones_checked_all_the_same() -> None:
    assert cleaned(free={"a": {"b": [1]}, "known": 1}) == ([], {"free": {"a": {"b": [1]}, "known": 1}})
    assert "Spec.free.known of type int32" in refusal(free={"known": "x"}).replace("Free.spec.", "Spec.")
    for value in (1, "x", [None], {"a": None}):
        assert cleaned(example=value)[1] == {"example": value}


def test_protobuf_reads_floats_and_maps_of_messages_and_skips_what_has_no_number() -> None:
    def framed(number: int, raw: bytes) -> bytes:
        return bytes([number << 3 | 2, len(raw)]) + raw

    spec = bytes([1 << 3 | 1]) + struct.pack("<d", 1.5) + framed(3, framed(1, b"a") + framed(2, bytes([1 << 3, 4])))
    type_meta = framed(1, KIND.api_version.encode()) + framed(2, KIND.name.encode())
    body = b"k8s\0" + framed(1, type_meta) + framed(2, framed(2, spec))
    kinds = BUILT_IN.with_kind(KIND)
    assert protobuf.decode(kinds, body)["spec"] == {"ratio": 1.5, "byName": {"a": {"size": 4}}}
    with pytest.raises(BadRequest, match='no kind "Widget" is registered'):
        protobuf.decode(BUILT_IN, body)
    with pytest.raises(BadRequest, match="unsupported value"):
        protobuf.decode(kinds, body.replace(struct.pack("<d", 1.5), struct.pack("<d", float("inf"))))


def test_openapi_says_all_of_it() -> None:
    kinds = BUILT_IN.with_kind(KIND)
    schemas = openapi.v3(kinds.groups["toys.example"][0])["components"]["schemas"]
    properties = schemas["example.Spec"]["properties"]
    assert (properties["ratio"]["type"], properties["ratio"]["format"]) == ("number", "double")
    assert properties["grid"]["items"]["items"]["allOf"] == [{"$ref": "#/components/schemas/example.Part"}]
    assert properties["byName"]["additionalProperties"]["allOf"] == [{"$ref": "#/components/schemas/example.Part"}]
    assert schemas["example.Free"]["x-kubernetes-preserve-unknown-fields"] is True
    assert properties["example"]["x-kubernetes-preserve-unknown-fields"] is True
    older = pb.Document()
    older.ParseFromString(openapi_v2.v2(kinds))
    assert "example.Part" in [each.name for each in older.definitions.additional_properties]
