"""A kubelet at work: beside a real API server and a real containerd."""

import asyncio
import itertools
import ssl

import httpcore

from cluster_engine.api.kinds import LEASE, NODE, POD, SECRET
from cluster_engine.pki.authority import Usage
from cluster_engine.world.tls import client_tls

# -- being a node


def test_a_node_without_a_pod_range_is_not_ready_and_says_why(node):
    async def story(node):
        before = await node.ready()
        await node.give_range()
        return before, await node.node()

    before, after = node(story, ready=False)
    assert before["reason"] == "KubeletNotReady"
    assert "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady" in before["message"]
    status = after["status"]
    assert status["nodeInfo"]["containerRuntimeVersion"] == "containerd://1.7.24"
    assert {"type": "InternalIP", "address": "10.0.0.11"} in status["addresses"]
    assert status["daemonEndpoints"]["kubeletEndpoint"]["Port"] == 10250


def test_a_range_makes_the_node_ready_at_once(node):
    async def story(node):
        loop = asyncio.get_running_loop()
        await asyncio.sleep(3)
        begun = loop.time()
        await node.client.patch(NODE, "worker-1", {"spec": {"podCIDR": "10.244.0.0/24"}}, type="merge")
        await asyncio.sleep(0.1)
        return await node.is_ready(), loop.time() - begun

    ready, took = node(story, ready=False)
    assert ready
    assert took < 0.2


def test_the_lease_is_the_heartbeat_and_the_status_stays_silent(node):
    async def story(node):
        await asyncio.sleep(15)
        versions = []
        for _ in range(6):
            lease = await node.client.get(LEASE, "worker-1", "kube-node-lease")
            versions.append((lease["metadata"]["resourceVersion"], (await node.node())["metadata"]["resourceVersion"]))
            await asyncio.sleep(10)
        await asyncio.sleep(300)
        return versions, lease, (await node.node())["metadata"]["resourceVersion"]

    versions, lease, later = node(story)
    assert len({lease for lease, _ in versions}) == 6, "renewed every ten seconds"
    assert len({status for _, status in versions}) == 1, "nothing changed, nothing told"
    assert later != versions[0][1], "told again after five minutes"
    assert lease["spec"]["leaseDurationSeconds"] == 40
    assert lease["metadata"]["ownerReferences"][0]["kind"] == "Node"


def test_images_that_were_pulled_are_told_with_the_node(node):
    async def story(node):
        await node.run_pod("web", "nginx:1.27")
        await asyncio.sleep(11)
        return (await node.node())["status"]["images"]

    images = node(story)
    assert images[0]["names"][1] == "docker.io/library/nginx:1.27"


# -- running pods


def test_a_pod_comes_to_run_with_two_status_patches(node):
    async def story(node):
        listed = await node.client.list(POD, "default")
        seen = []
        async with node.client.watch(POD, "default", resource_version=listed["metadata"]["resourceVersion"]) as events:
            await node.run_pod("web", "nginx", until=None)
            async for type_, pod in events:
                seen.append((type_, pod.get("status", {}).get("phase"), len(pod["status"].get("conditions") or [])))
                if pod["status"].get("phase") == "Running":
                    return seen, pod["status"], await node.events("web")
        raise AssertionError

    seen, status, events = node(story)
    assert [phase for _, phase, _ in seen] == ["Pending", "Pending", "Running"]
    assert [condition["type"] for condition in status["conditions"] if condition["status"] == "True"] == [
        "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled",
    ]  # fmt: skip
    assert status["podIP"] == "10.244.0.2"
    assert status["hostIP"] == "10.0.0.11"
    told = [reason for reason, _, _ in events]
    assert sorted(told) == ["Created", "Pulled", "Pulling", "Started"]


def test_a_pod_ends_by_a_last_status_and_a_second_delete(node):
    async def story(node):
        await node.run_pod("web", "nginx")
        listed = await node.client.list(POD, "default")
        seen = []
        async with node.client.watch(POD, "default", resource_version=listed["metadata"]["resourceVersion"]) as events:
            await node.client.delete(POD, "web", "default")
            async for type_, pod in events:
                state = next(iter(pod["status"]["containerStatuses"][0]["state"]))
                seen.append((type_, pod["status"]["phase"], state))
                if type_ == "DELETED":
                    break
        await asyncio.sleep(1)
        return seen, node.containers(), node.store().sandboxes

    seen, containers, sandboxes = node(story)
    assert seen[0] == ("MODIFIED", "Running", "running")
    assert seen[-1] == ("DELETED", "Succeeded", "terminated")
    assert (containers, sandboxes) == ([], {})


