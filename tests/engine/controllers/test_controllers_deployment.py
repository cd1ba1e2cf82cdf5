import asyncio

from control_plane import deployment

from cluster_engine.api.kinds import DEPLOYMENT, POD, REPLICA_SET
from cluster_engine.api.status import NotFound
from cluster_engine.controllers.pods import condition


def complete(plane, replicas=3, name="web"):
    async def is_complete():
        found = await plane.client.get(DEPLOYMENT, name, "default")
        status = found.get("status", {})
        observed = status.get("observedGeneration") == found["metadata"]["generation"]
        numbers = (status.get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas"))
        return found if observed and set(numbers) == {replicas} else None

    return is_complete


async def set_image(plane, image, **more):
    template = {"spec": {"containers": [{"name": "nginx", "image": image}]}}
    await plane.client.patch(DEPLOYMENT, "web", {"spec": {"template": template, **more}}, "default")


async def rolled_out(plane, **spec):
    await plane.client.create(DEPLOYMENT, deployment(**spec))
    return await plane.until(complete(plane, spec.get("replicas", 3)))


def test_a_deployment_becomes_a_replica_set_becomes_running_pods(cluster):
    async def story(plane):
        web = await rolled_out(plane)
        assert web["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
        assert condition(web, "Available")["status"] == "True"
        assert condition(web, "Progressing")["reason"] == "NewReplicaSetAvailable"
        (replica_set,) = await plane.items(REPLICA_SET, "default")
        digest = replica_set["metadata"]["labels"]["pod-template-hash"]
        assert replica_set["metadata"]["name"] == f"web-{digest}"
        assert replica_set["metadata"]["ownerReferences"][0]["uid"] == web["metadata"]["uid"]
        pods = await plane.items(POD, "default", labelSelector=f"pod-template-hash={digest}")
        assert sorted({pod["spec"]["nodeName"] for pod in pods}) == ["worker-1", "worker-2"]
        assert await plane.events("ScalingReplicaSet") == [f"Scaled up replica set web-{digest} from 0 to 3"]
        assert len(await plane.events("SuccessfulCreate")) == 3

    cluster(story)


def test_a_rolling_update_never_has_too_few_or_too_many_pods(cluster):
    async def story(plane):
        await rolled_out(plane)
        for kubelet in plane.kubelets.values():
            kubelet.start_seconds = 2.0
        available, existing = [], []

        async def watch():
            while True:
                pods = await plane.items(POD, "default")
                alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
                existing.append(len(alive))
                available.append(sum((condition(pod, "Ready") or {}).get("status") == "True" for pod in alive))
                await asyncio.sleep(0.1)

        watcher = asyncio.create_task(watch())
        await set_image(plane, "nginx:2")
        await plane.until(complete(plane))
        watcher.cancel()
        assert min(available) >= 3  # maxUnavailable 25 % of 3, rounded down
        assert max(existing) == 4  # maxSurge 25 % of 3, rounded up
        old, new = sorted(
            await plane.items(REPLICA_SET, "default"),
            key=lambda one: one["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        )
        assert (old["spec"]["replicas"], new["spec"]["replicas"]) == (0, 3)

    cluster(story)


def test_going_back_makes_the_old_replica_set_the_newest_revision(cluster):
    async def story(plane):
        await rolled_out(plane)
        (first,) = await plane.items(REPLICA_SET, "default")
        await set_image(plane, "nginx:2")
        await plane.until(complete(plane))
        await set_image(plane, "nginx")
        web = await plane.until(complete(plane))
        again = await plane.client.get(REPLICA_SET, first["metadata"]["name"], "default")
        annotations = again["metadata"]["annotations"]
        assert annotations["deployment.kubernetes.io/revision"] == "3"
        assert annotations["deployment.kubernetes.io/revision-history"] == "1"
        assert web["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
        assert again["spec"]["replicas"] == 3

    cluster(story)


def test_recreate_stops_everything_old_before_it_starts_anything_new(cluster):
    async def story(plane):
        await rolled_out(plane, strategy={"type": "Recreate"})
        for kubelet in plane.kubelets.values():
            kubelet.stop_seconds = 2.0
        images = []

        async def watch():
            while True:
                pods = await plane.items(POD, "default")
                images.append({pod["spec"]["containers"][0]["image"] for pod in pods})
                await asyncio.sleep(0.1)

        watcher = asyncio.create_task(watch())
        await set_image(plane, "nginx:2")
        await plane.until(complete(plane))
        await asyncio.sleep(0.5)
        watcher.cancel()
        assert {"nginx", "nginx:2"} not in images
        assert images[-1] == {"nginx:2"}

    cluster(story)


def test_a_paused_deployment_is_scaled_but_not_rolled_out(cluster):
    async def story(plane):
        await rolled_out(plane)
        await set_image(plane, "nginx:2", paused=True, replicas=5)
        await asyncio.sleep(5)
        pods = await plane.items(POD, "default")
        assert [pod["spec"]["containers"][0]["image"] for pod in pods] == ["nginx"] * 5
        web = await plane.client.get(DEPLOYMENT, "web", "default")
        assert condition(web, "Progressing")["reason"] == "DeploymentPaused"
        await plane.client.patch(DEPLOYMENT, "web", {"spec": {"paused": None}}, "default")
        await plane.until(complete(plane, 5))
        pods = await plane.items(POD, "default")
        assert [pod["spec"]["containers"][0]["image"] for pod in pods] == ["nginx:2"] * 5

    cluster(story)


def test_a_rollout_that_does_not_move_is_reported_after_its_deadline(cluster):
    async def story(plane):
        for kubelet in plane.kubelets.values():
            kubelet.runs_pods = False
        await plane.client.create(DEPLOYMENT, deployment(progressDeadlineSeconds=60))
        created_at = plane.world.loop.time()

        async def has_timed_out():
            web = await plane.client.get(DEPLOYMENT, "web", "default")
            return (condition(web, "Progressing") or {}).get("reason") == "ProgressDeadlineExceeded"

        await plane.until(has_timed_out, 120)
        return plane.world.loop.time() - created_at

    assert 60 <= cluster(story) <= 63


def test_old_replica_sets_beyond_the_history_limit_are_deleted(cluster):
    async def story(plane):
        await rolled_out(plane, revisionHistoryLimit=1)
        for image in ("nginx:2", "nginx:3", "nginx:4"):
            await set_image(plane, image)
            await plane.until(complete(plane))
        await asyncio.sleep(5)
        return len(await plane.items(REPLICA_SET, "default"))

    assert cluster(story) == 2


def test_a_finished_deployment_causes_no_further_requests(cluster):
    async def story(plane):
        before = await rolled_out(plane)
        await asyncio.sleep(120)
        after = await plane.client.get(DEPLOYMENT, "web", "default")
        assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
        (replica_set,) = await plane.items(REPLICA_SET, "default")
        assert replica_set["metadata"]["generation"] == 1

    cluster(story)


def test_a_deleted_pod_is_replaced_and_a_stray_one_adopted(cluster):
    async def story(plane):
        await rolled_out(plane)
        pods = await plane.items(POD, "default")
        await plane.client.delete(POD, pods[0]["metadata"]["name"], "default")
        await asyncio.sleep(2)
        now = await plane.items(POD, "default")
        assert len(now) == 3
        assert pods[0]["metadata"]["name"] not in [pod["metadata"]["name"] for pod in now]
        stray = {
            **now[0],
            "metadata": {"name": "stray", "namespace": "default", "labels": now[0]["metadata"]["labels"]},
        }
        stray = {**stray, "spec": {"containers": [{"name": "nginx", "image": "nginx"}]}}
        stray.pop("status")
        await plane.client.create(POD, stray)
        await asyncio.sleep(2)
        assert len(await plane.items(POD, "default")) == 3  # adopted, and one too many

    cluster(story)


def test_a_pod_whose_label_changes_is_released_and_replaced(cluster):
    async def story(plane):
        await rolled_out(plane)
        pods = await plane.items(POD, "default")
        name = pods[0]["metadata"]["name"]
        await plane.client.patch(POD, name, {"metadata": {"labels": {"app": "other"}}}, "default")
        await asyncio.sleep(2)
        released = await plane.client.get(POD, name, "default")
        assert not released["metadata"].get("ownerReferences")
        assert len(await plane.items(POD, "default")) == 4

    cluster(story)


def test_scaling_down_takes_pods_that_are_not_ready_first(cluster):
    async def story(plane):
        await rolled_out(plane)
        pods = await plane.items(POD, "default")
        victim = pods[1]["metadata"]["name"]
        broken = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
        await plane.client.patch(POD, victim, broken, "default", subresource="status")
        await plane.client.patch(DEPLOYMENT, "web", {"spec": {"replicas": 2}}, "default")
        await asyncio.sleep(2)
        try:
            await plane.client.get(POD, victim, "default")
        except NotFound:
            return len(await plane.items(POD, "default"))

    assert cluster(story) == 2


def test_a_killed_controller_manager_takes_up_where_it_was(cluster):
    async def story(plane):
        await rolled_out(plane)
        plane.process("kube-controller-manager").kill()
        await set_image(plane, "nginx:2")
        plane.run("kube-controller-manager")
        await plane.until(complete(plane))

    cluster(story)
