"""What running containers use, as CRI tells it: memory, processor time, and what they wrote.

    memory      PROCESS_BYTES for each process, and what it says it holds (`Process.memory_bytes`)
    processor   the seconds that its shells have spent of their quota (`throttle`), and its programs have worked
    files       what lies in the container's own layer

Modelled on containerd's internal/cri/server/container_stats_list.go, which reads cgroups.
"""

from cluster_engine.containerd.rootfs import STATE
from cluster_engine.containerd.store import Container, Sandbox, Store
from cluster_engine.containerd.tasks import nanoseconds
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.hardware import held_bytes
from cluster_engine.world.process import Process


class StatsService:
    """CRI's statistics, of the containers in a store."""

    def __init__(self, process: Process, store: Store) -> None:
        self._process = process
        self._store = store

    async def ListContainerStats(  # noqa: N802
        self, request: cri.ListContainerStatsRequest
    ) -> cri.ListContainerStatsResponse:
        """Tell what each running container uses now."""
        running = [one for one in self._store.containers.values() if one.state == cri.CONTAINER_RUNNING]
        return cri.ListContainerStatsResponse(stats=[self._stats(container) for container in running])

    async def ListPodSandboxStats(  # noqa: N802
        self, request: cri.ListPodSandboxStatsRequest
    ) -> cri.ListPodSandboxStatsResponse:
        """Tell what each pod that runs uses now: what its containers use."""
        running = [one for one in self._store.containers.values() if one.state == cri.CONTAINER_RUNNING]
        told = []
        for sandbox in self._store.sandboxes.values():
            if sandbox.state == cri.SANDBOX_READY:
                of_pod = [self._stats(container) for container in running if container.sandbox_id == sandbox.id]
                told.append(self._pod_stats(sandbox, of_pod))
        return cri.ListPodSandboxStatsResponse(stats=told)

    def _pod_stats(self, sandbox: Sandbox, of_pod: list[cri.ContainerStats]) -> cri.PodSandboxStats:
        now = nanoseconds(self._process.now())
        worked = sum(one.cpu.usage_core_nano_seconds.value for one in of_pod)
        used = sum(one.memory.working_set_bytes.value for one in of_pod)
        return cri.PodSandboxStats(
            attributes=cri.PodSandboxAttributes(
                id=sandbox.id,
                metadata=sandbox.config.metadata,
                labels=sandbox.config.labels,
                annotations=sandbox.config.annotations,
            ),
            linux=cri.LinuxPodSandboxStats(
                cpu=cri.CpuUsage(timestamp=now, usage_core_nano_seconds=_value(worked)),
                memory=cri.MemoryUsage(timestamp=now, working_set_bytes=_value(used), usage_bytes=_value(used)),
            ),
        )

    def _stats(self, container: Container) -> cri.ContainerStats:
        now = nanoseconds(self._process.now())
        sandbox = self._store.sandboxes[container.sandbox_id]
        host = sandbox.network or self._process.host
        processes = [one for one in host.processes.values() if one.files is container.files]
        used = sum(map(held_bytes, processes))
        limit = container.config.linux.resources.memory_limit_in_bytes
        worked = container.quota.total + sum(one.effort.spent for one in processes)
        size, files = self._process.files.usage(f"{STATE}/{container.id}")
        memory = cri.MemoryUsage(
            timestamp=now,
            working_set_bytes=_value(used),
            usage_bytes=_value(used),
            rss_bytes=_value(used),
            available_bytes=_value(max(0, limit - used)) if limit else None,
        )
        return cri.ContainerStats(
            attributes=cri.ContainerAttributes(
                id=container.id,
                metadata=container.config.metadata,
                labels=container.config.labels,
                annotations=container.config.annotations,
            ),
            cpu=cri.CpuUsage(timestamp=now, usage_core_nano_seconds=_value(int(worked * 1e9))),
            memory=memory,
            writable_layer=cri.FilesystemUsage(timestamp=now, used_bytes=_value(size), inodes_used=_value(files)),
        )


def _value(number: int) -> cri.UInt64Value:
    return cri.UInt64Value(value=number)
