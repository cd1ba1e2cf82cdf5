"""What an API server has said of objects: in a recording of a cluster whose etcd nobody hears, and in an audit log."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_engine.export.selection import date_of
from cluster_engine.journal import Journal
from cluster_engine.recordings.story import read
from cluster_engine.state import VIEWS, State
from cluster_engine.state.apiserver import Said, object_told
from cluster_engine.state.etcd import Keys, is_shown, stands
from cluster_engine.state.reading import Reader

SCHEDULER = {"username": "system:kube-scheduler"}


def pod(version=None, name="web-0", **status):
    metadata = {"name": name, "namespace": "default", **({"resourceVersion": str(version)} if version else {})}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": metadata,
        "spec": {"containers": [{"name": "a"}]},
        "status": status,
    }


def event(verb, name="web-0", code=200, **more):
    """An event of an audit log, a second after the last one."""
    path = f"/api/v1/namespaces/default/pods{f'/{name}' if name else ''}"
    about = {"resource": "pods", "namespace": "default", "name": name, "apiVersion": "v1", **more.pop("about", {})}
    status = {"responseStatus": {"code": code}, "user": {"username": "alice"}}
    return {
        "kind": "Event",
        "auditID": "a",
        "stage": "ResponseComplete",
        "verb": verb,
        "requestURI": path,
        "objectRef": about,
        **status,
        **more,
    }


def log(*events):
    """A journal with an audit log, and its state."""
    lines = [
        json.dumps({"kind": "Event", "stageTimestamp": f"2026-01-01T10:00:{n:02}Z", **one})
        for n, one in enumerate(events)
    ]
    journal = Journal()
    story = read("\n".join(lines).encode(), "", journal)
    return State(journal, date_of(story.began_ns), by_api_servers=True)


def ask(state, view="objects", at=2**53, **args):
    return asked(state, view, at, args)


def asked(state, view, at, args):
    for _ in state.reading(view, at):
        pass
    return state.answer(view, at, args)


def rows(state, at=2**53):
    """Name and status of the pods that stand; None where what they say is not known."""
    return {
        row["name"]: None if row["gone"] else row["cells"][2]
        for kind in ask(state, at=at)["kinds"]
        for row in kind["rows"]
    }


def history(state, name="web-0"):
    return ask(state, "object", resource="pods", namespace="default", name=name)


# In a recording of clients --------------------------------------------------------------------------------------------


def test_what_clients_are_told_is_what_etcd_held(told):
    """Of a cluster whose etcd is heard, folded both ways, up to where its store goes back."""
    until = sorted(told.held)[2]
    reader, state = Reader(told.journal), told.state()
    by_etcd, by_api_server = Keys(reader), Keys(reader)
    said = Said(reader, by_api_server)
    for entry in told.journal.since(0, until):
        by_etcd.take(entry)
        said.take(entry)
    compared = 0
    for key, timeline in by_api_server.timelines.items():
        truth = {point.number: point for point in by_etcd.timelines[key]}
        for point in timeline:
            if not stands(point):
                assert not stands(by_etcd.timelines[key].at(point.seq)), f"{key} was there at {point.seq}"
                continue
            assert stands(truth[point.number]), f"{key} never was at {point.number}"
            if is_shown(point) and point.number == timeline.last.number:
                stored = told.ask("object", truth[point.number].seq, state, **_names(by_etcd, key))["object"]
                assert object_told(reader, point.told) == stored
                compared += 1
    assert compared > 100


def _names(keys, key):
    subject = next(kind[key] for kind in keys.of.values() if key in kind)
    resource = ".".join(filter(None, subject.resource))
    return {"resource": resource, "namespace": subject.namespace, "name": subject.name}


# In an audit log ------------------------------------------------------------------------------------------------------


def test_an_audit_log_with_bodies_tells_what_stood_and_who_wrote_it():
    bound = {**pod(7, phase="Pending"), "spec": {"containers": [{"name": "a"}], "nodeName": "worker-1"}}
    state = log(
        event("create", name="", code=201, responseObject=pod(5, phase="Pending")),
        event("patch", user=SCHEDULER, responseObject=bound),
        event("delete", responseObject={"kind": "Status", "status": "Success"}),
    )
    assert [rows(state, at) for at in (0, 1, 2, 3)] == [{}, {"web-0": "Pending"}, {"web-0": "Pending"}, {}]
    versions = history(state)["versions"]
    assert [(one["verb"], one["user"], one["request"]) for one in versions] == [
        ("create", "alice", 1),
        ("update", "system:kube-scheduler", 2),
        ("delete", "alice", 3),
    ]
    assert [line["path"] for line in versions[1]["diff"]] == ["spec.nodeName"]


def test_after_a_write_that_shows_nothing_a_name_is_known_and_no_more():
    state = log(
        event("create", code=201, responseObject=pod(5, phase="Pending")),
        event("patch", about={"subresource": "status"}),
        event("get", responseObject=pod(8, phase="Running")),
        event("create", code=201, about={"subresource": "binding"}),
        event("delete"),
    )
    stood = [rows(state, at) for at in range(1, 6)]
    assert stood == [{"web-0": "Pending"}, {"web-0": None}, {"web-0": "Running"}, {"web-0": None}, {}]
    assert [one["diff"] for one in history(state)["versions"]][1] == []
    assert history(state)["object"] is None


def test_a_read_that_finds_it_as_it_was_known_to_be_shows_it_again():
    state = log(
        event("create", code=201, responseObject=pod(5, phase="Pending")),
        event("patch"),
        event("get", responseObject=pod(5, phase="Pending")),
    )
    assert [rows(state, at) for at in (2, 3)] == [{"web-0": None}, {"web-0": "Pending"}]


def test_what_was_asked_for_is_shown_and_said_to_be_that():
    state = log(event("create", name="", code=201, requestObject=pod()), event("update", code=409, requestObject=pod()))
    (kind,) = ask(state)["kinds"]
    assert kind["rows"][0]["asked"] is True
    found = history(state)
    assert found["asked"] is True
    assert found["object"]["spec"] == pod()["spec"]
    assert len(found["versions"]) == 1, "what was refused changes nothing"


def test_a_patch_alone_is_not_taken_for_the_object():
    state = log(event("patch", requestObject={"metadata": {"labels": {"a": "b"}}}))
    assert rows(state) == {"web-0": None}


def test_what_waits_is_there_until_it_is_deleted_at_last():
    dying = pod(9, phase="Running")
    dying["metadata"] |= {"deletionTimestamp": "2026-01-01T10:00:30Z", "deletionGracePeriodSeconds": 30}
    gone = pod(11, phase="Succeeded")
    gone["metadata"] |= {"deletionTimestamp": "2026-01-01T10:00:30Z", "deletionGracePeriodSeconds": 0}
    state = log(
        event("get", responseObject=pod(5, phase="Running")),
        event("delete", responseObject=dying),
        event("delete", responseObject=gone),
        event("get", responseObject=pod(13, phase="Running")),
        event("delete", requestObject={"kind": "DeleteOptions", "gracePeriodSeconds": 0}, responseObject=dying),
    )
    assert [set(rows(state, at)) for at in (4, 5)] == [{"web-0"}, set()]
    assert [set(rows(state, at)) for at in (1, 2, 3)] == [{"web-0"}, {"web-0"}, set()]


def test_an_older_version_changes_nothing_and_a_list_of_all_says_what_is_not_there():
    listed = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "20"}}
    state = log(
        event("get", responseObject=pod(9, phase="Running")),
        event("get", responseObject=pod(5, phase="Pending")),
        event("get", "web-1", responseObject=pod(12, "web-1", phase="Pending")),
        event("list", "", responseObject={**listed, "items": [pod(12, "web-1", phase="Pending")]}),
        event("list", "", responseObject={**listed, "items": []}, requestURI="/api/v1/pods?labelSelector=a%3Db"),
    )
    assert rows(state, 2) == {"web-0": "Running"}
    assert rows(state, 3) == {"web-0": "Running", "web-1": "Pending"}
    assert rows(state, 4) == rows(state, 5) == {"web-1": "Pending"}


@pytest.mark.parametrize("uri", ["/api/v1/namespaces/default/pods?dryRun=All"])
def test_what_was_only_tried_changes_nothing(uri):
    assert rows(log(event("create", code=201, responseObject=pod(5), requestURI=uri))) == {}


def test_a_deletion_that_is_told_twice_is_one():
    gone = event("delete", responseObject={"kind": "Status", "status": "Success"})
    state = log(event("get", responseObject=pod(5)), gone, gone)
    assert [one["verb"] for one in history(state)["versions"]] == ["update", "delete"]


def test_a_table_says_names_and_not_what_they_are():
    row = {"cells": ["web-0", "1/1"], "object": {"kind": "PartialObjectMetadata", "metadata": pod(5)["metadata"]}}
    table = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "6"}, "rows": [row]}
    assert rows(log(event("list", "", responseObject=table))) == {"web-0": None}


# Hostile --------------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3),
    max_leaves=5,
)


def spoiled(value, rng, junk):
    """The same with something in it made into something else."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(sorted(value))
        return {**value, key: spoiled(value[key], rng, junk)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        return [spoiled(value[0], rng, junk), *value[1:]]
    return junk


@settings(max_examples=15)
@given(st.integers(0, 2**32), JSON)
def test_whatever_is_in_a_log_every_view_is_answered(seed, junk):
    rng = random.Random(seed)
    events = [
        event("get", responseObject=pod(5, phase="Running", conditions=[{"type": "Ready", "status": "True"}])),
        event(
            "list",
            "",
            responseObject={"kind": "PodList", "metadata": {"resourceVersion": "9"}, "items": [pod(6), pod(7, "b")]},
        ),
        event(
            "update",
            "n",
            about={"resource": "nodes"},
            responseObject={
                "kind": "Node",
                "metadata": {"name": "n", "resourceVersion": "8"},
                "spec": {"taints": [{"key": "a"}]},
                "status": {"conditions": [{"type": "Ready"}]},
            },
        ),
        event("delete", responseObject=pod(9)),
    ]
    events = [
        {**one, **{key: spoiled(one[key], rng, junk) for key in ("responseObject", "objectRef")}} for one in events
    ]
    state = log(event("get"), *events)
    for at in (2, 5):
        for view in VIEWS:
            if view != "reached":
                ask(state, view, at)
    for name in ("web-0", "b", "n"):
        for resource in ("pods", "nodes"):
            ask(state, "object", resource=resource, namespace="default" if resource == "pods" else "", name=name)
    asked(state, "reached", 5, {"state": "pod/web-*=Ready"})
