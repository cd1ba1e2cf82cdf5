"""Hostile files for programs that read them: etcd's database, the manifests of static pods."""

import random
from functools import cache

from tests.fuzz import making


@cache
def _database() -> bytes:
    from cluster_engine.etcd.database import Database
    from cluster_engine.etcd.store import Store

    store = Store()
    store.grant(30, 77, 0.0)
    for number in range(20):
        store.put(b"/registry/pods/%d" % (number % 7), b"x" * number, 77 if number % 5 == 0 else 0)
    store.delete_range(b"/registry/pods/3")
    store.compact(9)
    return bytes(Database(store)).rstrip(b"\0") + bytes(4)


def make_database(rng: random.Random) -> bytes:
    return making.spoiled_bytes(rng, _database())


def take_database(case: bytes) -> None:
    """Read it: a store, which can be written again, or a refusal."""
    from cluster_engine.etcd.database import Database, DatabaseError, hash_of, read_database

    try:
        store = read_database(case)
    except DatabaseError:
        return
    store.put(b"/registry/pods/1", b"more")
    store.delete_range(b"a", b"\0")
    hash_of(read_database(bytes(Database(store))), store.revision)


def make_manifest(rng: random.Random) -> str:
    from cluster_engine.cast import cast
    from cluster_engine.kubeadm.static_pods import manifests

    _, text = rng.choice(list(manifests(cast(1, system_pods=True)).values()))
    return making.spoiled_text(rng, text.decode(), MANIFEST_PIECES)


MANIFEST_PIECES = (
    "initContainers:", "- name: x", "{}", "[]", "null", "metadata:", "annotations:", "namespace: 7", "kind: Service",
    "kubernetes.io/config.mirror: x", "nodeName: elsewhere", "&a", "*a", "\n", "  ",
)  # fmt: skip


def take_manifest(case: str) -> None:
    """Read it: a complete pod of the node, or a refusal."""
    from cluster_engine.api.documents import Unreadable
    from cluster_engine.api.status import Refusal
    from cluster_engine.kubelet import pods
    from cluster_engine.kubelet.mirror_pods import picture
    from cluster_engine.kubelet.static_pods import decoded

    try:
        pod = decoded(case.encode("utf-8", "replace"), "/etc/kubernetes/manifests/x.yaml", "n", "2026-01-01T00:00:00Z")
    except (Unreadable, Refusal, ValueError):
        return
    assert pods.is_static(pod) and pod["spec"]["nodeName"] == "n" and pod["spec"]["containers"]
    assert pods.is_mirror_of(picture(pod, "uid"), pod)
