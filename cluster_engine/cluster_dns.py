"""The DNS of a cluster as kubeadm sets it up: CoreDNS as a Deployment, behind the Service kube-dns at 10.96.0.10.

Theory of operation. `cluster_dns.yaml` holds the objects of `kubeadm init phase addon coredns`; `deploy` creates them
with an administrator's client, one request for each, as kubeadm does. From then on they are the cluster's own: pods
that are scheduled, pulled and probed like others (`coredns/`).

    await deploy(client)        POST serviceaccounts, clusterroles, … services
"""

from importlib import resources
from typing import Any

import yaml

from cluster_engine.api.kinds import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CONFIG_MAP,
    DEPLOYMENT,
    SERVICE,
    SERVICE_ACCOUNT,
)
from cluster_engine.api.status import AlreadyExists
from cluster_engine.client import Client

KINDS = {
    kind.name: kind for kind in (CLUSTER_ROLE, CLUSTER_ROLE_BINDING, CONFIG_MAP, DEPLOYMENT, SERVICE, SERVICE_ACCOUNT)
}
ADDRESS = "10.96.0.10"


def manifests() -> list[dict[str, Any]]:
    """Return the objects, in the order in which they are created."""
    text = resources.files(__package__).joinpath("cluster_dns.yaml").read_text(encoding="utf-8")
    return list(yaml.safe_load_all(text))


async def deploy(client: Client) -> None:
    """Create what is not there yet."""
    for one in manifests():
        try:
            await client.create(KINDS[one["kind"]], one)
        except AlreadyExists:
            continue
