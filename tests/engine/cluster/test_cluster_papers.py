"""A kubeconfig leads into one cluster, its own. Two clusters side by side, spoken to through real sockets."""

import base64
import http.client
import json
import ssl
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest
import yaml
from cryptography import x509
from patience import PATIENCE_SECONDS

from cluster_engine.thread import ClusterSpec, ClusterThread


@dataclass
class Papers:
    """What a kubeconfig says."""

    host: str
    port: int
    authority: str
    pair: str

    @classmethod
    def of(cls, thread: ClusterThread, folder, *name: str) -> "Papers":
        document = yaml.safe_load(thread.kubeconfig(*name).result(timeout=PATIENCE_SECONDS))
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
    connection = http.client.HTTPSConnection(at.host, at.port, context=context, timeout=PATIENCE_SECONDS)
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
        thread.start().result(timeout=PATIENCE_SECONDS)
    yield [Papers.of(thread, folder) for thread in threads]
    for thread in threads:
        thread.stop().result(timeout=PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def named():
    """A cluster that others reach by a name, and by an address of this machine that is not 127.0.0.1."""
    spec = ClusterSpec(nodes=1, pace=20.0, gateway_names=("class.example", "127.0.0.2"))
    thread = ClusterThread(spec, on_entries=lambda _: None, on_clock=lambda _: None)
    thread.start().result(timeout=PATIENCE_SECONDS)
    yield thread
    thread.stop().result(timeout=PATIENCE_SECONDS)


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


def names_in_certificate(at: Papers) -> list[str]:
    pem = ssl.get_server_certificate((at.host, at.port), timeout=PATIENCE_SECONDS)
    names = x509.load_pem_x509_certificate(pem.encode()).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(name.value) for name in names.value]


def test_a_kubeconfig_for_others_names_what_they_reach_and_the_certificate_covers_it(named, tmp_path):
    at = Papers.of(named, tmp_path, "127.0.0.2")
    assert at.host == "127.0.0.2"
    assert get(at, PODS, trusting=at, showing=at)[0] == 200  # the client checks the name
    assert {"class.example", "127.0.0.2", "127.0.0.1", "localhost", "kubernetes"} <= set(names_in_certificate(at))


def test_a_kubeconfig_for_a_name_that_the_certificate_lacks_is_not_given(named):
    with pytest.raises(ValueError, match=r"does not name elsewhere\.example"):
        named.kubeconfig("elsewhere.example").result(timeout=PATIENCE_SECONDS)


def test_a_cluster_without_names_is_on_loopback_only(two):
    mine, _ = two
    assert mine.host == "127.0.0.1"
    assert "class.example" not in names_in_certificate(mine)
    with pytest.raises(ConnectionRefusedError):
        get(replace(mine, host="127.0.0.2"), PODS, trusting=mine, showing=mine)
