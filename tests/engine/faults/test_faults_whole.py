"""Each fault in a whole cluster, in leaping time: what follows, as documented, and that it is all well again after."""

import asyncio
import json
from datetime import timedelta

import pytest
from copied_clusters import living
from faults_sandbox import Sandbox
from patience import PATIENCE_SECONDS
from recent import EPOCH

from cluster_engine.cast import PKI
from cluster_engine.cluster import ClusterSpec
from cluster_engine.deeds import Heal, Inject, Pause
from cluster_engine.faults import FAULTS, FaultError, describe, read, write
from cluster_engine.pki.authority import Usage
from cluster_engine.thread import ClusterThread
from cluster_engine.words.sentences import sentence

NODE_MONITOR_GRACE_SECONDS = 50.0
NODE_MONITOR_PERIOD_SECONDS = 5.0
TOLERATION_SECONDS = 300.0
KUBELET_CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem"


# -- components -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["stop", "kill"])
def test_a_scheduler_that_is_down_leaves_pods_pending_until_it_is_healed(name, broken):
    async def story(it):
        fault = it.inject(name, target="control-plane/kube-scheduler")
        await asyncio.sleep(1.0)
        assert not it.cluster.processes["control-plane/kube-scheduler"].is_alive
        await it.deploy()
        await asyncio.sleep(60.0)
        assert [pod["status"]["phase"] for pod in it.pods()] == ["Pending", "Pending"]
        assert not it.cluster.processes["control-plane/kube-scheduler"].is_alive
        await it.cluster.heal(fault)
        await it.all_well(2)
        begun, over = it.notes("fault.started")[-1], it.notes("fault.ended")[-1]
        assert begun["fields"]["id"] == over["fields"]["id"] == fault
        assert (begun["fields"]["name"], begun["trigger"]) == (name, "fault")

    broken(story)


def test_a_component_that_two_faults_hold_down_starts_when_both_are_healed(broken):
    async def story(it):
        first, second = (it.inject("kill", target="worker-1/kubelet") for _ in range(2))
        await asyncio.sleep(1.0)
        await it.cluster.heal(first)
        it.inject("restart", target="worker-1/kubelet")
        await asyncio.sleep(15.0)
        assert not it.cluster.processes["worker-1/kubelet"].is_alive
        await it.cluster.heal(second)
        assert it.cluster.processes["worker-1/kubelet"].is_alive
        await it.all_well(0)

    broken(story, nodes=1)


def test_a_restarted_component_is_another_process_and_the_fault_is_over_at_once(broken):
    async def story(it):
        before = it.cluster.processes["worker-1/kubelet"]
        it.inject("restart", target="worker-1/kubelet")
        await it.until(lambda: it.notes("fault.ended"))
        assert it.cluster.processes["worker-1/kubelet"] is not before
        assert not it.cluster.faults
        await it.deploy()
        await it.all_well(2)

    broken(story)


def test_without_etcd_nothing_is_written_and_nothing_is_lost(broken):
    async def story(it):
        await it.deploy()
        await it.until(lambda: len(it.running()) == 2)
        fault = it.inject("etcd-down")
        await asyncio.sleep(5.0)
        assert (await it.kubectl("scale deployment web --replicas=3 --request-timeout=5s"))[0] != 0
        assert len(it.pods()) == 2
        await it.cluster.heal(fault)
        await it.until(lambda: it.cluster.processes["control-plane/kube-apiserver"].is_alive)
        await asyncio.sleep(60.0)
        assert (await it.kubectl("scale deployment web --replicas=3"))[0] == 0
        await it.all_well(3)

    broken(story)


def test_without_an_api_server_connections_are_refused_and_containers_go_on(broken):
    async def story(it):
        await it.deploy()
        await it.until(lambda: len(it.running()) == 2)
        it.inject("api-server-down", end=30.0)
        await asyncio.sleep(1.0)
        code, printed = await it.kubectl("get pods")
        assert code == 1
        assert "refused" in printed
        await it.until(lambda: not it.cluster.faults)
        await it.all_well(2)
        assert all(one["restartCount"] == 0 for pod in it.pods() for one in pod["status"]["containerStatuses"])

    broken(story)


