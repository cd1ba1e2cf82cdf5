"""Writes wait for an fsync and share it; reads wait for the one that is under way."""

import asyncio

import pytest


def test_writes_that_come_during_an_fsync_share_the_next_and_a_read_waits_for_the_one_under_way(run_etcd):
    async def story(world, etcd):
        done = {}

        async def at(delay, name, doing):
            await asyncio.sleep(delay)
            await doing
            done[name] = world.loop.time() - began

        async with etcd.client() as client:
            await client.put(b"a", b"0")
            etcd.host.fsync_seconds = 1.0
            began = world.loop.time()
            await asyncio.gather(
                at(0.0, "first", client.put(b"a", b"1")),
                at(0.2, "second", client.put(b"b", b"1")),
                at(0.3, "read", client.get(b"a")),
                at(0.9, "third", client.put(b"c", b"1")),
                at(1.5, "fourth", client.put(b"d", b"1")),
            )
            etcd.host.fsync_seconds = 0.0
            before = world.loop.time()
            await client.put(b"a", b"2")
            assert world.loop.time() - before < 0.01
        expected = {"first": 1.0, "second": 2.0, "read": 1.0, "third": 2.0, "fourth": 3.0}
        assert done == pytest.approx(expected, abs=0.01)

    run_etcd(story)


def test_a_write_that_etcd_dies_over_never_was(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client:
            etcd.host.fsync_seconds = 1.0
            doing = asyncio.ensure_future(client.put(b"a", b"1"))
            await asyncio.sleep(0.5)
            await etcd.kill()
            with pytest.raises(ConnectionError):
                await doing
            etcd.host.fsync_seconds = 0.0
            await etcd.start()
            assert (await client.get(b"a")).count == 0

    run_etcd(story)


def test_with_effort_writes_share_fsyncs_and_are_applied_and_answered_in_turn(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client:
            await client.put(b"a", b"0")
            world.effort = 1.0
            began, answered = world.loop.time(), []

            async def write(n):
                answered.append((n, (await client.put(b"k%d" % n, b"x")).header.revision))

            await asyncio.gather(*(write(n) for n in range(20)))
            together = world.loop.time() - began
            began = world.loop.time()
            for n in range(20):
                await client.put(b"k%d" % n, b"y")
            return answered, together, world.loop.time() - began

    answered, together, in_turn = run_etcd(story)
    assert [n for n, _ in answered] == list(range(20))
    assert [revision for _, revision in answered] == sorted(revision for _, revision in answered)
    assert 0.0005 < together < in_turn / 3
