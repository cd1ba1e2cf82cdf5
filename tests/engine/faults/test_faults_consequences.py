"""What each fault brings about beyond itself: who misses a component, what one direction lets through, what goes on.

Each story ends healed, and well.
"""

import asyncio

import pytest

TOLD_WITHIN_SECONDS = 90.0
SIGKILLED = 128 + 9


def sent(it, since, **wanted):
    """Entries after `since` whose fields of their own are as wanted."""
    entries = it.cluster.journal.since(since, 10**6)
    return [one for one in entries if all(one[name.rstrip("_")] == value for name, value in wanted.items())]


# -- how a component ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "says_goodbye"), [("stop", True), ("kill", False)])
def test_who_is_stopped_says_goodbye_and_who_is_killed_does_not(name, says_goodbye, broken):
    async def story(it):
        head = it.cluster.journal.head
        fault = it.inject(name, target="control-plane/kube-apiserver")
        await asyncio.sleep(5.0)
        (ended,) = [one for one in it.notes("process.exited") if one["from"] == "control-plane/kube-apiserver"]
        assert (ended["fields"]["exitCode"] == SIGKILLED) is not says_goodbye
        goodbyes = sent(it, head, kind="h2.goaway", from_="control-plane/kube-apiserver")
        assert bool(goodbyes) is says_goodbye
        await it.cluster.heal(fault)
        await it.deploy()
        await it.all_well(2)

    broken(story)


def test_who_handles_sigterm_ends_with_0_and_who_does_not_dies_of_it(broken):
    async def story(it):
        codes = {}
        for target in list(it.cluster.supervisor.programs):
            fault = it.inject("stop", target=target)
            await asyncio.sleep(5.0)
            codes[target.partition("/")[2]] = it.notes("process.exited")[-1]["fields"]["exitCode"]
            await it.cluster.heal(fault)
            await asyncio.sleep(5.0)
        await asyncio.sleep(60.0)
        await it.all_well(0)
        assert codes == {
            **dict.fromkeys(("etcd", "kube-apiserver", "kube-scheduler", "kubelet", "containerd"), 0),
            **dict.fromkeys(("kube-controller-manager", "kube-proxy"), 128 + 15),
        }

    broken(story, nodes=1)


# -- who misses it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["stop", "kill"])
def test_without_a_controller_manager_a_deployment_stays_a_wish(name, broken):
    async def story(it):
        fault = it.inject(name, target="control-plane/kube-controller-manager")
        await asyncio.sleep(1.0)
        await it.deploy()
        await asyncio.sleep(60.0)
        assert not it.pods()
        assert not it.cluster.objects("/registry/replicasets/")
        await it.cluster.heal(fault)
        await it.all_well(2)

    broken(story)


@pytest.mark.parametrize("name", ["stop", "kill"])
def test_without_a_kubelet_a_node_is_unknown_and_its_containers_go_on(name, broken):
    async def story(it):
        await it.deploy()
        await it.until(lambda: len(it.running()) == 2)
        fault = it.inject(name, target="worker-1/kubelet")
        await it.until(lambda: it.ready("worker-1") == "Unknown", within_seconds=TOLD_WITHIN_SECONDS)
        assert it.ready("worker-2") == "True"
        await it.cluster.heal(fault)
        await it.all_well(2)
        assert all(one["restartCount"] == 0 for pod in it.pods() for one in pod["status"]["containerStatuses"])

    broken(story)


@pytest.mark.parametrize("name", ["stop", "kill"])
def test_without_containerd_a_node_says_itself_that_it_is_not_ready(name, broken):
    async def story(it):
        await it.deploy()
        await it.until(lambda: len(it.running()) == 2)
        fault = it.inject(name, target="worker-1/containerd")
        await it.until(lambda: it.ready("worker-1") == "False", within_seconds=TOLD_WITHIN_SECONDS)
        (ready,) = [one for one in it.node("worker-1")["status"]["conditions"] if one["type"] == "Ready"]
        assert "container runtime is down" in ready["message"]
        await it.until(lambda: ("not-ready", "NoExecute") in it.taints("worker-1"), within_seconds=30)
        await it.cluster.heal(fault)
        await it.all_well(2)
        assert all(one["restartCount"] == 0 for pod in it.pods() for one in pod["status"]["containerStatuses"])

    broken(story)


