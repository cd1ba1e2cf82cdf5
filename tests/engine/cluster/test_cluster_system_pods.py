"""A cluster as kubeadm makes it: the control plane is a node, and everything but kubelets and runtimes is in pods."""

import asyncio

import pytest
import yaml
from engine_workstation import spec_of

from cluster_engine.cast import cast
from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.faults import read
from cluster_engine.kubeadm.static_pods import manifests, pod
from cluster_engine.world.clock import LEAP, Clock
from cluster_engine.world.loop import ClusterLoop

STATIC = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
MANIFESTS = "/etc/kubernetes/manifests"


class Admin:
    """Who types into a cluster, and looks at its pods."""

    def __init__(self, cluster):
        self.cluster = cluster

    async def type(self, line, code=0):
        printed = []
        found = await self.cluster.command(line, lambda _, text: printed.append(text))
        assert found == code, f"{line}: {''.join(printed)}"
        return "".join(printed)

    def pods(self):
        found = self.cluster.objects("/registry/pods/kube-system/")
        return {one["metadata"]["name"]: one for one in found}

    def is_up(self, id_):
        process = self.cluster.processes.get(id_)
        return process is not None and process.is_alive

    async def until(self, predicate, within_seconds=120):
        await self.cluster.world.until(predicate, within_seconds=within_seconds)

    async def answers(self):
        """Wait until the API server does."""
        for _ in range(120):
            if await self.cluster.command("kubectl get --raw /readyz", lambda *_: None) == 0:
                return
            await asyncio.sleep(1)
        raise TimeoutError


@pytest.fixture
def in_cluster(copies):
    """Run `story(admin)` in a copy of a cluster of one node, or of what is said."""

    def run(story, **options):
        spec = spec_of(**{"nodes": 1, "system_pods": True, **options})
        return copies.tell(lambda cluster: story(Admin(cluster)), spec)

    return run


def test_nodes_and_pods_are_those_of_a_kubeadm_cluster(in_cluster):
    async def story(admin):
        (control_plane, *workers) = (await admin.type("kubectl get nodes --no-headers")).splitlines()
        assert control_plane.split()[:3] == ["control-plane", "Ready", "control-plane"]
        assert [line.split()[:3] for line in workers] == [[f"worker-{n}", "Ready", "<none>"] for n in (1, 2)]
        assert "node-role.kubernetes.io/control-plane:NoSchedule" in await admin.type(
            "kubectl describe node control-plane"
        )
        pods = admin.pods()
        assert {f"{name}-control-plane" for name in STATIC} <= set(pods)
        proxies = {one["spec"]["nodeName"] for name, one in pods.items() if name.startswith("kube-proxy-")}
        assert proxies == {"control-plane", "worker-1", "worker-2"}
        assert sum(name.startswith("coredns-") for name in pods) == 2 and len(pods) == 9
        for name in STATIC:
            mirror = pods[f"{name}-control-plane"]
            metadata, annotations = mirror["metadata"], mirror["metadata"]["annotations"]
            assert metadata["labels"] == {"component": name, "tier": "control-plane"}
            assert annotations["kubernetes.io/config.mirror"] == annotations["kubernetes.io/config.hash"]
            assert annotations["kubernetes.io/config.source"] == "file" and annotations["kubernetes.io/config.seen"]
            assert [one["kind"] for one in metadata["ownerReferences"]] == ["Node"]
            assert mirror["spec"]["hostNetwork"] and mirror["spec"]["priorityClassName"] == "system-node-critical"
            assert mirror["status"]["phase"] == "Running" and mirror["status"]["podIP"] == "10.0.0.1"
        assert "NodeNotReady" not in await admin.type("kubectl get events -n kube-system")  # it never was ready before
        assert "kube-proxy   3         3         3" in await admin.type("kubectl get ds -n kube-system")
        assert "kube-proxy" in await admin.type("kubectl get configmap,serviceaccount -n kube-system")
        path = "'{.data.ClusterConfiguration}'"
        kept = await admin.type(f"kubectl get cm kubeadm-config -n kube-system -o jsonpath={path}")
        assert yaml.safe_load(kept)["networking"]["podSubnet"] == "10.244.0.0/16"
        asked = "kubectl auth can-i get cm/kubelet-config -n kube-system --as=system:node:x --as-group=system:nodes"
        assert await admin.type(asked) == "yes\n", "a machine that joins reads it"

    in_cluster(story, nodes=2)


