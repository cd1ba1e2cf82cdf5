"""Being a node: register, and say how one is.

Theory of operation. Registration is a POST of a Node, or, when it exists already, a look at it. After that two things
tell the control plane that this node lives:

    the Lease `kube-node-lease/<node>`    a PUT every 10 s: the heartbeat, small on purpose (`node_lease`)
    the Node's status                     computed every 10 s, PATCHed only when it has changed, or after 5 minutes

The node watches itself: the pod range that the control plane gives it (`spec.podCIDR`) is handed on to containerd, and
until then the network, and with it the node, is not ready. As soon as that changes the status is told, without waiting
for the next ten seconds (the real kubelet's fastStatusUpdateOnce).

Modelled on kubelet_node_status.go.
"""

import asyncio
from typing import TYPE_CHECKING

from cluster_engine.api.kinds import NODE
from cluster_engine.api.objects import Object
from cluster_engine.api.status import AlreadyExists, Refusal
from cluster_engine.client.events import EventRecorder
from cluster_engine.client.rest import Client
from cluster_engine.kubelet import node_status
from cluster_engine.kubelet.node_lease import HEARTBEAT_TIMEOUT_SECONDS
from cluster_engine.kubelet.node_status import Facts
from cluster_engine.kubelet.runtime import Runtime, RuntimeRefusal
from cluster_engine.kubelet.status_patch import two_way
from cluster_engine.rpc import cri_pb2 as cri

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

STATUS_SECONDS, STATUS_JITTER = 10.0, 0.04
REPORT_SECONDS = 300.0
STATUS_TRIES = 5
REGISTER_SECONDS, REGISTER_SECONDS_MAX = 0.1, 7.0


