"""Container garbage collection: what has ended and nobody needs any more is removed, with its files.

    each minute             of each container of a pod, one dead one is kept (for `logs --previous`), the older ones go
                            sandboxes that are not a pod's latest go once they are empty
    the disk is too full    the dead containers of pods that have come to their end (evicted, completed) go too, before
                            a pod is evicted

A pod that is deleted leaves nothing: its worker sees to that (`Containers.remove_all`). Modelled on
pkg/kubelet/kuberuntime/kuberuntime_gc.go, with the kubelet's defaults: no minimum age, MaxPerPodContainer 1, no
maximum in all. Left out: containers in an unknown state, links to logs.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from cluster_engine.kubelet.runtime import Runtime, RuntimeRefusal
from cluster_engine.kubelet.runtime_cache import PodRuntime, RuntimeCache
from cluster_engine.rpc import cri_pb2 as cri

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

PERIOD_SECONDS = 60.0
DEAD_MAX = 1
"""MaxPerPodContainer: how many dead containers of a name each pod keeps."""


class ContainerCollector:
    """Removes dead containers. `has_ended` says of a pod, by its uid, whether nothing of it will ever run again."""

    def __init__(
        self, process: "Process", runtime: Runtime, cache: RuntimeCache, has_ended: Callable[[str], bool]
    ) -> None:
        self._process, self._runtime, self._cache, self._has_ended = process, runtime, cache, has_ended

    async def run(self) -> None:
        """Look every PERIOD_SECONDS, for ever."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            await self._collect(lambda pod: DEAD_MAX)

    async def delete_unused(self) -> None:
        """Remove all that pods have left that have come to their end, and what is removed each minute."""
        self._process.note("kubelet.container_gc", '"Attempting to delete unused containers"')
        await self._collect(lambda pod: 0 if self._has_ended(pod.uid) else DEAD_MAX)

    async def _collect(self, kept: Callable[[PodRuntime], int]) -> None:
        for pod in self._cache.pods():
            try:
                await self._remove(pod, kept(pod))
            except RuntimeRefusal as refusal:
                self._process.note("kubelet.container_gc", f'"Container garbage collection failed" err="{refusal}"')

    async def _remove(self, pod: PodRuntime, kept: int) -> None:
        """Remove the dead containers of a pod but for the newest `kept` of each name, then what is empty of it."""
        for name in dict.fromkeys(status.metadata.name for status in pod.all_containers()):
            history = pod.of_name(name)
            if history[0].state == cri.CONTAINER_CREATED:  # it is being started
                history = history[1:]
            dead = [status for status in history if status.state != cri.CONTAINER_RUNNING]
            for status in dead[kept:]:
                await self._runtime.remove_container(status.id)
        for id_, sandbox in list(pod.sandboxes.items()):
            is_needed = sandbox.is_ready or sandbox.containers or (kept and sandbox is pod.sandbox)
            if not is_needed:
                await self._runtime.remove_sandbox(id_)
