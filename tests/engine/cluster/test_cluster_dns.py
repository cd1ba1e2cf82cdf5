"""A cluster with CoreDNS: a pod finds another by the name of its Service, and everything that is on the way."""

import asyncio

import pytest

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.world.clock import LEAP, Clock
from cluster_engine.world.loop import ClusterLoop

CERTIFICATE = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture
def in_cluster():
    loop = ClusterLoop(Clock(LEAP))

    def run(story):
        async def tell():
            async with Cluster(ClusterSpec(nodes=2, pace=None, system_pods=True), loop) as cluster:
                return await story(cluster)

        return loop.run_until_complete(tell())

    yield run
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def test_a_pod_finds_another_by_its_services_name(in_cluster):
    async def story(cluster):
        async def type_(line):
            printed = []
            code = await cluster.command(line, lambda _, text: printed.append(text))
            assert code == 0, f"{line}: {printed}"
            return "".join(printed)

        await type_("kubectl create deployment web --image=nginx")
        await type_("kubectl expose deployment web --port=80")
        await type_("kubectl wait --for=condition=Available deployment/web")
        await asyncio.sleep(2)  # the rules follow at most once a second
        assert "nameserver 10.96.0.10" in await type_("kubectl exec deploy/web -- cat /etc/resolv.conf")
        head = cluster.journal.head
        assert "Welcome to nginx" in await type_("kubectl exec deploy/web -- curl -s http://web")
        said = cluster.journal.since(head, 10_000)
        query = next(one for one in said if one["kind"] == "dns.query")
        assert query["fields"]["name"] == "web.default.svc.cluster.local"
        assert query["fields"]["server"] == "10.96.0.10:53" and query["to"].endswith(".kube-system/coredns")
        opened = next(one for one in said if one["kind"] == "tcp.syn" and one["to"].endswith(".default/nginx"))
        assert opened["fields"]["server"].endswith(":80") and opened["fields"]["leadsTo"].startswith("10.244.")
        token = f'-H "Authorization: Bearer $(cat {CERTIFICATE}/token)" --cacert {CERTIFICATE}/ca.crt'
        inside = f"kubectl exec deploy/web -- sh -c 'curl -s {token} https://kubernetes.default.svc/version'"
        assert '"major": "1"' in await type_(inside)

    in_cluster(story)
