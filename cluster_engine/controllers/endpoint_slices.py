"""The EndpointSlice controller: which pods stand behind a Service, in portions of at most 100.

Theory of operation. For each Service with a selector: take the pods it selects that have an address, say of each
whether it is ready, serving, terminating; and see to it that the Service's EndpointSlices say exactly that, with few
writes. An endpoint stays in the slice it is in; new ones fill what room there is; only then a new slice is made. Pods
for which a named port means different numbers go to different slices, because a slice has one list of ports. A Service
without pods has one empty slice.

    Service web, pods 10.244.1.2 (ready), 10.244.2.2 (not) →
    web-x7k2p {ports: [{port: 80}], endpoints: [{addresses: [10.244.1.2], conditions: {ready: true …}}, …]}

Modelled on `pkg/controller/endpointslice` and `staging/src/k8s.io/endpointslice/reconciler.go`. Left out: topology
hints, IPv6, traffic-distribution.
"""

import asyncio
import contextlib

from cluster_engine.api import time
from cluster_engine.api.kinds import ENDPOINT_SLICE, POD, SERVICE
from cluster_engine.api.objects import Object
from cluster_engine.api.status import AlreadyExists, NotFound
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.controllers import service_pods
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.ownership import controller_reference

Ports = tuple[tuple[str, int, str], ...]

ENDPOINTS_PER_SLICE_MAX = 100
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY, MANAGER = "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
SYNC_BACKOFF_SECONDS = 1.0
RETRIES_MAX = 15
WORKERS = 5


class EndpointSliceController:
    """Keeps the slices of Services with a selector; see the module's text."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._services = context.informers.informer(SERVICE)
        self._pods = context.informers.informer(POD)
        self._slices = context.informers.informer(ENDPOINT_SLICE)
        self._slices.add_index("service", _service_of)
        self._queue = WorkQueue[str]("endpoint_slice", base_delay_seconds=SYNC_BACKOFF_SECONDS)
        self._written: dict[str, int] = {}
        service_pods.wake(self._services, self._pods, self._queue)
        self._slices.on(update=lambda _, new: self._slice_changed(new), delete=self._slice_changed)

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync, workers=WORKERS, retries_max=RETRIES_MAX)

    def _slice_changed(self, one: Object) -> None:
        """Look again where somebody else has changed or deleted a slice of ours."""
        if one["metadata"].get("labels", {}).get(MANAGED_BY) != MANAGER:
            return
        version = int(one["metadata"]["resourceVersion"])
        if self._written.get(one["metadata"]["uid"], 0) < version:
            for service in _service_of(one):
                self._queue.add_after(service, 1.0)

    async def _sync(self, key: str) -> None:
        service = self._services.get(key)
        ours = [one for one in self._slices.by_index("service", key) if _is_ours(one)]
        if service is None:
            for one in ours:
                self._written.pop(one["metadata"]["uid"], None)
            return  # the slices go with their owner: the garbage collector's work
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return
        changes = plan(service, service_pods.selected(service, self._pods), ours)
        now = time.rfc3339(self._process.now())
        await asyncio.gather(*(self._write(service, verb, one, now) for verb, one in changes))

    async def _write(self, service: Object, verb: str, one: Object, now: str) -> None:
        metadata = one["metadata"]
        if verb == "delete":
            with contextlib.suppress(NotFound):
                await self._client.delete(ENDPOINT_SLICE, metadata["name"], metadata["namespace"])
            return
        annotated = {**metadata, "annotations": {**metadata.get("annotations", {}), TRIGGER_TIME: now}}
        one = {**one, "metadata": annotated}
        if verb == "create":
            with contextlib.suppress(AlreadyExists):
                one = await self._client.create(ENDPOINT_SLICE, one)
        else:
            one = await self._client.update(ENDPOINT_SLICE, one)
        if "resourceVersion" in one["metadata"]:
            self._written[one["metadata"]["uid"]] = int(one["metadata"]["resourceVersion"])


def _service_of(one: Object) -> list[str]:
    metadata = one["metadata"]
    name = metadata.get("labels", {}).get(SERVICE_NAME)
    return [f"{metadata['namespace']}/{name}"] if name else []


def _is_ours(one: Object) -> bool:
    return bool(one["metadata"].get("labels", {}).get(MANAGED_BY) == MANAGER)


def plan(service: Object, pods: list[Object], existing: list[Object]) -> list[tuple[str, Object]]:
    """Say which slices to create, update and delete so that the Service's pods are told; the fewest writes first."""
    wanted: dict[Ports, dict[str, Object]] = {}
    for pod in pods:
        if service_pods.belongs(pod, with_terminating=True):
            ports = service_pods.ports(service, pod)
            wanted.setdefault(ports, {})[pod["metadata"]["uid"]] = endpoint(service, pod)
    by_ports: dict[Ports, list[Object]] = {}
    for one in sorted(existing, key=key_of):
        by_ports.setdefault(_ports_of(one), []).append(one)
    if not wanted:
        wanted[next(iter(by_ports), ())] = {}
    changes: list[tuple[str, Object]] = []
    for ports, endpoints in wanted.items():
        changes += _plan_ports(service, ports, endpoints, by_ports.pop(ports, []))
    changes += [("delete", one) for slices in by_ports.values() for one in slices]
    return changes


