"""What the lens costs: CPU for each entry, all in, on a capture made in memory. Run as a script; it is no test.

    python tests/engine/lens/lens_cost.py [pods]

A controller creates pods, the API server stores each in etcd, and five watchers are told: ten entries a pod, over
mutual TLS, HTTP/2, gRPC and watch streams. Making the capture is not counted; reading it is, journal on disk included.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lens_capture import Cut, whole
from test_lens_causes import JSON, KUBELET, MANAGER, SCHEDULER, Cluster, encoded, obj

from cluster_engine.journal import Journal
from cluster_engine.lens import Lens

WATCHERS = (MANAGER, SCHEDULER, KUBELET, "worker-2/kubelet", "worker-1/kube-proxy")
TOLERATION = {
    "key": "node.kubernetes.io/not-ready",
    "operator": "Exists",
    "effect": "NoExecute",
    "tolerationSeconds": 300,
}


def pod(number: int) -> dict:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "r", "controller": True}
    value = obj(
        "Pod", f"web-{number:05d}", f"uid-{number}", 0, meta={"ownerReferences": [owner], "labels": {"app": "web"}}
    )
    container = {"name": "nginx", "image": "nginx", "resources": {}, "imagePullPolicy": "Always"}
    value["spec"] = {"containers": [container], "tolerations": [TOLERATION] * 2, "schedulerName": "default-scheduler"}
    conditions = ("PodScheduled", "Initialized", "Ready", "ContainersReady")
    stamp = "2026-11-21T10:00:00Z"
    value["status"] = {
        "conditions": [{"type": name, "status": "True", "lastTransitionTime": stamp} for name in conditions]
    }
    return value


class Recorder:
    """Keeps what a capture tells a tap, to tell it again to a real lens."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Callable[[Any], None]:
        return lambda heard: self.calls.append((name, heard))


def record(pods: int, cut: Cut = whole) -> list[tuple[str, Any]]:
    cluster = Cluster()
    for watcher in WATCHERS:
        cluster.watch(watcher, "pods")
    manager, _ = cluster.watches[MANAGER]
    for number in range(pods):
        cluster.capture.at += 0.01
        value = pod(number)
        post = manager.request("POST", "/api/v1/namespaces/default/pods", encoded(value), JSON)
        cluster.store(f"/registry/pods/default/web-{number:05d}", value)
        manager.respond(post, 201, encoded(value))
        for watcher in WATCHERS:
            cluster.tell(watcher, "ADDED", value)
    recorder = Recorder()
    cluster.capture.replay(recorder, cut)  # type: ignore[arg-type]
    return recorder.calls


def microseconds_an_entry(calls: list[tuple[str, Any]]) -> float:
    with tempfile.TemporaryDirectory() as directory:
        journal = Journal(Path(directory))
        lens = Lens(journal)
        begun = time.process_time()
        for name, heard in calls:
            getattr(lens, name)(heard)
        spent = time.process_time() - begun
        entries = journal.head
        journal.close()
    return spent / entries * 1e6


if __name__ == "__main__":
    heard = record(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
    figures = sorted(microseconds_an_entry(heard) for _ in range(5))
    print(f"lens: {figures[2]:.0f} µs of CPU an entry (median of 5; {figures[0]:.0f}–{figures[-1]:.0f})")