class NodeAgent:
    """Keeps the Node object and its lease."""

    def __init__(
        self, client: Client, process: "Process", runtime: Runtime, recorder: EventRecorder, address: str
    ) -> None:
        self._client = client
        self._process = process
        self._runtime = runtime
        self._recorder = recorder
        self._address = address
        self.name = process.host.hostname
        self.problems: dict[str, str] = {"runtime": "container runtime status check may not have completed yet"}
        self.images: list[cri.Image] = []
        self._pressure: frozenset[str] = frozenset()
        self._runtime_version = ""
        self._node: Object = {}
        self._reported_at = -REPORT_SECONDS
        self._look = asyncio.Event()

    @property
    def uid(self) -> str | None:
        """The Node's uid, once it is registered."""
        return (self._node.get("metadata") or {}).get("uid")

    # -- what the node is told ---------------------------------------------------------------------------------------

    def network_problem(self) -> str:
        """Say why pods have no network, "" when they do."""
        return self.problems.get("network", "")

    async def learn_runtime(self) -> None:
        """Ask containerd what it is, how it is and what images it has. What fails is a problem of the node."""
        try:
            await self._learn_runtime()
        except RuntimeRefusal as refusal:
            self.runtime_failed(f"container runtime is down: {refusal}")

    async def _learn_runtime(self) -> None:
        version = await self._runtime.version()
        self._runtime_version = f"{version.runtime_name}://{version.runtime_version.removeprefix('v')}"
        if cidr := (self._node.get("spec") or {}).get("podCIDR"):
            await self._runtime.update_pod_cidr(cidr)
        self.images = await self._runtime.images()
        await self._learn_conditions()

    async def _learn_conditions(self) -> None:
        conditions = await self._runtime.conditions()
        network = conditions.get("NetworkReady")
        self.problems.pop("runtime", None)
        if network is not None and network.status:
            self.problems.pop("network", None)
        elif network is not None:
            why = f"reason:{network.reason} message:{network.message}"
            self.problems["network"] = f"container runtime network not ready: NetworkReady=false {why}"
        self._look.set()

    def runtime_failed(self, why: str) -> None:
        """Know that containerd does not answer."""
        self.problems["runtime"] = why
        self._look.set()

    def pressed(self, conditions: frozenset[str]) -> None:
        """Know which resources run short."""
        self._pressure = conditions
        self._look.set()

    async def learn_images(self) -> None:
        """Look which images there are, after a pull."""
        try:
            self.images = await self._runtime.images()
        except RuntimeRefusal:
            return

    async def node_changed(self, node: Object) -> None:
        """Take the Node as the watch tells it; a new pod range is handed on."""
        cidr = node["spec"].get("podCIDR")
        if cidr and cidr != (self._node.get("spec") or {}).get("podCIDR"):
            self._node = node
            try:
                await self._runtime.update_pod_cidr(cidr)
                await self._learn_conditions()
            except RuntimeRefusal as refusal:
                self.runtime_failed(f"container runtime is down: {refusal}")
        self._node = node

    # -- registration and status ---------------------------------------------------------------------------------------

    async def register(self) -> Object:
        """Register the node, however often it takes; give the Node as the API has it."""
        wait = REGISTER_SECONDS
        while True:
            try:
                self._node = await self._register()
                return self._node
            except (Refusal, ConnectionError, TimeoutError) as error:
                self._process.note("kubelet.register", f"unable to register node {self.name} with API server: {error}")
            await asyncio.sleep(wait)
            wait = min(wait * 2, REGISTER_SECONDS_MAX)

    async def _register(self) -> Object:
        node = node_status.node_object(self.name, self._address, self._facts())
        try:
            registered = await self._client.create(NODE, node)
        except AlreadyExists:
            return await self._client.get(NODE, self.name)
        self._recorder.event(about_node(self.name), "Normal", "Starting", "Starting kubelet.")
        self._process.note("kubelet.register", f"successfully registered node {self.name}")
        return registered

    async def report(self) -> None:
        """Tell the node's status for ever: when it changes, or every REPORT_SECONDS."""
        while True:
            self._look.clear()
            for attempt in range(STATUS_TRIES):
                try:
                    async with asyncio.timeout(HEARTBEAT_TIMEOUT_SECONDS):
                        await self._report()
                    break
                except (Refusal, ConnectionError, TimeoutError) as error:
                    self._process.note("kubelet.node_status", f"error updating node status, will retry: {error}")
                    if attempt > 0:
                        await self._client.aclose()
            try:
                async with asyncio.timeout(STATUS_SECONDS * (1 + STATUS_JITTER * self._process.rng.random())):
                    await self._look.wait()
            except TimeoutError:
                pass

    async def _report(self) -> None:
        old = self._node.get("status") or {}
        new = node_status.node_status(self.name, self._address, self._facts(), old)
        now = asyncio.get_running_loop().time()
        if not node_status.changed(old, new) and now - self._reported_at < REPORT_SECONDS:
            return
        patch = two_way(old, {**old, **new})
        self._node = await self._client.patch(NODE, self.name, {"status": patch}, subresource="status")
        self._reported_at = now
        if node_status.is_ready(new) and not node_status.is_ready({"conditions": [], **old}):
            text = f"Node {self.name} status is now: NodeReady"
            self._recorder.event(about_node(self.name), "Normal", "NodeReady", text)

    def _facts(self) -> Facts:
        return Facts(
            now=self._process.now(),
            machine_id=self._identity("/etc/machine-id").replace("-", ""),
            system_uuid=self._identity("/sys/class/dmi/id/product_uuid"),
            boot_id=self._identity("/proc/sys/kernel/random/boot_id"),
            runtime_version=self._runtime_version,
            problems=list(self.problems.values()),
            images=self.images,
            pressure=self._pressure,
        )

    def _identity(self, path: str) -> str:
        """Read an id that the machine has for good; make it on its first day."""
        files = self._process.files
        if not files.exists(path):
            files.write(path, self._process.uuid().encode())
        return files.read(path).decode()


def about_node(name: str) -> Object:
    """Return the reference that node events carry: the uid is the name, an old custom of the kubelet."""
    return {"kind": "Node", "apiVersion": "v1", "metadata": {"name": name, "uid": name}}
