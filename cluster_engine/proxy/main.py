"""kube-proxy: follows Services and EndpointSlices, and keeps the node's packet filter in step. No packet passes it.

Theory of operation. It lists and watches what concerns it (a label selector leaves out headless Services and those of
other proxies), and its own Node. When something has changed it computes all rules anew and loads them, at most once a
second: the rules of the machine's packet filter, which every connection of its programs and pods meets, and which
`iptables-save` prints.

    EndpointSlice web-x7k2p MODIFIED → 3 endpoints for default/web → *nat … COMMIT       note proxy.synced

It shows the API server the token of its service account, `tokenFile` in its kubeconfig. How it is and what it counts it
tells on two ports. Modelled on `cmd/kube-proxy/app/server.go`. Left out: modes other than iptables,
partial syncs.
"""

import asyncio
import functools
from typing import TYPE_CHECKING, Any

import msgspec

from cluster_engine.api import time
from cluster_engine.api.kinds import ENDPOINT_SLICE, NODE, SERVICE
from cluster_engine.client import Client, Informer, Limit
from cluster_engine.metrics.of_process import build_info
from cluster_engine.metrics.plain_port import JSON, OK, PROMETHEUS, TEXT, UNAVAILABLE, Answer, serve
from cluster_engine.proxy import iptables
from cluster_engine.proxy.metrics import Metrics
from cluster_engine.proxy.services import ServicePort, service_ports
from cluster_engine.version import user_agent

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

USER_AGENT = user_agent("kube-proxy")
LIMIT = Limit(5, 10)
"""Requests: clientConnection's qps and burst."""
CONCERNS_US = "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name"
MIN_SYNC_SECONDS = 1.0
HEALTH_PORT, METRICS_PORT = 10256, 10249
"""To anybody: whether what it has heard is in the rules, 503 once its node is leaving. To its host only: what it
counts, and its mode. Left out: /configz, profiling (`pkg/proxy/healthcheck/proxy_health.go`, serveMetrics)."""


async def main(process: "Process", *, kubeconfig: str) -> None:
    """Run kube-proxy on this node."""
    with process.starting():
        client = Client.from_kubeconfig(process, kubeconfig, user_agent=USER_AGENT, limit=LIMIT)
    await Proxy(process, client).run()


class Proxy:
    """The rules of one node."""

    def __init__(self, process: "Process", client: Client) -> None:
        self._process = process
        self._services = Informer(client, SERVICE, process, label_selector=CONCERNS_US)
        self._slices = Informer(client, ENDPOINT_SLICE, process, label_selector=CONCERNS_US)
        self._node = Informer(client, NODE, process, field_selector=f"metadata.name={process.host.name}")
        self._changed = asyncio.Event()
        self._synced_at = process.now()
        self._changed_at = self._synced_at
        self._loaded: list[ServicePort] = []
        self._metrics = Metrics(process.metrics)
        for informer, what in ((self._services, "service"), (self._slices, "endpoint")):
            heard = functools.partial(self._heard, what)
            informer.on(add=heard, update=heard, delete=heard)

    async def run(self) -> None:
        """Follow and sync for ever."""
        health = await serve("0.0.0.0", HEALTH_PORT, self._health)
        metrics = await serve("127.0.0.1", METRICS_PORT, self._told)
        async with health, metrics, asyncio.TaskGroup() as tasks:
            for informer in (self._services, self._slices, self._node):
                tasks.create_task(informer.run(), name=f"informer {informer.kind.plural}")
            for informer in (self._services, self._slices, self._node):
                await informer.synced()
            self._changed.set()
            while True:
                await self._changed.wait()
                self._changed.clear()
                begun = asyncio.get_running_loop().time()
                self._sync()
                await self._process.work("proxy.sync")
                took = asyncio.get_running_loop().time() - begun
                self._metrics.synced(took, self._synced_at.timestamp())
                self._process.ready()
                await asyncio.sleep(MIN_SYNC_SECONDS)

    def _heard(self, what: str, *_: Any) -> None:
        self._metrics.heard(what, self._process.now().timestamp())
        if not self._changed.is_set():
            self._changed_at = self._process.now()
            self._changed.set()

    def _sync(self) -> None:
        machine = self._process.host.machine
        ports = service_ports(self._services.items(), self._slices.items(), machine.name)
        self._synced_at = self._process.now()
        self._metrics.begins()
        if ports == self._loaded and machine.packet_filter.tables:
            return
        self._loaded = ports
        tables = iptables.tables(ports)
        machine.packet_filter.load(tables)
        self._metrics.loaded(ports, tables)
        endpoints = sum(len(port.endpoints) for port in ports)
        count = sum(table.rules for table in tables)
        self._process.note(
            "proxy.synced",
            f"{count} iptables rules for {len(ports)} Service ports with {endpoints} endpoints",
            rules=count,
            servicePorts=len(ports),
            endpoints=endpoints,
        )

    # -- what it tells

    def _health(self, target: str) -> Answer | None:
        path = target.partition("?")[0]
        if path not in ("/healthz", "/livez"):
            return None
        node = next(iter(self._node.items()), None)
        leaving = node is not None and "deletionTimestamp" in node["metadata"]
        said = {
            "lastUpdated": time.rfc3339(self._synced_at),
            "currentTime": time.rfc3339(self._process.now()),
            "nodeEligible": not leaving,
        }
        status = OK if path == "/livez" or not leaving else UNAVAILABLE
        self._metrics.asked(path, int(status[:3]))
        return status, JSON, msgspec.json.encode(said)

    def _told(self, target: str) -> Answer | None:
        match target.partition("?")[0]:
            case "/metrics":
                return OK, PROMETHEUS, self._process.metrics.text(build_info()).encode()
            case "/proxyMode":
                return OK, TEXT, b"iptables"
            case "/healthz":
                return OK, TEXT, b"ok"
        return None
