"""What an HTTP request costs from a pod by a Service's address to another pod and back, in CPU of the whole process.

Theory of operation. wget is run in a container so many times in one exec, and once in another; the difference is what
the requests cost: a process, a TCP connection by kube-proxy's rules, nginx's answer of 615 bytes, the connection's end.
"""

import time

from cluster_engine.cluster import Cluster
from tests.bench.figures import in_cluster

REQUESTS = 100
PREPARE = (
    "kubectl create deployment web --image=nginx --replicas=2",
    "kubectl expose deployment web --port=80",
    "kubectl run client --image=busybox --restart=Never -- sleep 100000",
    "kubectl rollout status deployment/web",
    "kubectl wait --for=condition=Ready pod/client --timeout=60s",
)


def measure() -> dict[str, float]:
    """Return the milliseconds of CPU for a request, with the lens and without."""
    return {
        "http_pod_service_pod_cpu_with_lens": in_cluster(cost_of_a_request),
        "http_pod_service_pod_cpu_without_capture": in_cluster(cost_of_a_request, capture=False),
    }


async def cost_of_a_request(cluster: Cluster) -> float:
    """Return the milliseconds of CPU."""
    for line in PREPARE:
        assert await cluster.command(line, lambda *_: None) == 0, line
    printed: list[str] = []
    await cluster.command("kubectl get service web -o jsonpath={.spec.clusterIP}", lambda _, text: printed.append(text))
    await _asked(cluster, "".join(printed), 1)  # what is loaded once
    took = [await _asked(cluster, "".join(printed), times) for times in (1, 1 + REQUESTS)]
    return (took[1] - took[0]) / REQUESTS * 1000


async def _asked(cluster: Cluster, address: str, times: int) -> float:
    printed: list[str] = []
    each = " ".join(map(str, range(times)))
    script = f"for i in {each}; do wget -qO- http://{address}; done"
    before = time.process_time()
    code = await cluster.command(f"kubectl exec client -- sh -c '{script}'", lambda _, text: printed.append(text))
    took = time.process_time() - before
    assert (code, "".join(printed).count("</html>")) == (0, times), "".join(printed)[-300:]
    return took
