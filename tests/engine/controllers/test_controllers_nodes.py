import asyncio

from control_plane import deployment

from cluster_engine.api import time
from cluster_engine.api.kinds import DEPLOYMENT, EVENT, LEASE, NODE, POD
from cluster_engine.controllers.pods import condition


def taints(node):
    return {f"{taint['key'].rpartition('/')[2]}:{taint['effect']}" for taint in node["spec"].get("taints", ())}


async def with_web(plane, replicas=4):
    await plane.client.create(DEPLOYMENT, deployment(replicas=replicas))

    async def is_running():
        pods = await plane.items(POD, "default")
        return len(pods) == replicas and all(pod["status"].get("phase") == "Running" for pod in pods)

    await plane.until(is_running)


def test_a_silent_node_is_unknown_after_50_seconds_then_tainted_then_emptied(cluster):
    async def story(plane):
        await with_web(plane)
        await asyncio.sleep(15)
        plane.silence("worker-2")
        lease = await plane.client.get(LEASE, "worker-2", "kube-node-lease")
        silence = plane.world.now() - time.parse(lease["spec"]["renewTime"])
        silent_at = plane.world.loop.time() - silence.total_seconds()
        times = {}

        async def seen(what, check, within):
            await plane.until(check, within)
            times[what] = plane.world.loop.time() - silent_at

        async def is_unknown():
            return condition(await plane.client.get(NODE, "worker-2"), "Ready")["status"] == "Unknown"

        async def is_no_execute():
            return "unreachable:NoExecute" in taints(await plane.client.get(NODE, "worker-2"))

        async def is_emptied():
            pods = await plane.items(POD, "default", fieldSelector="spec.nodeName=worker-2")
            return pods and all("deletionTimestamp" in pod["metadata"] for pod in pods)

        await seen("unknown", is_unknown, 70)
        await asyncio.sleep(0.5)
        node = await plane.client.get(NODE, "worker-2")
        assert taints(node) == {"unreachable:NoSchedule"}
        ready = condition(node, "Ready")
        assert (ready["reason"], ready["message"]) == ("NodeStatusUnknown", "Kubelet stopped posting node status.")
        pods = await plane.items(POD, "default", fieldSelector="spec.nodeName=worker-2")
        assert {condition(pod, "Ready")["status"] for pod in pods} == {"False"}
        await seen("noExecute", is_no_execute, 20)
        await seen("emptied", is_emptied, 320)
        pods = await plane.items(POD, "default", fieldSelector="spec.nodeName=worker-2")
        assert condition(pods[0], "DisruptionTarget")["reason"] == "DeletionByTaintManager"
        await asyncio.sleep(5)
        here = await plane.items(POD, "default", fieldSelector="spec.nodeName=worker-1")
        assert len(here) == 4  # replacements; the old ones stay Terminating, nobody confirms their stop
        assert await plane.items(POD, "default", fieldSelector="spec.nodeName=worker-2") == pods
        return times

    times = cluster(story)
    assert 50 <= times["unknown"] <= 56  # 50 s after the last renewal, and up to 5 s until the next pass
    assert 4 <= times["noExecute"] - times["unknown"] <= 6
    assert 299 <= times["emptied"] - times["noExecute"] <= 301.5


def test_a_node_that_speaks_again_loses_its_taints_and_its_pods_their_sentence(cluster):
    async def story(plane):
        await with_web(plane)
        plane.silence("worker-2")
        await asyncio.sleep(100)
        assert "unreachable:NoExecute" in taints(await plane.client.get(NODE, "worker-2"))
        beating = asyncio.create_task(beat(plane, "worker-2"))
        await asyncio.sleep(400)
        beating.cancel()
        assert taints(await plane.client.get(NODE, "worker-2")) == set()
        pods = await plane.items(POD, "default", fieldSelector="spec.nodeName=worker-2")
        assert pods
        assert not any("deletionTimestamp" in pod["metadata"] for pod in pods)
        messages = await plane.events("TaintManagerEviction")
        assert all(message.startswith("Cancelling deletion of Pod default/web-") for message in messages)
        assert len(messages) == len(pods)

    cluster(story)


async def beat(plane, node):
    while True:
        now = time.rfc3339(plane.client.process.now())
        ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": now}
        await plane.client.patch(NODE, node, {"status": {"conditions": [ready]}}, subresource="status")
        await asyncio.sleep(10)


def test_nobody_is_evicted_while_no_node_at_all_is_heard(cluster):
    async def story(plane):
        await with_web(plane)
        plane.silence("worker-1")
        plane.silence("worker-2")
        await asyncio.sleep(500)
        for name in ("worker-1", "worker-2"):
            assert taints(await plane.client.get(NODE, name)) == {"unreachable:NoSchedule"}
        pods = await plane.items(POD, "default")
        assert not any("deletionTimestamp" in pod["metadata"] for pod in pods)

    cluster(story)


def test_a_cordoned_node_is_tainted_and_an_uncordoned_one_is_not(cluster):
    async def story(plane):
        await plane.client.patch(NODE, "worker-1", {"spec": {"unschedulable": True}})
        await asyncio.sleep(1)
        assert taints(await plane.client.get(NODE, "worker-1")) == {"unschedulable:NoSchedule"}
        await plane.client.patch(NODE, "worker-1", {"spec": {"unschedulable": None}})
        await asyncio.sleep(1)
        assert taints(await plane.client.get(NODE, "worker-1")) == set()

    cluster(story)


def test_pods_of_a_deleted_node_are_collected_within_a_minute(cluster):
    async def story(plane):
        await with_web(plane)
        plane.silence("worker-2")
        await plane.client.delete(NODE, "worker-2")
        deleted_at = plane.world.loop.time()

        async def are_gone():
            return not await plane.items(POD, "default", fieldSelector="spec.nodeName=worker-2")

        await plane.until(are_gone, 90)
        return plane.world.loop.time() - deleted_at

    assert 40 <= cluster(story) <= 61


def test_healthy_nodes_cause_no_writes_by_the_controllers(cluster):
    async def story(plane):
        await asyncio.sleep(10)
        before = [(await plane.client.get(NODE, name))["metadata"]["resourceVersion"] for name in plane.kubelets]
        await asyncio.sleep(600)
        after = [(await plane.client.get(NODE, name))["metadata"]["resourceVersion"] for name in plane.kubelets]
        assert before == after
        assert not await plane.items(EVENT)

    cluster(story)
