"""kube-proxy by certificate, as an option of a cluster."""

import pytest

from cluster_engine.cast import by_certificate, cast
from cluster_engine.faults import FaultError, read

FAULT = {"name": "certificate-expired", "target": "worker-1/kube-proxy"}


async def shown(cluster):
    entries = cluster.journal.since(0, 100_000)
    certificates = [one for one in entries if one["kind"] == "tls.certificate" and one["from"] == "worker-1/kube-proxy"]
    return certificates[0]["fields"].get("commonName"), bool(cluster.workers[0].packet_filter.tables)


def test_a_cluster_may_have_kube_proxy_show_a_certificate(in_copy):
    assert in_copy(shown, nodes=1, proxy_certificate=True) == ("system:kube-proxy", True)
    assert in_copy(shown, nodes=1) == (None, True)


def test_faults_of_certificates_are_for_those_who_show_one(in_copy):
    async def story(cluster):
        with pytest.raises(FaultError, match="no such component"):
            cluster.inject(read(FAULT))

    in_copy(story, nodes=1)
    identity = cast(1, by_certificate()).component("worker-1/kube-proxy").identity
    assert identity is not None and identity.account is None


def test_a_workers_host_has_kube_proxys_token_where_a_pod_would_have_it(in_copy):
    async def story(cluster):
        directory = "/var/run/secrets/kubernetes.io/serviceaccount"
        token = f'-H "Authorization: Bearer $(cat {directory}/token)" --cacert {directory}/ca.crt'
        printed = []
        line = f"ssh worker-1 'curl -s {token} https://10.0.0.1:6443/api/v1/services?limit=1'"
        assert await cluster.command(line, lambda _, text: printed.append(text)) == 0
        assert '"kind": "ServiceList"' in "".join(printed)

    in_copy(story, nodes=1)
