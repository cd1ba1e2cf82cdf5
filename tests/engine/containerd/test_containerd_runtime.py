import asyncio

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from cluster_engine.containerd.events import BACKLOG_EVENTS_MAX, Events
from cluster_engine.containerd.logs import LINES_MAX
from cluster_engine.containerd.network import NoAddressLeftError, next_address
from cluster_engine.rpc import cri_pb2 as cri


def test_a_pod_gets_an_address_of_the_nodes_range(on_node):
    async def story(node):
        ids = [await node.sandbox(f"web-{i}", f"u{i}") for i in range(2)]
        return [(await node("PodSandboxStatus", pod_sandbox_id=id_)).status.network.ip for id_ in ids]

    assert on_node(story) == ["10.244.1.2", "10.244.1.3"]


def test_without_a_pod_range_the_network_is_not_ready(on_node):
    async def story(node):
        status = (await node("Status")).status
        network = next(condition for condition in status.conditions if condition.type == "NetworkReady")
        with pytest.raises(GRPCError, match="cni plugin not initialized"):
            await node.sandbox()
        return network.status, network.reason

    assert on_node(story, cidr=None) == (False, "NetworkPluginNotReady")


def test_an_image_is_pulled_once_and_takes_its_time(on_node):
    async def story(node):
        loop = asyncio.get_running_loop()
        times = []
        for _ in range(2):
            before = loop.time()
            await node("PullImage", image=cri.ImageSpec(image="nginx:1.27"))
            times.append(loop.time() - before)
        images = (await node("ListImages")).images
        return times, [tag for image in images for tag in image.repo_tags]

    (first, second), tags = on_node(story)
    assert 1.0 < first < 4.0
    assert second < 0.5
    assert tags == ["registry.k8s.io/pause:3.10", "docker.io/library/nginx:1.27"]


@pytest.mark.parametrize(
    ("image", "code", "text"),
    [
        ("nginx:nonsense", Status.NOT_FOUND, 'failed to resolve reference "docker.io/library/nginx:nonsense"'),
        ("nosuch", Status.UNKNOWN, "pull access denied, repository does not exist"),
        ("BAD NAME", Status.UNKNOWN, "invalid reference format"),
    ],
)
def test_a_pull_that_cannot_be_says_why(on_node, image, code, text):
    async def story(node):
        with pytest.raises(GRPCError) as refused:
            await node("PullImage", image=cri.ImageSpec(image=image))
        return refused.value

    refused = on_node(story)
    assert refused.status is code
    assert text in refused.message


def test_an_image_that_is_not_here_is_an_empty_answer(on_node):
    async def story(node):
        return (await node("ImageStatus", image=cri.ImageSpec(image="nginx"))).HasField("image")

    assert on_node(story) is False


def test_a_server_runs_until_it_is_stopped_and_ends_well(on_node):
    async def story(node):
        container = await node.container(await node.sandbox(), "nginx")
        await asyncio.sleep(3600)
        before = await node.status(container)
        await node("StopContainer", container_id=container, timeout=30)
        return before, await node.status(container), node.log()

    before, after, log = on_node(story)
    assert before.state == cri.CONTAINER_RUNNING
    assert (after.state, after.exit_code, after.reason) == (cri.CONTAINER_EXITED, 0, "Completed")
    assert 0 < after.finished_at - before.started_at - 3600e9 < 1e9
    assert "start worker processes" in log
    assert "SIGQUIT" in log.splitlines()[-1]


def test_sleep_as_process_one_is_killed_when_the_grace_is_over(on_node):
    async def story(node):
        container = await node.container(await node.sandbox(), "busybox", "sleep", "3600")
        before = asyncio.get_running_loop().time()
        await node("StopContainer", container_id=container, timeout=30)
        return asyncio.get_running_loop().time() - before, (await node.status(container)).exit_code

    seconds, code = on_node(story)
    assert 30 <= seconds < 30.1
    assert code == 137


def test_a_command_ends_by_itself_with_its_code(on_node):
    async def story(node):
        container = await node.container(await node.sandbox(), "busybox", "sh", "-c", "echo bye; sleep 5; exit 3")
        await asyncio.sleep(6)
        return await node.status(container), node.log()

    status, log = on_node(story)
    assert (status.exit_code, status.reason) == (3, "Error")
    assert 4.99e9 < status.finished_at - status.started_at < 5.01e9
    assert log.endswith(" stdout F bye\n")


def test_a_program_that_does_not_exist_cannot_be_started(on_node):
    async def story(node):
        container = await node.container(await node.sandbox(), "busybox", "frobnicate", start=False)
        with pytest.raises(GRPCError, match='exec: "frobnicate": executable file not found'):
            await node("StartContainer", container_id=container)
        return await node.status(container)

    status = on_node(story)
    assert (status.state, status.exit_code, status.reason) == (cri.CONTAINER_EXITED, 128, "StartError")