# -- hosts and links ------------------------------------------------------------------------------------------------


def test_a_host_without_power_is_unknown_after_the_grace_then_tainted_then_evicted(broken):
    async def story(it):
        await it.deploy()
        await it.until(lambda: len(it.running()) == 2)
        began = it.cluster.loop.time()
        fault = it.inject("power-off", target="worker-1")
        await it.until(lambda: it.ready("worker-1") == "Unknown", within_seconds=90)
        silence = it.cluster.loop.time() - began
        assert (
            NODE_MONITOR_GRACE_SECONDS - 10 <= silence <= NODE_MONITOR_GRACE_SECONDS + 2 * NODE_MONITOR_PERIOD_SECONDS
        )
        await it.until(lambda: ("unreachable", "NoExecute") in it.taints("worker-1"), within_seconds=30)
        tainted = it.cluster.loop.time()
        gone = lambda: [pod for pod in it.pods() if "deletionTimestamp" in pod["metadata"]]  # noqa: E731
        await it.until(gone, within_seconds=400)
        assert it.cluster.loop.time() - tainted == pytest.approx(TOLERATION_SECONDS, abs=10)
        await it.until(lambda: len(it.running()) == 2, within_seconds=60)
        assert {pod["spec"]["nodeName"] for pod in it.running()} == {"worker-2"}
        await it.cluster.heal(fault)
        await it.all_well(2)

    broken(story)


def test_containers_are_dead_when_their_host_comes_back_and_are_started_anew(broken):
    async def story(it):
        await it.deploy(2)
        await it.until(lambda: len(it.running()) == 2)
        fault = it.inject("power-off", target="worker-1")
        await asyncio.sleep(20.0)
        await it.cluster.heal(fault)
        restarts = lambda: {  # noqa: E731
            pod["spec"]["nodeName"]: pod["status"]["containerStatuses"][0]["restartCount"] for pod in it.running()
        }
        await it.until(lambda: restarts() == {"worker-1": 1, "worker-2": 0}, within_seconds=120)
        await it.all_well(2)

    broken(story)


@pytest.mark.parametrize("direction", ["both", "out", "in"])
def test_a_node_cut_off_is_unknown_and_comes_back_with_the_same_containers(direction, broken):
    async def story(it):
        await it.deploy()
        await it.until(lambda: len(it.running()) == 2)
        fault = it.inject("partition", target="worker-1", direction=direction)
        await it.until(lambda: it.ready("worker-1") == "Unknown", within_seconds=90)
        await it.cluster.heal(fault)
        await it.all_well(2)
        assert all(one["restartCount"] == 0 for pod in it.pods() for one in pod["status"]["containerStatuses"])

    broken(story)


def test_a_slow_link_slows_requests_and_is_quick_again_once_healed(broken):
    async def story(it):
        async def seconds():
            began = it.cluster.loop.time()
            assert (await it.kubectl("get nodes"))[0] == 0
            return it.cluster.loop.time() - began

        quick = await seconds()
        fault = it.inject("latency", target="control-plane", peer="workstation", seconds=0.5)
        await asyncio.sleep(1.0)
        assert await seconds() > 3 * 2 * 0.5 > quick  # TCP, TLS, HTTP: three round trips at least
        await it.cluster.heal(fault)
        assert await seconds() < quick * 2

    broken(story, nodes=1)


@pytest.mark.parametrize("which", ["all", "one"])
def test_connections_that_were_reset_are_made_again(which, broken):
    async def story(it):
        head = it.cluster.journal.head
        it.inject("reset", target="worker-1", which=which, seed=7)
        await asyncio.sleep(30.0)
        resets = [one for one in it.cluster.journal.since(head, 10**6) if one["kind"] == "tcp.rst"]
        numbers = {one["connection"] for one in resets}
        assert (len(numbers) == 1) if which == "one" else (len(numbers) > 1)
        await it.deploy()
        await it.all_well(2)

    broken(story)


