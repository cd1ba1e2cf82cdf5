"""Tens of thousands of objects: what a question reads is bounded, and it says how many there are."""

import pytest
from state_wires import API, ETCD, Wires

from cluster_engine.state.beliefs import READ_MAX
from cluster_engine.state.board import NODES_MAX, PODS_MAX
from cluster_engine.state.objects import ROWS_MAX
from cluster_engine.state.reached import VERSIONS_MAX
from cluster_engine.state.reading import MESSAGES_MAX

PODS, NODES = 20_000, 200
POD = {
    "metadata": {"name": "p", "namespace": "default", "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {"nodeName": "node-001", "containers": [{"name": "a", "image": "nginx"}]},
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
}


@pytest.fixture(scope="module")
def crowded():
    """Many pods, watched by the API server and, those of a node on which none are, by a kubelet."""
    told = Wires(bytes_max=128 * 1024 * 1024)
    pods = {"key": "/registry/pods/", "rangeEnd": "/registry/pods0"}
    told.say("grpc.request", API, ETCD, method="Watch", connection=2, stream=1, **pods)
    path = "/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dnobody"
    told.say("http.request", "nobody/kubelet", API, verb="watch", resource="pods", path=path, connection=3, stream=1)
    for number in range(NODES):
        told.put(f"/registry/minions/node-{number:03}", {"metadata": {"name": f"node-{number:03}"}})
    for number in reversed(range(PODS)):
        told.put(f"/registry/pods/default/p-{number:05}", POD)
    state = told.state()
    told.ask("object", of=state)
    return told, state


@pytest.mark.parametrize(
    ("view", "args", "most"),
    [
        ("objects", {}, NODES),
        ("objects", {"kind": "pods"}, ROWS_MAX),
        ("board", {}, NODES_MAX + PODS_MAX),
        ("beliefs", {}, READ_MAX),
        ("reached", {"state": "pod/*=Ready", "since": "0"}, VERSIONS_MAX),
        ("object", {"resource": "pods", "namespace": "default", "name": "p-00007"}, 2),
        ("topology", {}, 0),
    ],
)
def test_a_question_reads_so_many_objects_and_no_more(crowded, monkeypatch, view, args, most):
    _, state = crowded
    reader, read = state._fold.reader, []
    body = reader.body
    monkeypatch.setattr(reader, "body", lambda seq: read.append(seq) or body(seq))
    state.answer(view, 2**53, args)
    assert most - MESSAGES_MAX <= len(read) <= most, "but for those that are remembered"


def test_the_first_by_name_are_shown_and_all_are_counted(crowded):
    told, state = crowded
    (pods,) = told.ask("objects", of=state, kind="pods")["kinds"]
    assert pods["count"] == PODS
    assert [row["name"] for row in pods["rows"]] == [f"p-{number:05}" for number in range(ROWS_MAX)]
    half = told.ask("objects", told.journal.head - PODS // 2, state)
    assert {kind["resource"]: kind["count"] for kind in half["kinds"]} == {"pods": PODS // 2, "nodes": NODES}
    server = told.ask("beliefs", of=state)["who"][0]
    assert (server["participant"], server["resources"][0]["count"]) == (API, PODS)
    assert server["resources"][0]["differs"] == []