def _plan_ports(
    service: Object, ports: Ports, wanted: dict[str, Object], existing: list[Object]
) -> list[tuple[str, Object]]:
    left = dict(wanted)
    contents: list[list[Object]] = []
    for one in existing:
        kept = []
        for known in one.get("endpoints") or ():
            uid = known.get("targetRef", {}).get("uid", "")
            if uid in left:
                kept.append(left.pop(uid))
        contents.append(kept)
    rest = list(left.values())
    for kept in contents:
        room = ENDPOINTS_PER_SLICE_MAX - len(kept)
        kept.extend(rest[:room])
        rest = rest[room:]
    changes: list[tuple[str, Object]] = []
    empty = [one for one, kept in zip(existing, contents, strict=True) if not kept]
    keep_empty = len(empty) == len(existing) and not rest
    for one, kept in zip(existing, contents, strict=True):
        if not kept and not (keep_empty and one is existing[0]):
            changes.append(("delete", one))
        elif kept != (one.get("endpoints") or []) or _labels(service) != one["metadata"].get("labels", {}):
            metadata = {**one["metadata"], "labels": _labels(service)}
            changes.append(("update", {**one, "metadata": metadata, "endpoints": kept}))
    while rest or not (existing or changes):
        changes.append(("create", _new(service, ports, rest[:ENDPOINTS_PER_SLICE_MAX])))
        rest = rest[ENDPOINTS_PER_SLICE_MAX:]
    return changes


def endpoint(service: Object, pod: Object) -> Object:
    """Say what a slice says of a pod."""
    metadata, spec = pod["metadata"], pod["spec"]
    serving = service_pods.is_serving(service, pod)
    terminating = "deletionTimestamp" in metadata
    always = bool(service["spec"].get("publishNotReadyAddresses"))
    told: Object = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": always or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": {
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
    }
    if node := spec.get("nodeName"):
        told["nodeName"] = node
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        told["hostname"] = spec["hostname"]
    return told


def _labels(service: Object) -> dict[str, str]:
    labels = {key: value for key, value in service["metadata"].get("labels", {}).items() if key != HEADLESS}
    labels |= {SERVICE_NAME: service["metadata"]["name"], MANAGED_BY: MANAGER}
    if service["spec"].get("clusterIP") == "None":
        labels[HEADLESS] = ""
    return labels


def _new(service: Object, ports: Ports, endpoints: list[Object]) -> Object:
    metadata = service["metadata"]
    return {
        "kind": "EndpointSlice",
        "apiVersion": ENDPOINT_SLICE.api_version,
        "metadata": {
            "generateName": f"{metadata['name']}-",
            "namespace": metadata["namespace"],
            "labels": _labels(service),
            "ownerReferences": [controller_reference(SERVICE, service)],
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": name, "port": port, "protocol": protocol} for name, port, protocol in ports],
    }


def _ports_of(one: Object) -> Ports:
    return tuple(
        (port.get("name") or "", int(port.get("port") or 0), port.get("protocol") or "TCP")
        for port in one.get("ports") or ()
    )
