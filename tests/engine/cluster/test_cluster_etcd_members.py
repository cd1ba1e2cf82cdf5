"""A cluster whose etcd has three members: what it does and what is seen of it."""

import asyncio
import json
import re

import pytest

from cluster_engine.faults import read

ETCDCTL = (
    "ssh control-plane etcdctl --cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/peer.crt"
    " --key /etc/kubernetes/pki/etcd/peer.key"
)


@pytest.fixture
def among_three(in_copy):
    """Run `story(cluster, type_, entries)` on a cluster with three members; `type_(line)` gives code and output."""

    async def told(cluster, story):
        entries = []
        cluster.journal.subscribe(entries.append)

        async def type_(line):
            out = []
            code = await cluster.command(line, lambda _, text: out.append(text))
            return code, "".join(out)

        return await story(cluster, type_, entries)

    return lambda story: in_copy(lambda cluster: told(cluster, story), nodes=1, etcd_members=3)


def test_a_write_is_seen_from_the_request_over_the_logs_of_the_members_to_its_answer(among_three):
    async def story(cluster, type_, entries):
        await asyncio.sleep(30)
        entries.clear()
        assert (await type_("kubectl create configmap c --from-literal=a=b"))[0] == 0
        return list(entries)

    entries = among_three(story)
    by_seq = {entry["seq"]: entry for entry in entries}
    asked = next(one for one in entries if one["kind"] == "grpc.request" and "create configmaps" in one["label"])
    told = [
        one for one in entries if one["kind"] == "raft.message" and one["fields"].get("key") == asked["fields"]["key"]
    ]
    assert {one["fields"]["type"] for one in told} <= {"MsgProp", "MsgApp"}
    appends = [one for one in told if one["fields"]["type"] == "MsgApp"]
    assert len({one["to"] for one in appends}) == 2
    index = appends[0]["fields"]["index"]
    answers = [one for one in entries if one["label"] == f"MsgAppResp {index}"]
    commit = next(one for one in entries if one["label"] == f"MsgApp commit {index}")
    assert commit["cause"] == min(one["seq"] for one in answers)
    assert {by_seq[one["cause"]]["label"] for one in answers[:2]} == {appends[0]["label"]}
    origin = appends[0]
    while origin["kind"] == "raft.message":
        origin = by_seq[origin["cause"]]
    assert origin is asked


def test_what_a_follower_passes_on_is_what_the_leader_appends_whatever_the_key(among_three):
    async def story(cluster, type_, entries):
        _, status = await type_(f"{ETCDCTL} endpoint status --cluster")
        follower = next(row.split(", ")[0] for row in status.splitlines() if row.split(", ")[4] == "false")
        entries.clear()
        assert await type_(f"{ETCDCTL} --endpoints {follower} put tide low") == (0, "OK\n")
        return list(entries)

    entries = among_three(story)
    messages = [one for one in entries if one["kind"] == "raft.message" and one["label"].endswith("put tide")]
    told = {one["fields"]["type"]: one for one in messages}
    assert told["MsgApp"]["cause"] == told["MsgProp"]["seq"]
    asked = next(one for one in entries if one["seq"] == told["MsgProp"]["cause"])
    assert (asked["kind"], asked["label"]) == ("grpc.request", "put tide")


def test_etcdctl_tells_the_members_apart_and_moves_the_leader(among_three):
    async def story(cluster, type_, entries):
        members = await type_(f"{ETCDCTL} member list")
        health = await type_(f"{ETCDCTL} endpoint health --cluster")
        _, status = await type_(f"{ETCDCTL} endpoint status --cluster")
        rows = [line.split(", ") for line in status.splitlines()]
        target = next(row[1] for row in rows if row[4] == "false")
        endpoints = ",".join(row[0] for row in rows)
        moved = await type_(f"{ETCDCTL} --endpoints {endpoints} move-leader {target}")
        _, after = await type_(f"{ETCDCTL} endpoint status --cluster")
        return members, health, rows, target, moved, [line.split(", ") for line in after.splitlines()]

    members, health, rows, target, moved, after = among_three(story)
    lines = sorted(line.split(", ")[1:] for line in members[1].splitlines())
    assert [line[:2] for line in lines] == [["started", "control-plane"], ["started", "etcd-2"], ["started", "etcd-3"]]
    assert lines[1][2:] == ["https://10.0.0.2:2380", "https://10.0.0.2:2379", "false"]
    assert health[0] == 0 and health[1].count("is healthy") == 3
    assert [row[4] for row in rows].count("true") == 1
    assert len({row[6] for row in rows}) == 1, "all are in one term"
    assert moved[0] == 0 and f"to {target}" in moved[1]
    assert [row[1] for row in after if row[4] == "true"] == [target]