def test_init_containers_go_first_and_in_order(node):
    async def story(node):
        init = [
            {"name": "one", "image": "busybox", "command": ["sh", "-c", "sleep 2"]},
            {"name": "two", "image": "busybox", "command": ["sh", "-c", "sleep 3"]},
        ]
        pod = await node.run_pod("web", "nginx", initContainers=init)
        return [status["state"]["terminated"] for status in pod["status"]["initContainerStatuses"]], pod

    (one, two), pod = node(story)
    assert one["finishedAt"] <= two["startedAt"]
    assert two["finishedAt"] <= pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]


def test_a_failed_init_container_ends_a_pod_that_is_never_restarted(node):
    async def story(node):
        init = [{"name": "one", "image": "busybox", "command": ["false"]}]
        return await node.run_pod("once", "nginx", until="Failed", initContainers=init, restartPolicy="Never")

    status = node(story)["status"]
    assert status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 1
    assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}


def test_a_job_like_pod_is_completed_and_stays_for_its_logs(node):
    async def story(node):
        pod = await node.run_pod("once", "busybox", "sh", "-c", "echo hi", until="Succeeded", restartPolicy="Never")
        await asyncio.sleep(120)
        return pod, len(node.containers()), [sandbox.state for sandbox in node.store().sandboxes.values()]

    pod, containers, sandboxes = node(story)
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
    assert containers == 1
    assert sandboxes == [1], "its network is given back"


def test_restarts_wait_ever_longer(node):
    async def story(node):
        await node.run_pod("crash", "busybox", "sh", "-c", "exit 3", until=None)
        starts = []
        for _ in range(400):
            pod = await node.pod("crash")
            for status in pod["status"].get("containerStatuses") or []:
                if (restarts := status["restartCount"]) >= len(starts):
                    starts += [asyncio.get_running_loop().time()] * (restarts + 1 - len(starts))
            await asyncio.sleep(1)
        return [later - earlier for earlier, later in itertools.pairwise(starts)], await node.pod("crash")

    waits, pod = node(story)
    assert waits[0] < 3, "the first restart costs nothing"
    assert 10 <= waits[1] <= 17
    assert 20 <= waits[2] <= 37
    assert 40 <= waits[3] <= 57
    status = pod["status"]["containerStatuses"][0]
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert status["lastState"]["terminated"]["exitCode"] == 3


def test_a_restarted_container_remembers_how_it_ended(node):
    async def story(node):
        await node.run_pod("often", "busybox", "sh", "-c", "sleep 30; exit 7", until=None)
        await asyncio.sleep(45)
        return (await node.pod("often"))["status"]["containerStatuses"][0]

    status = node(story)
    assert status["restartCount"] == 1
    assert "running" in status["state"]
    assert status["lastState"]["terminated"]["exitCode"] == 7


def test_an_image_that_cannot_be_pulled_is_tried_ever_more_rarely(node):
    async def story(node):
        await node.run_pod("bad", "nginx:nonsense", until=None)
        reasons = []
        for _ in range(120):
            reasons.append(await node.waiting("bad"))
            await asyncio.sleep(1)
        return reasons, await node.pod("bad"), await node.events("bad")

    reasons, pod, events = node(story)
    assert {"ErrImagePull", "ImagePullBackOff"} <= set(reasons)
    assert reasons.count("ImagePullBackOff") > reasons.count("ErrImagePull")
    assert pod["status"]["phase"] == "Pending"
    pulls = next(count for reason, _, count in events if reason == "Pulling")
    assert 3 <= pulls <= 5, "at 0, 10+, 20+, 40+ seconds"


def test_a_missing_secret_keeps_the_pod_waiting_until_it_comes(node):
    async def story(node):
        volumes = [{"name": "keys", "secret": {"secretName": "keys"}}]
        await node.run_pod("web", "nginx", until=None, volumes=volumes)
        await asyncio.sleep(5)
        before = await node.waiting("web"), await node.events("web")
        secret = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "keys", "namespace": "default"}}
        await node.client.create(SECRET, secret)
        await node.until(lambda: node.phase_is("web", "Running"))
        return before

    waiting, events = node(story)
    assert waiting == "ContainerCreating"
    assert ("FailedMount", 'MountVolume.SetUp failed for volume "keys" : secret "keys" not found') in [
        (reason, message) for reason, message, _ in events
    ]


def test_a_pod_gets_a_token_of_its_own(node):
    async def story(node):
        pod = await node.run_pod("web", "nginx")
        uid = pod["metadata"]["uid"]
        volume = next(v["name"] for v in pod["spec"]["volumes"] if v["name"].startswith("kube-api-access-"))
        path = f"/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~projected/{volume}/token"
        first = node.host.files.read(path)
        await asyncio.sleep(3600)
        second = node.host.files.read(path)
        await node.client.delete(POD, "web", "default")
        await node.until(lambda: node.is_gone("web"))
        return first, second, node.host.files.exists(path)

    first, second, left = node(story)
    assert first.count(b".") == 2
    assert first != second, "asked for anew before it expires"
    assert not left


