"""A cluster whose etcd has three members: what it does and what is seen of it."""

import asyncio

import pytest

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop
from tests.engine.conftest import EPOCH

ETCDCTL = (
    "ssh control-plane etcdctl --cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/peer.crt"
    " --key /etc/kubernetes/pki/etcd/peer.key"
)


@pytest.fixture
def among_three():
    """Run `story(cluster, type_, entries)` on a cluster with three members; `type_(line)` gives code and output."""

    def run_story(story, **spec):
        loop = ClusterLoop(Clock())

        async def told():
            async with Cluster(ClusterSpec(nodes=1, pace=None, epoch=EPOCH, etcd_members=3, **spec), loop) as cluster:
                entries = []
                cluster.journal.subscribe(entries.append)

                async def type_(line):
                    out = []
                    code = await cluster.command(line, lambda _, text: out.append(text))
                    return code, "".join(out)

                return await story(cluster, type_, entries)

        try:
            return loop.run_until_complete(told())
        finally:
            loop.close()

    return run_story


def test_a_write_is_seen_from_the_request_over_the_logs_of_the_members_to_its_answer(among_three):
    async def story(cluster, type_, entries):
        await asyncio.sleep(30)
        entries.clear()
        assert (await type_("kubectl create configmap c --from-literal=a=b"))[0] == 0
        return list(entries)

    entries = among_three(story)
    by_seq = {entry["seq"]: entry for entry in entries}
    asked = next(one for one in entries if one["kind"] == "grpc.request" and "create configmaps" in one["label"])
    told = [
        one for one in entries if one["kind"] == "raft.message" and one["fields"].get("key") == asked["fields"]["key"]
    ]
    assert {one["fields"]["type"] for one in told} <= {"MsgProp", "MsgApp"}
    appends = [one for one in told if one["fields"]["type"] == "MsgApp"]
    assert len({one["to"] for one in appends}) == 2
    index = appends[0]["fields"]["index"]
    answers = [one for one in entries if one["label"] == f"MsgAppResp {index}"]
    commit = next(one for one in entries if one["label"] == f"MsgApp commit {index}")
    assert commit["cause"] == min(one["seq"] for one in answers)
    assert {by_seq[one["cause"]]["label"] for one in answers[:2]} == {appends[0]["label"]}
    origin = appends[0]
    while origin["kind"] == "raft.message":
        origin = by_seq[origin["cause"]]
    assert origin is asked
