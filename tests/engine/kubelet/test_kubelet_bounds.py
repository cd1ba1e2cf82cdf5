"""What a container is started with has a bound, and a long line of its log is one line again."""

import asyncio
from datetime import UTC, datetime

import pytest

from cluster_engine.api.kinds import POD
from cluster_engine.containerd.logs import LINE_BYTES_MAX, append, format_line
from cluster_engine.kubelet import node_status
from cluster_engine.kubelet.admission import objection, pressed
from cluster_engine.kubelet.environment import EXPANDED_BYTES_MAX, TooLargeError, expand, expand_all
from cluster_engine.kubelet.logs import LogOptions, select
from cluster_engine.kubelet.server import _after
from cluster_engine.scheduler.nodes import NodeInfo
from cluster_engine.scheduler.resources import amounts
from cluster_engine.world.files import FileSystem

DOUBLING = [{"name": "A0", "value": "x"}] + [
    {"name": f"A{i}", "value": f"$(A{i - 1})$(A{i - 1})"} for i in range(1, 25)
]


def test_variables_that_double_keep_the_container_from_being_configured(node):
    async def story(node):
        container = {"name": "app", "image": "busybox", "env": DOUBLING}
        await node.run_pod("greedy", "", containers=[container], until=None)
        await node.until(lambda: node.waiting("greedy"))
        for _ in range(30):
            if await node.waiting("greedy") != "ContainerCreating":
                break
            await asyncio.sleep(1)
        return await node.pod("greedy")

    [status] = node(story)["status"]["containerStatuses"]
    assert status["state"]["waiting"] == {
        "reason": "CreateContainerConfigError",
        "message": "environment, command and args are larger than 1048576 bytes after expansion",
    }


def test_an_expansion_stops_at_its_bound():
    with pytest.raises(TooLargeError):
        expand("$(A)" * 300_000, {"A": "x" * EXPANDED_BYTES_MAX})
    assert expand("$(A)", {"A": "x" * EXPANDED_BYTES_MAX}) == "x" * EXPANDED_BYTES_MAX


