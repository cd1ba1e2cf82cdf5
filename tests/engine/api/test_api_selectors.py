"""Label and field selectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.api.kinds import CONFIG_MAP, EVENT, NODE, POD
from cluster_engine.api.selectors import label_selector_from_object, parse_field, parse_label
from cluster_engine.api.status import BadRequest

WEB = {"app": "web", "tier": "front", "size": "3"}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app = web , tier=front", True),
        ("app=db", False),
        ("app!=db", True),
        ("missing!=x", True),
        ("missing=x", False),
        ("app in (web, db)", True),
        ("app in (db)", False),
        ("app notin (db)", True),
        ("missing notin (db)", True),
        ("app", True),
        ("missing", False),
        ("!missing", True),
        ("!app", False),
        ("size>2", True),
        ("size<2", False),
        ("size gt 2", True),
        ("app>2", False),
        ("app=", False),
        ("missing=", False),
        ("kubernetes.io/x!=y,app=web", True),
    ],
)
def test_a_label_selector_selects(text: str, selected: bool) -> None:
    assert parse_label(text).matches(WEB) is selected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a=b,", "found '', expected: identifier after ','"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a>b", "unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer"),
    ],
)
def test_a_bad_label_selector_is_refused_in_the_parsers_words(text: str, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_label(text)
    assert refused.value.message == message


@given(st.text(alphabet="ab=!,()<> in/", max_size=12))
def test_any_text_is_a_label_selector_or_a_bad_request(text: str) -> None:
    try:
        selector = parse_label(text)
    except BadRequest:
        return
    assert str(parse_label(str(selector))) == str(selector)


def test_a_selector_object_without_requirements_selects_everything_and_none_nothing() -> None:
    assert label_selector_from_object({}).matches(WEB)
    assert not label_selector_from_object(None).matches(WEB)
    assert label_selector_from_object(None).everything is False


def test_a_selector_object_joins_its_requirements() -> None:
    selector = label_selector_from_object(
        {
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["front", "back"]},
                {"key": "gone", "operator": "DoesNotExist"},
            ],
        }
    )
    assert selector.matches(WEB)
    assert not selector.matches({**WEB, "gone": ""})
    assert str(selector) == "app=web,!gone,tier in (back,front)"
    with pytest.raises(BadRequest):
        label_selector_from_object({"matchExpressions": [{"key": "a", "operator": "Like"}]})


def test_field_selectors_know_the_fields_of_their_kind() -> None:
    pod = {"metadata": {"name": "a", "namespace": "n"}, "spec": {"nodeName": "w"}, "status": {"phase": "Running"}}
    assert parse_field(POD, "spec.nodeName=w,status.phase!=Failed").matches(pod)
    assert not parse_field(POD, "spec.nodeName=").matches(pod)
    assert parse_field(POD, "spec.hostNetwork=false").matches(pod)
    assert parse_field(POD, "metadata.name=a").exact("metadata.name") == "a"
    assert parse_field(POD, "metadata.name!=a").exact("metadata.name") is None
    assert parse_field(NODE, "spec.unschedulable=true").matches({"spec": {"unschedulable": True}})
    assert parse_field(EVENT, "involvedObject.name=a,source=kubelet").matches(
        {"involvedObject": {"name": "a"}, "source": {"component": "kubelet"}}
    )


def test_an_escaped_comma_belongs_to_the_value() -> None:
    assert parse_field(CONFIG_MAP, r"metadata.name=a\,b").matches({"metadata": {"name": "a,b"}})


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (POD, "spec.foo=1", "field label not supported: spec.foo"),
        (
            CONFIG_MAP,
            "data.x=1",
            '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        (POD, "nonsense", "invalid selector: 'nonsense'; can't understand 'nonsense'"),
    ],
)
def test_a_bad_field_selector_is_a_bad_request(kind, text, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadRequest) as refused:
        parse_field(kind, text)
    assert refused.value.message == message
