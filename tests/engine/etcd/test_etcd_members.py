"""Three members over a real wire: they agree, go on without one, stop without two, and lose nothing."""

import asyncio
from contextlib import suppress

import pytest
from h11 import ProtocolError

from cluster_engine.etcd import consensus
from cluster_engine.etcd.errors import CompactedError, NoSpaceError
from cluster_engine.etcd.history import prefix_end
from cluster_engine.etcd.members import cluster_id
from cluster_engine.etcd.peers import Peer, Peers
from cluster_engine.etcd.space import space_of
from cluster_engine.journal import Journal
from cluster_engine.lens import Lens
from cluster_engine.rpc import etcd_pb2 as pb
from cluster_engine.rpc import raft_pb2
from cluster_engine.rpc.raft_streams import LINK_HEARTBEATS
from cluster_engine.words.sentences import sentence
from cluster_engine.world.tls import client_tls

FILES = ("ca.crt", "peer.crt", "peer.key")


def values(response):
    return [kv.value for kv in response.kvs]


def test_what_is_written_at_one_member_is_read_at_every_other(run_members):
    async def story(world, members):
        async with members.client("etcd-2") as second, members.client("etcd-3") as third:
            written = await second.put(b"a", b"1")
            return written.header, await third.get(b"a")

    written, read = run_members(story)
    assert [(kv.value, kv.mod_revision) for kv in read.kvs] == [(b"1", written.revision)]
    assert written.member_id != read.header.member_id
    assert written.cluster_id == read.header.cluster_id


def test_without_its_leader_the_cluster_goes_on_and_who_comes_back_has_all(run_members):
    async def story(world, members):
        async with members.client() as client:
            await client.put(b"before", b"1")
            leader = await members.leader()
            await members.kill(leader)
            began = world.loop.time()
            await asyncio.sleep(3)
            await client.put(b"meanwhile", b"2")
            assert await members.leader() not in (None, leader)
            await members.start(leader).wait_ready()
            await members.settle()
            return [values(members.store(name).range(b"a", b"z")) for name in members.names], world.loop.time() - began

    stores, seconds = run_members(story)
    assert stores == [[b"1", b"2"]] * 3
    assert seconds < 10


def test_without_a_majority_writes_time_out_and_reads_too_but_for_those_of_one_member(run_members):
    async def story(world, members):
        first, *others = members.names
        async with members.client(first) as client:
            await client.put(b"a", b"1")
            await members.settle()
            for name in others:
                await members.kill(name)
            failures = []
            for asked in (client.put(b"a", b"2"), client.get(b"a")):
                began = world.loop.time()
                with pytest.raises(ConnectionError) as failure:
                    await asked
                failures.append((str(failure.value.__cause__), round(world.loop.time() - began)))
            own = await client._call("KV", "Range", pb.RangeRequest(key=b"a", serializable=True))
            errors = list((await client.status()).errors)
            await members.start(others[0]).wait_ready()
            await client.put(b"a", b"3")
            return failures, values(own), errors, values(await client.get(b"a"))

    failures, own, errors, healed = run_members(story)
    assert [seconds for _, seconds in failures] == [7, 7]
    assert all("etcdserver: request timed out" in text for text, _ in failures)
    assert own == [b"1"]
    assert errors == ["etcdserver: no leader"]
    assert healed == [b"3"]


def test_a_leader_that_is_cut_off_steps_down_ends_watches_and_is_overruled(run_members):
    async def story(world, members):
        leader = await members.leader()
        other = (await members.followers())[0]
        members.cut_off(leader)
        async with members.client(leader) as cut, members.client(other) as client:
            cut._endpoints.append(cut._endpoints[0])  # several, so that it wants to know of a leader
            began = world.loop.time()
            with pytest.raises(ConnectionError):
                async with cut.watch(b"a") as watch:
                    await anext(watch)
            seconds = world.loop.time() - began
            await client.put(b"a", b"new")
            members.join(leader)
            await asyncio.sleep(6)
            return seconds, values(await cut.get(b"a"))

    seconds, read = run_members(story, seed=3)
    assert 3 < seconds < 7
    assert read == [b"new"]


