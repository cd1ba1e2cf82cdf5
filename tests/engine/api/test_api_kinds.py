"""Sets of kinds, and the kinds of one API server while they change."""

import pytest
from widgets import WIDGET, widget

from cluster_engine.api import discovery, openapi
from cluster_engine.api.kind_set import precedence
from cluster_engine.api.kinds import BUILT_IN, CONFIG_MAP, DEPLOYMENT, Kinds
from cluster_engine.api.schema import Kind


def test_a_kind_that_is_added_is_found_and_one_that_is_dropped_is_not() -> None:
    kinds = Kinds()
    kinds.add(WIDGET)
    assert kinds.served.by_resource("toys.example", "v2alpha1", "widgets") is WIDGET
    assert kinds.served.by_kind("toys.example/v2alpha1", "Widget") is WIDGET
    kinds.drop(WIDGET)
    assert kinds.served.by_resource("toys.example", "v2alpha1", "widgets") is None
    assert "toys.example" not in kinds.served.groups


def test_what_one_server_adds_no_other_serves() -> None:
    one, other = Kinds(), Kinds()
    one.add(WIDGET)
    assert WIDGET in one.served
    assert WIDGET not in other.served
    assert other.served is BUILT_IN


def test_what_is_built_in_stays_and_no_place_is_taken_twice() -> None:
    kinds = Kinds()
    with pytest.raises(ValueError, match=r"configmaps is built in"):
        kinds.drop(CONFIG_MAP)
    with pytest.raises(ValueError, match=r"widgets.toys.example is not served"):
        kinds.drop(WIDGET)
    kinds.add(WIDGET)
    for taken in (widget(name="Gadget"), widget(plural="gadgets"), DEPLOYMENT):
        with pytest.raises(ValueError, match="the same resource or the same name"):
            kinds.add(taken)
    assert list(kinds.served) == [*BUILT_IN, WIDGET]


def test_listeners_hear_of_each_kind_after_it_has_come_or_gone_until_they_end_it() -> None:
    kinds = Kinds()
    heard: list[tuple[str, bool]] = []

    def note(kind: Kind) -> None:
        heard.append((kind.name, kind in kinds.served))

    end = kinds.on(add=note, drop=note)
    kinds.add(WIDGET)
    kinds.drop(WIDGET)
    end()
    kinds.add(WIDGET)
    assert heard == [("Widget", True), ("Widget", False)]


def test_a_set_of_one_kind_more_shares_the_documents_of_all_other_groups() -> None:
    more = BUILT_IN.with_kind(WIDGET)
    assert more.groups["apps"][0] is BUILT_IN.groups["apps"][0]
    assert openapi.encoded_v3(more.groups["apps"][0]) is openapi.encoded_v3(BUILT_IN.groups["apps"][0])
    paths, known = openapi.v3_index(more)["paths"], openapi.v3_index(BUILT_IN)["paths"]
    assert set(paths) - set(known) == {"apis/toys.example/v2alpha1"}
    assert all(paths[name] == known[name] for name in known)


def test_versions_of_a_group_are_offered_best_first() -> None:
    versions = ("v1alpha1", "v10", "foo1", "v2", "v1beta2", "v1", "v11alpha2", "v2beta1")
    assert sorted(versions, key=precedence) == [
        *("v10", "v2", "v1", "v2beta1", "v1beta2", "v11alpha2", "v1alpha1", "foo1"),
    ]
    kinds = BUILT_IN.with_kind(WIDGET).with_kind(widget(version="v1")).with_kind(widget(version="v3beta1"))
    group = discovery.api_group(kinds, "toys.example")
    assert [each["version"] for each in group["versions"]] == ["v1", "v3beta1", "v2alpha1"]
    assert group["preferredVersion"] == {"groupVersion": "toys.example/v1", "version": "v1"}
    assert discovery.api_group_list(kinds)["groups"][-1].items() <= group.items()


def test_kinds_of_foreign_groups_lie_below_their_group_in_etcd() -> None:
    assert WIDGET.storage_prefix == "toys.example/widgets"
    assert DEPLOYMENT.storage_prefix == "deployments"