def test_a_shorter_grace_interrupts_a_longer_one(node):
    async def story(node):
        loop = asyncio.get_running_loop()
        await node.run_pod("slow", "busybox", "sleep", "9999", terminationGracePeriodSeconds=300)
        begun = loop.time()
        await node.client.delete(POD, "slow", "default")
        await asyncio.sleep(10)
        await node.client.delete(POD, "slow", "default", options={"gracePeriodSeconds": 5})
        await node.until(lambda: node.is_gone("slow"), within_seconds=400)
        return loop.time() - begun

    assert 15 <= node(story) <= 17


def test_changing_an_image_in_place_restarts_the_container(node):
    async def story(node):
        await node.run_pod("web", "nginx:1.26")
        patch = {"spec": {"containers": [{"name": "app", "image": "nginx:1.27"}]}}
        await node.client.patch(POD, "web", patch, "default")
        await asyncio.sleep(10)
        return (await node.pod("web"))["status"]["containerStatuses"][0], await node.events("web")

    status, events = node(story)
    assert (status["image"], status["restartCount"]) == ("docker.io/library/nginx:1.27", 1)
    assert "Container app definition changed, will be restarted" in [message for _, message, _ in events]


def test_a_container_that_was_changed_waits_for_no_back_off(node):
    async def story(node):
        await node.run_pod("web", "nginx:1.26")
        for image in ("nginx:1.27", "nginx:1.28"):
            patch = {"spec": {"containers": [{"name": "app", "image": image}]}}
            await node.client.patch(POD, "web", patch, "default")
            await asyncio.sleep(6)
        return (await node.pod("web"))["status"]["containerStatuses"][0], await node.events("web")

    status, events = node(story)
    assert (status["image"], status["restartCount"]) == ("docker.io/library/nginx:1.28", 2)
    assert "BackOff" not in {reason for reason, _, _ in events}


# -- what dies and comes back


def test_containers_outlive_the_kubelet(node):
    async def story(node):
        before = (await node.run_pod("web", "nginx"))["status"]["containerStatuses"][0]
        await node.kill("kubelet")
        await asyncio.sleep(60)
        await node.start("kubelet")
        await asyncio.sleep(5)
        return before, (await node.pod("web"))["status"]["containerStatuses"][0], len(node.containers())

    before, after, count = node(story)
    assert after == before
    assert count == 1


def test_a_pod_deleted_while_the_kubelet_was_away_is_stopped_when_it_is_back(node):
    async def story(node):
        await node.run_pod("web", "nginx")
        await node.kill("kubelet")
        await node.client.delete(POD, "web", "default")
        await asyncio.sleep(60)
        still_there = not await node.is_gone("web")
        await node.start("kubelet")
        await node.until(lambda: node.is_gone("web"))
        await asyncio.sleep(1)
        return still_there, node.containers()

    assert node(story) == (True, [])


def test_a_pod_that_vanished_from_the_api_is_stopped_when_the_kubelet_is_back(node):
    async def story(node):
        await node.run_pod("web", "nginx")
        await node.kill("kubelet")
        await node.client.delete(POD, "web", "default", options={"gracePeriodSeconds": 0})
        await node.start("kubelet")
        await asyncio.sleep(60)
        return node.containers(), node.store().sandboxes

    assert node(story) == ([], {})


def test_a_pod_that_cannot_be_stopped_for_want_of_a_runtime_is_tried_every_ten_seconds_or_so(node):
    """One container has heeded SIGTERM and the other not when containerd dies: no longer what was last told."""

    async def story(node):
        containers = [
            {"name": "heeds", "image": "nginx"},
            {"name": "waits", "image": "busybox", "command": ["sleep", "9999"]},
        ]
        await node.run_pod("two", None, containers=containers)
        await node.client.delete(POD, "two", "default")
        await asyncio.sleep(10)
        await node.kill("containerd")
        since = len(node.noted("kubelet.sync"))
        await asyncio.sleep(60)
        tries = len(node.noted("kubelet.sync")) - since
        await node.start("containerd")
        await node.until(lambda: node.is_gone("two"))
        return tries

    assert 4 <= node(story) <= 7


def test_without_a_runtime_the_node_is_not_ready_and_with_it_it_is(node):
    async def story(node):
        before = (await node.run_pod("web", "nginx"))["status"]["containerStatuses"][0]["containerID"]
        await node.kill("containerd")
        await asyncio.sleep(5)
        down = await node.ready()
        await node.start("containerd")
        await node.until(node.is_ready, within_seconds=20)
        return before, down, (await node.pod("web"))["status"]["containerStatuses"][0]["containerID"]

    before, down, after = node(story)
    assert (down["status"], down["reason"]) == ("False", "KubeletNotReady")
    assert "container runtime is down" in down["message"]
    assert before == after


