"""What a node and its pods use, now; and `/stats/summary`, which tells it as JSON.

    GET /stats/summary         {"node": {"memory": …}, "pods": [{"podRef": …, "containers": [{"name": "app", …}]}]}

Containers' figures are the runtime's (CRI ListContainerStats); the node's are theirs together, and beside them
SYSTEM_BYTES for the system and the seconds that the machine's own programs have worked. Modelled on
pkg/kubelet/server/stats. Left out: swap, network, volumes and devices, and what no part of this world measures.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cluster_engine.api.objects import Object
from cluster_engine.api.time import rfc3339
from cluster_engine.kubelet.node_status import ALLOCATABLE
from cluster_engine.kubelet.runtime_cache import CONTAINER_NAME, POD_NAME, POD_NAMESPACE, POD_UID, RuntimeCache
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.hardware import SYSTEM_BYTES

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

MEMORY_BYTES = int(ALLOCATABLE["memory"].removesuffix("Ki")) * 1024


class Usage:
    """What is used at one instant."""

    def __init__(self, process: "Process", cache: RuntimeCache, stats: Sequence[cri.ContainerStats]) -> None:
        self.process, self.cache, self.containers = process, cache, stats
        self.now = process.now()
        self.memory = SYSTEM_BYTES + sum(one.memory.working_set_bytes.value for one in stats)
        own = sum(one.effort.spent for one in process.host.processes.values() if one.host is process.host)
        self.processor = own + sum(one.cpu.usage_core_nano_seconds.value for one in stats) / 1e9

    def summary(self) -> Object:
        """Return stats.Summary (k8s.io/kubelet/pkg/apis/stats/v1alpha1)."""
        now = rfc3339(self.now)
        pods: dict[str, list[cri.ContainerStats]] = {}
        for one in self.containers:
            pods.setdefault(one.attributes.labels[POD_UID], []).append(one)
        node = {
            "nodeName": self.process.host.hostname,
            "startTime": rfc3339(self.process.began),
            "cpu": {"time": now, "usageCoreNanoSeconds": int(self.processor * 1e9)},
            "memory": {
                "time": now,
                "availableBytes": MEMORY_BYTES - self.memory,
                "usageBytes": self.memory,
                "workingSetBytes": self.memory,
                "rssBytes": self.memory,
            },
        }
        return {"node": node, "pods": [self._pod(uid, found, now) for uid, found in pods.items()]}

    def _pod(self, uid: str, stats: Sequence[cri.ContainerStats], now: str) -> Object:
        labels = stats[0].attributes.labels
        memory = sum(one.memory.working_set_bytes.value for one in stats)
        return {
            "podRef": {"name": labels[POD_NAME], "namespace": labels[POD_NAMESPACE], "uid": uid},
            "startTime": rfc3339(min(self.started(one) for one in stats)),
            "containers": [self._container(one, now) for one in stats],
            "cpu": {"time": now, "usageCoreNanoSeconds": sum(one.cpu.usage_core_nano_seconds.value for one in stats)},
            "memory": {"time": now, "usageBytes": memory, "workingSetBytes": memory, "rssBytes": memory},
        }

    def _container(self, stats: cri.ContainerStats, now: str) -> Object:
        memory = stats.memory
        return {
            "name": stats.attributes.labels[CONTAINER_NAME],
            "startTime": rfc3339(self.started(stats)),
            "cpu": {"time": now, "usageCoreNanoSeconds": stats.cpu.usage_core_nano_seconds.value},
            "memory": {
                "time": now,
                **({"availableBytes": memory.available_bytes.value} if memory.HasField("available_bytes") else {}),
                "usageBytes": memory.usage_bytes.value,
                "workingSetBytes": memory.working_set_bytes.value,
                "rssBytes": memory.rss_bytes.value,
            },
            "rootfs": {
                "time": now,
                "usedBytes": stats.writable_layer.used_bytes.value,
                "inodesUsed": stats.writable_layer.inodes_used.value,
            },
        }

    def started_at(self, stats: cri.ContainerStats) -> float:
        """Return when a container was started, in seconds since 1970."""
        return self.started(stats).timestamp()

    def started(self, stats: cri.ContainerStats) -> datetime:
        """Return when a container was started."""
        status = self.cache.get(stats.attributes.labels[POD_UID]).container(stats.attributes.id)
        return self.now if status is None else datetime.fromtimestamp(status.started_at / 1e9, UTC)
