"""What entries say and what they are, in every language; `cases.json` holds the page's renderer to the same."""

import json
from pathlib import Path

import pytest

from cluster_engine.words.languages import document
from cluster_engine.words.sentences import KINDS, _patterns, explanation, sentence

ROOT = Path(__file__).resolve().parents[3]
CASES = json.loads((Path(__file__).parent / "cases.json").read_text("utf-8"))


def entry(kind: str, **fields) -> dict:
    return {
        "kind": kind,
        "from": "worker-1/kubelet",
        "to": "control-plane/kube-apiserver",
        "label": "it",
        "fields": fields,
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']} {case['label']}")
def test_an_entry_says_in_every_language_what_is_written_down(case):
    assert {"en", "de"} <= set(case["says"])
    assert {language: sentence(case, language) for language in case["says"]} == case["says"]


def test_every_pattern_of_a_sentence_is_used_by_a_case():
    texts = document("en")
    used = {pattern for case in CASES for pattern in _patterns("say", case, "en")}
    general = {"say.participant", "say.message", "say.note"}
    assert [key for key in texts if key.startswith("say.") and key not in general and texts[key] not in used] == []


def test_what_is_not_there_is_left_out_or_leads_to_a_plainer_pattern():
    assert sentence(entry("h2.rst_stream", error="")).endswith("one exchange with kube-apiserver")
    assert sentence(entry("grpc.request", method="PullImage")) == "worker-1's kubelet calls it of kube-apiserver"


def test_what_was_captured_is_never_taken_for_a_place_or_a_bracket():
    refused = entry("http.response", failed=True, message="{from} [x]")
    assert sentence(refused).endswith("it, {from} [x]")


@pytest.mark.parametrize("value", [{"a": 1}, [{"a": 1}], [], "", None, False])
def test_documents_and_absent_values_fill_no_place(value):
    assert sentence(entry("h2.rst_stream", error=value)).endswith("with kube-apiserver")


def test_numbers_and_lists_are_said_as_the_browser_says_them():
    said = [
        sentence(entry("h2.rst_stream", error=value)).rpartition(": ")[2] for value in (1.0, 0.5, 0, True, ["a", 2])
    ]
    assert said == ["1", "0.5", "0", "true", "a, 2"]


def test_only_the_reading_of_an_object_is_explained_as_that():
    get = {"verb": "get", "method": "GET"}
    explained = [
        explanation(entry("http.request", **get, **more), "en")
        for more in ({"resource": "pods", "name": "a"}, {"resource": "pods", "name": "a", "subresource": "exec"}, {})
    ]
    assert [text.split(" ")[0] for text in explained] == ["GET", "What", "A"]


def test_an_entry_is_explained_by_its_kind_in_its_variant_where_there_is_one():
    assert explanation(entry("watch.event", type="BOOKMARK")).startswith("A BOOKMARK carries")
    assert explanation(entry("watch.event", type="OTHER")).startswith("One change")
    assert explanation(entry("watch.event", type="BOOKMARK"), "de").startswith("Ein BOOKMARK")
    assert explanation(entry("scheduler.scores")) == ""


def test_the_page_s_tests_call_objects_what_the_server_calls_them():
    called = json.loads((ROOT / "tests/js/fixtures/kinds.json").read_text("utf-8"))
    assert called.items() <= {f"kind.{plural}": name for plural, name in KINDS.items()}.items()


def test_every_kind_that_has_a_sentence_has_an_explanation():
    kinds = {case["kind"] for case in CASES} - {"new.kind", "scheduler.scores"}  # a component's own note is its log
    assert len(kinds) > 35
    assert [kind for kind in kinds if not explanation(entry(kind))] == []
