"""Where something can be broken in a room's clusters, before any of them has spoken: the cast follows from the size.

of(1)["components"] == ["control-plane/etcd", …, "worker-1/containerd", "worker-1/kubelet", "worker-1/kube-proxy"]
"""

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
WORKER = ("containerd", "kubelet", "kube-proxy")


def of(nodes: int) -> dict[str, list[str]]:
    """The hosts, those of them that run pods, and the components of a cluster with so many workers."""
    workers = [f"worker-{number}" for number in range(1, nodes + 1)]
    components = [f"control-plane/{program}" for program in CONTROL_PLANE]
    components += [f"{worker}/{program}" for worker in workers for program in WORKER]
    return {"hosts": ["control-plane", *workers], "workers": workers, "components": components}