def test_what_ended_while_the_api_server_was_away_is_told_when_it_is_back(node):
    async def story(node):
        await node.run_pod("once", "busybox", "sh", "-c", "sleep 20; exit 4", restartPolicy="Never")
        await node.kill("kube-apiserver")
        await asyncio.sleep(60)
        await node.start("kube-apiserver")
        await node.until(lambda: node.phase_is("once", "Failed"))
        return (await node.pod("once"))["status"]["containerStatuses"][0]["state"]["terminated"]

    assert node(story)["exitCode"] == 4


def test_readiness_follows_its_probe(node):
    async def story(node):
        script = "sleep 20; touch /tmp/ready; sleep 60; rm /tmp/ready; sleep 999"
        probe = {"exec": {"command": ["cat", "/tmp/ready"]}, "periodSeconds": 2}
        container = {"name": "app", "image": "busybox", "command": ["sh", "-c", script], "readinessProbe": probe}
        await node.run_pod("web", "busybox", containers=[container])
        ready = []
        for _ in range(110):
            ready.append((await node.pod("web"))["status"]["containerStatuses"][0]["ready"])
            await asyncio.sleep(1)
        return ready

    ready = node(story)
    assert not any(ready[:18])
    assert all(ready[30:75])
    assert not any(ready[95:])


def test_a_probe_of_a_port_on_which_nobody_listens_fails(node):
    async def story(node):
        probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
        container = {"name": "app", "image": "nginx", "livenessProbe": probe}
        await node.run_pod("web", "nginx", containers=[container], until=None)
        await asyncio.sleep(30)
        return await node.events("web"), (await node.pod("web"))["status"]["containerStatuses"][0]["restartCount"]

    events, restarts = node(story)
    refused = (
        'Liveness probe failed: Get "http://10.244.0.2:8080/": dial tcp 10.244.0.2:8080: connect: connection refused'
    )
    assert refused in [message for _, message, _ in events]
    assert restarts >= 1


# -- its own port


async def _ask(node, path, *, pair):
    """GET from the kubelet as the owner of a certificate (or as nobody)."""
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    if pair is not None:
        tls = client_tls(ca=node.pki.cluster.pair.certificate, certificate=pair.certificate, key=pair.key)
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    async with httpcore.AsyncConnectionPool(ssl_context=tls) as pool:
        answer = await pool.request("GET", f"https://10.0.0.11:10250{path}")
        return answer.status, answer.content.decode()


def test_who_may_read_logs_at_the_kubelets_port(node):
    async def story(node):
        await node.run_pod("once", "busybox", "sh", "-c", "echo one; echo two", until="Running")
        path = "/containerLogs/default/once/app"
        admin = node.pki.admin
        stranger = node.pki.cluster.issue("bob", usage=Usage.CLIENT)
        return [
            await _ask(node, path, pair=admin),
            await _ask(node, f"{path}?tailLines=1", pair=admin),
            await _ask(node, "/healthz", pair=admin),
            await _ask(node, "/containerLogs/default/nosuch/app", pair=admin),
            await _ask(node, path, pair=stranger),
            await _ask(node, path, pair=None),
        ]

    whole, tail, healthz, nosuch, stranger, nobody = node(story)
    assert whole == (200, "one\ntwo\n")
    assert tail == (200, "two\n")
    assert healthz == (200, "ok")
    assert nosuch[0] == 404
    assert stranger == (403, "Forbidden (user=bob, verb=get, resource=nodes, subresource=proxy, name=worker-1)")
    assert nobody == (401, "Unauthorized")


def test_a_heartbeat_is_heard_soon_after_a_cut_link_is_mended(node):
    async def story(node):
        async def is_renewed(before):
            return (await node.client.get(LEASE, "worker-1", "kube-node-lease"))["spec"] != before["spec"]

        loop = asyncio.get_running_loop()
        await asyncio.sleep(15)
        node.world.network.partition("worker-1", "control-plane")
        await asyncio.sleep(200)
        silent = await node.client.get(LEASE, "worker-1", "kube-node-lease")
        node.world.network.heal("worker-1", "control-plane")
        mended = loop.time()
        await node.until(lambda: is_renewed(silent))
        return loop.time() - mended

    assert node(story) < 20


def test_a_watch_that_a_cut_link_has_lost_is_taken_up_again(node):
    async def story(node):
        node.world.network.partition("worker-1", "control-plane")
        await node.run_pod("web", "nginx", until=None)
        await asyncio.sleep(200)
        pending = (await node.pod("web"))["status"].get("phase")
        node.world.network.heal("worker-1", "control-plane")
        await node.until(lambda: node.phase_is("web", "Running"), within_seconds=60)
        return pending

    assert node(story) == "Pending"
