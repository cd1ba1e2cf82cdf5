"""A whole cluster through its one door, on its own loop, in leaping time unless the pace is the subject."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from recent import EPOCH

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.deeds import RefusedDeedError
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop

CREATE = "kubectl create deployment web --image=nginx --replicas=3"


def in_cluster(story, **spec):
    """Run `story(cluster)` in a cluster of its own and give what it returns."""
    loop = ClusterLoop(Clock())

    async def tell():
        async with Cluster(ClusterSpec(**{"pace": None, "epoch": EPOCH, **spec}), loop) as cluster:
            return await story(cluster)

    try:
        return loop.run_until_complete(tell())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def typed(cluster):
    """Give a function that types a line and returns (exit code, what was printed)."""

    async def type_(line):
        printed = []
        code = await cluster.command(line, lambda _, text: printed.append(text))
        return code, "".join(printed)

    return type_


def running_pods(cluster):
    return [pod for pod in cluster.objects("/registry/pods/default/") if pod["status"].get("phase") == "Running"]


def test_the_end_of_a_cluster_is_no_part_of_its_story():
    heard = []

    async def told(cluster):
        cluster.journal.subscribe(heard.append)
        await deploy(cluster)
        return cluster.journal.head

    assert in_cluster(told) == heard[-1]["seq"]


async def deploy(cluster):
    code, printed = await typed(cluster)(CREATE)
    assert (code, printed) == (0, "deployment.apps/web created\n")
    await cluster.world.until(lambda: len(running_pods(cluster)) == 3)
    return [
        (entry["seq"], entry["at"], entry["kind"], entry["from"], entry["to"], entry["label"], entry["cause"])
        for entry in cluster.journal.since(0, 10**6)
    ]


@pytest.mark.long
def test_one_seed_tells_one_story_at_any_pace():
    leaping = in_cluster(deploy)
    assert len(leaping) > 1000
    for pace in (None, 20.0, 60.0):
        assert in_cluster(deploy, pace=pace) == leaping


def test_another_seed_gives_other_names():
    def names(story):
        return [label for _, _, kind, _, _, label, _ in story if kind == "watch.event" and "pod web" in label]

    assert names(in_cluster(deploy, seed=1)) != names(in_cluster(deploy, seed=2))


def test_time_stands_while_paused_and_a_step_brings_the_next_entry(in_copy):
    async def story(cluster):
        cluster.clock.outside_may_speak = True
        cluster.clock.pause()
        before, head = cluster.loop.time(), cluster.journal.head
        command = asyncio.ensure_future(typed(cluster)("kubectl get nodes"))
        seen = [await cluster.step() for _ in range(20)]
        assert seen == sorted(set(seen))
        assert seen[0] > head
        assert cluster.loop.time() - before < 0.1
        cluster.clock.resume()
        assert (await command)[0] == 0

    in_copy(story)


def test_a_step_to_the_next_event_passes_over_heartbeats_and_what_lies_lower(in_copy):
    async def story(cluster):
        cluster.clock.pause()
        head = cluster.journal.head
        command = asyncio.ensure_future(typed(cluster)("sleep 7; kubectl get nodes"))
        seen = [cluster.journal.entry(await cluster.step("story"))]
        while (seen[-1]["from"], seen[-1]["kind"]) != ("workstation/kubectl", "http.request"):
            seen.append(cluster.journal.entry(await cluster.step("story")))
        assert not any(entry["heartbeat"] or entry["layer"] != "story" for entry in seen)
        passed = [cluster.journal.entry(seq) for seq in range(head + 1, seen[-1]["seq"])]
        assert {"tls", "tcp"} <= {one["layer"] for one in passed} and any(one["heartbeat"] for one in passed)
        cluster.clock.resume()
        assert (await command)[0] == 0

    in_copy(story)


def test_a_step_to_an_event_that_does_not_come_is_refused(monkeypatch, in_copy):
    monkeypatch.setattr("cluster_engine.cluster.QUIET_SECONDS_MAX", 5)

    async def story(cluster):
        cluster.clock.pause()
        with pytest.raises(RefusedDeedError, match="Nothing but heartbeats"):
            for _ in range(100):
                await cluster.step("story")
        assert cluster.clock.paused and not cluster.clock.stepping

    in_copy(story)


def test_a_step_ends_even_if_somebody_lets_time_go_on_meanwhile(in_copy):
    async def story(cluster):
        cluster.clock.pause()
        step = asyncio.ensure_future(cluster.step())
        await asyncio.sleep(0)
        cluster.clock.resume()
        assert await step > 0

    in_copy(story)


@pytest.mark.parametrize(
    "victim",
    ["etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager"],
)
def test_a_control_plane_component_may_die_at_any_instant_and_come_back(victim, in_copy):
    async def story(cluster):
        type_ = typed(cluster)
        assert (await type_(CREATE))[0] == 0
        await asyncio.sleep(0.01)  # in the middle of it
        program = cluster.supervisor.programs[f"control-plane/{victim}"]
        cluster.processes[f"control-plane/{victim}"].kill()
        await asyncio.sleep(5)
        cluster.processes[f"control-plane/{victim}"] = cluster.supervisor.spawn(program)
        await cluster.world.until(lambda: len(running_pods(cluster)) == 3, within_seconds=180)
        _, printed = await type_("kubectl get pods")
        assert printed.count("Running") == 3

    in_copy(story)


def test_however_many_clients_watch_etcd_is_watched_once_for_each_resource(in_copy):
    async def story(cluster):
        def watches_of_etcd():
            asked = [entry for entry in cluster.journal.since(0, 10**6) if entry["fields"].get("method") == "Watch"]
            return len([entry for entry in asked if entry["kind"] == "grpc.request"])

        before = watches_of_etcd()
        assert before > 10
        watching = [asyncio.ensure_future(typed(cluster)("kubectl get pods --watch")) for _ in range(10)]
        await asyncio.sleep(1)
        assert watches_of_etcd() == before
        for one in watching:
            one.cancel()
        await asyncio.gather(*watching, return_exceptions=True)

    in_copy(story)


def test_without_capture_nothing_is_kept_and_everything_works(in_copy):
    async def story(cluster):
        assert cluster.journal is None
        assert (await typed(cluster)(CREATE))[0] == 0
        await cluster.world.until(lambda: len(running_pods(cluster)) == 3)

    in_copy(story, capture=False)


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("foo --bar", 127, "sh: foo: command not found"),
        ("kubectl frobnicate", 1, 'unknown command "frobnicate"'),
        ("kubectl get unicorns", 1, "the server doesn't have a resource type"),
        ("kubectl get pod nothing", 1, 'Error from server (NotFound): pods "nothing" not found'),
        ("kubectl create deployment web", 1, "required flag(s)"),
        ("echo 'no end", 2, "sh:"),
        ("x" * 70_000, 126, "argument list too long"),
    ],
)
def test_mistakes_are_told_in_words_and_the_cluster_goes_on(shared_workstation, line, code, words):
    async def story(sh):
        done = await sh(line)
        assert done.code == code
        assert words in done.out + done.err
        await sh.ok("kubectl get nodes")

    shared_workstation(story)


def test_ctrl_c_ends_a_watch(in_copy):
    async def story(cluster):
        watching = asyncio.ensure_future(typed(cluster)("kubectl get pods --watch"))
        await asyncio.sleep(1)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
        assert (await typed(cluster)("kubectl get nodes"))[0] == 0
        assert not cluster.world.host("workstation").processes

    in_copy(story)


@pytest.mark.parametrize("nodes", [0, 51])
def test_a_cluster_has_between_1_and_50_nodes(nodes):
    with pytest.raises(ValueError, match="1 to 50 nodes"):
        ClusterSpec(nodes=nodes)


def test_a_cluster_of_five_nodes_starts_and_spreads(in_copy):
    async def story(cluster):
        await typed(cluster)("kubectl create deployment wide --image=nginx --replicas=10")
        await cluster.world.until(lambda: len(running_pods(cluster)) == 10)
        assert len({pod["spec"]["nodeName"] for pod in running_pods(cluster)}) == 5

    in_copy(story, nodes=5)


STORY = f"""
import json, sys
sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[2])!r}]
import test_cluster_whole as whole
print(json.dumps(whole.in_cluster(whole.deploy, seed=7)))
"""


@pytest.mark.long
def test_one_seed_tells_one_story_in_any_process():
    """The order of a set of strings differs from process to process; none may be seen in a journal."""
    stories = [
        subprocess.run(
            [sys.executable, "-c", STORY],
            env={**os.environ, "PYTHONHASHSEED": hashes},
            capture_output=True,
            check=True,
            timeout=300,
        ).stdout
        for hashes in ("1", "77")
    ]
    assert stories[0] == stories[1]
    assert stories[0].count(b"watch.event") > 100


@pytest.mark.parametrize("seed", range(3))
def test_every_program_may_die_once_and_the_deployment_still_converges(seed):
    async def story(cluster):
        chance = random.Random(seed)
        programs = list(cluster.supervisor.programs.values())

        async def die_and_return(program):
            await asyncio.sleep(chance.uniform(0, 8))
            cluster.processes[program.id].kill()
            await asyncio.sleep(chance.uniform(0.5, 10))
            cluster.processes[program.id] = cluster.supervisor.spawn(program)

        assert (await typed(cluster)(CREATE))[0] == 0
        await asyncio.gather(*(die_and_return(program) for program in programs))
        await cluster.world.until(lambda: whole(cluster), within_seconds=180)
        await asyncio.sleep(60)
        assert whole(cluster)

    def whole(cluster):
        (deployment,) = cluster.objects("/registry/deployments/default/")
        there = len(cluster.objects("/registry/pods/default/")), len(running_pods(cluster))
        return there == (3, 3) and deployment["status"].get("availableReplicas") == 3

    in_cluster(story, seed=seed, capture=False)


def test_in_a_quiet_cluster_nothing_is_said_but_heartbeats(in_copy):
    async def story(cluster):
        await asyncio.sleep(30)
        settled = cluster.journal.since(0, 10**6)[-1]["seq"]
        await asyncio.sleep(120)
        return [entry for entry in cluster.journal.since(settled, 10**6) if not entry["heartbeat"]]

    assert in_copy(story) == []