def test_events_tell_each_step_with_the_pods_state(on_node):
    async def story(node):
        async with node.open("GetContainerEvents") as stream:
            await stream.send_message(cri.GetEventsRequest(), end=True)
            await stream.recv_initial_metadata()
            sandbox = await node.sandbox()
            container = await node.container(sandbox, "busybox", "sleep", "1")
            events = [await stream.recv_message() for _ in range(5)]
            await stream.cancel()
        return sandbox, container, events

    sandbox, container, events = on_node(story)
    told = [(event.container_id, cri.ContainerEventType.Name(event.container_event_type)) for event in events]
    assert told == [
        (sandbox, "CONTAINER_CREATED_EVENT"),
        (sandbox, "CONTAINER_STARTED_EVENT"),
        (container, "CONTAINER_CREATED_EVENT"),
        (container, "CONTAINER_STARTED_EVENT"),
        (container, "CONTAINER_STOPPED_EVENT"),
    ]
    assert events[-1].pod_sandbox_status.metadata.uid == "u1"
    assert events[-1].containers_statuses[0].state == cri.CONTAINER_EXITED


def test_containers_outlive_containerd(on_node):
    async def story(node):
        sandbox = await node.sandbox()
        server = await node.container(sandbox, "nginx")
        short = await node.container(sandbox, "busybox", "sh", "-c", "sleep 10; echo late; exit 4", attempt=1)
        await node.restart(away=60)
        return await node.status(server), await node.status(short), node.log(attempt=1)

    server, short, log = on_node(story)
    assert server.state == cri.CONTAINER_RUNNING
    assert (short.state, short.exit_code) == (cri.CONTAINER_EXITED, 4)
    assert 9.9e9 < short.finished_at - short.started_at < 10.1e9, "ended when it ended, not when it was noticed"
    assert log.count("late") == 1


def test_a_sigterm_is_not_taken_back_when_its_sender_dies(on_node):
    async def story(node):
        container = await node.container(await node.sandbox(), "nginx")
        stop = asyncio.create_task(node("StopContainer", container_id=container, timeout=30))
        await asyncio.sleep(0.01)
        stop.cancel()
        await asyncio.sleep(1)
        return (await node.status(container)).exit_code, (await node.status(container)).state

    assert on_node(story) == (0, cri.CONTAINER_EXITED)


def test_stopping_a_sandbox_kills_what_runs_in_it_and_frees_its_address(on_node):
    async def story(node):
        sandbox = await node.sandbox()
        container = await node.container(sandbox, "nginx")
        for _ in range(2):
            await node("StopPodSandbox", pod_sandbox_id=sandbox)
        status = await node("PodSandboxStatus", pod_sandbox_id=sandbox)
        exit_code = (await node.status(container)).exit_code
        for _ in range(2):
            await node("RemovePodSandbox", pod_sandbox_id=sandbox)
        left = await node("ListContainers"), await node("ListPodSandbox")
        return status.status, exit_code, left, node.host.files.exists("/var/log/pods")

    status, exit_code, (containers, sandboxes), logs = on_node(story)
    assert (status.state, status.network.ip, exit_code) == (cri.SANDBOX_NOTREADY, "", 137)
    assert (len(containers.containers), len(sandboxes.items), logs) == (0, 0, False)


def test_exec_runs_a_program_beside_the_first(on_node):
    async def story(node):
        container = await node.container(
            await node.sandbox(), "busybox", "sh", "-c", "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"
        )
        codes = []
        for wait in (1, 40):
            await asyncio.sleep(wait)
            codes.append((await node("ExecSync", container_id=container, cmd=["cat", "/tmp/healthy"])).exit_code)
        with pytest.raises(GRPCError, match="timeout 1s exceeded"):
            await node("ExecSync", container_id=container, cmd=["sleep", "5"], timeout=1)
        return codes

    assert on_node(story) == [0, 1]


def test_a_chatty_container_keeps_a_bounded_log(on_node):
    async def story(node):
        await node.container(await node.sandbox(), "busybox", "sh", "-c", "while true; do echo tick; sleep 1; done")
        await asyncio.sleep(2 * LINES_MAX)
        return node.log().count("\n")

    assert on_node(story) == LINES_MAX


def test_a_subscriber_that_does_not_read_overflows():
    async def story():
        events = Events()
        _, subscriber = events.subscribe()
        for _ in range(BACKLOG_EVENTS_MAX + 1):
            events.publish(cri.ContainerEventResponse())
        return subscriber.overflowed, subscriber.queue.qsize()

    assert asyncio.run(story()) == (True, BACKLOG_EVENTS_MAX)


def test_a_full_range_has_no_address_left():
    taken = ["10.244.1.2", "10.244.1.3", "10.244.1.4", "10.244.1.5"]
    assert next_address("10.244.1.0/29", taken=taken, last=5) == ("10.244.1.6", 6)
    assert next_address("10.244.1.0/29", taken=taken[1:], last=6) == ("10.244.1.2", 2)
    with pytest.raises(NoAddressLeftError):
        next_address("10.244.1.0/29", taken=[*taken, "10.244.1.6"], last=6)