def test_a_leader_that_is_stopped_hands_over_before_it_ends(run_members):
    async def story(world, members):
        async with members.client(*await members.followers()) as client:
            await client.put(b"a", b"1")
            began = world.loop.time()
            assert await members.processes[await members.leader()].stop() == 0
            await client.put(b"a", b"2")
            return world.loop.time() - began

    assert run_members(story) < 0.5


def test_leadership_moves_where_the_leader_is_told_to_and_only_there(run_members):
    async def story(world, members):
        leader, (other, third) = await members.leader(), await members.followers()
        ids = {one.name: one.id for one in members.store(leader).members}
        answers = []
        for asked, target in ((other, ids[third]), (leader, 7), (leader, ids[third])):
            async with members.client(asked) as client:
                try:
                    await client._call("Maintenance", "MoveLeader", pb.MoveLeaderRequest(targetID=target))
                    answers.append("")
                except Exception as failure:
                    answers.append(failure.message)
        return answers, third, await members.leader()

    answers, wished, leads = run_members(story)
    assert answers == ["etcdserver: not leader", "etcdserver: bad leader transferee", ""]
    assert leads == wished


def test_nothing_acknowledged_is_lost_when_all_members_are_killed_at_once(run_members):
    async def story(world, members):
        async with members.client() as client:
            written = [(await client.put(f"{number}".encode(), b"x")).header.revision for number in range(5)]
        for name in members.names:
            members.processes[name].kill()
        await members.start_all()
        async with members.client() as client:
            found = await client.get(b"0", range_end=b"9")
            more = await client.put(b"9", b"x")
        return written, [kv.mod_revision for kv in found.kvs], more.header.revision

    written, found, more = run_members(story)
    assert found == written
    assert more == written[-1] + 1


def test_a_write_that_no_disk_but_the_leaders_has_is_not_acknowledged(run_members):
    async def story(world, members):
        leader = await members.leader()
        for name in await members.followers():
            members.host(name).fsync_seconds = 0.3
        async with members.client(leader) as client:
            began = world.loop.time()
            await client.put(b"a", b"1")
            slow = world.loop.time() - began
            for name in await members.followers():
                members.host(name).fsync_seconds = 0.0
            members.host(leader).fsync_seconds = 0.3
            await asyncio.sleep(1)
            began = world.loop.time()
            await client.put(b"a", b"2")
            return slow, world.loop.time() - began

    slow, quick = run_members(story)
    assert 0.3 <= slow < 0.9
    assert quick < 0.9


def test_a_disk_that_is_too_slow_costs_the_leader_its_leadership(run_members):
    async def story(world, members):
        leader = await members.leader()
        members.host(leader).fsync_seconds = 4.0
        async with members.client(*await members.followers()) as client:
            writing = asyncio.ensure_future(asyncio.wait_for(client.put(b"a", b"1"), 20))
            await asyncio.sleep(3.5)
            now = await members.leader()
            await asyncio.gather(writing, return_exceptions=True)
            await client.put(b"a", b"2")
            return leader, now

    before, after = run_members(story)
    assert after not in (None, before)


def test_who_was_away_too_long_is_given_a_snapshot_and_its_watchers_miss_nothing(run_members, monkeypatch):
    monkeypatch.setattr(consensus, "LOG_ENTRIES_MAX", 20)
    monkeypatch.setattr(consensus, "KEPT_ENTRIES", 5)

    async def story(world, members):
        away = (await members.followers())[1]
        others = [name for name in members.names if name != away]
        async with members.client(away) as watching, members.client(*others) as client:
            async with watching.watch(b"k", prefix_end(b"k")) as watch:
                members.cut_off(away)
                for number in range(40):
                    await client.put(b"k%02d" % number, b"x")
                members.join(away)
                seen = []
                while len(seen) < 40:
                    seen += [event.kv.key for event in (await anext(watch)).events]
            await members.settle()
            return seen, [members.store(name).revision for name in members.names]

    seen, revisions = run_members(story)
    assert seen == [b"k%02d" % number for number in range(40)]
    assert len(set(revisions)) == 1