def test_a_component_is_a_container_that_can_be_looked_at_and_entered(in_cluster):
    async def story(admin):
        listed = await admin.type("ssh control-plane crictl ps")
        assert all(f" {name} " in listed for name in (*STATIC, "kube-proxy", "coredns"))
        units = await admin.type("ssh control-plane systemctl list-units")
        assert "kubelet.service" in units and "containerd.service" in units and "etcd" not in units
        assert "kube-scheduler --authentication-kubeconfig=" in await admin.type("ssh control-plane ps aux")
        log = await admin.type("kubectl logs -n kube-system kube-scheduler-control-plane")
        assert "became leader of kube-scheduler" in log
        assert '"msg":"Running: "' in await admin.type("kubectl logs -n kube-system etcd-control-plane")
        pki = "/etc/kubernetes/pki/etcd"
        line = f"etcdctl --cacert {pki}/ca.crt --cert {pki}/server.crt --key {pki}/server.key endpoint health"
        assert "is healthy" in await admin.type(f"kubectl exec -n kube-system etcd-control-plane -- {line}")
        assert "Pulled" in await admin.type("kubectl describe pod -n kube-system etcd-control-plane")
        (proxy,) = (name for name, one in admin.pods().items() if _is_proxy_on(one, "worker-1"))
        assert "iptables rules for" in await admin.type(f"kubectl logs -n kube-system {proxy}")
        assert "KUBE-SERVICES" in await admin.type(f"kubectl exec -n kube-system {proxy} -- iptables-save")
        log = await admin.type("ssh control-plane tail -n 1 /var/log/kubernetes/audit/audit.log")  # mounted by its pod
        assert log.startswith('{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"')

    in_cluster(story, audit=True)


def _is_proxy_on(one, node):
    return one["metadata"]["name"].startswith("kube-proxy") and one["spec"]["nodeName"] == node


def test_a_manifest_that_is_moved_away_stops_its_component_and_moved_back_starts_it(in_cluster):
    async def story(admin):
        for name in STATIC[::-1]:
            id_ = f"control-plane/{name}"
            before = admin.cluster.processes[id_]
            await admin.type(f"ssh control-plane mv {MANIFESTS}/{name}.yaml /tmp")
            await admin.until(lambda id_=id_: not admin.is_up(id_))
            await asyncio.sleep(30)
            assert not admin.is_up(id_)
            assert f" {name} " not in await admin.type("ssh control-plane crictl ps")
            await admin.type(f"ssh control-plane mv /tmp/{name}.yaml {MANIFESTS}/")
            await admin.until(lambda id_=id_: admin.is_up(id_))
            assert admin.cluster.processes[id_] is not before
            await admin.answers()
        await admin.type("kubectl create deployment web --image=nginx")
        await admin.type("kubectl wait --for=condition=Available deployment/web --timeout=120s")

    in_cluster(story)


def test_a_deleted_mirror_pod_comes_back_and_its_component_never_notices(in_cluster):
    async def story(admin):
        for name in ("kube-apiserver", "kube-scheduler"):
            process = admin.cluster.processes[f"control-plane/{name}"]
            before = admin.pods()[f"{name}-control-plane"]["metadata"]["uid"]
            await admin.type(f"kubectl delete pod -n kube-system {name}-control-plane")
            await admin.until(lambda name=name: f"{name}-control-plane" in admin.pods())
            assert admin.pods()[f"{name}-control-plane"]["metadata"]["uid"] != before
            assert process.is_alive and process is admin.cluster.processes[f"control-plane/{name}"]

    in_cluster(story)


def test_what_dies_in_its_container_is_started_again_by_the_kubelet(in_cluster):
    async def story(admin):
        for id_ in ("control-plane/kube-scheduler", "control-plane/etcd"):
            before = admin.cluster.processes[id_]
            await admin.type(f"ssh control-plane kill -9 {before.pid}")
            await admin.until(lambda id_=id_, before=before: admin.cluster.processes[id_] is not before)
            await admin.answers()
        await asyncio.sleep(30)
        (status,) = admin.pods()["kube-scheduler-control-plane"]["status"]["containerStatuses"]
        assert status["restartCount"] == 1 and status["lastState"]["terminated"]["exitCode"] == 137

    in_cluster(story)


