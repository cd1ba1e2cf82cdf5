"""What containerd knows, as it lies on the host's disk: images, sandboxes, containers.

These records are the truth of a node. They survive a kill of containerd and of the kubelet, as in reality, where the
containers' parents are shims and not containerd; a container's end is written into its record when it comes (`tasks`),
so a containerd that was away finds, when it comes back, who has ended meanwhile, and when.

Modelled on containerd's metadata store (`internal/cri/store`). Left out: snapshots, leases, content.

    store = Store()
    store.sandboxes["1f…"] = Sandbox(id="1f…", config=…, ip="10.244.1.2", …)
    store.containers_of("1f…") -> [Container, …] in order of creation
"""

from collections.abc import Callable, Mapping

import msgspec

from cluster_engine.containerd.logs import Log
from cluster_engine.containerd.registry import Image
from cluster_engine.containerd.rootfs import RootFiles
from cluster_engine.containerd.throttle import Quota
from cluster_engine.programs.running import Program
from cluster_engine.programs.streams import Pipe
from cluster_engine.programs.window import Window
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.pids import PidNamespace
from cluster_engine.world.process import Namespace, Process


class Sandbox(msgspec.Struct):
    """A pod's place on the node: network namespace, address, pause container. Without `network` it is the host's."""

    id: str
    config: cri.PodSandboxConfig
    created_at: int
    ip: str
    state: cri.PodSandboxState = cri.SANDBOX_READY
    network: Namespace | None = None
    pids: PidNamespace | None = None
    """Where containers that share the pod's processes see each other; its first one is the pause container's."""

    @property
    def uid(self) -> str:
        """The pod's."""
        return self.config.metadata.uid

    def status(self) -> cri.PodSandboxStatus:
        """Say it as CRI does."""
        return cri.PodSandboxStatus(
            id=self.id,
            metadata=self.config.metadata,
            state=self.state,
            created_at=self.created_at,
            network=cri.PodSandboxNetworkStatus(ip=self.ip if self.state == cri.SANDBOX_READY else ""),
            labels=self.config.labels,
            annotations=self.config.annotations,
        )

    def summary(self) -> cri.PodSandbox:
        """Say it as a list does."""
        return cri.PodSandbox(
            id=self.id,
            metadata=self.config.metadata,
            state=self.state,
            created_at=self.created_at,
            labels=self.config.labels,
            annotations=self.config.annotations,
        )


class Container(msgspec.Struct):
    """A container. While it runs it has a `process`, files, an environment and programs that can be called in it."""

    id: str
    sandbox_id: str
    config: cri.ContainerConfig
    image: Image
    log_path: str
    created_at: int
    state: cri.ContainerState = cri.CONTAINER_CREATED
    started_at: int = 0
    finished_at: int = 0
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    pid: int = 0
    process: Process | None = None
    files: RootFiles | None = None
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    programs: Mapping[str, Program] = msgspec.field(default_factory=dict)
    quota: Quota = msgspec.field(default_factory=Quota)
    log: Log | None = None
    stdin: Pipe | None = None
    window: Window | None = None
    """Of its terminal, if it has one."""

    def status(self) -> cri.ContainerStatus:
        """Say it as CRI does."""
        return cri.ContainerStatus(
            id=self.id,
            metadata=self.config.metadata,
            state=self.state,
            created_at=self.created_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            exit_code=self.exit_code,
            image=cri.ImageSpec(
                image=self.image.reference, user_specified_image=self.config.image.user_specified_image
            ),
            image_ref=f"{self.image.repository}@{self.image.digest}",
            image_id=self.image.id,
            reason=self.reason,
            message=self.message,
            labels=self.config.labels,
            annotations=self.config.annotations,
            mounts=self.config.mounts,
            log_path=self.log_path,
        )

    def summary(self) -> cri.Container:
        """Say it as a list does."""
        return cri.Container(
            id=self.id,
            pod_sandbox_id=self.sandbox_id,
            metadata=self.config.metadata,
            image=cri.ImageSpec(image=self.image.reference),
            image_ref=f"{self.image.repository}@{self.image.digest}",
            image_id=self.image.id,
            state=self.state,
            created_at=self.created_at,
            labels=self.config.labels,
            annotations=self.config.annotations,
        )


class Store(msgspec.Struct):
    """Everything, by id (images by reference), in order of creation."""

    images: dict[str, Image] = msgspec.field(default_factory=dict)
    sandboxes: dict[str, Sandbox] = msgspec.field(default_factory=dict)
    containers: dict[str, Container] = msgspec.field(default_factory=dict)
    pod_cidr: str = ""
    last_address: int = 1
    boots: int = 0
    on_exit: Callable[[Container], bool] | None = None
    """Called by a container that has ended; returns whether somebody has heard it."""
    untold: list[str] = msgspec.field(default_factory=list)
    """The containers that have ended while there was no containerd."""

    def containers_of(self, sandbox_id: str) -> list[Container]:
        """Return the containers of one sandbox."""
        return [container for container in self.containers.values() if container.sandbox_id == sandbox_id]