def test_the_lens_reads_the_snapshot_and_whoever_has_it_says_so_because_of_it(run_members, monkeypatch):
    monkeypatch.setattr(consensus, "LOG_ENTRIES_MAX", 20)
    monkeypatch.setattr(consensus, "KEPT_ENTRIES", 5)
    journal = Journal()

    async def story(world, members):
        world.network.tap = Lens(journal)
        away = (await members.followers())[1]
        await members.kill(away)
        async with members.client(*[name for name in members.names if name != away]) as client:
            for number in range(40):
                await client.put(b"k%02d" % number, b"x")
        await members.start(away).wait_ready()
        await members.settle()
        return away

    away = run_members(story)
    entries = journal.since(0, journal.head)
    told = [one for one in entries if one["kind"] == "raft.message"]
    (snapshot,) = [one for one in told if one["fields"]["type"] == "MsgSnap"]
    request = entries[snapshot["cause"] - 1]
    answer = next(one for one in told if one["cause"] == snapshot["seq"])
    assert (request["kind"], request["fields"]["path"]) == ("http.request", "/raft/snapshot")
    assert snapshot["to"] == f"{away}/etcd"
    assert snapshot["fields"]["index"] > 20
    assert snapshot["fields"]["bytes"] > 1000
    assert "all of its database" in sentence(snapshot)
    assert answer["fields"] == {"type": "MsgAppResp", "term": snapshot["fields"]["term"],
                                "index": snapshot["fields"]["index"]}  # fmt: skip


def test_a_lease_kept_alive_at_a_follower_outlives_a_change_of_leader_and_then_runs_out(run_members):
    async def story(world, members):
        leader, (follower, _) = await members.leader(), await members.followers()
        async with members.client(follower) as client:
            lease = await client.lease_grant(5)
            await client.put(b"a", b"1", lease=lease)
            keep = client._endpoints[0].method("Lease", "LeaseKeepAlive")
            async with keep.open() as stream:
                answers = []
                for number in range(4):
                    await stream.send_message(pb.LeaseKeepAliveRequest(ID=lease))
                    answers.append((await stream.recv_message()).TTL)
                    if number == 1:
                        await members.kill(leader)
                    await asyncio.sleep(3)
                left = await client._call("Lease", "LeaseTimeToLive", pb.LeaseTimeToLiveRequest(ID=lease))
                alive = values(await client.get(b"a"))
                await stream.cancel()
            await asyncio.sleep(7)
            return answers, left.TTL, alive, values(await client.get(b"a"))

    answers, left, alive, gone = run_members(story)
    assert answers == [5] * 4
    assert 1 <= left <= 2
    assert (alive, gone) == ([b"1"], [])


def test_a_watch_through_a_follower_hears_all_in_order_over_changes_of_leader_and_compaction(run_members):
    async def story(world, members):
        leader, (follower, third) = await members.leader(), await members.followers()
        async with members.client(follower) as watching, members.client(follower, third) as client:
            async with watching.watch(b"k", prefix_end(b"k")) as watch:
                for number in range(6):
                    if number == 3:
                        await members.kill(leader)
                        await asyncio.sleep(3)
                    last = await client.put(b"k", b"%d" % number)
                await client.compact(last.header.revision)
                seen = []
                while len(seen) < 6:
                    seen += [event.kv.value for event in (await anext(watch)).events]
            await members.settle()
            with pytest.raises(CompactedError):
                async with watching.watch(b"k", start_revision=2) as watch:
                    await anext(watch)
            return seen

    assert run_members(story) == [b"0", b"1", b"2", b"3", b"4", b"5"]


