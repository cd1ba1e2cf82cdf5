"""A control plane for tests: real etcd, API server, controllers and scheduler, and nodes whose kubelet is a stub.

The stub does what others see of a kubelet: it keeps its node Ready and its Lease fresh, says that a bound pod runs, and
confirms that a deleted one has stopped. `silence(node)` ends all that, as a power cut would.
"""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from cluster_engine.api import time
from cluster_engine.api.kinds import EVENT, LEASE, NODE, POD, Kinds
from cluster_engine.api.objects import Object
from cluster_engine.api.status import AlreadyExists, NotFound, Refusal
from cluster_engine.cast import WORKSTATION, Role, cast
from cluster_engine.client import Client, Informer
from cluster_engine.mounted_tokens import mount
from cluster_engine.pki.layout import provision

CAPACITY = {"cpu": "2", "memory": "4Gi", "pods": "110"}


class StubKubelet:
    """What the API server sees of a kubelet."""

    def __init__(self, client: Client, process: Any, name: str, address: int) -> None:
        self.client, self.process, self.name = client, process, name
        self.address, self.pods_seen = address, 0
        self.runs_pods = True
        self.start_seconds = 0.0
        self.stop_seconds = 0.0
        self.pods = Informer(client, POD, process, field_selector=f"spec.nodeName={name}")
        self.pods.on(add=self._changed, update=lambda _, new: self._changed(new))
        self.started: set[str] = set()
        self._queue: asyncio.Queue[Object] = asyncio.Queue()

    def _changed(self, pod: Object) -> None:
        self._queue.put_nowait(pod)

    async def run(self) -> None:
        labels = {"kubernetes.io/hostname": self.name}
        await self.client.create(
            NODE, {"kind": "Node", "apiVersion": "v1", "metadata": {"name": self.name, "labels": labels}}
        )
        await self._beat()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.pods.run())
            tasks.create_task(self._renew())
            while True:
                tasks.create_task(self._serve(await self._queue.get()))

    async def _beat(self) -> None:
        now = time.rfc3339(self.process.now())
        ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": now, "lastTransitionTime": now}
        status = {"capacity": CAPACITY, "allocatable": CAPACITY, "conditions": [ready]}
        await self.client.patch(NODE, self.name, {"status": status}, subresource="status")

    async def _renew(self) -> None:
        while True:
            spec = {
                "holderIdentity": self.name,
                "renewTime": time.micro(self.process.now()),
                "leaseDurationSeconds": 40,
            }
            metadata = {"name": self.name, "namespace": "kube-node-lease"}
            lease = {"kind": "Lease", "apiVersion": LEASE.api_version, "metadata": metadata, "spec": spec}
            try:
                await self.client.create(LEASE, lease)
            except AlreadyExists:
                await self.client.patch(LEASE, self.name, {"spec": spec}, "kube-node-lease")
            await asyncio.sleep(10)

    async def _serve(self, pod: Object) -> None:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        if "deletionTimestamp" in pod["metadata"]:
            await asyncio.sleep(self.stop_seconds)
            with contextlib.suppress(NotFound):
                await self.client.delete(POD, name, namespace, options={"gracePeriodSeconds": 0})
        elif self.runs_pods and pod["metadata"]["uid"] not in self.started:
            self.started.add(pod["metadata"]["uid"])
            await asyncio.sleep(self.start_seconds)
            self.pods_seen += 1
            ready = {"type": "Ready", "status": "True", "lastTransitionTime": time.rfc3339(self.process.now())}
            address = f"10.244.{self.address}.{self.pods_seen + 1}"
            status = {"phase": "Running", "podIP": address, "conditions": [ready]}
            with contextlib.suppress(NotFound):
                await self.client.patch(POD, name, {"status": status}, namespace, subresource="status")


class ControlPlane:
    """What a test may do: a client of the administrator, the nodes, time, the kinds that the API server serves."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.kinds = Kinds()
        self.client: Client = None  # type: ignore[assignment]
        self.kubelets: dict[str, StubKubelet] = {}
        self.silenced: dict[str, asyncio.Task[None]] = {}

    async def start(self, *, nodes: int, programs: tuple[str, ...]) -> None:
        world = self.world
        self.cast = cast(nodes)
        for one in self.cast.of_role(Role.CONTROL_PLANE, Role.WORKER, Role.PERSON):
            world.add_host(one.name, one.address)
        workers = [world.host(one.name) for one in self.cast.of_role(Role.WORKER)]
        provision(self.cast, world.host, now=world.epoch)
        for name in ("etcd", "kube-apiserver", *programs):
            await self.run(name).wait_ready()
        started = asyncio.Event()
        world.spawn(world.host(WORKSTATION), "test", lambda process: self._be_somebody(process, workers, started))
        await started.wait()

    def run(self, program: str, host: str = "control-plane") -> Any:
        """Start a program of the cast where it belongs."""
        component = self.cast.component(f"{host}/{program}")
        mount(self.world, component)
        main = component.program.load()
        if component == self.cast.api_server:
            main = functools.partial(main, kinds=self.kinds)
        return self.world.spawn(self.world.host(host), program, main)

    async def _be_somebody(self, process: Any, workers: list[Any], started: asyncio.Event) -> None:
        self.client = Client.from_kubeconfig(process, "/root/.kube/config", user_agent="test")
        for number, host in enumerate(workers, 1):
            kubelet = self.kubelets[host.name] = StubKubelet(self.client, process, host.name, number)
            self.silenced[host.name] = asyncio.create_task(kubelet.run())
        started.set()
        await asyncio.Event().wait()

    def silence(self, node: str) -> None:
        self.silenced[node].cancel()

    def process(self, name: str) -> Any:
        return next(each for each in self.world.host("control-plane").processes.values() if each.name == name)

    async def items(self, kind: Any, namespace: str | None = None, **params: Any) -> list[Object]:
        found: list[Object] = (await self.client.list(kind, namespace, **params))["items"]
        return found

    async def events(self, reason: str) -> list[str]:
        return [event["message"] for event in await self.items(EVENT) if event["reason"] == reason]

    async def until(self, check: Callable[[], Awaitable[Any]], within_seconds: float = 60.0) -> Any:
        """Ask the API server twice a second until what `check` gives is true."""
        deadline = self.world.loop.time() + within_seconds
        while not (value := await check()):
            if self.world.loop.time() > deadline:
                raise TimeoutError(f"{check.__qualname__} did not come true within {within_seconds} s")
            await asyncio.sleep(0.5)
        return value

    async def gone(self, kind: Any, name: str, namespace: str | None = None) -> bool:
        try:
            await self.client.get(kind, name, namespace)
        except NotFound:
            return True
        except Refusal:
            raise
        return False


def deployment(name: str = "web", replicas: int = 3, image: str = "nginx", **spec: Any) -> Object:
    container = {"name": "nginx", "image": image, "ports": [{"containerPort": 80}]}
    return {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
            **spec,
        },
    }


def service(name: str = "web", **spec: Any) -> Object:
    return {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}], **spec},
    }
