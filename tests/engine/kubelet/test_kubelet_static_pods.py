"""Static pods: files of a node that its kubelet runs by itself, and the mirror pods by which the API is shown them."""

import asyncio

import pytest

from cluster_engine.api.kinds import POD
from cluster_engine.kubelet.static_pods import MANIFESTS, decoded
from cluster_engine.rpc import cri_pb2 as cri

MIRROR = "kubernetes.io/config.mirror"
WEB = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 5
  containers:
    - {name: app, image: "nginx:1.27"}
"""


def write(node, text=WEB, name="web.yaml"):
    node.host.files.write(f"{MANIFESTS}/{name}", text.encode())


async def mirrors(node):
    items = (await node.client.list(POD, "default"))["items"]
    return {pod["metadata"]["name"]: pod for pod in items}


async def runs(node):
    pod = (await mirrors(node)).get("web-worker-1", {})
    return pod.get("status", {}).get("phase") == "Running"


def running(node):
    return [one for one in node.containers() if one.state == cri.CONTAINER_RUNNING]


def test_a_file_becomes_a_pod_named_after_the_node(node):
    async def story(node):
        write(node)
        await node.until(lambda: runs(node))
        pod = await node.pod("web-worker-1")
        metadata, annotations = pod["metadata"], pod["metadata"]["annotations"]
        uid = running(node)[0].config.labels["io.kubernetes.pod.uid"]
        assert annotations[MIRROR] == annotations["kubernetes.io/config.hash"] == uid != metadata["uid"]
        assert annotations["kubernetes.io/config.source"] == "file"
        (owner,) = metadata["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["controller"]) == ("Node", "worker-1", True)
        assert owner["uid"] == (await node.node())["metadata"]["uid"]
        assert metadata["labels"] == {"app": "web"}
        assert pod["spec"]["nodeName"] == "worker-1" and "serviceAccountName" not in pod["spec"]
        assert {"operator": "Exists", "effect": "NoExecute"} in pod["spec"]["tolerations"]
        assert pod["status"]["podIP"].startswith("10.244.0.")

    node(story)


def test_a_file_that_is_moved_away_ends_its_pod_and_moved_back_begins_it(node):
    async def story(node):
        write(node)
        await node.until(lambda: runs(node))
        files = node.host.files
        files.remove(f"{MANIFESTS}/web.yaml")
        await node.until(lambda: node.is_gone("web-worker-1"))
        assert not running(node)
        write(node)
        await node.until(lambda: runs(node))
        assert len(running(node)) == 1

    node(story)


def test_a_file_moved_back_while_its_pod_ends_waits_for_that(node):
    async def story(node):
        write(node, WEB.replace('image: "nginx:1.27"', 'image: "busybox", command: [sleep, "1000"]'))
        await node.until(lambda: runs(node))
        (first,) = running(node)
        text = node.host.files.read(f"{MANIFESTS}/web.yaml")
        node.host.files.remove(f"{MANIFESTS}/web.yaml")
        await asyncio.sleep(1)
        assert running(node) == [first]  # it does not mind SIGTERM
        node.host.files.write(f"{MANIFESTS}/web.yaml", text)
        await asyncio.sleep(1)
        assert running(node) == [first]
        await asyncio.sleep(15)
        (second,) = running(node)
        assert second is not first

    node(story)


def test_a_changed_file_is_another_pod_of_the_same_name(node):
    async def story(node):
        write(node)
        await node.until(lambda: runs(node))
        before = (await node.pod("web-worker-1"))["metadata"]
        write(node, WEB.replace("1.27", "1.26"))

        async def is_new():
            pods = await mirrors(node)
            image = pods["web-worker-1"]["spec"]["containers"][0]["image"] if pods else ""
            return image == "nginx:1.26" and await runs(node)

        await node.until(is_new)
        after = (await node.pod("web-worker-1"))["metadata"]
        assert after["uid"] != before["uid"] and after["annotations"][MIRROR] != before["annotations"][MIRROR]
        assert [one.image.reference for one in running(node)] == ["docker.io/library/nginx:1.26"]

    node(story)


def test_a_deleted_mirror_pod_comes_back_and_its_containers_never_notice(node):
    async def story(node):
        write(node)
        await node.until(lambda: runs(node))
        (container,) = running(node)
        before = (await node.pod("web-worker-1"))["metadata"]["uid"]
        await node.client.delete(POD, "web-worker-1", "default")

        async def is_back():
            pods = await mirrors(node)
            return bool(pods) and pods["web-worker-1"]["metadata"]["uid"] != before

        await node.until(is_back)
        await node.until(lambda: runs(node))
        assert running(node) == [container]

    node(story)


def test_a_mirror_pod_that_shows_nothing_is_deleted(node):
    async def story(node):
        metadata = {
            "name": "ghost",
            "namespace": "default",
            "annotations": {MIRROR: "5d41402abc4b2a76b9719d911017c592"},
        }
        spec = {"nodeName": "worker-1", "containers": [{"name": "app", "image": "nginx"}]}
        await node.client.create(POD, {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec})
        await node.until(lambda: node.is_gone("ghost"))
        assert not node.containers()

    node(story)


def test_static_pods_run_without_an_api_server(node):
    async def story(node):
        await node.kill("kubelet")
        await node.kill("kube-apiserver")
        write(node, WEB.replace("spec:", "spec:\n  hostNetwork: true"))
        host = node.world.host("worker-1")
        kubelet = node.world.spawn(host, "kubelet", node.cast.component("worker-1/kubelet").program.load())
        await asyncio.sleep(20)
        assert len(running(node)) == 1 and kubelet.is_alive
        await node.start("kube-apiserver")
        await node.until(lambda: runs(node), within_seconds=300)
        assert len(node.containers()) == 1

    node(story)


def test_a_file_that_is_no_pod_is_noted_and_harms_no_other(node):
    async def story(node):
        for text in ("{", "kind: Service\napiVersion: v1\n", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n", "- 1"):
            write(node, text, "bad.yaml")
            write(node)
            await asyncio.sleep(3)
        write(node, WEB.replace("name: web", "name: hidden"), ".hidden.yaml")
        await node.until(lambda: runs(node))
        assert set(await mirrors(node)) == {"web-worker-1"}
        noted = node.noted("kubelet.manifest")
        assert len(noted) == 4 and all("bad.yaml" in note.text for note in noted)

    node(story)


@pytest.mark.parametrize(("path", "host"), [("/a.yaml", "n1"), ("/b.yaml", "n0"), ("/a.yaml", "n0")])
def test_the_uid_is_the_hash_of_node_file_and_content(path, host):
    known = decoded(WEB.encode(), "/a.yaml", "n0", "2026-01-01T00:00:00Z")["metadata"]["uid"]
    found = decoded(WEB.encode(), path, host, "2027-01-01T00:00:00Z")["metadata"]["uid"]
    assert (found == known) == ((path, host) == ("/a.yaml", "n0"))
    assert len(found) == 32


def test_a_file_cannot_call_its_pod_a_mirror_pod():
    text = WEB.replace("labels:", f"annotations: {{{MIRROR}: x}}, labels:")
    assert MIRROR not in decoded(text.encode(), "/a.yaml", "n0", "2026-01-01T00:00:00Z")["metadata"]["annotations"]
