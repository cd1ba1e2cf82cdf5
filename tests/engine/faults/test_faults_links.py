"""Faults of links and processors: what becomes of segments, of connections, of who is slow; and that all is well."""

import asyncio
from itertools import pairwise

from cluster_engine.world.noise import HEADER_BYTES, Narrow

PING_AFTER_SECONDS = 30.0  # ReadIdleTimeout of apimachinery/pkg/util/net/http.go


def on_link(it, since, kind, host="worker-1"):
    entries = [one for one in it.cluster.journal.since(since, 10**6) if one["kind"] == kind]
    return [one for one in entries if f"{host}/" in f"{one['from']} {one['to']}"]


def test_segments_of_a_narrow_link_wait_for_those_before_them():
    link = Narrow(1000.0)
    assert link.queue(5.0, 1000 - HEADER_BYTES) == 1.0
    assert link.queue(5.5, 500 - HEADER_BYTES) == 1.0, "half a second until the first has left, half for itself"
    assert link.queue(20.0, 500 - HEADER_BYTES) == 0.5, "nobody was before it"


def test_a_link_may_lose_jitter_and_be_narrow_and_its_node_stays_ready(broken):
    async def story(it):
        await it.deploy(1)
        await it.all_well(1)
        took = {}
        for name, fields in {"loss": {"lost": 0.3}, "jitter": {"seconds": 2.0}, "bandwidth": {"kilobits": 8.0}}.items():
            head = it.cluster.journal.head
            fault = it.cluster.fail(name, target="worker-1", **fields)
            await asyncio.sleep(60.0)
            assert it.ready("worker-1") == "True"
            assert bool(on_link(it, head, "tcp.lost")) is (name == "loss")
            took[name] = max(one["arrived"] - one["at"] for one in on_link(it, head, "http.response"))
            await it.cluster.heal(fault)
        assert took["loss"] < 0.01, "what arrives is in time, once it was sent again"
        assert 1.0 < took["jitter"] <= 2.01
        # 8 kbit/s are 1000 bytes a second: an answer with a Lease in it, some 700 bytes, takes most of one
        assert 0.3 < took["bandwidth"] < 10.0
        await it.all_well(1)

    broken(story, nodes=1)


def test_a_half_open_connection_is_found_out_by_whoever_sends(broken):
    async def story(it):
        await asyncio.sleep(40.0)
        head, began = it.cluster.journal.head, it.world.loop.time()
        it.cluster.fail("half-open", target="control-plane", peer="worker-1")
        await asyncio.sleep(PING_AFTER_SECONDS + 10)
        resets = {one["to"]: one["at"] - began for one in on_link(it, head, "tcp.rst")}
        assert set(resets) == {"worker-1/kubelet", "worker-1/kube-proxy"}
        assert resets["worker-1/kubelet"] < 11.0, "its next heartbeat"
        assert resets["worker-1/kubelet"] < resets["worker-1/kube-proxy"] <= PING_AFTER_SECONDS + 1, "its ping"
        assert it.ready("worker-1") == "True"
        await it.deploy(1)
        await it.all_well(1)

    broken(story, nodes=1)


def test_a_slow_scheduler_binds_one_pod_after_the_other(broken):
    async def story(it):
        fault = it.cluster.fail("slow", target="control-plane/kube-scheduler", times=2000.0)
        await it.deploy(3)
        await asyncio.sleep(60.0)
        bound = [one["at"] for one in it.cluster.journal.since(0, 10**6) if one["label"].startswith("POST pods/web")]
        assert len(bound) == 3
        # a cycle is 2 ms, give or take, in a real one
        assert all(later - earlier > 1.0 for earlier, later in pairwise(bound))
        await it.cluster.heal(fault)
        head = it.cluster.journal.head
        await it.kubectl("scale deployment web --replicas=6")
        await it.all_well(6)
        bound = [one["at"] for one in it.cluster.journal.since(head, 10**6) if one["label"].startswith("POST pods/web")]
        assert bound[-1] - bound[0] < 0.5

    broken(story, nodes=2)
