"""kube-proxy: follows Services and EndpointSlices, and keeps the node's packet filter in step. No packet passes it.

Theory of operation. It lists and watches what concerns it (a label selector leaves out headless Services and those of
other proxies), and its own Node. When something has changed it computes all rules anew and loads them, at most once a
second: the rules of the machine's packet filter, which every connection of its programs and pods meets, and which
`iptables-save` prints.

    EndpointSlice web-x7k2p MODIFIED → 3 endpoints for default/web → *nat … COMMIT       note proxy.synced

On port 10256 it says how it is: 200 while what it has heard is in the rules. Modelled on `cmd/kube-proxy/app/server.go`
and `pkg/proxy/healthcheck`. Left out: modes other than iptables, partial syncs, metrics on 10249.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import msgspec

from cluster_engine.api import time
from cluster_engine.api.kinds import ENDPOINT_SLICE, NODE, SERVICE
from cluster_engine.client import Client, Informer
from cluster_engine.proxy import iptables
from cluster_engine.proxy.services import ServicePort, service_ports

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

USER_AGENT = "kube-proxy/v1.32.4 (linux/amd64) kubernetes/glassplane"
CONCERNS_US = "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name"
MIN_SYNC_SECONDS = 1.0
HEALTH_PORT = 10256
REQUEST_SECONDS_MAX = 10.0


async def main(process: "Process", *, kubeconfig: str) -> None:
    """Run kube-proxy on this node."""
    with process.starting():
        client = Client.from_kubeconfig(process, kubeconfig, user_agent=USER_AGENT)
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
        for informer in (self._services, self._slices):
            informer.on(add=self._heard, update=lambda _, new: self._heard(new), delete=self._heard)

    async def run(self) -> None:
        """Follow and sync for ever."""
        server = await asyncio.start_server(self._answer, "0.0.0.0", HEALTH_PORT)
        async with server, asyncio.TaskGroup() as tasks:
            for informer in (self._services, self._slices, self._node):
                tasks.create_task(informer.run(), name=f"informer {informer.kind.plural}")
            for informer in (self._services, self._slices, self._node):
                await informer.synced()
            self._changed.set()
            while True:
                await self._changed.wait()
                self._changed.clear()
                self._sync()
                await self._process.work("proxy.sync")
                self._process.ready()
                await asyncio.sleep(MIN_SYNC_SECONDS)

    def _heard(self, _: Any) -> None:
        if not self._changed.is_set():
            self._changed_at = self._process.now()
            self._changed.set()

    def _sync(self) -> None:
        machine = self._process.host.machine
        ports = service_ports(self._services.items(), self._slices.items(), machine.name)
        self._synced_at = self._process.now()
        if ports == self._loaded and machine.packet_filter.tables:
            return
        self._loaded = ports
        tables = iptables.tables(ports)
        machine.packet_filter.load(tables)
        endpoints = sum(len(port.endpoints) for port in ports)
        count = sum(table.rules for table in tables)
        self._process.note(
            "proxy.synced",
            f"{count} iptables rules for {len(ports)} Service ports with {endpoints} endpoints",
            rules=count,
            servicePorts=len(ports),
            endpoints=endpoints,
        )

    # -- health

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, HTTP/1.1, and close."""
        with contextlib.suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(REQUEST_SECONDS_MAX):
                head = await reader.readuntil(b"\r\n\r\n")
            path = [*head.split(b" ", 2), b"", b""][1].partition(b"?")[0]
            writer.write(self._response(path))
            await writer.drain()
        writer.close()

    def _response(self, path: bytes) -> bytes:
        if path not in (b"/healthz", b"/livez"):
            return _http("404 Not Found", "text/plain; charset=utf-8", b"404 page not found\n")
        node = next(iter(self._node.items()), None)
        leaving = node is not None and "deletionTimestamp" in node["metadata"]
        said = {
            "lastUpdated": time.rfc3339(self._synced_at),
            "currentTime": time.rfc3339(self._process.now()),
            "nodeEligible": not leaving,
        }
        healthy = path == b"/livez" or not leaving
        return _http("200 OK" if healthy else "503 Service Unavailable", "application/json", msgspec.json.encode(said))


def _http(status: str, content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
