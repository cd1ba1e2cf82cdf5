"""Faults that only simulations use: what follows from each in a whole cluster."""

import asyncio
from datetime import timedelta

import pytest

from cluster_engine.api.time import parse
from cluster_engine.faults import FAULTS, UNOFFERED, FaultError, describe, read, write


def test_a_bad_link_is_only_seen_on_the_wire(broken):
    async def story(it):
        it.inject("bad-link", target="worker-1", lost=0.2, late=0.2, repeated=0.2, seed=1, end=20.0)
        await it.deploy(2)
        await asyncio.sleep(25.0)
        await it.all_well(2)
        assert it.notes("tcp.lost")
        assert not it.notes("tls.alert") or all(
            one["fields"]["description"] == "close_notify" for one in it.notes("tls.alert")
        )

    broken(story, nodes=1)


def test_damage_past_the_checksum_ends_a_connection_by_an_alert_and_nothing_else_is_harmed(broken):
    async def story(it):
        it.inject("bad-link", target="worker-1", lost=0.0, late=0.0, repeated=0.0, damaged=0.3, seed=1, end=20.0)
        await it.deploy(2)
        await asyncio.sleep(25.0)
        assert "bad_record_mac" in {one["fields"]["description"] for one in it.notes("tls.alert")}
        await it.all_well(2)

    broken(story, nodes=1)


def test_a_node_whose_clock_is_wrong_stays_ready_and_its_dates_are_off_until_it_is_healed(broken):
    async def story(it):
        fault = it.inject("clock-skew", target="worker-1", seconds=3600.0)
        await it.deploy(1)
        await asyncio.sleep(120.0)
        assert it.ready("worker-1") == "True"
        (lease,) = it.cluster.objects("/registry/leases/kube-node-lease/")
        assert it.world.now() + timedelta(minutes=59) < parse(lease["spec"]["renewTime"])
        await it.cluster.heal(fault)
        await asyncio.sleep(15.0)
        (lease,) = it.cluster.objects("/registry/leases/kube-node-lease/")
        assert parse(lease["spec"]["renewTime"]) <= it.world.now()
        await it.all_well(1)

    broken(story, nodes=1)


def test_an_api_server_whose_clock_is_past_a_certificates_end_refuses_it(broken):
    async def story(it):
        fault = it.inject("clock-skew", target="control-plane", seconds=25 * 86400.0)
        await asyncio.sleep(1.0)
        assert (await it.kubectl("get pods"))[0] == 0
        await it.cluster.heal(fault)
        it.inject("clock-skew", target="control-plane", seconds=-86400.0, end=5.0)
        await asyncio.sleep(1.0)
        code, printed = await it.kubectl("get pods")
        assert code == 1
        assert "must be logged in" in printed or "Unauthorized" in printed
        await asyncio.sleep(10.0)
        assert (await it.kubectl("get pods"))[0] == 0

    broken(story, nodes=1)


def test_with_a_slow_disk_a_write_takes_as_long_as_its_fsync(broken):
    async def story(it):
        it.inject("etcd-slow-disk", seconds=2.0, end=30.0)
        await asyncio.sleep(0.1)
        before = it.world.loop.time()
        assert (await it.kubectl("create configmap a"))[0] == 0
        assert it.world.loop.time() - before >= 2.0
        await asyncio.sleep(60.0)
        before = it.world.loop.time()
        assert (await it.kubectl("create configmap b"))[0] == 0
        assert it.world.loop.time() - before < 1.0

    broken(story, nodes=1)


def test_a_cluster_whose_etcd_lost_its_disk_begins_anew_once_everything_was_restarted(broken):
    async def story(it):
        await it.deploy(2)
        await it.all_well(2)
        it.inject("etcd-disk-lost")
        await asyncio.sleep(30.0)
        for component in list(it.cluster.supervisor.programs):
            if not component.endswith(("etcd", "containerd")):
                it.inject("restart", target=component)
                await asyncio.sleep(2.0)
        await it.all_well(0)
        assert (await it.kubectl("create deployment web --image=nginx --replicas=1"))[0] == 0
        await it.all_well(1)

    broken(story, nodes=1)


def test_they_go_to_json_and_back_and_are_not_offered():
    assert not UNOFFERED.keys() & FAULTS.keys()
    assert not UNOFFERED.keys() & {one["name"] for one in describe()}
    for name in UNOFFERED:
        record = read({"name": name, "target": "worker-1", "start": 1.5, "end": 3.0, "seed": 4})
        assert type(record) is UNOFFERED[name]
        assert read(write(record)) == record


def test_two_that_would_not_know_what_to_put_back_exclude_each_other(broken):
    async def story(it):
        for name in ("clock-skew", "bad-link"):
            it.inject(name, target="worker-1")
            with pytest.raises(FaultError, match="is the subject of"):
                it.inject(name, target="worker-1")

    broken(story, nodes=1)
