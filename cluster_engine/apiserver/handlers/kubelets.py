"""The API server as a client of kubelets: where a pod's node is, and asking there.

One of the few kinds of connections that an API server opens towards nodes. It shows its own client certificate there
(CN=kube-apiserver-kubelet-client) and, as kubeadm sets it up, does not verify the kubelet's.

    location(node)      "10.0.0.11:10250", of the first kind of address that the node has

Modelled on pkg/kubelet/client/kubelet_client.go and pkg/registry/core/pod/strategy.go.
"""

import ssl

from cluster_engine.api.kinds import NODE, POD
from cluster_engine.api.objects import Object
from cluster_engine.api.status import BadRequest, NotFound, Refusal
from cluster_engine.apiserver.registry.backend import Backend, Call
from cluster_engine.streaming import dialling

KUBELET_PORT = 10250
ADDRESS_TYPES = ("InternalIP", "ExternalIP", "Hostname")
"""--kubelet-preferred-address-types, as kubeadm sets it."""


class Kubelets:
    """Asks kubelets. `tls` is how this server shows itself to them."""

    def __init__(self, backend: Backend, tls: ssl.SSLContext) -> None:
        self._backend = backend
        self._tls = tls

    async def pod(self, call: Call) -> Object:
        """Return the pod that a request names. NotFound."""
        pod = await self._backend.find_surely(POD, call.namespace, call.name)
        if pod is None:
            raise NotFound(POD, call.name)
        return pod

    async def location(self, node_name: str) -> str:
        """Return host and port of a node's kubelet. NotFound, Refusal."""
        node = await self._backend.find_surely(NODE, "", node_name)
        if node is None:
            raise NotFound(NODE, node_name)
        return location(node)

    async def ask(
        self, url: str, *, method: str = "GET", headers: dialling.Headers = (), content: bytes = b""
    ) -> dialling.Answer:
        """Ask a kubelet. DialError."""
        return await dialling.ask(url, method=method, headers=headers, content=content, tls=self._tls)


def chosen_container(pod: Object, asked: str) -> str:
    """Tell which container is meant; 400 when that is not clear."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    containers = [container["name"] for container in spec.get("containers") or ()]
    all_of_them = containers + [container["name"] for container in spec.get("initContainers") or ()]
    if asked:
        later = [container["name"] for container in spec.get("ephemeralContainers") or ()]
        if asked not in all_of_them + later:
            raise BadRequest(f"container {asked} is not valid for pod {name}")
        return asked
    if len(containers) == 1:
        return str(containers[0])
    raise BadRequest(f"a container name must be specified for pod {name}, choose one of: [{' '.join(all_of_them)}]")


def location(node: Object) -> str:
    """Return host and port of a node's kubelet. Refusal when the node has no address."""
    status = node.get("status") or {}
    port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port", KUBELET_PORT)
    by_type = {each["type"]: each["address"] for each in status.get("addresses") or ()}
    for address_type in ADDRESS_TYPES:
        if address_type in by_type:
            return f"{by_type[address_type]}:{port}"
    name = node["metadata"]["name"]
    raise Refusal(f"no preferred addresses found; known addresses: [] (node {name})", code=500)
