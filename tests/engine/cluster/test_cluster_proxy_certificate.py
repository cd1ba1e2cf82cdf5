"""kube-proxy by certificate, as an option of a cluster."""

import pytest

from cluster_engine.cast import by_certificate, cast
from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.faults import FaultError, read
from cluster_engine.world.clock import LEAP, Clock
from cluster_engine.world.loop import ClusterLoop

FAULT = {"name": "certificate-expired", "target": "worker-1/kube-proxy"}


def in_cluster(spec, story):
    async def tell():
        async with Cluster(spec, loop) as cluster:
            return await story(cluster)

    loop = ClusterLoop(Clock(LEAP))
    try:
        return loop.run_until_complete(tell())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def shown(cluster):
    entries = cluster.journal.since(0, 100_000)
    certificates = [one for one in entries if one["kind"] == "tls.certificate" and one["from"] == "worker-1/kube-proxy"]
    return certificates[0]["fields"].get("commonName"), bool(cluster.workers[0].packet_filter.tables)


def test_a_cluster_may_have_kube_proxy_show_a_certificate():
    assert in_cluster(ClusterSpec(nodes=1, pace=None, proxy_certificate=True), shown) == ("system:kube-proxy", True)
    assert in_cluster(ClusterSpec(nodes=1, pace=None), shown) == (None, True)


def test_faults_of_certificates_are_for_those_who_show_one():
    async def story(cluster):
        with pytest.raises(FaultError, match="no such component"):
            cluster.inject(read(FAULT))

    in_cluster(ClusterSpec(nodes=1, pace=None), story)
    identity = cast(1, by_certificate()).component("worker-1/kube-proxy").identity
    assert identity is not None and identity.account is None


def test_a_workers_host_has_kube_proxys_token_where_a_pod_would_have_it():
    async def story(cluster):
        directory = "/var/run/secrets/kubernetes.io/serviceaccount"
        token = f'-H "Authorization: Bearer $(cat {directory}/token)" --cacert {directory}/ca.crt'
        printed = []
        line = f"ssh worker-1 'curl -s {token} https://10.0.0.1:6443/api/v1/services?limit=1'"
        assert await cluster.command(line, lambda _, text: printed.append(text)) == 0
        assert '"kind": "ServiceList"' in "".join(printed)

    in_cluster(ClusterSpec(nodes=1, pace=None), story)
