"""Faults of a node's resources and of programs in pods, with the times of the kubelet; and that all is well again."""

import asyncio
import json

import pytest

HOUSEKEEPING_SECONDS = 10.0
PRESSURE_TRANSITION_SECONDS = 300.0
PROBED = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "probed", "labels": {"app": "probed"}},
    "spec": {
        "containers": [
            {
                "name": "nginx",
                "image": "nginx",
                "resources": {"limits": {"memory": "64Mi"}},
                "readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 5},
                "livenessProbe": {"httpGet": {"port": 80}, "periodSeconds": 10, "failureThreshold": 3},
            }
        ],
        "terminationGracePeriodSeconds": 5,
    },
}


def condition(it, node, type_):
    return next(one["status"] for one in it.node(node)["status"]["conditions"] if one["type"] == type_)


def container(it, name="probed"):
    (pod,) = [one for one in it.pods() if one["metadata"]["name"] == name]
    return pod["status"]["containerStatuses"][0]


@pytest.mark.parametrize(
    ("resource", "type_"), [("memory", "MemoryPressure"), ("disk", "DiskPressure"), ("pids", "PIDPressure")]
)
def test_a_node_under_pressure_says_so_evicts_and_takes_none_until_five_minutes_after(resource, type_, broken):
    async def story(it):
        await it.deploy(1)
        await it.all_well(1)
        began = it.world.loop.time()
        fault = it.cluster.fail("pressure", target="worker-1", resource=resource)
        await it.until(lambda: condition(it, "worker-1", type_) == "True", within_seconds=30)
        assert it.world.loop.time() - began <= 2 * HOUSEKEEPING_SECONDS
        await it.until(lambda: any(one["status"].get("reason") == "Evicted" for one in it.pods()), within_seconds=30)
        (evicted,) = [one for one in it.pods() if one["status"].get("reason") == "Evicted"]
        assert evicted["status"]["message"].startswith("The node was low on resource: ")
        await it.until(lambda: ("not-ready", "NoExecute") not in it.taints("worker-1") and it.taints("worker-1"))
        await it.cluster.heal(fault)
        healed = it.world.loop.time()
        await it.until(lambda: condition(it, "worker-1", type_) == "False", within_seconds=400)
        passed = it.world.loop.time() - healed
        assert PRESSURE_TRANSITION_SECONDS - HOUSEKEEPING_SECONDS <= passed <= PRESSURE_TRANSITION_SECONDS + 15
        await it.until(lambda: len(it.running()) == 1, within_seconds=120)

    broken(story, nodes=1)


def test_a_program_that_hangs_is_killed_by_its_liveness_probe_and_one_that_leaks_is_killed_by_the_kernel(broken):
    async def story(it):
        it.world.host("workstation").files.write("/root/probed.json", json.dumps(PROBED).encode())
        assert (await it.kubectl("apply -f /root/probed.json"))[0] == 0
        await it.until(lambda: len(it.running()) == 1, within_seconds=60)

        hangs = it.cluster.fail("hang", target="worker-1", image="nginx")
        began = it.world.loop.time()
        await it.until(lambda: not it.running(), within_seconds=60)
        assert 10.0 <= it.world.loop.time() - began <= 22.0, "three failures, five seconds apart, a second each"
        await it.until(lambda: container(it)["restartCount"] == 1, within_seconds=60)
        events = [one["message"] for one in it.cluster.objects("/registry/events/default/")]
        assert any(
            one.startswith("Liveness probe failed: Get ") and one.endswith("awaiting headers)") for one in events
        )
        await it.cluster.heal(hangs)
        await it.until(lambda: len(it.running()) == 1, within_seconds=60)

        leaks = it.cluster.fail("out-of-memory", target="worker-1", image="nginx")
        await asyncio.sleep(2.0)
        ended = lambda: container(it).get("lastState", {}).get("terminated", {})  # noqa: E731
        await it.until(lambda: ended().get("reason") == "OOMKilled", within_seconds=30)
        assert ended()["exitCode"] == 137
        kernel = [
            one.text for one in it.world.host("worker-1").log.lines() if "Memory cgroup out of memory" in one.text
        ]
        assert kernel
        await it.until(lambda: "CrashLoopBackOff" in it.waiting(), within_seconds=60)
        await it.cluster.heal(leaks)
        await it.until(lambda: len(it.running()) == 1, within_seconds=400)

    broken(story, nodes=1)
