"""What belongs together in two runs, and how a difference is said: entries made by hand."""

import pytest

from cluster_engine.comparing import Run, report, reporting, unlike

SERVER, SCHEDULER, KUBECTL = "control-plane/kube-apiserver", "control-plane/kube-scheduler", "workstation/kubectl"
WEB = {"resource": "pods", "namespace": "default", "name": "web-1"}
BOUND = {"verb": "create", "subresource": "binding", **WEB}


class Written:
    """A run that is written entry by entry."""

    def __init__(self):
        self.entries = []

    def say(self, kind, source, to, label="", *, at=0.0, **fields):
        told = {name: fields.pop(name, None) for name in ("cause", "replyTo")}
        seq = len(self.entries) + 1
        rest = {"layer": fields.pop("layer", "story"), "heartbeat": fields.pop("heartbeat", False)}
        times = {"at": at, "arrived": at}
        more = {"trigger": None, "how": None, "after": None, "connection": seq, "stream": seq, "size": seq}
        ends = {"kind": kind, "from": source, "to": to, "label": label}
        self.entries.append({"seq": seq, **times, **rest, **ends, **told, **more, "fields": fields})
        return seq

    def request(self, source=SCHEDULER, **fields):
        return self.say("http.request", source, SERVER, f"POST {fields['resource']}", **fields)

    def answer(self, request, label="201 Created", to=SCHEDULER, **fields):
        return self.say("http.response", SERVER, to, label, replyTo=request, status=int(label[:3]), **fields)


def run(tell):
    written = Written()
    tell(written)
    return Run(written.entries)


def compared(tell_a, tell_b, **chosen):
    return report(run(tell_a), run(tell_b), **chosen)


def sorts(document):
    return [row["is"] for row in document["rows"]]


def typed(line):
    return lambda w: w.say("command.started", "workstation/terminal", None, line, line=line, host="workstation")


def typing(*lines):
    return lambda w: [typed(line)(w) for line in lines]


def test_runs_without_entries_have_nothing_to_compare():
    document = compared(lambda _: None, lambda _: None)
    assert (document["rows"], document["first"]) == ([], None)
    assert document["summary"][0] == "There is nothing to compare yet."


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "in B the Binding of Pod default/web-1 went to worker-2 instead of worker-1"),
        ("de", "in B ging das Binding von Pod default/web-1 an worker-2 statt worker-1"),
    ],
)
def test_a_binding_to_another_node_is_said_in_words(language, said):
    document = compared(
        lambda w: w.request(**BOUND, target="worker-1"),
        lambda w: w.request(**BOUND, target="worker-2"),
        language=language,
    )
    (row,) = document["rows"]
    assert (row["is"], row["say"], row["object"]) == ("differs", said, "Pod default/web-1")
    assert row["fields"] == [{"path": "target", "a": "worker-1", "b": "worker-2"}]
    assert (document["first"], document["common"]["entries"]) == (0, 0)


def test_an_answer_belongs_to_the_answer_of_its_request_and_its_status_is_said_first():
    create = {"verb": "create", **WEB}

    def created(w):
        w.answer(w.request(**create), **create)

    def in_conflict(w):
        w.answer(
            w.request(**create), "409 Conflict", **create, reason="AlreadyExists", message="it is there", failed=True
        )

    document = compared(created, in_conflict)
    (row,) = document["rows"]
    assert row["say"] == "in B the answer to POST pods is 409 Conflict instead of 201 Created"
    assert [field["path"] for field in row["fields"]] == ["failed", "reason", "status"]
    assert document["common"] == {"entries": 1, "seconds": 0.0, "a": 1, "b": 1}


def test_answers_in_another_order_still_belong_to_their_requests():
    def asked(order):
        def tell(w):
            requests = [w.request(verb="create", resource="pods", namespace="default", name=name) for name in "ab"]
            for place, label in order:
                w.answer(requests[place], label, verb="create", resource="pods", namespace="default", name="ab"[place])

        return tell

    document = compared(
        asked([(0, "201 Created"), (1, "403 Forbidden")]), asked([(1, "403 Forbidden"), (0, "201 Created")])
    )
    assert document["counts"] == {"both": 2, "differs": 0, "a": 0, "b": 0}
    assert "in another order" in document["summary"][1]


def test_what_no_two_runs_share_is_no_difference():
    def tell(number):
        def say(w):
            w.request(
                **BOUND, target="worker-1", certificate="CN=system:kube-scheduler", path=f"/x?resourceVersion={number}"
            )
            w.say("process.started", "workstation/kubectl", None, "", name="kubectl", host="workstation", pid=number)
            w.say("tls.client_hello", KUBECTL, SERVER, "", layer="tls", random=f"{number:x}", alpn=["h2"])
            w.say("tcp.syn", KUBECTL, SERVER, "", layer="tcp", flags="S", client=f"10.0.0.100:{number}")

        return say

    document = compared(tell(1), tell(2), layer="tcp")
    assert document["common"]["entries"] == 4
    assert document["summary"][0] == "Both runs say the same: 4 messages."


def test_names_that_a_server_chose_belong_together_by_their_turn():
    def made(*names, node="worker-1"):
        def tell(w):
            for name in names:
                request = w.request(verb="create", resource="pods", namespace="default", generateName="web-x-")
                stored = {
                    "method": "Txn",
                    "operation": "create",
                    "resource": "pods",
                    "namespace": "default",
                    "name": name,
                }
                w.say("grpc.request", SERVER, "control-plane/etcd", "Txn", cause=request, **stored)
            w.request(**{**BOUND, "name": names[-1]}, target=node)

        return tell

    assert (
        sorts(compared(made("web-x-aaaaa", "web-x-bbbbb"), made("web-x-ccccc", "web-x-ddddd"), everything=True)) == []
    )
    document = compared(made("web-x-aaaaa"), made("web-x-ccccc", node="worker-2"))
    assert [row["say"] for row in document["rows"]] == [
        "in B the Binding of Pod default/web-x-…1 went to worker-2 instead of worker-1"
    ]


