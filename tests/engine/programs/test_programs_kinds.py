"""Kinds that a cluster has gained, from where somebody types; and two clusters of one process that differ."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

from engine_workstation import living
from widgets import WIDGET, widget

from cluster_engine.faults.components import Restart

MANIFEST = {
    "apiVersion": "toys.example/v2alpha1",
    "kind": "Widget",
    "metadata": {"name": "w"},
    "spec": {"colour": "red"},
}


def written(manifest):
    return f"echo '{json.dumps(manifest)}' > w.yaml"


def test_kubectl_knows_a_kind_that_the_cluster_has_gained(workstation):
    async def story(sh):
        assert "the server doesn't have a resource type" in (await sh("kubectl get widgets")).err
        sh.cluster.kinds.add(WIDGET)
        await asyncio.sleep(1)
        assert (await sh("kubectl get widgets")).err == "No resources found in default namespace.\n"
        await sh.ok(written(MANIFEST))
        assert await sh.ok("kubectl apply -f w.yaml") == "widget.toys.example/w created\n"
        assert [line.split()[:2] for line in (await sh("kubectl get wd")).lines] == [["NAME", "SIZE"], ["w", "3"]]
        assert await sh.ok("kubectl get widgets.toys.example w -o jsonpath={.spec.colour}") == "red"
        (listed,) = [line.split() for line in (await sh("kubectl api-resources")).lines if line.startswith("widgets")]
        assert listed == ["widgets", "wd", "toys.example/v2alpha1", "true", "Widget"]
        assert "toys.example/v2alpha1\n" in await sh.ok("kubectl api-versions")
        explained = await sh.ok("kubectl explain widget.spec")
        assert "KIND:       Widget" in explained
        assert "How large it is." in explained
        await sh.ok(written({**MANIFEST, "spec": {"size": 7}}))
        assert await sh.ok("kubectl apply -f w.yaml") == "widget.toys.example/w configured\n"
        assert sh.cluster.stored("widgets")[0]["spec"] == {"size": 7}
        assert await sh.ok("kubectl delete widget w") == 'widget.toys.example "w" deleted\n'
        sh.cluster.kinds.drop(WIDGET)
        assert (await sh("kubectl get widgets")).code == 1
        assert "widgets" not in await sh.ok("kubectl api-resources")

    workstation(story)


def test_of_two_versions_kubectl_takes_the_better_one_and_lists_it_alone(workstation):
    async def story(sh):
        sh.cluster.kinds.add(WIDGET)
        sh.cluster.kinds.add(widget(version="v1beta1"))
        await asyncio.sleep(1)
        listed = [line.split()[2] for line in (await sh("kubectl api-resources")).lines if line.startswith("widgets")]
        assert listed == ["toys.example/v1beta1"]
        assert "toys.example/v1beta1\ntoys.example/v2alpha1\n" in await sh.ok("kubectl api-versions")

    workstation(story)


def test_an_api_server_that_starts_again_serves_what_the_cluster_has_gained(workstation):
    async def story(sh):
        sh.cluster.kinds.add(WIDGET)
        await sh.ok(written(MANIFEST))
        await asyncio.sleep(1)
        await sh.ok("kubectl apply -f w.yaml")
        sh.cluster.inject(Restart(target="control-plane/kube-apiserver"))
        await asyncio.sleep(60)
        assert "red" in await sh.ok("kubectl get widget w -o yaml")

    workstation(story)


def test_two_clusters_of_one_process_differ():
    both = threading.Barrier(2, timeout=60)

    async def with_widgets(sh):
        sh.cluster.kinds.add(WIDGET)
        await asyncio.sleep(1)
        both.wait()
        return await sh("kubectl get widgets")

    async def without(sh):
        both.wait()
        return await sh("kubectl get widgets")

    def told(story):
        with living() as tell:
            return tell(story)

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(told, (with_widgets, without))
    assert (one.code, other.code) == (0, 1)
