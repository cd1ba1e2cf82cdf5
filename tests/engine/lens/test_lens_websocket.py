"""What is said through an upgraded connection is read: each message with its channel, on every wire that it crosses."""

import asyncio

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop


def test_what_is_typed_and_written_crosses_three_wires_each_the_cause_of_the_next():
    loop = ClusterLoop(Clock(None))

    async def live():
        async with Cluster(ClusterSpec(pace=None, capture=True), loop) as cluster:

            async def sh(line):
                return await cluster.command(line, lambda *_: None)

            await sh("kubectl run web --image=busybox -- sleep 3600")
            await sh("kubectl wait --for=condition=Ready pod/web")
            assert await sh("kubectl exec web -- sh -c 'echo hello; exit 3'") == 3
            await asyncio.sleep(1)
            return cluster.journal.since(0, 1_000_000)

    def ends_of(entry):
        return entry["from"].rpartition("/")[2], entry["to"].rpartition("/")[2]

    try:
        entries = loop.run_until_complete(live())
    finally:
        loop.close()
    said = [entry for entry in entries if entry["kind"] == "websocket.message"]
    way = [("containerd", "kubelet"), ("kubelet", "kube-apiserver"), ("kube-apiserver", "kubectl")]
    for type_, fields in (("stdout", {"text": "hello"}), ("error", {"status": "Failure", "exitCode": "3"})):
        messages = [entry for entry in said if entry["fields"]["type"] == type_]
        assert [ends_of(entry) for entry in messages] == way
        assert all(fields.items() <= entry["fields"].items() for entry in messages)
        assert [entry["cause"] for entry in messages[1:]] == [entry["seq"] for entry in messages[:-1]]
    assert not [entry for entry in entries if entry["kind"] == "tls.data"]
