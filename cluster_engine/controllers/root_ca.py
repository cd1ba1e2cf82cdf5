"""The root CA publisher: every namespace has a ConfigMap `kube-root-ca.crt`, by which pods know the API server.

A pod's token volume holds three things: a token, the namespace's name, and this certificate. Without it no pod with a
service account would start.

    namespace shop appears → POST /api/v1/namespaces/shop/configmaps {"metadata": {"name": "kube-root-ca.crt"}, …}

Modelled on `pkg/controller/certificates/rootcacertpublisher/publisher.go`.
"""

import contextlib

from cluster_engine.api.kinds import CONFIG_MAP, NAMESPACE
from cluster_engine.api.objects import Object
from cluster_engine.api.status import AlreadyExists, Forbidden, NotFound
from cluster_engine.client import WorkQueue
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.ownership import is_deleting

NAME = "kube-root-ca.crt"
ROOT_CA_FILE = "/etc/kubernetes/pki/ca.crt"
DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


class RootCaPublisher:
    """Keeps the ConfigMap, with exactly the cluster's certificate in it, in every living namespace."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._data = {"ca.crt": context.process.files.read(ROOT_CA_FILE).decode()}
        self._namespaces = context.informers.informer(NAMESPACE)
        self._maps = context.informers.informer(CONFIG_MAP)
        self._queue = WorkQueue[str]("root_ca_cert_publisher")
        self._namespaces.on(add=self._namespace_seen, update=lambda _, new: self._namespace_seen(new))
        self._maps.on(update=lambda _, new: self._map_seen(new), delete=self._map_seen)

    def _namespace_seen(self, namespace: Object) -> None:
        self._queue.add(namespace["metadata"]["name"])

    def _map_seen(self, config_map: Object) -> None:
        if config_map["metadata"]["name"] == NAME:
            self._queue.add(config_map["metadata"]["namespace"])

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync)

    async def _sync(self, namespace: str) -> None:
        known = self._namespaces.get(namespace)
        if known is None or is_deleting(known):
            return
        config_map = self._maps.get(f"{namespace}/{NAME}")
        if config_map is not None:
            if config_map.get("data") != self._data:
                await self._client.update(CONFIG_MAP, {**config_map, "data": self._data})
            return
        annotations = {"kubernetes.io/description": DESCRIPTION}
        metadata = {"name": NAME, "namespace": namespace, "annotations": annotations}
        config_map = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": self._data}
        with contextlib.suppress(AlreadyExists, NotFound, Forbidden):  # Forbidden: the namespace has begun to end
            await self._client.create(CONFIG_MAP, config_map)
