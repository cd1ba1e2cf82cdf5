"""What volumes made of objects hold, and what /etc/resolv.conf of a pod says."""

import base64

import pytest

from cluster_engine.kubelet import volume_files
from cluster_engine.kubelet.cri_config import dns_config
from cluster_engine.kubelet.objects import MissingObjectError


def encoded(text):
    return base64.b64encode(text).decode()


CONFIG = {"data": {"a.conf": "x=1\n", "b": "2"}, "binaryData": {"logo": encoded(b"\x89PNG")}}
POD = {
    "metadata": {"name": "web-0", "namespace": "shop", "uid": "u1", "labels": {"app": "web", "a": 'q"'}},
    "spec": {},
}


def test_a_config_map_is_a_file_for_each_key():
    assert volume_files.of_object("configmap", CONFIG, {}) == {"a.conf": b"x=1\n", "b": b"2", "logo": b"\x89PNG"}
    assert volume_files.of_object("secret", {"data": {"key": encoded(b"\xff")}}, {}) == {"key": b"\xff"}


def test_items_choose_keys_and_their_paths():
    assert volume_files.of_object("configmap", CONFIG, {"items": [{"key": "b", "path": "deep/c"}]}) == {"deep/c": b"2"}
    missing = {"items": [{"key": "z", "path": "z"}]}
    with pytest.raises(MissingObjectError, match="references non-existent config key: z"):
        volume_files.of_object("configmap", CONFIG, missing)
    assert volume_files.of_object("configmap", CONFIG, {**missing, "optional": True}) == {}


def test_a_pod_says_of_itself_what_is_asked():
    paths = ("metadata.name", "metadata.labels", "metadata.labels['app']", "status.podIP")
    items = [{"path": str(n), "fieldRef": {"fieldPath": path}} for n, path in enumerate(paths)]
    assert volume_files.of_pod(POD, items) == {"0": b"web-0", "1": b'a="q\\""\napp="web"', "2": b"web", "3": b""}


def resolv_conf(**spec):
    found = dns_config({**POD, "spec": spec})
    return list(found.servers), list(found.searches), list(found.options)


CLUSTER = ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"]
OWN = {"nameservers": ["1.1.1.1"], "searches": ["x.y"], "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, (["10.96.0.10"], CLUSTER, ["ndots:5"])),
        ({"dnsPolicy": "ClusterFirst", "hostNetwork": True}, ([], [], [])),
        ({"dnsPolicy": "ClusterFirstWithHostNet", "hostNetwork": True}, (["10.96.0.10"], CLUSTER, ["ndots:5"])),
        ({"dnsPolicy": "Default"}, ([], [], [])),
        ({"dnsPolicy": "None", "dnsConfig": OWN}, (["1.1.1.1"], ["x.y"], ["ndots:2", "edns0"])),
        ({"dnsConfig": OWN}, (["10.96.0.10", "1.1.1.1"], [*CLUSTER, "x.y"], ["ndots:2", "edns0"])),
    ],
)
def test_the_dns_policy_decides_whom_a_pod_asks(spec, said):
    assert resolv_conf(**spec) == said
