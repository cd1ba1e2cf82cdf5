"""What runs on this node, as the kubelet last heard it from containerd: pods with their sandboxes and containers.

Filled by events, each of which carries one sandbox's whole state, and now and then by a list of everything (`pleg`).
Who has just changed something by a CRI call waits until the cache has seen it (`until`), so that nobody decides on what
was before: the same rule as the real kubelet's `cache.GetNewerThan`.
"""

import asyncio
from collections.abc import Callable

import msgspec

from cluster_engine.rpc import cri_pb2 as cri

SEEN_WITHIN_SECONDS = 5.0

POD_NAME = "io.kubernetes.pod.name"
POD_NAMESPACE = "io.kubernetes.pod.namespace"
POD_UID = "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"
CONTAINER_HASH = "io.kubernetes.container.hash"


class Sandbox(msgspec.Struct, frozen=True):
    """One sandbox and the containers in it, in order of creation."""

    status: cri.PodSandboxStatus
    containers: tuple[cri.ContainerStatus, ...]

    @property
    def is_ready(self) -> bool:
        """Whether containers can be started in it."""
        return self.status.state == cri.SANDBOX_READY


class PodRuntime(msgspec.Struct):
    """What there is of one pod on this node. Sandboxes by id, in order of creation."""

    uid: str
    sandboxes: dict[str, Sandbox] = msgspec.field(default_factory=dict)

    @property
    def sandbox(self) -> Sandbox | None:
        """The latest sandbox."""
        return next(reversed(self.sandboxes.values()), None)

    @property
    def ip(self) -> str:
        """The address of the latest sandbox, if that is ready."""
        return self.sandbox.status.network.ip if self.sandbox is not None and self.sandbox.is_ready else ""

    def all_containers(self) -> list[cri.ContainerStatus]:
        """All containers, of all sandboxes, in order of creation."""
        return [container for sandbox in self.sandboxes.values() for container in sandbox.containers]

    def of_name(self, name: str) -> list[cri.ContainerStatus]:
        """The containers of one name, the latest first."""
        return [status for status in reversed(self.all_containers()) if status.metadata.name == name]

    def latest(self, name: str) -> cri.ContainerStatus | None:
        """The latest container of one name."""
        return next(iter(self.of_name(name)), None)

    def container(self, id_: str) -> cri.ContainerStatus | None:
        """The container of that id."""
        return next((status for status in self.all_containers() if status.id == id_), None)

    def running(self) -> list[cri.ContainerStatus]:
        """The containers that run."""
        return [status for status in self.all_containers() if status.state == cri.CONTAINER_RUNNING]


class RuntimeCache:
    """All pods of the node by uid. `on_change` is told the uid of each pod that is not as it was."""

    def __init__(self, on_change: Callable[[str], None]) -> None:
        self._pods: dict[str, PodRuntime] = {}
        self._on_change = on_change
        self._waiting: list[tuple[str, Callable[[PodRuntime], bool], asyncio.Future[None]]] = []

    def get(self, uid: str) -> PodRuntime:
        """Return what is known of a pod; an empty one when nothing is."""
        return self._pods.get(uid) or PodRuntime(uid)

    def pods(self) -> list[PodRuntime]:
        """Return all pods of which there is anything."""
        return list(self._pods.values())

    def apply(self, event: cri.ContainerEventResponse) -> None:
        """Take one event."""
        status = event.pod_sandbox_status
        if event.container_event_type == cri.CONTAINER_DELETED_EVENT and event.container_id == status.id:
            self._put(status.metadata.uid, status.id, None)
        else:
            self._put(status.metadata.uid, status.id, Sandbox(status, tuple(event.containers_statuses)))

    def replace(self, sandboxes: list[Sandbox]) -> None:
        """Take a list of everything."""
        listed = {sandbox.status.id for sandbox in sandboxes}
        for pod in self.pods():
            for id_ in [id_ for id_ in pod.sandboxes if id_ not in listed]:
                self._put(pod.uid, id_, None)
        for sandbox in sandboxes:
            uid = sandbox.status.metadata.uid
            if self.get(uid).sandboxes.get(sandbox.status.id) != sandbox:
                self._put(uid, sandbox.status.id, sandbox)

    def _put(self, uid: str, sandbox_id: str, sandbox: Sandbox | None) -> None:
        pod = self._pods.setdefault(uid, PodRuntime(uid))
        if sandbox is None:
            pod.sandboxes.pop(sandbox_id, None)
            if not pod.sandboxes:
                del self._pods[uid]
        else:
            pod.sandboxes[sandbox_id] = sandbox
        for waiting, predicate, seen in self._waiting:
            if waiting == uid and not seen.done() and predicate(pod):
                seen.set_result(None)
        self._on_change(uid)

    async def until(self, uid: str, predicate: Callable[[PodRuntime], bool]) -> None:
        """Wait until the pod is so; TimeoutError after SEEN_WITHIN_SECONDS."""
        if predicate(self.get(uid)):
            return
        entry = (uid, predicate, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(SEEN_WITHIN_SECONDS):
                await entry[2]
        finally:
            self._waiting.remove(entry)
