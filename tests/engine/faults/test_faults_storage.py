"""Faults of etcd's storage: an alarm that refuses every write, a snapshot that takes the cluster back."""

import asyncio

PKI = "/etc/kubernetes/pki/etcd"
ETCD = f"--cacert={PKI}/ca.crt --cert={PKI}/server.crt --key={PKI}/server.key --endpoints=https://127.0.0.1:2379"


def test_with_the_alarm_nothing_is_put_deleting_goes_on_and_disarming_heals(broken):
    async def story(it):
        await it.deploy(2)
        await it.all_well(2)
        fault = it.cluster.fail("etcd-no-space")
        await asyncio.sleep(1.0)
        code, printed = await it.kubectl("create configmap a")
        assert code == 1 and "etcdserver: mvcc: database space exceeded" in printed
        _, printed = await it.cluster.administer(f"etcdctl {ETCD} alarm list")
        assert "alarm:NOSPACE" in printed
        await asyncio.sleep(120.0)
        assert it.ready("worker-1") == "True", "nobody can write that it is not"
        assert (await it.kubectl("delete pod --all --force --grace-period=0"))[0] == 0
        await asyncio.sleep(5.0)
        assert it.pods() == [], "deleted, and no new ones can be made"
        await it.cluster.heal(fault)
        await it.all_well(2, within_seconds=900)

    broken(story, nodes=1)


def test_what_was_written_after_the_snapshot_never_was_and_all_who_saw_it_must_start_anew(broken):
    async def story(it):
        await it.kubectl("create configmap old")
        revision = it.cluster.revision
        await it.deploy(2)
        await it.all_well(2)
        it.cluster.fail("etcd-restored", revisions=it.cluster.revision - revision)
        await asyncio.sleep(5.0)
        assert it.cluster.objects("/registry/deployments/") == [] == it.pods()
        _, listed = await it.kubectl("get --raw /api/v1/namespaces/default/pods?resourceVersion=0")
        assert '"name":"web-' in listed, "the API server's cache shows what never was"
        for component in list(it.cluster.supervisor.programs):
            if not component.endswith(("etcd", "containerd")):
                it.inject("restart", target=component)
                await asyncio.sleep(2.0)
        await it.all_well(0)
        code, listed = await it.kubectl("get configmaps,pods -A")
        assert code == 0 and "old" in listed and "web-" not in listed
        await it.deploy(2)
        await it.all_well(2)

    broken(story, nodes=1)
