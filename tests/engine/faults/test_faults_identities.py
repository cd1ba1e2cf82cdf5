"""Faults of identity and TLS: which ends in an alert, which in 401, which in 403; and that all is well again."""

import asyncio

import pytest

from cluster_engine.faults import FaultError

SCHEDULER, PROXY = "control-plane/kube-scheduler", "worker-1/kube-proxy"


def alerts(it, since):
    entries = it.cluster.journal.since(since, 10**6)
    return {one["fields"]["description"] for one in entries if one["kind"] == "tls.alert"} - {"close_notify"}


def test_each_way_of_being_unrecognized_ends_in_its_own_place(broken):
    """In the handshake where TLS does not agree; 401 where the proof does not hold; 403 where there is none."""
    cases = [
        ("tls-mismatch", {"target": SCHEDULER, "what": "version"}, {"protocol_version"}, set()),
        ("tls-mismatch", {"target": SCHEDULER, "what": "cipher"}, {"handshake_failure"}, set()),
        ("tls-mismatch", {"target": PROXY, "what": "version"}, {"protocol_version"}, set()),
        ("certificate-not-yet-valid", {"target": SCHEDULER}, set(), {401}),
        ("certificate-missing", {"target": SCHEDULER}, set(), {403}),
        ("token-refused", {"target": PROXY, "how": "expired"}, set(), {401}),
        ("token-refused", {"target": PROXY, "how": "tampered"}, set(), {401}),
    ]

    async def story(it):
        for name, fields, described, statuses in cases:
            head = it.cluster.journal.head
            fault = it.cluster.fail(name, **fields)
            await asyncio.sleep(20.0)
            assert (name, alerts(it, head)) == (name, described)
            assert (name, it.answers(fields["target"], head)) == (name, statuses)
            head = it.cluster.journal.head
            await it.cluster.heal(fault)
            await asyncio.sleep(20.0)
            assert 200 in it.answers(fields["target"], head)
        refused = {one["fields"].get("user") for one in it.notes("apiserver.forbidden")}
        assert "system:anonymous" in refused
        await it.deploy(1)
        await it.all_well(1)

    broken(story, nodes=1)


def test_a_cloned_machine_leaves_its_own_node_alone_and_speaks_for_anothers(broken):
    async def story(it):
        await it.deploy(2)
        await it.until(lambda: len(it.running()) == 2)
        with pytest.raises(FaultError, match="two machines have one name, and worker-1 is one"):
            it.cluster.fail("node-name-taken", target="worker-1", peer="worker-1")

        addresses = lambda: {one["address"] for one in it.node("worker-1")["status"]["addresses"]}  # noqa: E731
        mine, theirs = addresses(), {one["address"] for one in it.node("worker-2")["status"]["addresses"]}
        fault = it.cluster.fail("node-name-taken", target="worker-2", peer="worker-1")
        await it.until(lambda: theirs & addresses() - {"worker-2"}, within_seconds=30)
        await it.until(lambda: it.ready("worker-2") == "Unknown", within_seconds=90)
        assert it.ready("worker-1") == "True"
        await it.cluster.heal(fault)
        await it.until(lambda: it.ready("worker-2") == "True", within_seconds=60)
        it.cluster.fail("restart", target="worker-1/kubelet")
        await it.until(lambda: addresses() == mine, within_seconds=400)
        await it.all_well(2)

    broken(story)