@pytest.mark.parametrize("name", ["stop", "kill"])
def test_without_a_proxy_a_node_hears_of_no_service_until_it_is_back(name, broken):
    async def story(it):
        await it.deploy()
        await it.until(lambda: len(it.running()) == 2)
        fault = it.inject(name, target="worker-1/kube-proxy")
        await asyncio.sleep(1.0)
        head = it.cluster.journal.head
        assert (await it.kubectl("expose deployment web --port=80"))[0] == 0
        await asyncio.sleep(30.0)
        synced = lambda host: sent(it, head, kind="proxy.synced", from_=f"{host}/kube-proxy")  # noqa: E731
        assert synced("worker-2") and not synced("worker-1")
        await it.cluster.heal(fault)
        await it.until(lambda: synced("worker-1"), within_seconds=60)
        await it.all_well(2)

    broken(story)


def test_without_etcd_nothing_is_written_and_watches_stay_open(broken):
    async def story(it):
        await it.deploy()
        await it.until(lambda: len(it.running()) == 2)
        await asyncio.sleep(5.0)
        head = it.cluster.journal.head
        fault = it.inject("etcd-down")
        await asyncio.sleep(20.0)
        _, ready = await it.kubectl("get --raw /readyz")
        assert "[-]etcd failed" in ready
        answers = sent(it, head, kind="http.response", to="worker-1/kubelet")
        statuses = {(one["fields"]["verb"], one["fields"]["status"]) for one in answers}
        assert ("update", 500) in statuses
        assert ("update", 200) not in statuses
        assert not sent(it, head, kind="http.end"), "no watch ends"
        await it.cluster.heal(fault)
        await asyncio.sleep(60.0)  # who lost its lease meanwhile has exited, and comes back
        await it.all_well(2)
        assert all(one["restartCount"] == 0 for pod in it.pods() for one in pod["status"]["containerStatuses"])

    broken(story)


# -- the control plane's host -----------------------------------------------------------------------------------------


def test_a_control_plane_without_power_forgets_nothing_and_nobody_is_evicted_for_it(broken):
    async def story(it):
        await it.deploy()
        await it.until(lambda: len(it.running()) == 2)
        before = {(pod["metadata"]["uid"], pod["spec"]["nodeName"]) for pod in it.pods()}
        fault = it.inject("power-off", target="control-plane")
        await asyncio.sleep(120.0)
        code, _ = await it.kubectl("get pods --request-timeout=5s")
        assert code == 1
        await it.cluster.heal(fault)
        await it.all_well(2)
        assert {(pod["metadata"]["uid"], pod["spec"]["nodeName"]) for pod in it.pods()} == before
        assert all(one["restartCount"] == 0 for pod in it.pods() for one in pod["status"]["containerStatuses"])

    broken(story)


# -- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("direction", "losers"), [("out", {"worker-1"}), ("in", {"control-plane"})])
def test_one_direction_loses_what_is_sent_in_it_and_nothing_else(direction, losers, broken):
    async def story(it):
        await asyncio.sleep(5.0)
        head = it.cluster.journal.head
        fault = it.inject("partition", target="worker-1", direction=direction)
        await asyncio.sleep(30.0)
        hosts = lambda end: {one[end].split("/")[0] for one in sent(it, head, kind="tcp.lost")}  # noqa: E731
        assert hosts("from") == losers
        assert hosts("from") | hosts("to") == {"worker-1", "control-plane"}
        renewals = sent(it, head, kind="http.request", from_="worker-1/kubelet", label="PUT leases/worker-1")
        assert bool(renewals) is (direction == "in"), "what it says arrives, or does not"
        await it.cluster.heal(fault)
        await it.deploy()
        await it.all_well(2)

    broken(story)


def test_a_slow_link_makes_no_node_unknown(broken):
    async def story(it):
        await it.deploy()
        fault = it.inject("latency", target="worker-1", seconds=2.0)
        await asyncio.sleep(120.0)
        assert it.ready("worker-1") == "True"
        assert not it.taints("worker-1")
        await it.cluster.heal(fault)
        await it.all_well(2)

    broken(story)