# -- identity and permission -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status"),
    [("certificate-expired", 401), ("certificate-unknown-authority", 401), ("certificate-wrong-identity", 403)],
)
@pytest.mark.parametrize("target", ["control-plane/kube-scheduler", "worker-1/kubelet"])
def test_a_bad_certificate_is_answered_with_401_or_403_until_the_old_one_is_back(name, status, target, broken):
    async def story(it):
        head = it.cluster.journal.head
        fault = it.inject(name, target=target)
        await asyncio.sleep(30.0)
        assert it.answers(target, head) & {401, 403} == {status}
        await it.cluster.heal(fault)
        await it.deploy()
        await it.all_well(2)

    broken(story)


def test_an_api_server_of_another_name_is_turned_away_by_its_clients(broken):
    async def story(it):
        fault = it.inject("serving-certificate-wrong-name")
        await asyncio.sleep(30.0)
        code, printed = await it.kubectl("get nodes")
        assert code == 1
        assert "certificate" in printed
        await it.cluster.heal(fault)
        await asyncio.sleep(10.0)
        await it.deploy()
        await it.all_well(2)

    broken(story)


def test_a_revoked_binding_forbids_until_it_is_restored(broken):
    async def story(it):
        head = it.cluster.journal.head
        fault = it.inject("binding-revoked", target="system:kube-scheduler")
        await asyncio.sleep(5.0)
        await it.deploy()
        await asyncio.sleep(20.0)
        assert 403 in it.answers("control-plane/kube-scheduler", head)
        assert not it.running()
        await it.cluster.heal(fault)
        await it.all_well(2)

    broken(story)


UNREADABLE = [
    ("worker-1/kubelet", "/etc/kubernetes/kubelet.conf", None, "unable to load bootstrap kubeconfig: stat /etc/kube"),
    ("worker-1/kubelet", "/etc/kubernetes/kubelet.conf", b"{: not yaml", "error loading config file"),
    ("worker-1/kubelet", KUBELET_CERTIFICATE, b"nonsense", "tls: failed to find any PEM data in certificate input"),
    ("worker-1/kubelet", "/var/lib/kubelet/pki/kubelet.key", b"nonsense", "tls: unusable certificate or key"),
    ("worker-1/kube-proxy", "/var/lib/kube-proxy/kubeconfig.conf", b"[]", "cannot unmarshal array"),
    ("control-plane/kube-scheduler", "/etc/kubernetes/scheduler.conf", None, "no such file"),
    ("control-plane/kube-controller-manager", "/etc/kubernetes/controller-manager.conf", b"a: 1", "does not exist"),
    ("control-plane/kube-apiserver", f"{PKI}/apiserver.key", b"nonsense", "tls: unusable certificate or key"),
    ("control-plane/kube-apiserver", f"{PKI}/sa.pub", None, f"open {PKI}/sa.pub: no such file"),
    ("control-plane/etcd", f"{PKI}/etcd/server.crt", b"", "tls: unusable certificate or key"),
]


@pytest.mark.parametrize(("target", "path", "data", "said"), UNREADABLE, ids=lambda one: str(one)[:30])
def test_a_component_that_cannot_read_its_files_says_so_and_exits_with_1_until_it_can(target, path, data, said, broken):
    async def story(it):
        files = it.world.host(target.split("/")[0]).files
        good = files.read(path)
        files.remove(path)
        if data is not None:
            files.write(path, data)
        it.inject("restart", target=target)
        await asyncio.sleep(25.0)
        ends = [one["fields"]["exitCode"] for one in it.notes("process.exited") if one["from"] == target]
        assert ends[-2:] == [1, 1]
        assert '"command failed" err="' in sentence(it.notes("process.failed")[-1])
        assert said in sentence(it.notes("process.failed")[-1])
        files.write(path, good)
        await asyncio.sleep(15.0)
        await it.deploy(1)
        await it.all_well(1)

    broken(story, nodes=1)