def test_one_more_of_a_strand_leaves_the_others_together():
    def writes(*codes):
        def tell(w):
            typed(f"about {len(codes)}")(w)
            for code in codes:
                w.say(
                    "command.finished", "workstation/terminal", None, "", line="true", host="workstation", exitCode=code
                )

        return tell

    document = compared(writes("0", "1", "2"), writes("0", "7", "1", "2"), everything=True)
    assert sorts(document) == ["differs", "both", "b", "both", "both"]
    assert document["rows"][2]["b"]["seq"] == 3


def test_commands_that_differ_stand_beside_each_other():
    document = compared(typed("kubectl scale deployment web --replicas=3"), typed("kubectl get pods"))
    assert document["summary"][-4:-2] == [
        "The first difference: in B the command is “kubectl get pods” instead of "
        "“kubectl scale deployment web --replicas=3”.",
        "All objects stand alike in the end.",
    ]


def test_heartbeats_are_left_out_unless_asked_for():
    def beating(times):
        return lambda w: [w.request(verb="update", resource="leases", name="x", heartbeat=True) for _ in range(times)]

    assert compared(beating(2), beating(5))["rows"] == []
    assert sorts(compared(beating(2), beating(5), heartbeats=True)) == ["b"] * 3


def test_what_a_lower_altitude_draws_is_left_out_above_it():
    def tell(w):
        w.say("h2.settings", KUBECTL, SERVER, "SETTINGS", layer="http", ack=False)

    for layer, found in (("story", []), ("http", ["a"]), ("tcp", ["a"])):
        assert sorts(compared(tell, lambda _: None, layer=layer)) == found


def test_rows_stand_in_the_order_of_virtual_time():
    def tell(*times):
        return lambda w: [w.request(verb="get", resource="pods", name=f"p{at}", at=at) for at in times]

    rows = compared(tell(1.0, 4.0), tell(2.0, 3.0))["rows"]
    assert [(row["a"] or row["b"])["at"] for row in rows] == [1.0, 2.0, 3.0, 4.0]


def test_a_run_whose_beginning_is_gone_says_so():
    whole = run(lambda w: [w.request(verb="get", resource="pods", name=name) for name in "abc"])
    document = report(whole, Run(whole.entries[1:]))
    assert document["summary"][0] == "The beginning of one run is gone; what is common to both cannot be told."
    assert document["counts"] == {"both": 2, "differs": 0, "a": 1, "b": 0}


def test_what_is_too_long_is_cut_and_says_so(monkeypatch):
    def tell(names):
        return lambda w: [w.request(verb="get", resource="pods", name=name) for name in names]

    monkeypatch.setattr("cluster_engine.comparing.reporting.ENTRIES_MAX", 4)
    monkeypatch.setattr("cluster_engine.comparing.reporting.ROWS_MAX", 3)
    document = compared(tell("abcde"), tell("fghi"))
    assert document["cut"] == {"entries": True, "rows": True}
    assert (document["a"], document["b"]) == ({"entries": 4, "last": 4}, {"entries": 4, "last": 4})
    assert len(document["rows"]) == 3
    assert "Only the first 3 rows are listed; there are 8." in document["summary"]
    assert "Only the first 4 messages of each run are compared; one of them has more." in document["summary"]
    assert compared(tell("abcd"), tell("abcd"))["cut"] == {"entries": False, "rows": False}


def test_hostile_names_are_text():
    name = "<b>{a}</b>\u202e%s"
    document = compared(
        lambda w: w.request(**{**BOUND, "name": name}, target="{b}"),
        lambda w: w.request(**{**BOUND, "name": name}, target="x"),
    )
    assert document["rows"][0]["say"] == f"in B the Binding of Pod default/{name} went to x instead of {{b}}"


def test_a_command_that_both_runs_type_belongs_together_whatever_is_typed_around_it():
    document = compared(
        typing("scale", "get pods", "delete x"), typing("get pods", "delete y", "true"), everything=True
    )
    rows = [tuple(row[side] and row[side]["seq"] for side in "ab") for row in document["rows"]]
    assert sorted(rows, key=str) == [(1, None), (2, 1), (3, 2), (None, 3)]


def test_what_crosses_is_no_anchor():
    document = compared(typing("a", "b", "c"), typing("b", "a", "d"), everything=True)
    assert sorts(document) == ["differs"] * 3


@pytest.mark.parametrize(
    ("count", "last"), [(3, "of bodies, what was written to objects"), (4, "the first 3 of 4 objects")]
)
def test_bodies_of_so_many_objects_are_compared_and_the_bound_is_said(monkeypatch, count, last):
    monkeypatch.setattr(reporting, "HISTORIES_MAX", 3)

    def standing(ready):
        rows = [{"namespace": "default", "name": f"w{n}", "cells": [ready], "gone": False} for n in range(count)]
        kind = {"resource": "deployments", "kind": "Deployment", "columns": [{"name": "Ready"}], "rows": rows}
        return run(lambda w: w.say("note", "a/b", None))._replace(objects={"kinds": [kind]})

    a, b = standing("1/1"), standing("2/2")
    assert len(unlike(a, b)) == 3
    known = [one._replace(histories=[{"versions": []}]) for one in (a, b)]
    assert last in report(*known)["summary"][-1].lower()
    assert report(a, b._replace(objects=None))["summary"][-1].startswith("Bodies are not compared: only runs that run")