# -- identity ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "organization", "status"),
    [
        ("system:kube-proxy", "system:nodes", 403),  # O says node, CN does not
        ("system:node:worker-2", "system:nodes", 403),  # another node's: its objects are none of worker-1's
        ("system:node:worker-1", "", 403),  # CN says node, O does not
    ],
)
def test_a_kubelet_of_a_wrong_name_or_organization_is_forbidden(name, organization, status, broken):
    async def story(it):
        head = it.cluster.journal.head
        fault = it.inject(
            "certificate-wrong-identity", target="worker-1/kubelet", commonName=name, organization=organization
        )
        await it.until(lambda: it.ready("worker-1") == "Unknown", within_seconds=TOLD_WITHIN_SECONDS)
        assert status in it.answers("worker-1/kubelet", head)
        assert 401 not in it.answers("worker-1/kubelet", head)
        await it.cluster.heal(fault)
        await it.deploy()
        await it.all_well(2)

    broken(story)


def test_of_an_api_server_of_another_name_clients_break_off_with_an_alert(broken):
    async def story(it):
        head = it.cluster.journal.head
        fault = it.inject("serving-certificate-wrong-name")
        await asyncio.sleep(30.0)
        alerts = sent(it, head, kind="tls.alert", label="Alert bad_certificate")
        assert {"worker-1/kubelet", "control-plane/kube-scheduler"} <= {one["from"] for one in alerts}
        own = next(one["seq"] for one in alerts if one["from"] == "worker-1/kubelet")
        assert not sent(it, own, kind="http.request", from_="worker-1/kubelet", to="control-plane/kube-apiserver")
        await it.cluster.heal(fault)
        await it.deploy()
        await it.all_well(2)

    broken(story)


# -- healing ----------------------------------------------------------------------------------------------------------

AT_ONCE = [
    {"name": "kill", "target": "control-plane/kube-scheduler"},
    {"name": "stop", "target": "worker-1/kube-proxy"},
    {"name": "power-off", "target": "worker-2"},
    {"name": "partition", "target": "worker-1"},
    {"name": "latency", "target": "worker-2", "seconds": 0.2},
    {"name": "certificate-expired", "target": "control-plane/kube-controller-manager"},
    {"name": "certificate-wrong-identity", "target": "worker-1/kubelet"},
    {"name": "serving-certificate-wrong-name"},
    {"name": "binding-revoked", "target": "system:kube-scheduler"},
    {"name": "etcd-down"},
    {"name": "api-server-down"},
    {"name": "image-not-found", "target": "worker-1", "image": "nginx"},
    {"name": "crash-loop", "target": "worker-2", "image": "nginx"},
]


def test_everything_broken_at_once_is_healed_at_once(broken):
    async def story(it):
        await it.deploy()
        await it.until(lambda: len(it.running()) == 2)
        it.inject("binding-revoked", target="system:kube-scheduler")
        await asyncio.sleep(2.0)  # an administrator's request: afterwards nobody answers it
        for record in AT_ONCE:
            if record["name"] != "binding-revoked":
                it.inject(**record)
        await asyncio.sleep(30.0)
        assert len(it.cluster.faults) == len(AT_ONCE)
        await it.cluster.heal_all()
        assert it.cluster.faults == []
        assert len(it.notes("fault.ended")) == len(AT_ONCE)
        await it.all_well(2, within_seconds=900)

    broken(story)


@pytest.mark.parametrize("record", AT_ONCE, ids=lambda record: record["name"])
def test_a_fault_that_ends_by_itself_leaves_all_well(record, broken):
    async def story(it):
        await it.deploy()
        await it.until(lambda: len(it.running()) == 2)
        it.inject(**record, start=1.0, end=25.0)
        await asyncio.sleep(24.0)
        assert [one.record.name for one in it.cluster.faults] == [record["name"]]
        await it.until(lambda: not it.cluster.faults, within_seconds=60)
        (begun,), (over,) = it.notes("fault.started"), it.notes("fault.ended")
        assert over["at"] - begun["at"] >= 20.0
        await it.all_well(2)

    broken(story)


def test_what_is_healed_before_it_began_never_happens(broken):
    async def story(it):
        fault = it.inject("power-off", target="worker-1", start=30.0)
        await asyncio.sleep(1.0)
        await it.cluster.heal(fault)
        await asyncio.sleep(60.0)
        assert not it.notes("fault.started") and not it.notes("fault.ended")
        await it.all_well(0)

    broken(story, nodes=1)
