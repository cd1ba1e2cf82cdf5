"""A slow watcher: it acts late, nobody else does; when too much waits for it, it is let go and catches up."""

import asyncio

from cluster_engine.api.kinds import POD
from cluster_engine.apiserver.dispatch_budget import MAX_SECONDS, WAITING_EVENTS_MAX
from cluster_engine.client.http2 import STREAM_WINDOW_BYTES
from cluster_engine.client.rest import Client

SCHEDULER, MANAGER, KUBELET = (
    "control-plane/kube-scheduler",
    "control-plane/kube-controller-manager",
    "worker-1/kubelet",
)
FILLER = "x" * 40_000
POD_BYTES_MAX = 6000
"""What an event has besides."""


def test_a_slow_watcher_acts_on_old_news_and_is_level_again_once_it_is_quick(broken):
    async def story(it):
        fault = it.cluster.fail("slow-watcher", target=SCHEDULER, seconds=10.0)
        head, began = it.cluster.journal.head, it.world.loop.time()
        await it.deploy(2)
        await it.until(lambda: len(it.running()) == 2, within_seconds=60)
        bound = [
            one["at"] - began
            for one in it.cluster.journal.since(head, 10**6)
            if one["kind"] == "http.request" and one["fields"].get("subresource") == "binding"
        ]
        assert [round(at, -1) for at in bound] == [10.0, 20.0], "each event takes ten seconds, one after the other"
        heard = [
            one["at"] - began
            for one in it.cluster.journal.since(head, 10**6)
            if one["kind"] == "watch.event" and one["to"] == MANAGER and one["fields"].get("resource") == "pods"
        ]
        assert heard[0] < 1.0, "nobody else is late"
        await it.cluster.heal(fault)
        await asyncio.sleep(10.0)
        await it.kubectl("scale deployment web --replicas=3")
        await it.until(lambda: len(it.running()) == 3, within_seconds=10)
        await it.all_well(3)

    broken(story)


def test_with_its_window_full_and_22_events_waiting_it_has_a_tenth_of_a_second_and_resumes_from_what_it_read(broken):
    async def story(it):
        await it.kubectl("run big --image=nginx")
        await it.until(lambda: len(it.running()) == 1)
        head = it.cluster.journal.head
        fault = it.cluster.fail("slow-watcher", target=MANAGER, seconds=5.0)

        async def write(process):
            client = Client.from_kubeconfig(process, "/root/.kube/config", user_agent="writer")
            for number in range(STREAM_WINDOW_BYTES // len(FILLER) + WAITING_EVENTS_MAX + 5):
                patch = {"metadata": {"annotations": {"filler": FILLER, "n": str(number)}}}
                await client.patch(POD, "big", patch, "default", type="merge")

        await it.world.spawn(it.world.host("workstation"), "writer", write).wait()
        await it.until(lambda: it.notes("apiserver.watcher_forgotten"), within_seconds=5)
        (forgotten,) = it.notes("apiserver.watcher_forgotten")
        assert (forgotten["fields"]["resource"], forgotten["fields"]["user"]) == (
            "pods",
            "system:kube-controller-manager",
        )
        entries = it.cluster.journal.since(head, 10**6)
        events = [one for one in entries if one["kind"] == "watch.event" and "MODIFIED" in one["label"]]
        mine = [one for one in events if one["to"] == MANAGER and one["at"] <= forgotten["at"]]
        theirs = [one for one in events if one["to"] == KUBELET and one["at"] <= forgotten["at"]]
        unread = len(mine) - 1  # it has read one, and is slow over that
        assert STREAM_WINDOW_BYTES // (len(FILLER) + POD_BYTES_MAX) <= unread <= STREAM_WINDOW_BYTES // len(FILLER)
        assert len(theirs) - len(mine) >= WAITING_EVENTS_MAX
        full = next(one["at"] for one in theirs[len(mine) + WAITING_EVENTS_MAX :])
        assert 0 <= forgotten["at"] - full <= MAX_SECONDS + 0.01

        await it.cluster.heal(fault)
        head = it.cluster.journal.head
        await asyncio.sleep(30.0)
        (again,) = [
            one["fields"]
            for one in it.cluster.journal.since(head, 10**6)
            if one["kind"] == "http.request" and one["from"] == MANAGER and one["fields"].get("resource") == "pods"
        ]
        assert again["verb"] == "watch", "it lists only where that version is forgotten"
        await it.kubectl("delete pod big --now")
        await it.deploy(1)
        await it.all_well(1)

    broken(story, nodes=1)