def test_a_certificate_that_runs_out_in_use_leaves_watches_open_and_refuses_new_requests(broken):
    async def story(it):
        renewal = "clusterrolebinding kubeadm:node-autoapprove-certificate-rotation"
        assert (await it.cluster.administer(f"kubectl --kubeconfig /etc/kubernetes/admin.conf delete {renewal}"))[
            0
        ] == 0
        now = it.world.now() - it.cluster.pki.cluster.now
        pair = it.cluster.pki.cluster.issue(
            "system:node:worker-1",
            organizations=["system:nodes"],
            usage=Usage.CLIENT,
            lifetime=now + timedelta(seconds=30),
        )
        it.world.host("worker-1").files.write(KUBELET_CERTIFICATE, pair.certificate + pair.key)
        it.inject("restart", target="worker-1/kubelet")
        await asyncio.sleep(31.0)
        assert it.answers("worker-1/kubelet", 0) & {401} == set()
        head = it.cluster.journal.head
        await it.deploy(1)
        await asyncio.sleep(3.0)
        entries = it.cluster.journal.since(0, 10**6)
        told = [one for one in entries if one["seq"] > head and one["kind"] == "watch.event"]
        (pod,) = [one for one in told if one["to"] == "worker-1/kubelet" and one["fields"]["resource"] == "pods"][:1]
        refused = [one for one in entries if one["kind"] == "http.response" and one["fields"].get("status") == 401]
        assert pod["connection"] in {one["connection"] for one in refused}

    broken(story, nodes=1)


# -- etcd's history and images ----------------------------------------------------------------------------------------


def test_after_a_compaction_the_past_is_gone_and_the_cluster_goes_on(broken):
    async def story(it):
        store = it.world.host("control-plane").disk["/var/lib/etcd"]
        before = store.revision
        it.inject("etcd-compacted")
        await it.until(lambda: it.notes("fault.ended"))
        assert store.compacted >= before
        it.inject("restart", target="control-plane/kube-apiserver")
        await asyncio.sleep(30.0)
        await it.deploy()
        await it.all_well(2)

    broken(story)


def test_who_asks_for_the_past_after_a_compaction_is_told_410_each_in_its_own_way(broken):
    async def story(it):
        await it.deploy()
        code, printed = await it.kubectl("get --raw '/api/v1/configmaps?limit=1'")
        token = json.loads(printed)["metadata"]["continue"]
        await it.kubectl("create configmap later")
        it.inject("etcd-compacted")
        await it.until(lambda: it.notes("fault.ended"))
        exact = "get --raw '/api/v1/pods?resourceVersion=2&resourceVersionMatch=Exact'"
        for line in (exact, f"get --raw '/api/v1/configmaps?limit=1&continue={token}'"):
            head = it.cluster.journal.head
            code, printed = await it.kubectl(line)
            assert code == 1
            assert it.answers("workstation/kubectl", head) & {410, 200} == {410}
        it.inject("restart", target="control-plane/kube-apiserver")  # until then its watch cache knows the past
        await asyncio.sleep(15.0)
        head = it.cluster.journal.head
        code, printed = await it.kubectl("get --raw '/api/v1/pods?watch=true&resourceVersion=1'")
        event = json.loads(printed.splitlines()[0])
        assert (code, event["type"], event["object"]["code"], event["object"]["reason"]) == (0, "ERROR", 410, "Expired")
        assert 200 in it.answers("workstation/kubectl", head)

    broken(story, nodes=1)


def test_a_reflector_that_cannot_resume_after_a_compaction_lists_again(broken):
    async def story(it):
        await it.kubectl("create service clusterip later --tcp=80")
        it.inject("etcd-compacted")
        it.inject("kill", target="control-plane/kube-apiserver", start=1.0, end=2.0)
        it.inject("partition", target="worker-1", start=0.5, end=15.0)
        head = it.cluster.journal.head
        await asyncio.sleep(5.0)
        await it.kubectl("create service clusterip newest --tcp=80")
        await asyncio.sleep(75.0)
        entries = [
            one for one in it.cluster.journal.since(head, 10**6) if "worker-1/kube-proxy" in (one["from"], one["to"])
        ]
        services = [one for one in entries if one["fields"].get("resource") == "services"]
        (expired,) = [one for one in services if one["fields"].get("code") == 410]
        assert expired["kind"] == "watch.event"
        assert expired["fields"]["type"] == "ERROR"
        listed = [one for one in services if one["seq"] > expired["seq"] and one["kind"] == "http.response"]
        assert listed[0]["fields"]["verb"] == "list"
        assert listed[0]["fields"]["items"] == 3
        await it.all_well(0)

    broken(story, nodes=1)