@pytest.mark.parametrize(
    "fault",
    [
        {"name": "stop", "target": "control-plane/kube-scheduler"},
        {"name": "kill", "target": "control-plane/kube-apiserver"},
        {"name": "etcd-down"},
        {"name": "stop", "target": "worker-1/kube-proxy"},
        {"name": "stop", "target": "control-plane/kubelet"},
    ],
    ids=lambda fault: f"{fault['name']} {fault.get('target', '')}",
)
def test_a_fault_holds_a_component_down_until_it_is_healed(in_cluster, fault):
    async def story(admin):
        target = fault.get("target", "control-plane/etcd")
        injected = admin.cluster.inject(read(fault))
        await admin.until(lambda: not admin.is_up(target))
        for _ in range(20):
            await asyncio.sleep(3)
            assert not admin.is_up(target)
        await admin.cluster.heal(injected)
        await admin.until(lambda: admin.is_up(target), within_seconds=400)
        await admin.answers()

    in_cluster(story)


@pytest.mark.parametrize("target", ["control-plane", "worker-1"])
def test_a_host_that_boots_has_all_its_pods_again(in_cluster, target):
    async def story(admin):
        components = [one.id for one in admin.cluster.cast.components if one.host.name == target]
        injected = admin.cluster.inject(read({"name": "power-off", "target": target}))
        await asyncio.sleep(20)
        assert not any(map(admin.is_up, components))
        await admin.cluster.heal(injected)
        await admin.until(lambda: all(map(admin.is_up, components)), within_seconds=400)
        await admin.answers()
        await admin.type("kubectl create deployment web --image=nginx")
        await admin.type("kubectl wait --for=condition=Available deployment/web --timeout=400s")

    in_cluster(story)


def test_what_is_restarted_again_and_again_is_held_back_by_its_kubelet(in_cluster):
    async def story(admin):
        gone = []
        for _ in range(2):
            began = admin.cluster.clock.now
            admin.cluster.inject(read({"name": "restart", "target": "control-plane/kube-scheduler"}))
            await asyncio.sleep(0.5)
            await admin.until(lambda: admin.is_up("control-plane/kube-scheduler"))
            gone.append(admin.cluster.clock.now - began)
        await admin.until(lambda: _restarts(admin, "kube-scheduler-control-plane") == 2)
        return gone

    first, second = in_cluster(story, nodes=2)
    assert first < 5
    assert second > 10, "CrashLoopBackOff"


def _restarts(admin, name):
    return admin.pods()[name]["status"]["containerStatuses"][0]["restartCount"]


def test_a_replaced_certificate_is_read_by_what_is_started_anew(in_cluster):
    async def story(admin):
        before = admin.cluster.processes["control-plane/kube-scheduler"]
        injected = admin.cluster.inject(read({"name": "certificate-expired", "target": "control-plane/kube-scheduler"}))
        await admin.until(lambda: admin.cluster.processes["control-plane/kube-scheduler"] is not before)
        await asyncio.sleep(20)
        await admin.type("kubectl create deployment web --image=nginx")
        await admin.type("kubectl wait --for=condition=Available deployment/web --timeout=20s", code=1)
        await admin.cluster.heal(injected)
        await admin.type("kubectl wait --for=condition=Available deployment/web --timeout=120s")

    in_cluster(story)


def test_two_clusters_of_one_seed_start_alike():
    def start():
        loop = ClusterLoop(Clock(LEAP))
        found = []

        async def tell():
            async with Cluster(ClusterSpec(nodes=1, pace=None, system_pods=True), loop) as cluster:
                found.extend((one["kind"], one["from"], one["to"]) for one in cluster.journal.since(0, 10_000))

        loop.run_until_complete(tell())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        return found

    assert start() == start()


def test_the_manifests_are_those_that_kubeadm_writes():
    made = cast(1, system_pods=True)
    found = manifests(made)
    assert {path for path, _ in found.values()} == {f"{MANIFESTS}/{name}.yaml" for name in STATIC}
    for id_, (_, text) in found.items():
        component = made.component(id_)
        assert yaml.safe_load(text) == pod(component)
        assert pod(component)["spec"]["containers"][0]["command"] == list(component.argv)
    api_server = pod(made.component("control-plane/kube-apiserver"))
    assert api_server["metadata"]["annotations"] == {
        "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint": "10.0.0.1:6443"
    }
    assert api_server["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "250m"}}
    assert api_server["spec"]["priority"] == 2000001000
