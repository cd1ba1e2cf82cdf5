"""A kubeconfig leads into one cluster, its own. Two clusters side by side, spoken to through real sockets."""

import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import yaml

from cluster_engine.thread import ClusterSpec, ClusterThread


@dataclass
class Papers:
    """What a kubeconfig says."""

    host: str
    port: int
    authority: str
    pair: str

    @classmethod
    def of(cls, thread: ClusterThread, folder) -> "Papers":
        document = yaml.safe_load(thread.kubeconfig().result(timeout=30))
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        server = urlsplit(cluster["server"])
        pair = folder / f"{server.port}.pem"
        data = [user["client-certificate-data"], user["client-key-data"]]
        pair.write_bytes(b"".join(base64.b64decode(one) for one in data))
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        return cls(server.hostname, server.port, authority, str(pair))


def get(at: Papers, path: str, *, trusting: Papers | None, showing: Papers | None) -> tuple[int, dict]:
    """GET a path of a cluster, with somebody's papers."""
    context = ssl.create_default_context(cadata=trusting.authority) if trusting else ssl._create_unverified_context()
    if showing is not None:
        context.load_cert_chain(showing.pair)
    connection = http.client.HTTPSConnection(at.host, at.port, context=context, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("papers")
    nothing = {"on_entries": lambda _: None, "on_clock": lambda _: None}
    threads = [ClusterThread(ClusterSpec(nodes=1, pace=20.0), **nothing) for _ in range(2)]
    for thread in threads:
        thread.start().result(timeout=60)
    yield [Papers.of(thread, folder) for thread in threads]
    for thread in threads:
        thread.stop().result(timeout=60)


PODS = "/api/v1/namespaces/default/pods"


def test_a_kubeconfig_opens_its_own_cluster(two):
    mine, _ = two
    status, answer = get(mine, PODS, trusting=mine, showing=mine)
    assert (status, answer["kind"]) == (200, "PodList")


def test_another_clusters_server_is_not_trusted(two):
    mine, other = two
    with pytest.raises(ssl.SSLCertVerificationError):
        get(other, PODS, trusting=mine, showing=mine)


def test_who_does_not_check_the_server_is_refused_by_it(two):
    mine, other = two
    status, answer = get(other, PODS, trusting=None, showing=mine)
    assert (status, answer["reason"]) == (401, "Unauthorized")


def test_who_shows_nothing_is_anonymous_and_may_read_no_resource(two):
    mine, _ = two
    for path in (PODS, "/api/v1/namespaces/kube-system/secrets", "/api/v1/nodes"):
        status, answer = get(mine, path, trusting=mine, showing=None)
        assert (status, answer["reason"]) == (403, "Forbidden")
        assert "system:anonymous" in answer["message"]
