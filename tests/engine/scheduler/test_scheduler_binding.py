import asyncio

from control_plane import CAPACITY, ControlPlane

from cluster_engine.api.kinds import EVENT, NODE, POD
from cluster_engine.api.status import Conflict
from cluster_engine.controllers.pods import condition
from tests.ears import Ears


def pod(name, cpu="100m", **spec):
    container = {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu}}}
    metadata = {"name": name, "namespace": "default"}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": {"containers": [container], **spec}}


def told(run, story, *, nodes=2, tap=None):
    async def whole(world):
        plane = ControlPlane(world)
        await plane.start(nodes=nodes, programs=("kube-controller-manager", "kube-scheduler"))
        await asyncio.sleep(1)
        return await story(plane)

    return run(whole, tap=tap)


async def home(plane, name):
    return (await plane.client.get(POD, name, "default"))["spec"].get("nodeName", "")


def test_a_pod_is_bound_and_the_scores_are_noted(run):
    ears = Ears()

    async def story(plane):
        await plane.client.create(POD, pod("a"))
        await asyncio.sleep(1)
        bound = await plane.client.get(POD, "a", "default")
        assert condition(bound, "PodScheduled")["status"] == "True"
        assert await plane.events("Scheduled") == [f"Successfully assigned default/a to {bound['spec']['nodeName']}"]
        return bound["spec"]["nodeName"]

    node = told(run, story, tap=ears)
    (note,) = ears.noted("scheduler.scores")
    assert note.fields["node"] == node
    assert set(note.fields["totals"]) == {"worker-1", "worker-2"}
    assert note.fields["scores"][node]["NodeResourcesFit"] > 0


def test_ten_pods_at_once_never_overfill_a_node(run):
    async def story(plane):
        await asyncio.gather(*(plane.client.create(POD, pod(f"p{number}", cpu="500m")) for number in range(10)))
        await asyncio.sleep(2)
        homes = [await home(plane, f"p{number}") for number in range(10)]
        assert sorted(homes.count(name) for name in ("worker-1", "worker-2", "")) == [2, 4, 4]

    told(run, story)


def test_a_pod_that_fits_nowhere_says_why_and_is_bound_once_there_is_room(run):
    async def story(plane):
        await plane.client.create(POD, pod("big", cpu="3"))
        await asyncio.sleep(1)
        message = (
            "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: "
            "2 No preemption victims found for incoming pod."
        )
        assert await plane.events("FailedScheduling") == [message]
        scheduled = condition(await plane.client.get(POD, "big", "default"), "PodScheduled")
        assert (scheduled["status"], scheduled["reason"], scheduled["message"]) == ("False", "Unschedulable", message)
        await asyncio.sleep(20)
        (event,) = [event for event in await plane.items(EVENT) if event["reason"] == "FailedScheduling"]
        assert event["count"] == 1  # nothing has changed, nothing was tried
        status = {"allocatable": {**CAPACITY, "cpu": "4"}, "capacity": {**CAPACITY, "cpu": "4"}}
        await plane.client.patch(NODE, "worker-2", {"status": status}, subresource="status")
        await asyncio.sleep(1)
        return await home(plane, "big")

    assert told(run, story) == "worker-2"


def test_room_made_by_a_deleted_pod_is_used(run):
    async def story(plane):
        for name in ("a", "b", "c"):
            await plane.client.create(POD, pod(name, cpu="1500m"))
            await asyncio.sleep(1)
        assert await home(plane, "c") == ""
        await plane.client.delete(POD, "a", "default")
        await asyncio.sleep(3)
        assert await home(plane, "c")

    told(run, story)


def test_cordoned_and_unreachable_nodes_get_nothing(run):
    async def story(plane):
        await plane.client.patch(NODE, "worker-1", {"spec": {"unschedulable": True}})
        plane.silence("worker-2")
        await asyncio.sleep(70)
        await plane.client.create(POD, pod("a"))
        await asyncio.sleep(1)
        (message,) = await plane.events("FailedScheduling")
        assert message.startswith(
            "0/2 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, "
            "1 node(s) were unschedulable. preemption: 0/2 nodes are available: 2 Preemption is not helpful"
        )
        await plane.client.patch(NODE, "worker-1", {"spec": {"unschedulable": None}})
        await asyncio.sleep(3)
        return await home(plane, "a")

    assert told(run, story) == "worker-1"


def test_without_nodes_there_is_nothing_to_choose_from(run):
    async def story(plane):
        await plane.client.create(POD, pod("a"))
        await asyncio.sleep(1)
        return await plane.events("FailedScheduling")

    assert told(run, story, nodes=0) == ["no nodes available to schedule pods"]


def test_a_pod_of_another_scheduler_and_a_bound_one_are_left_alone(run):
    async def story(plane):
        await plane.client.create(POD, pod("other", schedulerName="mine"))
        await plane.client.create(POD, pod("fixed", nodeName="worker-2"))
        await asyncio.sleep(2)
        assert await plane.events("Scheduled") == []
        return await home(plane, "other"), await home(plane, "fixed")

    assert told(run, story) == ("", "worker-2")


def test_a_pod_somebody_else_has_bound_meanwhile_stays_where_it_is(run):
    async def story(plane):
        scheduler = plane.process("kube-scheduler")
        scheduler.kill()
        await plane.client.create(POD, pod("a"))
        target = {
            "kind": "Binding",
            "apiVersion": "v1",
            "metadata": {"name": "a"},
            "target": {"kind": "Node", "name": "worker-1"},
        }
        await plane.client.create(POD, target, "default", name="a", subresource="binding")
        try:
            await plane.client.create(POD, target, "default", name="a", subresource="binding")
        except Conflict:
            return await home(plane, "a")

    assert told(run, story) == "worker-1"


def test_a_new_scheduler_takes_over_from_a_killed_one(run):
    async def story(plane):
        plane.process("kube-scheduler").kill()
        await plane.client.create(POD, pod("a"))
        killed_at = plane.world.loop.time()
        plane.run("kube-scheduler")

        async def is_bound():
            return await home(plane, "a")

        await plane.until(is_bound, 30)
        return plane.world.loop.time() - killed_at

    assert 13 <= told(run, story) <= 20  # the old lease must run out first