def test_command_and_arguments_share_the_bound_with_the_variables():
    half = "x" * (EXPANDED_BYTES_MAX // 2 - 100)
    assert expand_all(["echo", "$(A)"], {"A": half}) == ["echo", half]
    with pytest.raises(TooLargeError):
        expand_all(["echo", "$(A)", "$(A)"], {"A": half})
    with pytest.raises(TooLargeError):
        expand_all(["ä" * (EXPANDED_BYTES_MAX // 2)], {"A": "x"})


def test_a_line_in_pieces_is_shown_as_one_with_one_time():
    files = FileSystem()
    long = "a" * LINE_BYTES_MAX + "b" * LINE_BYTES_MAX + "c"
    at = datetime(2026, 1, 1, tzinfo=UTC)
    append(files, "/log", b"".join(format_line(at, "stdout", text.encode()) for text in (long, "next")))
    lines = files.read("/log").splitlines(keepends=True)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert b"".join(select(lines, LogOptions(), now)).decode() == f"{long}\nnext\n"
    with_times = b"".join(select(lines, LogOptions(timestamps=True), now)).decode()
    assert with_times == f"2026-01-01T00:00:00.000000000Z {long}\n2026-01-01T00:00:00.000000000Z next\n"


def test_words_said_twice_in_one_instant_are_followed_once():
    assert _after([b"x", b"x", b"y"], b"x") == [b"y"]
    assert _after([b"a", b"x", b"x"], b"x") == []
    assert _after([b"b"], b"gone") == [b"b"]


def test_a_node_rejects_the_pod_after_its_last_and_takes_one_when_another_is_gone(node, monkeypatch):
    monkeypatch.setitem(node_status.ALLOCATABLE, "pods", "2")

    async def story(node):
        for name in ("a", "b"):
            await node.run_pod(name, "nginx")
        await node.run_pod("c", "nginx", until="Failed")
        rejected, events = await node.pod("c"), await node.events("c")
        await node.kill("kubelet")
        await node.start("kubelet")
        await node.client.delete(POD, "c", "default")
        await node.client.delete(POD, "b", "default")
        await node.until(lambda: node.is_gone("c"))
        await node.until(lambda: node.is_gone("b"))
        await node.run_pod("d", "nginx")
        return rejected["status"], events, len(node.containers())

    status, events, running = node(story)
    why = "Node didn't have enough resource: pods, requested: 1, used: 2, capacity: 2"
    assert (status["reason"], status["message"]) == ("OutOfpods", f"Pod was rejected: {why}")
    assert events == [("OutOfpods", why, 1)]
    assert running == 2


def container(cpu="0", **more):
    return {"name": "app", "image": "nginx", "resources": {"requests": {"cpu": cpu}}, **more}


def bound(name, *containers, **spec):
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": list(containers), **spec}}


@pytest.mark.parametrize(
    ("pod", "found"),
    [
        (bound("p", container("1")), None),
        (
            bound("p", container("2")),
            ("OutOfcpu", "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000"),
        ),
        (
            bound("p", container("2"), nodeSelector={"disk": "nvme"}),
            ("OutOfcpu", "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000"),
        ),
        (
            bound("p", container(), nodeSelector={"disk": "nvme"}),
            ("NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"),
        ),
        (
            bound("p", container(ports=[{"hostPort": 80}])),
            ("NodePorts", "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"),
        ),
        (
            bound("p", container(), securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "65536"}]}),
            ("SysctlForbidden", 'forbidden sysctl: "kernel.msgmax" not allowlisted'),
        ),
        (bound("p", container(), securityContext={"sysctls": [{"name": "net.ipv4.tcp_syncookies"}]}), None),
    ],
)
def test_what_a_scheduler_should_have_seen_a_kubelet_rejects(pod, found):
    node = {"metadata": {"name": "n", "labels": {"disk": "ssd"}}, "spec": {"unschedulable": True}}
    info = NodeInfo(node, amounts({"cpu": "4", "pods": "110"}))
    info.add(bound("there", container("3", ports=[{"hostPort": 80}])))
    assert objection(pod, info) == found


@pytest.mark.parametrize(
    ("effect", "rejected"), [("NoSchedule", False), ("PreferNoSchedule", False), ("NoExecute", True)]
)
def test_of_taints_a_kubelet_heeds_only_those_that_drive_pods_away(effect, rejected):
    taint = {"key": "team", "value": "data", "effect": effect}
    info = NodeInfo({"metadata": {"name": "n"}, "spec": {"taints": [taint]}}, amounts({"pods": "110"}))
    why = "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"
    assert objection(bound("p", container()), info) == (("TaintToleration", why) if rejected else None)
    assert objection(bound("p", container(), tolerations=[{"operator": "Exists"}]), info) is None


MEMORY, DISK = frozenset({"MemoryPressure"}), frozenset({"DiskPressure"})
TOLERANT = {"tolerations": [{"key": "node.kubernetes.io/memory-pressure", "operator": "Exists"}]}


@pytest.mark.parametrize(
    ("pod", "conditions", "said"),
    [
        (bound("p", container()), frozenset(), None),
        (bound("p", container()), MEMORY, "[MemoryPressure]"),
        (bound("p", container("1")), MEMORY, None),
        (bound("p", container(), **TOLERANT), MEMORY, None),
        (bound("p", container("1"), **TOLERANT), DISK, "[DiskPressure]"),
        (bound("p", container("1")), DISK | MEMORY, "[DiskPressure MemoryPressure]"),
        (bound("p", container(), priority=2_000_000_000), DISK | MEMORY, None),
    ],
)
def test_a_node_that_is_short_of_something_takes_few(pod, conditions, said):
    assert pressed(pod, conditions) == (said and ("Evicted", f"The node had condition: {said}. "))


def test_a_pod_of_which_another_has_said_that_it_failed_is_stopped_and_stays_failed(node):
    async def story(node):
        await node.run_pod("web", "nginx")
        status = {"phase": "Failed", "reason": "Evicted", "message": "By a kubelet of the same name."}
        await node.client.patch(POD, "web", {"status": status}, "default", subresource="status")
        await asyncio.sleep(40)
        return (await node.pod("web"))["status"], [one for one in node.containers() if one.process is not None]

    status, running = node(story)
    assert (status["phase"], status["reason"]) == ("Failed", "Evicted")
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    assert running == []


def test_a_pod_bound_to_a_node_without_room_fails_and_says_of_what_there_is_too_little(node):
    async def story(node):
        asking = [{"name": "app", "image": "nginx", "resources": {"requests": {"cpu": "3"}}}]
        await node.run_pod("first", "", containers=asking)
        await node.run_pod("second", "", containers=asking, until="Failed")
        return (await node.pod("second"))["status"], await node.events("second"), len(node.containers())

    status, events, running = node(story)
    why = "Node didn't have enough resource: cpu, requested: 3000, used: 3000, capacity: 4000"
    assert (status["reason"], status["message"]) == ("OutOfcpu", f"Pod was rejected: {why}")
    assert events == [("OutOfcpu", why, 1)]
    assert running == 1