def test_what_no_member_would_say_harms_nobody(run_members):
    """Whoever has a member's certificate may say anything on port 2380."""

    async def story(world, members):
        names = members.names
        ids = {one.name: one.id for one in members.store(names[0]).members}
        files = members.host(names[0]).files
        ca, certificate, key = (files.read(f"/etc/kubernetes/pki/etcd/{name}") for name in FILES)
        tls = client_tls(ca=ca, certificate=certificate, key=key, alpn=["http/1.1"])
        to = Peer(ids[names[1]], members.hosts[1].address, 2380)
        stranger = Peers(ids[names[0]], 0, [to], tls)
        stranger._cluster = f"{cluster_id(list(ids.values())):x}"
        forged = [raft_pb2.Message(type=kind, to=to.id, term=9) for kind in raft_pb2.MessageType.values()]
        forged += [
            raft_pb2.Message(type="MsgApp", to=to.id, term=9, index=3, logTerm=1, entries=[raft_pb2.Entry(Index=9)]),
            raft_pb2.Message(type="MsgVote", to=to.id, term=2**64 - 1),
            raft_pb2.Message(type="MsgProp", to=to.id, entries=[raft_pb2.Entry(Data=b"no request")]),
        ]
        for message in forged:
            setattr(message, "from", ids[names[0]])
        bodies = [one.SerializeToString() for one in forged] + [b"", b"\xff" * 20]
        paths = ("/raft/snapshot", "/leases", "/leases/internal", "/members", "/nowhere")
        for path, body in [("/raft", body) for body in bodies] + [(path, bodies[-1]) for path in paths]:
            with suppress(OSError, ProtocolError):
                await stranger.ask(to.id, path, body)
        for body in (b"\0" * 7 + b"\x01\x08", b"\xff" * 8, LINK_HEARTBEATS["message"]):
            with suppress(OSError, ProtocolError):
                await stranger.ask(to.id, "/raft/snapshot", body)
        await asyncio.sleep(5)
        async with members.client() as client:
            await client.put(b"a", b"1")
        return [members.processes[name].is_alive for name in names]

    assert run_members(story) == [True] * 3


def test_a_member_whose_disk_was_lost_does_not_begin_anew_under_its_old_number(run_members):
    async def story(world, members):
        name = (await members.followers())[0]
        await members.kill(name)
        members.host(name).files.remove_below("/var/lib/etcd")
        return await members.start(name).wait()

    assert run_members(story) == 1


def told(members, name, metric):
    """Read one of a member's metrics."""
    text = members.processes[name].metrics.text()
    return float(next(line for line in text.splitlines() if line.startswith(f"{metric} ")).split()[1])


def test_each_member_counts_the_leaders_it_has_found_and_says_whether_it_has_one(run_members):
    async def story(world, members):
        leader, (second, third) = await members.leader(), await members.followers()
        names, found = (leader, second, third), []

        def look(*among):
            has, changes = "etcd_server_has_leader", "etcd_server_leader_changes_seen_total"
            found.append([(told(members, name, has), told(members, name, changes)) for name in among])

        await members.settle()
        before = {name: told(members, name, "etcd_server_leader_changes_seen_total") for name in names}
        look(*names)
        await members.kill(leader)
        await asyncio.sleep(4)
        look(second, third)
        await members.kill(third)
        await asyncio.sleep(4)
        look(second)
        await members.start(third).wait_ready()
        look(second, third)
        return [before[name] for name in names], found

    (first, second, third), found = run_members(story)
    assert (first, second, third) == (1, 1, 1)
    assert found == [[(1, 1)] * 3, [(1, 2), (1, 2)], [(0, 2)], [(1, 3), (1, 1)]]


def test_a_full_disk_of_one_member_is_an_alarm_of_all_that_even_a_snapshot_takes_along(run_members, monkeypatch):
    monkeypatch.setattr(consensus, "LOG_ENTRIES_MAX", 20)
    monkeypatch.setattr(consensus, "KEPT_ENTRIES", 5)

    async def refused(client):
        try:
            await client.put(b"k", b"x")
        except NoSpaceError as refusal:
            return refusal.message
        return None

    async def story(world, members):
        full, away, third = *await members.followers(), await members.leader()
        members.cut_off(away)
        async with members.client(third) as client:
            for _ in range(30):
                await client.put(b"k", b"x")
            space_of(members.host(full).disk).tell(full=True)
            await asyncio.sleep(0.5)
            seen = [await refused(client)]
            members.join(away)
            await members.settle()
            async with members.client(away) as client_of_away:
                seen.append(await refused(client_of_away))
            alarms = {members.store(name).alarmed_by for name in members.names}
            await members.kill(full)
            space_of(members.host(full).disk).tell(full=False)
            await asyncio.sleep(5)
            seen.append(await refused(client))
            await members.start(full).wait_ready()
            await asyncio.sleep(0.5)
            seen.append(await refused(client))
        await members.settle()
        return seen, alarms, {members.store(name).revision for name in members.names}

    seen, alarms, revisions = run_members(story)
    assert seen == [*["etcdserver: mvcc: database space exceeded"] * 3, None]
    assert len(alarms) == 1 and alarms != {0}
    assert len(revisions) == 1
