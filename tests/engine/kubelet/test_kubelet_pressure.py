"""What a node does when images, files or processes are too many for it."""

import asyncio

from cluster_engine.api.kinds import POD
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.files import FILE_BYTES_MAX
from tests.engine.kubelet.test_kubelet_acting import condition


def names(node):
    return {reference.split("/")[-1].split(":")[0] for reference in node.store().images}


async def told(node, reason):
    return [message for said, message, _ in await node.events("worker-1") if said == reason]


async def fill(node, name, files):
    await node.run_pod(name, "busybox", "sleep", "3600")
    container = next(one for one in node.containers() if one.image.reference.endswith("busybox:latest"))
    for number in range(files):
        container.files.write(f"/tmp/{number}", bytes(FILE_BYTES_MAX))


def test_unused_images_go_when_the_disk_fills_up_and_what_is_missing_is_told(node):
    """An image is known from the look on that follows its pull; in the one after it is old enough."""

    async def story(node):
        await node.run_pod("user", "nginx")
        await node.run_pod("once", "redis")
        await node.client.delete(POD, "once", "default")
        await node.until(lambda: node.is_gone("once"))
        await fill(node, "writer", 7)  # 7/8 of the disk: over 85 %, under 90 %
        await asyncio.sleep(300)
        first = names(node), await told(node, "FreeDiskSpaceFailed"), await told(node, "ImageGCFailed")
        await asyncio.sleep(300)
        return first, names(node), await told(node, "ImageGCFailed"), await condition(node, "DiskPressure")

    (before, failed, once), after, twice, pressed = node(story)
    assert before - after == {"redis"}
    assert after == {"nginx", "busybox", "pause"}
    assert failed[0].startswith("Failed to garbage collect required amount of images. Attempted to free ")
    assert failed[0].endswith(" bytes, but only found 0 bytes eligible to free.")
    assert (once, len(twice), pressed["status"]) == ([], 1, "False")


def test_an_image_that_is_not_two_minutes_old_stays(node):
    async def story(node):
        await fill(node, "writer", 7)
        await asyncio.sleep(200)
        await node.run_pod("once", "redis")
        await node.client.delete(POD, "once", "default")
        await node.until(lambda: node.is_gone("once"))
        await node.until(lambda: told(node, "FreeDiskSpaceFailed"), within_seconds=300)
        return names(node)

    assert "redis" in node(story)


def test_a_node_with_disk_pressure_deletes_images_before_it_evicts(node):
    async def story(node):
        await node.run_pod("once", "redis")
        await node.client.delete(POD, "once", "default")
        await node.until(lambda: node.is_gone("once"))
        await asyncio.sleep(450)
        await fill(node, "writer", 7)
        node.host.files.write("/var/rest", bytes(FILE_BYTES_MAX // 2))
        await node.until(lambda: node.phase_is("writer", "Failed"), within_seconds=20)
        return names(node)

    assert "redis" not in node(story)


def test_a_node_whose_process_numbers_run_short_evicts_who_has_most(node):
    async def story(node):
        node.host.pids_max = 34
        await node.run_pod("modest", "nginx")
        await node.run_pod("bomb", "busybox", "sh", "-c", "for i in 1 2 3 4 5 6 7; do sleep 1000 | sleep 1000 | "
                           "sleep 1000 | sleep 1000 & done; sleep 1000", until=None)  # fmt: skip
        await node.until(lambda: node.phase_is("bomb", "Failed"), within_seconds=30)
        pressed = await condition(node, "PIDPressure")
        return await node.pod("bomb"), await node.pod("modest"), pressed

    bomb, modest, pressed = node(story)
    assert bomb["status"]["message"].startswith(
        "The node was low on resource: pids. Threshold quantity: 3, available: "
    )
    assert "Container" not in bomb["status"]["message"]
    assert modest["status"]["phase"] == "Running"
    assert (pressed["status"], pressed["reason"]) == ("True", "KubeletHasInsufficientPID")


def test_a_node_whose_process_numbers_run_short_does_not_begin_what_is_sent_to_it(node):
    async def story(node):
        node.host.pids_max = len(node.host.processes) // 2
        await asyncio.sleep(11)
        await node.run_pod("late", "nginx", until="Failed")
        return (await node.pod("late"))["status"], await node.events("late"), len(node.containers())

    status, events, containers = node(story)
    why = "The node had condition: [PIDPressure]. "
    assert (status["reason"], status["message"]) == ("Evicted", f"Pod was rejected: {why}")
    assert events == [("Evicted", why, 1)]
    assert containers == 0


def test_a_machine_without_process_numbers_starts_nothing_more_in_containers(node):
    async def story(node):
        node.host.pids_max, most = 12, 0
        await node.run_pod("bomb", "busybox", "sh", "-c", "while true; do sleep 1000 & sleep 0.1; done", until=None)
        for _ in range(600):
            await asyncio.sleep(0.05)
            most = max(most, len(node.host.processes))
        return most

    assert node(story) == 12


def test_what_an_evicted_pod_has_written_is_reclaimed_and_the_next_look_spares_the_others(node):
    async def story(node):
        await node.run_pod("user", "nginx")
        await fill(node, "writer", 7)
        node.host.files.write("/var/rest", bytes(FILE_BYTES_MAX // 2))
        await node.until(lambda: node.phase_is("writer", "Failed"), within_seconds=20)
        full = node.host.files.size
        await asyncio.sleep(13)
        return await node.pod("writer"), await node.pod("user"), full - node.host.files.size, len(node.containers())

    writer, user, freed, containers = node(story)
    assert (writer["status"]["reason"], user["status"]["phase"]) == ("Evicted", "Running")
    assert "terminated" in writer["status"]["containerStatuses"][0]["state"], "what was said of it stays"
    assert freed >= 7 * FILE_BYTES_MAX
    assert containers == 1


def test_one_dead_container_of_a_name_is_kept_and_empty_sandboxes_go(node):
    async def end_it(node):
        (container,) = [one for one in node.containers() if one.process is not None]
        container.process.kill()
        await asyncio.sleep(20)

    async def story(node):
        await node.run_pod("web", "nginx")
        store = node.store()
        (first,) = list(store.sandboxes)
        await end_it(node)
        await end_it(node)
        store.sandboxes[first].state = cri.SANDBOX_NOTREADY
        await node.kill("kubelet")
        await node.start("kubelet")
        await asyncio.sleep(100)
        with_its_dead = len(node.containers()), list(store.sandboxes)
        await end_it(node)
        await asyncio.sleep(100)
        return first, with_its_dead, (len(node.containers()), list(store.sandboxes))

    first, (containers, sandboxes), (at_last, left) = node(story)
    assert (containers, len(sandboxes), at_last, len(left)) == (2, 2, 2, 1)
    assert first in sandboxes
    assert first not in left