def test_the_cluster_goes_on_without_a_member_and_refuses_without_two_in_etcds_words(among_three):
    async def story(cluster, type_, entries):
        def create(name):
            return type_(f"kubectl create configmap {name} --from-literal=a=b")

        cluster.inject(read({"name": "power-off", "target": "etcd-2"}))
        await asyncio.sleep(5)
        one_lost = await create("one")
        cluster.inject(read({"name": "kill", "target": "etcd-3/etcd"}))
        await asyncio.sleep(5)
        two_lost = [await create("two"), await create("three")]
        await cluster.heal_all()
        await asyncio.sleep(60)
        return one_lost, two_lost, await create("four"), await type_("kubectl get configmaps one four -o name")

    one_lost, two_lost, healed, listed = among_three(story)
    assert one_lost == (0, "configmap/one created\n")
    assert {code for code, _ in two_lost} == {1}
    assert any("etcdserver: request timed out" in text for _, text in two_lost), two_lost
    assert healed == (0, "configmap/four created\n")
    assert listed == (0, "configmap/one\nconfigmap/four\n")


INITIAL = "control-plane=https://10.0.0.1:2380,etcd-2=https://10.0.0.2:2380,etcd-3=https://10.0.0.3:2380"


def test_three_members_begin_anew_from_one_snapshot(among_three):
    async def story(cluster, type_, entries):
        async def ok(line):
            code, out = await type_(line)
            assert code == 0, f"{line}: {out}"
            return out

        await ok("kubectl create configmap kept --from-literal=a=b")
        await ok(f"{ETCDCTL} snapshot save /root/etcd.db")
        await ok("kubectl delete configmap kept")
        await ok("kubectl create configmap late --from-literal=a=b")
        for host in ("etcd-2", "etcd-3"):
            await ok(f"ssh control-plane cat /root/etcd.db | ssh {host} 'cat > /root/etcd.db'")
        restored = []
        for number, host in enumerate(("control-plane", "etcd-2", "etcd-3"), start=1):
            await ok(f"ssh {host} systemctl stop etcd")
            own = f"--name {host} --initial-advertise-peer-urls https://10.0.0.{number}:2380"
            line = f"etcdutl snapshot restore etcd.db {own} --initial-cluster {INITIAL} --data-dir /var/lib/etcd-new"
            restored.append(await ok(f"ssh {host} {line}"))
            await ok(f"ssh {host} 'mv /var/lib/etcd etcd-old && mv /var/lib/etcd-new /var/lib/etcd'")
        for host in ("control-plane", "etcd-2", "etcd-3"):
            await ok(f"ssh {host} systemctl start etcd")
        await asyncio.sleep(10)
        await ok("ssh control-plane systemctl restart kube-apiserver")
        await asyncio.sleep(30)
        found = await ok("kubectl get configmaps -o name")
        await ok("kubectl create configmap later --from-literal=a=b")
        await asyncio.sleep(2)
        return restored, found, await ok(f"{ETCDCTL} member list"), await ok(f"{ETCDCTL} endpoint hashkv --cluster")

    restored, found, members, hashes = among_three(story)
    ids = [line.split(", ")[0] for line in members.splitlines()]
    for said in restored:
        assert [json.loads(one)["added-peer-id"] for one in re.findall("added member\t(.+)", said)] == ids
    assert "configmap/kept" in found
    assert "configmap/late" not in found
    assert len({line.split(", ")[1] for line in hashes.splitlines()}) == 1
