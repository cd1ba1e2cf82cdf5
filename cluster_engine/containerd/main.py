"""containerd: the container runtime of a node, a host process behind CRI gRPC on a unix socket.

Theory of operation. The kubelet is its client and calls, over `/run/containerd/containerd.sock`, what pods on this node
need. State lies on the host's disk, and containers are processes of the host in their pods' networks (`tasks`): killing
containerd kills none, and on its return it finds what became of them. What they run is told by image and command
(`catalogue`, `workloads`): servers, and what people can type, by the same shell.

    kubelet                          containerd
      RunPodSandbox  ───────────────▶  network namespace, address 10.244.1.2, pause
      PullImage nginx ──────────────▶  (registry, outside of this world)
      CreateContainer, StartContainer ▶  runs
      GetContainerEvents  ◀───────────  CONTAINER_STARTED_EVENT with the pod's whole state
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from grpclib.server import Server

from cluster_engine.containerd import registry
from cluster_engine.containerd.images import PAUSE_IMAGE, ImageService
from cluster_engine.containerd.runtime import RuntimeService
from cluster_engine.containerd.stats import StatsService
from cluster_engine.containerd.store import Store
from cluster_engine.containerd.streaming import StreamingServer
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.rpc.grpc import handler
from cluster_engine.world.process import Host, Process

SOCKET = "/run/containerd/containerd.sock"
STATE = "/var/lib/containerd"


class AllOfRuntimeService:
    """CRI's RuntimeService of three parts: what prepares a stream, and statistics, have theirs."""

    def __init__(self, *parts: object) -> None:
        self._parts = parts

    def __getattr__(self, name: str) -> Any:
        return next(getattr(part, name) for part in self._parts if hasattr(part, name))


def load_images(host: Host, references: Iterable[str]) -> None:
    """Have images on a machine before anything runs there, as `kubeadm config images pull` does."""
    images = host.disk.setdefault(STATE, Store()).images
    for reference in references:
        images.setdefault(reference, registry.resolve(reference))


async def main(process: Process, *, socket: str = SOCKET) -> None:
    """Serve CRI until the process ends."""
    store = process.disk.setdefault(STATE, Store())
    store.images.setdefault(PAUSE_IMAGE, registry.resolve(PAUSE_IMAGE))
    runtime, images = RuntimeService(process, store), ImageService(process, store)
    streaming = StreamingServer(process, runtime)
    services = cri.DESCRIPTOR.services_by_name
    implementations = {
        "RuntimeService": AllOfRuntimeService(runtime, streaming, StatsService(process, store)),
        "ImageService": images,
    }
    server = Server([handler(services[name], one, process.crash) for name, one in implementations.items()])
    with process.until_stopped():
        async with asyncio.TaskGroup() as tasks:
            runtime.resume()
            tasks.create_task(streaming.serve(), name="streaming server")
            await server.start(path=socket)
            process.ready()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                server.close()
