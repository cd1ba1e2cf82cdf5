"""Spans: a request with its answer, under what it was done for, with links to what it follows from."""

import json

import pytest

from cluster_engine.export.otlp import Spans
from cluster_engine.export.selection import Context


@pytest.fixture(scope="module")
def spans(told):
    found = {}
    for line in told.export("otlp").splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            attributes = {one["key"]: one["value"]["stringValue"] for one in resource["resource"]["attributes"]}
            for span in resource["scopeSpans"][0]["spans"]:
                named = {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}
                found[int(named["glassplane.seq"])] = {**span, "who": attributes, "named": named}
    return found


def span_id(seq):
    return f"{seq:016x}"


def test_every_story_entry_is_a_span_or_the_end_of_one(told, spans):
    story = [one["seq"] for one in told.entries() if one["layer"] == "story" and not one["heartbeat"]]
    ends = {int(span["named"]["glassplane.answer.seq"]) for span in spans.values() if "status" in span}
    assert ends.isdisjoint(spans)
    assert sorted([*spans, *ends]) == story


def test_a_request_is_a_span_of_who_asks_from_its_first_byte_to_the_answers_last(told, spans):
    request = told.one("http.request", resource="deployments", verb="create")
    answer = told.one("http.response", replyTo=request["seq"])
    span = spans[request["seq"]]
    assert span["who"] == {"service.name": "kubectl", "host.name": "workstation"}
    assert (span["kind"], span["status"]) == (3, {"code": 1})
    seconds = [int(span[at]) % 10**12 / 10**9 for at in ("startTimeUnixNano", "endTimeUnixNano")]
    assert seconds[1] - seconds[0] == pytest.approx(answer["arrived"] - request["at"])
    assert span["named"]["k8s.resource"] == "deployments"
    assert span["named"]["http.response.status_code"] == "201"


def test_what_is_done_within_a_request_is_below_it(told, spans):
    request = told.one("http.request", resource="deployments", verb="create")
    below = [span for span in spans.values() if span.get("parentSpanId") == span_id(request["seq"])]
    assert {span["who"]["service.name"] for span in below} == {"kube-apiserver"}
    assert any(span["named"].get("rpc.method") == "Txn" for span in below)
    assert {span["traceId"] for span in below} == {spans[request["seq"]]["traceId"]}


def test_a_command_is_above_its_programs_requests_and_a_failed_one_has_failed(told, spans):
    command = told.one("command.started", line="kubectl get nope")
    span = spans[command["seq"]]
    assert span["status"]["code"] == 2
    assert any(one.get("parentSpanId") == span["spanId"] for one in spans.values())


def test_a_reaction_to_a_watch_event_links_to_it_from_a_trace_of_its_own(told, spans):
    request = told.one("http.request", resource="replicasets", verb="create")
    span, cause = spans[request["seq"]], spans[request["cause"]]
    assert "parentSpanId" not in span
    assert span["links"] == [{"traceId": cause["traceId"], "spanId": cause["spanId"]}]
    assert span["traceId"] != cause["traceId"]


def test_parents_are_of_the_same_trace_and_began_before(spans):
    by_id = {span["spanId"]: span for span in spans.values()}
    for span in spans.values():
        above = by_id.get(span.get("parentSpanId", ""))
        if above is not None:
            assert above["traceId"] == span["traceId"]
            assert int(above["startTimeUnixNano"]) <= int(span["startTimeUnixNano"])


def test_requests_that_nobody_answers_are_let_go_of(monkeypatch):
    monkeypatch.setattr("cluster_engine.export.otlp.OPEN_MAX", 3)
    spans = Spans(Context())
    for seq in range(1, 6):
        usual = {"kind": "http.request", "from": "a/b", "to": "c/d", "label": "GET", "at": 1.0, "arrived": None}
        spans.take({"seq": seq, "cause": None, "replyTo": None, "connection": 1, "fields": {}, **usual})
    assert [span.seq for span in spans.done] == [1, 2]
