"""What holds for every description of a kind."""

from collections.abc import Iterator

import pytest

from cluster_engine.api import kinds
from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.schema import Inline, Kind, ListOf, MapOf, Message, Type, field_path


def messages() -> list[Message]:
    found: dict[str, Message] = {}

    def walk(message: Message) -> None:
        if found.get(message.name) is message:
            return
        assert message.name not in found, f"{message.name} is described twice"
        found[message.name] = message
        for each in message.own:
            for below in [each.message] if isinstance(each, Inline) else list(_below(each.type)):
                walk(below)

    for kind in BUILT_IN:
        walk(kind.schema)
    return list(found.values())


def _below(type_: Type) -> Iterator[Message]:
    if isinstance(type_, Message):
        yield type_
    elif isinstance(type_, ListOf):
        yield from _below(type_.item)
    elif isinstance(type_, MapOf):
        yield from _below(type_.value)


@pytest.mark.parametrize("message", messages(), ids=lambda each: each.go_name)
def test_a_message_has_each_name_and_each_number_once(message: Message) -> None:
    names = [each.name for each in message.fields]
    numbers = [each.number for each in message.own if each.number]
    assert len(set(names)) == len(names)
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("message", messages(), ids=lambda each: each.go_name)
def test_every_field_is_documented_in_a_sentence(message: Message) -> None:
    for each in message.fields:
        assert each.doc.endswith((".", "…")), each.name


@pytest.mark.parametrize("message", messages(), ids=lambda each: each.go_name)
def test_merge_keys_are_fields_of_the_items(message: Message) -> None:
    for each in message.fields:
        for key in filter(None, (each.merge_key, *each.list_keys)):
            assert isinstance(each.type, ListOf), each.name
            assert isinstance(each.type.item, Message), each.name
            assert key in each.type.item.by_name, each.name


def test_some_numbers_are_those_of_the_real_thing() -> None:
    pod_spec = kinds.POD.schema.by_name["spec"].type
    assert isinstance(pod_spec, Message)
    assert {name: pod_spec.by_name[name].number for name in ("containers", "nodeName", "tolerations", "os")} == {
        "containers": 2,
        "nodeName": 10,
        "tolerations": 22,
        "os": 36,
    }
    assert kinds.DEPLOYMENT.schema.by_name["status"].number == 3


@pytest.mark.parametrize("kind", list(BUILT_IN), ids=lambda each: each.name)
def test_a_kind_is_found_by_its_resource_and_by_its_name(kind: Kind) -> None:
    assert BUILT_IN.by_kind(kind.api_version, kind.name) is kind
    if kind.verbs:
        assert BUILT_IN.by_resource(kind.group, kind.version, kind.plural) is kind


def test_delete_options_exist_in_every_group() -> None:
    assert BUILT_IN.by_kind("apps/v1", "DeleteOptions") is kinds.DELETE_OPTIONS
    assert BUILT_IN.by_kind("apps/v1", "Pod") is None
    assert BUILT_IN.by_resource("", "v1", "widgets") is None


@pytest.mark.parametrize("kind", BUILT_IN.stored, ids=lambda each: each.name)
def test_a_stored_kind_has_columns_and_one_of_them_is_the_name(kind: Kind) -> None:
    assert [each.name for each in kind.columns if each.format == "name"] == ["Name"]
    assert kind.has_status == any(each.name == "status" for each in kind.subresources)


def test_paths_are_those_of_the_real_thing() -> None:
    assert kinds.POD.path() == "/api/v1/pods"
    assert kinds.POD.path("default", "web-0", "log") == "/api/v1/namespaces/default/pods/web-0/log"
    assert kinds.NODE.path("ignored", "worker-1") == "/api/v1/nodes/worker-1"
    assert kinds.NAMESPACE.path(name="default") == "/api/v1/namespaces/default"
    assert kinds.DEPLOYMENT.path("default") == "/apis/apps/v1/namespaces/default/deployments"


def test_a_field_path_reads_text_and_booleans_and_survives_what_is_missing() -> None:
    get = field_path("spec.unschedulable")
    assert get({"spec": {"unschedulable": True}}) == "true"
    assert get({"spec": {}}) == ""
    assert get({}) == ""