def test_an_image_that_is_gone_backs_off_and_is_pulled_once_it_is_there_again(broken):
    async def story(it):
        fault = it.inject("image-not-found", target="worker-1", image="nginx")
        await it.deploy()
        await it.until(lambda: "ImagePullBackOff" in it.waiting(), within_seconds=60)
        await asyncio.sleep(20.0)
        assert [pod["spec"]["nodeName"] for pod in it.running()] == ["worker-2"]
        await it.cluster.heal(fault)
        await it.all_well(2)

    broken(story)


def test_a_crashing_image_backs_off_on_its_host_only_and_runs_once_it_is_mended(broken):
    async def story(it):
        await it.deploy()
        await it.until(lambda: len(it.running()) == 2)
        fault = it.inject("crash-loop", target="worker-1", image="nginx")
        await it.until(lambda: "CrashLoopBackOff" in it.waiting(), within_seconds=60)
        assert [pod["spec"]["nodeName"] for pod in it.running()] == ["worker-2"]
        await it.cluster.heal(fault)
        await it.all_well(2)

    broken(story)


# -- records and the door ---------------------------------------------------------------------------------------------


def test_faults_have_a_start_an_end_and_are_healed_together(broken):
    async def story(it):
        began = it.cluster.loop.time()
        it.inject("stop", target="worker-1/kube-proxy", start=10.0, end=20.0)
        await asyncio.sleep(9.9)
        assert it.cluster.processes["worker-1/kube-proxy"].is_alive
        await it.until(lambda: not it.cluster.faults)
        assert [one["at"] - began for one in it.notes("fault.started")] == [pytest.approx(10.0)]
        assert [one["at"] - began for one in it.notes("fault.ended")] == [pytest.approx(20.0)]
        it.inject("power-off", target="worker-1", start=50.0)
        it.inject("kill", target="worker-1/kubelet")
        it.inject("kill", target="worker-1/kubelet")
        await asyncio.sleep(1.0)
        await it.cluster.heal_all()
        assert len(it.notes("fault.started")) == 3
        await it.all_well(0)

    broken(story)


def test_a_sealed_fault_is_named_only_when_it_is_over(broken):
    async def story(it):
        fault = it.cluster.inject(read({"name": "stop", "target": "worker-1/kube-proxy"}), sealed=True)
        await asyncio.sleep(1.0)
        (begun,) = it.notes("fault.started")
        assert begun["fields"] == {"id": fault, "sealed": True}
        assert "proxy" not in sentence(begun) and "stop" not in sentence(begun)
        await it.cluster.heal_all()
        (over,) = it.notes("fault.ended")
        assert (over["fields"]["name"], over["fields"]["target"]) == ("stop", "worker-1/kube-proxy")

    broken(story)


def test_a_binding_is_restored_although_the_api_server_was_down_too(broken):
    async def story(it):
        it.inject("binding-revoked", target="system:kube-scheduler")
        await asyncio.sleep(5.0)
        it.inject("api-server-down")
        await asyncio.sleep(5.0)
        await it.cluster.heal_all()
        assert it.cluster.faults == []
        await it.deploy()
        await it.all_well(2)

    broken(story)


@pytest.mark.long
def test_one_seed_and_one_fault_tell_one_story():
    async def story(cluster):
        it = Sandbox(cluster)
        it.inject("reset", target="worker-1", which="one", seed=3, start=2.0)
        it.inject("power-off", target="worker-2", start=5.0, end=30.0)
        await it.deploy()
        await asyncio.sleep(60.0)
        return [(one["at"], one["kind"], one["from"], one["label"]) for one in cluster.journal.since(0, 10**6)]

    def told():
        with living(ClusterSpec(pace=None, epoch=EPOCH)) as tell:
            return tell(story)

    assert told() == told()


