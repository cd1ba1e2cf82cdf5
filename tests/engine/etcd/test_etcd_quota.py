"""How much the store takes, what it refuses then, and how it comes to have room again."""

import asyncio

import pytest

from cluster_engine.etcd import quota
from cluster_engine.etcd.administration import MaintenanceService
from cluster_engine.etcd.agreement import Alone
from cluster_engine.etcd.applier import Applier
from cluster_engine.etcd.apply import apply_delete_range, apply_put, apply_txn
from cluster_engine.etcd.client import delete, not_there, put, unchanged
from cluster_engine.etcd.disk import Disk
from cluster_engine.etcd.errors import NoSpaceError
from cluster_engine.etcd.history import RECORD_BYTES
from cluster_engine.etcd.store import Store
from cluster_engine.rpc import etcd_pb2 as pb

BLOCK = b"x" * (1024 * 1024)


@pytest.fixture
def full():
    """A store into which another block does not fit."""
    store = Store()
    apply_put(store, pb.PutRequest(key=b"small", value=b"1" * 1000))
    apply_put(store, pb.PutRequest(key=b"tiny", value=b"1"))
    number = 0
    while quota.used_bytes(store) + len(BLOCK) + 16 * 1024 < quota.QUOTA_BYTES:
        apply_put(store, pb.PutRequest(key=b"block%d" % number, value=BLOCK))
        number += 1
    return store


def test_what_does_not_fit_is_refused_and_nothing_has_changed(full):
    before = full.revision, full.history.size_bytes
    with pytest.raises(NoSpaceError, match="etcdserver: mvcc: database space exceeded"):
        apply_put(full, pb.PutRequest(key=b"new", value=BLOCK))
    with pytest.raises(NoSpaceError):
        apply_txn(full, pb.TxnRequest(compare=[not_there(b"new")], success=[put(b"new", BLOCK)]))
    with pytest.raises(NoSpaceError):
        apply_txn(full, pb.TxnRequest(success=[put(b"n%d" % i, b"x" * 200_000) for i in range(2)] + [put(b"o", BLOCK)]))
    assert (full.revision, full.history.size_bytes) == before
    assert full.has_no_space


def test_a_branch_that_is_not_taken_needs_no_room(full):
    answer = apply_txn(full, pb.TxnRequest(compare=[not_there(b"small")], success=[put(b"new", BLOCK)]))
    assert not answer.succeeded


def test_heartbeats_go_on_for_a_while_and_the_compactions_mark_longer(full):
    def puts(key, size):
        count = 0
        try:
            while True:
                apply_put(full, pb.PutRequest(key=key, value=b"2" * size))
                count += 1
        except NoSpaceError:
            return count

    assert puts(b"small", 8000) * (8000 + RECORD_BYTES) > quota.RESERVE_BYTES
    with pytest.raises(NoSpaceError):
        apply_put(full, pb.PutRequest(key=b"new", value=b"x" * 200))
    assert puts(b"small", 8000) == 0
    apply_put(full, pb.PutRequest(key=b"compact_rev_key", value=b"123"))
    assert puts(b"tiny", 1) > 1000
    assert quota.used_bytes(full) <= quota.QUOTA_BYTES + 2 * quota.RESERVE_BYTES


def test_deleting_and_compacting_makes_room_and_the_alarm_goes(full):
    with pytest.raises(NoSpaceError):
        apply_put(full, pb.PutRequest(key=b"new", value=BLOCK))
    apply_txn(full, pb.TxnRequest(compare=[unchanged(b"block0", 4)], success=[delete(b"block0")]))
    apply_delete_range(full, pb.DeleteRangeRequest(key=b"block1"))
    with pytest.raises(NoSpaceError):
        apply_put(full, pb.PutRequest(key=b"new", value=BLOCK))
    full.compact(full.revision)
    quota.look_again(full)
    assert not full.has_no_space
    apply_put(full, pb.PutRequest(key=b"new", value=BLOCK))


def test_a_great_many_small_objects_are_as_much_as_a_few_large_ones():
    store = Store()
    with pytest.raises(NoSpaceError):
        for number in range(10_000):
            apply_put(store, pb.PutRequest(key=b"%d" % number, value=b"x" * 2000))
    assert 3_000 < number < 6_000


def test_the_size_is_that_of_all_records():
    store = Store()
    for value in (b"1", b"22", b"333"):
        store.put(b"a", value)
    store.put(b"b", b"")
    store.delete_range(b"b")
    assert store.history.size_bytes == 5 * RECORD_BYTES + 3 + 6 + 2
    store.compact(store.revision)
    assert store.history.size_bytes == RECORD_BYTES + 4


def test_the_alarm_and_the_refusal_are_seen_by_clients(run_etcd, monkeypatch):
    monkeypatch.setattr(quota, "QUOTA_BYTES", 20_000)

    async def story(world, etcd):
        async with etcd.client() as client:
            await client.txn([], [put(b"a", b"x" * 9_000)])
            with pytest.raises(NoSpaceError):
                await client.txn([], [put(b"b", b"x" * 9_000)])
            status = await client.status()
            await client.txn([], [delete(b"a")])
            await client.compact((await client.get(b"a")).header.revision)
            return list(status.errors), list((await client.status()).errors)

    alarmed, quiet = run_etcd(story)
    assert [error.partition(" ")[2] for error in alarmed] == ["alarm:NOSPACE "]
    assert quiet == []


class NoHeaders:
    """Headers that stay empty."""

    def fill(self, header):
        pass


def test_an_alarm_that_is_raised_by_hand_refuses_every_put_until_it_is_taken_back():
    store = Store()
    store.members.start("control-plane", "https://10.0.0.1:2379", "https://10.0.0.1:2380")
    applier = Applier(store, lambda *_, **__: None)
    service = MaintenanceService(store, NoHeaders(), Alone(store, applier, Disk(None, store.members)))

    def alarm(action):
        return asyncio.run(service.Alarm(pb.AlarmRequest(action=action, alarm=pb.NOSPACE))).alarms

    apply_put(store, pb.PutRequest(key=b"a", value=b"1"))
    assert [each.alarm for each in alarm(pb.AlarmRequest.ACTIVATE)] == [pb.NOSPACE]
    quota.look_again(store)
    with pytest.raises(NoSpaceError):
        apply_put(store, pb.PutRequest(key=b"a", value=b"2"))
    assert len(alarm(pb.AlarmRequest.GET)) == 1
    alarm(pb.AlarmRequest.DEACTIVATE)
    assert not alarm(pb.AlarmRequest.GET)
    apply_put(store, pb.PutRequest(key=b"a", value=b"2"))
