"""The last steps of `kubeadm init`, once the API server answers: the control plane's marks, kube-proxy and CoreDNS.

Theory of operation. All is done by requests, as kubeadm does it, with an administrator's kubeconfig:

    PATCH nodes/control-plane          its role's label, and the taint by which no other pod is sent there
    POST  configmaps, daemonsets       kube-proxy, a pod on every node
    POST  … deployments, services      CoreDNS, two pods behind the Service kube-dns at 10.96.0.10

From then on the objects are the cluster's own: pods that are scheduled, pulled and probed like others. Modelled on
cmd/kubeadm/app/phases/{markcontrolplane,addons} (v1.32). What machines that join read is there already
(`apiserver/bootstrap/for_joining.py`).
"""

import asyncio
from importlib import resources
from typing import Any

import yaml

from cluster_engine.api.kinds import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CONFIG_MAP,
    DAEMON_SET,
    DEPLOYMENT,
    NODE,
    SERVICE,
    SERVICE_ACCOUNT,
)
from cluster_engine.api.status import AlreadyExists, NotFound
from cluster_engine.client import Client
from cluster_engine.client.rate_limits import DEFAULT
from cluster_engine.version import user_agent
from cluster_engine.world.process import Process

USER_AGENT = user_agent("kubeadm")
KUBECONFIG = "/etc/kubernetes/super-admin.conf"
RETRY_SECONDS = 0.5
"""How long kubeadm waits between two looks for something that is to come (constants.KubernetesAPICallRetryInterval)."""
KINDS = {
    kind.name: kind
    for kind in (CLUSTER_ROLE, CLUSTER_ROLE_BINDING, CONFIG_MAP, DAEMON_SET, DEPLOYMENT, SERVICE, SERVICE_ACCOUNT)
}
DNS_ADDRESS = "10.96.0.10"
CONTROL_PLANE_ROLE = "node-role.kubernetes.io/control-plane"
LABELS = {CONTROL_PLANE_ROLE: "", "node.kubernetes.io/exclude-from-external-load-balancers": ""}
TAINT = {"key": CONTROL_PLANE_ROLE, "effect": "NoSchedule"}


async def kubeadm(process: Process) -> None:
    """Mark the control plane of this host, and create the addons."""
    client = Client.from_kubeconfig(process, KUBECONFIG, user_agent=USER_AGENT, limit=DEFAULT)
    await mark(client, process.host.name)
    for addon in ("kube_proxy", "coredns"):
        await create(client, manifests(addon))
    await client.aclose()


async def mark(client: Client, node: str) -> None:
    """Give a node the control plane's labels and taint, as soon as it is there."""
    while True:
        try:
            known = (await client.get(NODE, node))["spec"].get("taints") or []
            break
        except NotFound:
            await asyncio.sleep(RETRY_SECONDS)
    taints = [*(taint for taint in known if taint["key"] != CONTROL_PLANE_ROLE), TAINT]
    await client.patch(NODE, node, {"metadata": {"labels": LABELS}, "spec": {"taints": taints}}, type="merge")


def manifests(addon: str) -> list[dict[str, Any]]:
    """Return the objects of "kube_proxy" or "coredns", in the order in which they are created."""
    text = resources.files(__package__).joinpath(f"{addon}.yaml").read_text(encoding="utf-8")
    return list(yaml.load_all(text, Loader=_LOADER))


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


async def create(client: Client, objects: list[dict[str, Any]]) -> None:
    """Create what is not there yet."""
    for one in objects:
        try:
            await client.create(KINDS[one["kind"]], one)
        except AlreadyExists:
            continue
