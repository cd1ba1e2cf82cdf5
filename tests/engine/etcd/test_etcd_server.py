import asyncio
import ssl
from datetime import UTC, datetime

import pytest

from cluster_engine.etcd.client import delete, get, not_there, prefix_end, put, unchanged
from cluster_engine.etcd.errors import CompactedError, FutureRevisionError, LeaseNotFoundError, RequestTooLargeError
from cluster_engine.pki.authority import Authority, Usage
from cluster_engine.rpc import kv_pb2
from tests.ears import Ears

PODS = b"/registry/pods/"
WEB = PODS + b"default/web"


async def collect(watch, count):
    """Read `count` events of a watch."""
    events = []
    while len(events) < count:
        events += (await anext(watch)).events
    return events


def told(events):
    names = {kv_pb2.Event.PUT: "PUT", kv_pb2.Event.DELETE: "DELETE"}
    return [(names[event.type], event.kv.key, event.kv.mod_revision) for event in events]


def test_an_object_is_created_updated_and_refused_when_stale_over_mutual_tls(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client:
            created = await client.txn([not_there(WEB)], [put(WEB, b"one")], [get(WEB)])
            assert (created.succeeded, created.header.revision) == (True, 2)
            updated = await client.txn([unchanged(WEB, 2)], [put(WEB, b"two")], [get(WEB)])
            assert (updated.succeeded, updated.header.revision) == (True, 3)
            stale = await client.txn([unchanged(WEB, 2)], [put(WEB, b"lost")], [get(WEB)])
            assert not stale.succeeded
            (newer,) = stale.responses[0].response_range.kvs
            assert (newer.value, newer.mod_revision, newer.create_revision, newer.version) == (b"two", 3, 2, 2)
            gone = await client.txn([unchanged(WEB, 3)], [delete(WEB)], [get(WEB)])
            assert gone.responses[0].response_delete_range.deleted == 1
            assert (await client.get(WEB)).count == 0
            assert (await client.get(WEB, revision=3)).kvs[0].value == b"two"

    run_etcd(story)


def test_a_watch_tells_what_happens_and_an_idle_one_sends_nothing(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client, client.watch(PODS, prefix_end(PODS)) as watch:
            await asyncio.sleep(3600)
            await client.put(WEB, b"one")
            await client.put(b"/registry/minions/n1", b"not for us")
            await client.put(WEB, b"two")
            await client.delete(WEB)
            response = await anext(watch)
            events = [*response.events, *await collect(watch, 3 - len(response.events))]
            assert told(events) == [("PUT", WEB, 2), ("PUT", WEB, 4), ("DELETE", WEB, 5)]
            assert [event.prev_kv.value for event in events] == [b"", b"one", b"two"]

    run_etcd(story)


def test_a_watch_that_lost_its_server_resumes_without_gap_or_duplicate(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client:
            seen = []
            async with client.watch(PODS, prefix_end(PODS)) as watch:
                await client.put(WEB, b"1")
                seen += await collect(watch, 1)
                await etcd.kill()
                with pytest.raises(ConnectionError):
                    await anext(watch)
            with pytest.raises(ConnectionError):
                await client.put(WEB, b"nobody listens")
            await etcd.start()
            await client.put(WEB, b"2")
            await client.put(WEB, b"3")
            async with client.watch(PODS, prefix_end(PODS), start_revision=seen[-1].kv.mod_revision + 1) as watch:
                seen += await collect(watch, 2)
                await client.put(WEB, b"4")
                seen += await collect(watch, 1)
            assert [event.kv.value for event in seen] == [b"1", b"2", b"3", b"4"]

    run_etcd(story)


def test_the_raft_term_counts_the_servers_starts(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client:
            before = await client.status()
            await etcd.kill()
            await etcd.start()
            after = await client.status()
            assert (after.raftTerm, after.header.revision) == (before.raftTerm + 1, before.header.revision)
            assert after.version == "3.5.16"

    run_etcd(story)


def test_a_watch_from_before_the_compaction_is_cancelled_with_the_revision_to_start_from(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client:
            for number in range(5):
                await client.put(WEB, b"%d" % number)
            await client.compact(4)
            async with client.watch(WEB, start_revision=3) as watch:
                with pytest.raises(CompactedError) as gone:
                    await anext(watch)
            assert gone.value.compact_revision == 4
            async with client.watch(WEB, start_revision=4) as watch:
                assert told(await collect(watch, 3)) == [("PUT", WEB, 4), ("PUT", WEB, 5), ("PUT", WEB, 6)]
            with pytest.raises(CompactedError):
                await client.get(WEB, revision=3)
            with pytest.raises(CompactedError):
                await client.compact(4)
            with pytest.raises(FutureRevisionError):
                await client.get(WEB, revision=99)

    run_etcd(story)


def test_compaction_is_noted(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client:
            await client.put(WEB, b"1")
            await client.put(WEB, b"2")
            await client.compact(3)

    ears = Ears()
    run_etcd(story, tap=ears)
    assert ears.noted("etcd.compacted")


def test_the_certificate_of_another_authority_is_refused_in_the_handshake(run_etcd):
    async def story(world, etcd):
        impostor = Authority("etcd-ca", now=datetime.now(UTC)).issue("kube-apiserver-etcd-client", usage=Usage.CLIENT)
        async with etcd.client(impostor) as client:
            with pytest.raises((ConnectionError, ssl.SSLError)):
                await client.put(WEB, b"mine now")
        async with etcd.client() as client:
            assert (await client.status()).header.revision == 1

    run_etcd(story)


def test_a_lease_takes_its_keys_when_its_time_is_up(run_etcd):
    async def story(world, etcd):
        loop = asyncio.get_running_loop()
        async with etcd.client() as client, client.watch(b"/", b"\0") as watch:
            lease = await client.lease_grant(60)
            start = loop.time()
            await client.put(b"/registry/events/b", b"", lease=lease)
            await client.put(b"/registry/events/a", b"", lease=lease)
            await collect(watch, 2)
            events = await collect(watch, 2)
            assert told(events) == [("DELETE", b"/registry/events/a", 4), ("DELETE", b"/registry/events/b", 4)]
            assert loop.time() - start == pytest.approx(60, abs=0.1)
            with pytest.raises(LeaseNotFoundError):
                await client.lease_revoke(lease)

    run_etcd(story)


def test_a_short_lease_granted_after_a_long_one_still_ends_in_time(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client:
            await client.lease_grant(3600)
            short = await client.lease_grant(10)
            await client.put(WEB, b"", lease=short)
            await asyncio.sleep(9.5)
            assert (await client.get(WEB)).count == 1
            await asyncio.sleep(1)
            assert (await client.get(WEB)).count == 0

    run_etcd(story)


def test_a_restart_gives_leases_their_full_time_again(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client:
            lease = await client.lease_grant(10)
            await client.put(WEB, b"", lease=lease)
            await asyncio.sleep(8)
            await etcd.kill()
            await etcd.start()
            await asyncio.sleep(8)
            assert (await client.get(WEB)).count == 1
            await asyncio.sleep(3)
            assert (await client.get(WEB)).count == 0

    run_etcd(story)


def test_progress_is_told_on_request_after_all_that_came_before(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client, client.watch(PODS, prefix_end(PODS), start_revision=1) as watch:
            await client.put(WEB, b"1")
            await client.put(b"/elsewhere", b"")
            await watch.request_progress()
            events = []
            while (response := await anext(watch)).events:
                events += response.events
            assert told(events) == [("PUT", WEB, 2)]
            assert (response.watch_id, response.header.revision) == (-1, 3)

    run_etcd(story)


def test_a_watch_that_asked_for_it_is_told_of_progress_every_ten_quiet_minutes(run_etcd):
    async def story(world, etcd):
        loop = asyncio.get_running_loop()
        async with etcd.client() as client, client.watch(PODS, prefix_end(PODS), progress_notify=True) as watch:
            await client.put(b"/elsewhere", b"")
            for number in (1, 2):
                response = await anext(watch)
                assert (list(response.events), response.header.revision) == ([], 2)
                assert loop.time() == pytest.approx(600 * number, abs=1)

    run_etcd(story)


def test_a_write_beyond_one_and_a_half_mebibytes_is_refused_and_nothing_is_lost(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client:
            with pytest.raises(RequestTooLargeError):
                await client.put(WEB, bytes(1536 * 1024))
            await client.put(WEB, bytes(1536 * 1024 - 100))
            assert len((await client.get(WEB)).kvs[0].value) == 1536 * 1024 - 100

    run_etcd(story)


def test_ninety_watches_and_writes_share_one_connection(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client, asyncio.TaskGroup() as tasks:
            arrived = []

            async def watch_one(key):
                async with client.watch(key) as watch:
                    waiting.release()
                    arrived.extend(told(await collect(watch, 1)))

            keys = [b"/k%03d" % number for number in range(90)]
            waiting = asyncio.Semaphore(0)
            for key in keys:
                tasks.create_task(watch_one(key))
            for _ in keys:
                await waiting.acquire()
            await asyncio.gather(*(client.put(key, b"") for key in keys))
            await world.until(lambda: len(arrived) == 90)
            assert sorted(key for _, key, _ in arrived) == keys

    run_etcd(story)


def test_a_reader_too_slow_for_the_history_is_cancelled_and_never_skips(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as reader, etcd.client() as writer:
            async with reader.watch(WEB) as watch:
                for _ in range(80):
                    await writer.put(WEB, bytes(100_000))  # with prev_kv 16 MB; 4 MiB fit the stream's window
                await writer.compact(81)
                revisions = []
                with pytest.raises(CompactedError) as gone:
                    while True:
                        revisions += [event.kv.mod_revision for event in (await anext(watch)).events]
            assert gone.value.compact_revision == 81
            assert revisions == list(range(2, 2 + len(revisions)))
            assert 10 <= len(revisions) < 40
            assert (await reader.get(WEB)).kvs[0].version == 80

    run_etcd(story)


def test_a_client_that_leaves_takes_its_watches_along(run_etcd):
    async def story(world, etcd):
        async with etcd.client() as client, etcd.client() as writer:
            async with client.watch(PODS, prefix_end(PODS)) as watch:
                await writer.put(WEB, b"1")
                await collect(watch, 1)
            async with client.watch(PODS, prefix_end(PODS)) as watch:
                await client.aclose()
                with pytest.raises(ConnectionError):
                    await anext(watch)
            await asyncio.sleep(1)
            hub = etcd.host.disk["/var/lib/etcd"].on_commit.__self__
            assert len(hub) == 0

    run_etcd(story)
