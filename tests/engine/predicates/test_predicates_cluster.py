"""A lookout on a real cluster: handshakes by connection, pods by what etcd holds, instants that can be stood at."""

import asyncio

import pytest
from recent import EPOCH

from cluster_engine.cluster import ClusterSpec
from cluster_engine.predicates import Lookout, read
from cluster_engine.stored import UnknownResourceError
from cluster_engine.thread import ClusterThread

WEB = "kubectl create deployment web --image=nginx --replicas=2"


@pytest.fixture
def in_cluster(copies):
    """Run `story(cluster)` in a copy of a cluster of one node."""
    return lambda story: copies.tell(story, ClusterSpec(nodes=1, pace=None, epoch=EPOCH))


def test_a_command_is_followed_from_its_handshake_to_the_pods(in_cluster):
    documents = {
        "hello": {"entry": {"kind": "tls.client_hello", "from": "workstation/kubectl"}},
        "syn": {"entry": {"kind": "tcp.syn", "from": "workstation/*", "on": "hello"}},
        "post": {"entry": {"kind": "http.request", "fields": {"resource": "deployments"}, "on": "hello"}},
        "stored": {"entry": {"kind": "grpc.request", "follows": "post"}},
        "answer": {"entry": {"kind": "http.response", "answers": "post", "fields": {"status": 201}}},
        "pods": {"objects": {"resource": "pods", "where": {"status.phase": "Running"}, "count": 2}},
    }

    async def story(cluster):
        lookout = Lookout(cluster)
        for name, document in documents.items():
            lookout.watch(name, read(document, names=documents))
        await cluster.command(WEB, lambda *_: None)
        await cluster.world.until(lambda: "pods" in lookout.held, within_seconds=60)
        order = sorted(documents, key=lambda name: lookout.held[name].seq)
        assert order == ["syn", "hello", "post", "stored", "answer", "pods"]
        assert len(cluster.stored("pods", namespace="default")) == 2
        assert cluster.stored("pods") is cluster.stored("pods")

    in_cluster(story)


def test_a_step_stands_at_the_very_instant_with_the_command_in_flight(in_cluster):
    async def story(cluster):
        lookout = Lookout(cluster)
        lookout.watch("hello", read({"entry": {"kind": "tls.client_hello", "from": "workstation/kubectl"}}))
        cluster.clock.pause()
        command = cluster.accompany(cluster.command(WEB, lambda *_: None), "command")
        held = cluster.loop.create_future()
        lookout.watch("sent", read({"reached": "hello"}, names=["hello"]), held.set_result)
        cluster.clock.step(held.done)
        assert (await held).at == cluster.clock.now
        assert not command.done()

    in_cluster(story)


def test_every_kind_that_is_kept_is_found_by_its_plural(in_cluster):
    async def story(cluster):
        assert [node["metadata"]["name"] for node in cluster.stored("nodes")] == ["worker-1"]
        assert [one["metadata"]["name"] for one in cluster.stored("services", namespace="default")] == ["kubernetes"]
        assert cluster.stored("endpoints")
        assert cluster.stored("leases", "coordination.k8s.io", "kube-node-lease")
        with pytest.raises(UnknownResourceError, match="resources are pods, nodes"):
            cluster.stored("pod")

    in_cluster(story)


def test_a_coroutine_is_run_on_the_clusters_loop_and_let_go_at_its_end():
    thread = ClusterThread(ClusterSpec(nodes=1, pace=None))
    thread.start().result(timeout=60)
    try:

        async def wait_a_minute(cluster):
            await asyncio.sleep(60)
            return cluster.clock.now

        assert thread.run(wait_a_minute).result(timeout=60) >= 60

        async def pause_and_wait(cluster):
            cluster.clock.pause()
            await cluster.accompany(asyncio.sleep(3600), "company")

        left = thread.run(pause_and_wait)
        thread.clock().result(timeout=60)
    finally:
        thread.stop().result(timeout=60)
    assert left.cancelled()
