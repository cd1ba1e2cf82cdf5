"""A cluster that is back after a kill: its run done again from its inputs has the same state at the same entries."""

import contextlib

import pytest
from recent import EPOCH

from cluster_engine.cluster import ClusterSpec
from cluster_engine.deeds import Command, Inject, Input
from cluster_engine.run import Run
from cluster_engine.state import VIEWS
from cluster_engine.thread import ClusterThread

INPUTS = (
    Input(1, 12.0, Command("k1", "kubectl create deployment web --image=nginx --replicas=2")),
    Input(2, 16.0, Inject({"name": "restart", "target": "control-plane/kube-apiserver"})),
    Input(3, 30.0, Command("k2", "kubectl delete deployment web")),
)
UNTIL, KILLED = 60.0, 24.0
ARGS = {
    "object": {"resource": "deployments", "namespace": "default", "name": "web"},
    "reached": {"state": "pod/*=Ready", "since": "0"},
}
ENCRYPTED = frozenset({"sent", "received"})
"""Signatures of handshakes are of different lengths each time."""


@contextlib.contextmanager
def run_done(until):
    """A cluster in which what was put in until then has been done again."""
    past = [one for one in INPUTS if one.at < until]
    spec = ClusterSpec(nodes=1, seed=3, pace=20.0, epoch=EPOCH, secret=b"of this run")
    thread = ClusterThread(spec, run=Run(lambda _: None, past=past, until=until, paused=True))
    thread.start().result(60)
    try:
        yield thread
    finally:
        thread.stop().result(60)


def comparable(answer):
    if isinstance(answer, dict):
        return {name: comparable(value) for name, value in answer.items() if name not in ENCRYPTED}
    return [comparable(one) for one in answer] if isinstance(answer, list) else answer


@pytest.fixture(scope="module")
def lives():
    with run_done(KILLED) as first, run_done(UNTIL) as again:
        yield first, again


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_a_run_done_again_is_that_of_its_first_life(lives, view):
    first, _ = lives
    args = ARGS.get(view, {})
    head = first.state("objects", 2**53, {}).result(60)["at"]
    assert head > 1000
    for at in (head, head // 2, head - 7):
        was, now = (comparable(life.state(view, at, args).result(60)) for life in lives)
        if view == "object":  # whose versions go on after the position
            now["versions"] = now["versions"][: len(was["versions"])]
        assert now == was, f"at {at}"
