"""What it costs to join a machine: from `kubeadm join` to a node that is Ready, in CPU of the whole process.

Theory of operation. A first machine joins, which loads what is loaded once; the second is measured. Its discovery makes
two TLS connections, its kubelet one as a newcomer and one as a node; there are some thirty requests and a certificate.
"""

import time

from cluster_engine.cluster import Cluster
from tests.bench.figures import in_cluster

JOIN = "ssh control-plane kubeadm token create --print-join-command > join.sh"


def measure() -> dict[str, float]:
    """Return the seconds of CPU, with the lens and without."""
    return {
        "join_cpu_with_lens": in_cluster(cost_of_joining),
        "join_cpu_without_capture": in_cluster(cost_of_joining, capture=False),
    }


async def cost_of_joining(cluster: Cluster) -> float:
    """Return the seconds of CPU."""
    for line in ("machines add first", "machines add second", JOIN):
        assert await cluster.command(line, lambda *_: None) == 0, line
    await _join(cluster, "first")
    before = time.process_time()
    await _join(cluster, "second")
    return time.process_time() - before


async def _join(cluster: Cluster, name: str) -> None:
    ready = f"kubectl wait --for=condition=Ready node/{name} --timeout=60s"
    for line in (f"ssh {name} < join.sh", ready):
        assert await cluster.command(line, lambda *_: None) == 0, line