def test_faults_can_be_injected_and_healed_from_another_thread():
    thread = ClusterThread(ClusterSpec(pace=None, nodes=1))
    try:
        thread.start().result(timeout=PATIENCE_SECONDS)
        thread.put(Pause()).result(timeout=PATIENCE_SECONDS)
        answer = thread.put(Inject({"name": "kill", "target": "worker-1/kubelet"})).result(timeout=PATIENCE_SECONDS)
        fault = answer["fault"]
        assert [one["id"] for one in thread.faults().result(timeout=PATIENCE_SECONDS)] == [fault]
        with pytest.raises(FaultError, match="there is no fault meteor"):
            thread.put(Inject({"name": "meteor"})).result(timeout=PATIENCE_SECONDS)
        thread.put(Heal(fault)).result(timeout=PATIENCE_SECONDS)
        thread.put(Heal()).result(timeout=PATIENCE_SECONDS)
        assert thread.faults().result(timeout=PATIENCE_SECONDS) == []
    finally:
        thread.stop().result(timeout=PATIENCE_SECONDS)


def test_what_does_not_fit_is_refused_in_words(broken):
    async def story(it):
        for words, document in {
            "there is no host worker-9; hosts are control-plane, worker-1": {"name": "power-off", "target": "worker-9"},
            "there is no fault meteor; faults are stop, kill": {"name": "meteor"},
            "the fault stop needs a target": {"name": "stop"},
            "has no field colour": {"name": "stop", "target": "worker-1/kubelet", "colour": "red"},
            "there is no such component worker-1/vi": {"name": "kill", "target": "worker-1/vi"},
            "seconds is a number from": {"name": "latency", "target": "worker-1", "seconds": 99},
            "direction is one of 'both', 'out', 'in'": {"name": "partition", "target": "worker-1", "direction": "up"},
            "is one$": {"name": "partition", "target": "worker-1", "peer": "worker-1"},
            "start is a number": {"name": "stop", "target": "worker-1/kubelet", "start": True},
            "not after its start": {"name": "stop", "target": "worker-1/kubelet", "start": 5, "end": 5},
            "there is no binding nobody": {"name": "binding-revoked", "target": "nobody"},
            "invalid reference format": {"name": "crash-loop", "target": "worker-1", "image": "a b"},
        }.items():
            with pytest.raises(FaultError, match=words):
                it.cluster.inject(read(document))
        it.inject("latency", target="worker-1")
        with pytest.raises(FaultError, match="is the subject of fault-1 already"):
            it.inject("latency", target="control-plane", peer="worker-1")
        with pytest.raises(FaultError, match="there is no active fault fault-7; active are fault-1"):
            await it.cluster.heal("fault-7")
        await it.cluster.heal_all()

    broken(story, nodes=1)


def test_every_fault_goes_to_json_and_back_and_describes_itself():
    described = {one["name"]: one for one in describe()}
    assert set(described) == set(FAULTS)
    json.dumps(describe())
    for name, kind in FAULTS.items():
        record = read({"name": name, "target": "worker-1", "start": 1.5, "end": 3.0, "seed": 4})
        assert type(record) is kind
        assert read(json.loads(json.dumps(write(record)))) == record
        assert described[name]["fields"]


def test_a_fault_whose_target_has_gone_before_it_begins_says_so_and_the_cluster_goes_on(broken):
    async def story(it):
        it.inject("binding-revoked", target="system:kube-scheduler", start=5.0)
        assert (await it.kubectl("delete clusterrolebinding system:kube-scheduler"))[0] == 0
        await asyncio.sleep(10.0)
        assert not it.cluster.faults
        over = it.notes("fault.ended")[-1]
        assert "cannot happen: there is no binding system:kube-scheduler" in sentence(over)
        assert over["fields"]["name"] == "binding-revoked"
        assert (await it.kubectl("get nodes"))[0] == 0

    broken(story, nodes=1)
