"""The endpoints controller: the older form of EndpointSlices, one object a Service, still written for who reads it.

Theory of operation. For each Service with a selector: addresses of its pods, those that answer under `addresses`,
others under `notReadyAddresses`, in subsets of equal ports. One object holds them all (1000 at most), so every change
of one pod sends the whole list to every watcher: the reason why EndpointSlices were made.

    Service web, pods 10.244.1.2 (ready), 10.244.2.2 (not) →
    Endpoints web {subsets: [{addresses: [10.244.1.2], notReadyAddresses: [10.244.2.2], ports: [{port: 80}]}]}

Modelled on `pkg/controller/endpoint/endpoints_controller.go`.
"""

import contextlib

from cluster_engine.api import time
from cluster_engine.api.kinds import ENDPOINTS, POD, SERVICE
from cluster_engine.api.objects import Object
from cluster_engine.api.status import AlreadyExists, Forbidden, NotFound
from cluster_engine.client import WorkQueue
from cluster_engine.controllers import service_pods
from cluster_engine.controllers.context import Context

ADDRESSES_MAX = 1000
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
HEADLESS = "service.kubernetes.io/headless"
RETRIES_MAX = 15
WORKERS = 5


class EndpointsController:
    """Keeps the Endpoints of Services with a selector; see the module's text."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._services = context.informers.informer(SERVICE)
        self._pods = context.informers.informer(POD)
        self._endpoints = context.informers.informer(ENDPOINTS)
        self._queue = WorkQueue[str]("endpoint")
        service_pods.wake(self._services, self._pods, self._queue)

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync, workers=WORKERS, retries_max=RETRIES_MAX)

    async def _sync(self, key: str) -> None:
        namespace, _, name = key.partition("/")
        service = self._services.get(key)
        if service is None:
            if self._endpoints.get(key) is not None:
                with contextlib.suppress(NotFound):
                    await self._client.delete(ENDPOINTS, name, namespace)
            return
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return
        known = self._endpoints.get(key)
        wanted = subsets(service, service_pods.selected(service, self._pods))
        if known is not None and (known.get("subsets") or []) == wanted and _labels(known) == labels(service):
            return
        await self._write(service, known, wanted)

    async def _write(self, service: Object, known: Object | None, wanted: list[Object]) -> None:
        fresh = {key: service["metadata"][key] for key in ("name", "namespace")}
        metadata = dict(known["metadata"]) if known else fresh
        metadata["labels"] = labels(service)
        annotations = {key: value for key, value in metadata.get("annotations", {}).items() if key != OVER_CAPACITY}
        metadata["annotations"] = {**annotations, TRIGGER_TIME: time.rfc3339(self._process.now())}
        endpoints = {"kind": "Endpoints", "apiVersion": "v1", "metadata": metadata, "subsets": wanted}
        if known is not None:
            await self._client.update(ENDPOINTS, endpoints)
            return
        with contextlib.suppress(AlreadyExists, Forbidden):  # Forbidden: the namespace has begun to end
            await self._client.create(ENDPOINTS, endpoints)


def labels(service: Object) -> dict[str, str]:
    """Return the labels an Endpoints object should have: its Service's, and `headless` where that is so."""
    found = {key: value for key, value in service["metadata"].get("labels", {}).items() if key != HEADLESS}
    if service["spec"].get("clusterIP") == "None":
        found[HEADLESS] = ""
    return found


def _labels(known: Object) -> dict[str, str]:
    found: dict[str, str] = known["metadata"].get("labels", {})
    return found


def subsets(service: Object, pods: list[Object]) -> list[Object]:
    """Group the pods' addresses by ports, each group's addresses in order."""
    groups: dict[tuple[tuple[str, int, str], ...], dict[str, list[Object]]] = {}
    told = [pod for pod in pods if service_pods.belongs(pod, with_terminating=False)]
    for pod in told[:ADDRESSES_MAX]:
        ports = service_pods.ports(service, pod)
        if service["spec"].get("ports") and not ports:  # none of them is named in the pod: nothing to be told
            continue
        group = groups.setdefault(ports, {})
        where = "addresses" if service_pods.is_serving(service, pod) else "notReadyAddresses"
        group.setdefault(where, []).append(_address(pod))
    found = []
    for ports, group in groups.items():
        subset: Object = {
            where: sorted(group[where], key=lambda each: str(each["ip"])) for where in _ORDER if where in group
        }
        if ports:
            subset["ports"] = [_port(name, number, protocol) for name, number, protocol in ports]
        found.append(subset)
    return found


_ORDER = ("addresses", "notReadyAddresses")


def _address(pod: Object) -> Object:
    metadata = pod["metadata"]
    address = {"ip": pod["status"]["podIP"]}
    if node := pod["spec"].get("nodeName"):
        address["nodeName"] = node
    fields = ("namespace", "name", "uid")
    return {**address, "targetRef": {"kind": "Pod", **{field: metadata[field] for field in fields}}}


def _port(name: str, number: int, protocol: str) -> Object:
    return {**({"name": name} if name else {}), "port": number, "protocol": protocol}
