"""Faults of the API server's answers: what is refused, what clients make of it, and that all is well afterwards."""

import asyncio
import json

import pytest

from cluster_engine.faults import FaultError
from cluster_engine.thread import running

RESTART_SECONDS = 10.0


def answers(it, since, **wanted):
    """The API server's answers after `since` whose fields are as wanted."""
    entries = it.cluster.journal.since(since, 10**6)
    return [
        one for one in entries if one["kind"] == "http.response" and wanted.items() <= {**one["fields"], **one}.items()
    ]


async def statuses(it, line, count):
    """Type a line so often; give whether each went well."""
    return [(await it.kubectl(line))[0] == 0 for _ in range(count)]


def test_the_third_patch_is_refused_and_no_other_and_then_the_fault_is_over(broken):
    async def story(it):
        await it.kubectl("create configmap a")
        it.cluster.fail(verb="patch", resource="configmaps", nth=3, code=409)
        line = "annotate --overwrite configmap/a n="
        went = [await it.kubectl(line + str(n)) for n in range(4)]
        # kubectl annotate sends its patch once; a conflict is its user's to solve
        assert [code for code, _ in went] == [0, 0, 1, 0]
        assert went[2][1] == (
            'Error from server (Conflict): Operation cannot be fulfilled on configmaps "a": the object has been '
            "modified; please apply your changes to the latest version and try again\n"
        )
        await asyncio.sleep(0)
        assert not it.cluster.faults

        it.cluster.fail(verb="create", resource="configmaps", code=503, times=2)
        assert [(await it.kubectl(f"create configmap c{n}"))[0] for n in range(3)] == [1, 1, 0]

        fault = it.cluster.fail(verb="delete", resource="configmaps", nth=2, code=500)
        assert (await it.kubectl("delete configmap c2"))[0] == 0
        await it.cluster.heal(fault)
        assert (await it.kubectl("delete configmap a"))[0] == 0

        with pytest.raises(FaultError, match="code is one of 409, 410, 429, 500, 503, 504, not 200"):
            it.cluster.fail(code=200)
        with pytest.raises(FaultError, match="has no field colour"):
            it.cluster.fail(colour=1)

    broken(story, nodes=1)


def test_a_kubelet_whose_last_delete_is_refused_sends_it_again_within_ten_seconds(broken):
    async def story(it):
        await it.deploy(1)
        await it.until(it.running, within_seconds=60)
        # kubectl's own delete is the first, the kubelet's second one says that the pod has stopped
        it.cluster.fail(verb="delete", resource="pods", nth=2, code=409)
        (name,) = {pod["metadata"]["name"] for pod in it.pods()}
        began = it.world.loop.time()
        assert (await it.kubectl(f"delete pod {name} --timeout=30s"))[0] == 0
        assert not it.cluster.faults
        assert began + 5 < it.world.loop.time() < began + 15
        assert name not in {pod["metadata"]["name"] for pod in it.pods()}

    broken(story, nodes=1)


def test_who_gets_429_waits_as_long_as_it_was_told_and_asks_again(broken):
    async def story(it):
        it.cluster.fail(verb="list", resource="nodes", code=429, times=2, retry_after_seconds=7)
        head, before = it.cluster.journal.head, it.world.loop.time()
        code, printed = await it.kubectl("get nodes")
        assert code == 0 and "worker-1" in printed
        assert 14.0 <= it.world.loop.time() - before < 15.0
        assert [one["fields"]["status"] for one in answers(it, head, resource="nodes", verb="list")] == [429, 429, 200]

        # a controller whose writes conflict again and again comes through once they do not
        it.cluster.fail(verb="update", resource="deployments/status", code=409, times=5)
        await it.deploy(1)
        await it.all_well(1)
        assert not it.cluster.faults

    broken(story, nodes=1)


def test_an_answer_that_is_lost_was_a_write_all_the_same(broken):
    async def story(it):
        it.cluster.fail("answer-lost", verb="create", resource="configmaps")
        died = it.world.loop.time()
        code, printed = await it.kubectl("create configmap a")
        assert code == 1 and ("EOF" in printed or "reset" in printed)
        assert [one["metadata"]["name"] for one in it.cluster.objects("/registry/configmaps/default/a")] == ["a"]
        server = lambda: it.cluster.processes["control-plane/kube-apiserver"]  # noqa: E731
        assert not server().is_alive
        await it.until(lambda: server().is_alive and server().is_ready, within_seconds=30)
        assert RESTART_SECONDS <= it.world.loop.time() - died < RESTART_SECONDS + 6
        code, printed = await it.kubectl("create configmap a")
        assert (code, "already exists" in printed) == (1, True)
        await it.deploy(1)
        await it.all_well(1)

    broken(story, nodes=1)


def test_a_dropped_watch_resumes_and_one_of_a_cache_that_lags_is_silent_until_it_is_level(broken):
    async def story(it):
        await asyncio.sleep(5.0)  # a reflector takes a watch that ends within a second for a failure, and lists
        head = it.cluster.journal.head
        it.cluster.fail("watch-dropped", resource="pods")
        await asyncio.sleep(5.0)
        assert {one["to"] for one in answers(it, head, resource="pods", verb="watch", status=200)} >= {
            "control-plane/kube-scheduler",
            "worker-1/kubelet",
        }, "who watched watches again"
        assert not answers(it, head, resource="pods", verb="list"), "without a list: nothing was missed"

        fault = it.cluster.fail("stale-cache", resource="pods")
        await asyncio.sleep(1.0)
        await it.deploy(1)
        await asyncio.sleep(20.0)
        (pod,) = it.pods()
        assert "nodeName" not in pod["spec"], "the scheduler has not heard of it"
        _, old = await it.kubectl("get --raw /api/v1/namespaces/default/pods?resourceVersion=0")
        assert json.loads(old)["items"] == []
        await it.cluster.heal(fault)
        await it.all_well(1)

    broken(story, nodes=1)


def test_from_another_thread_a_control_plane_is_told_to_fail():
    with running(nodes=1, pace=None) as control_plane:
        fault = control_plane.fail(verb="create", resource="configmaps", nth=2, code=409)
        control_plane.kubectl("create configmap a")
        with pytest.raises(RuntimeError, match='fulfilled on configmaps "b": the object has been'):
            control_plane.kubectl("create configmap b")
        assert fault == "fault-1"
        control_plane.fail("stop", target="worker-1/kubelet")
        control_plane.heal()
        assert control_plane.thread.faults().result() == []
