"""Image garbage collection: when the node's disk fills up, images that no container has are deleted, oldest use first.

    disk used >= 85 %      free as much as leads to 80 %: images not used now, and known for two minutes at least
    not enough to free     event FreeDiskSpaceFailed; when it happens again, ImageGCFailed too
    DiskPressure           all unused images go, before a pod is evicted

The disk is looked at every five minutes. What lies on it is a host's files, scaled to the disk that the Node tells of,
and the images that containerd told of last. Modelled on pkg/kubelet/images/image_gc_manager.go and kubelet.go
(StartGarbageCollection). Left out: imageMaximumGCAge, disks of images' own, pinned images but the pause image.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from cluster_engine.client.events import EventRecorder
from cluster_engine.kubelet.node import about_node
from cluster_engine.kubelet.runtime import Runtime, RuntimeRefusal
from cluster_engine.kubelet.runtime_cache import RuntimeCache
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.hardware import DISK_BYTES, disk_bytes

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

PERIOD_SECONDS = 300.0
HIGH_PERCENT, LOW_PERCENT = 85, 80
"""imageGCHighThresholdPercent, imageGCLowThresholdPercent."""
MINIMUM_AGE_SECONDS = 120.0
"""imageMinimumGCAge."""


class ImageCollector:
    """Deletes images. `images` are those that are here, `learn` asks for them anew."""

    def __init__(
        self,
        process: "Process",
        runtime: Runtime,
        cache: RuntimeCache,
        recorder: EventRecorder,
        *,
        images: Callable[[], Sequence[cri.Image]],
        learn: Callable[[], Awaitable[None]],
    ) -> None:
        self._process, self._runtime, self._cache, self._recorder = process, runtime, cache, recorder
        self._images, self._learn = images, learn
        self._detected: dict[str, float] = {}
        self._used: dict[str, float] = {}
        self._has_failed = False

    async def run(self) -> None:
        """Look every PERIOD_SECONDS, for ever."""
        self._detect(-math.inf)
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            self._detect(asyncio.get_running_loop().time())
            try:
                await self.collect()
                self._has_failed = False
            except (RuntimeRefusal, CollectionError) as error:
                self._failed(str(error))

    def _failed(self, why: str) -> None:
        if not self._has_failed:
            text = "Image garbage collection failed once. Stats initialization may not have completed yet"
            self._process.note("kubelet.image_gc", f'"{text}" err="{why}"')
        else:
            text = "Image garbage collection failed multiple times in a row"
            self._process.note("kubelet.image_gc", f'"{text}" err="{why}"')
            self._event("ImageGCFailed", why)
        self._has_failed = True

    async def collect(self) -> None:
        """Look once. CollectionError, told in an event, where there is too little to delete; RuntimeRefusal."""
        used = disk_bytes(self._process.files.size) + sum(image.size for image in self._images())
        available = max(0, DISK_BYTES - used)
        percent = 100 - available * 100 // DISK_BYTES
        if percent < HIGH_PERCENT:
            return
        wanted = DISK_BYTES * (100 - LOW_PERCENT) // 100 - available
        self._process.note(
            "kubelet.image_gc",
            '"Disk usage on image filesystem is over the high threshold, trying to free bytes down to the low '
            f'threshold" usage={percent} highThreshold={HIGH_PERCENT} amountToFree={wanted} lowThreshold={LOW_PERCENT}',
        )
        freed = await self._free(wanted)
        if freed < wanted:
            message = "Failed to garbage collect required amount of images. "
            message += f"Attempted to free {wanted} bytes, but only found {freed} bytes eligible to free."
            self._event("FreeDiskSpaceFailed", message)
            raise CollectionError(message)

    async def delete_unused(self) -> int:
        """Delete every image that may be; return how many bytes that gave."""
        self._process.note("kubelet.image_gc", '"Attempting to delete unused images"')
        try:
            return await self._free(DISK_BYTES)
        except RuntimeRefusal as refusal:
            self._process.note("kubelet.image_gc", f'"Failed to delete unused images" err="{refusal}"')
            return 0

    def _detect(self, now: float) -> None:
        """Remember which images there are, since when, and which are used now."""
        present = {image.id: image for image in self._images()}
        self._detected = {id_: self._detected.get(id_, now) for id_ in present}
        in_use = {status.image_id for pod in self._cache.pods() for status in pod.all_containers()}
        self._used = {id_: at for id_, at in self._used.items() if id_ in present}
        self._used |= dict.fromkeys(in_use & set(present), asyncio.get_running_loop().time())

    async def _free(self, wanted: int) -> int:
        now, freed = asyncio.get_running_loop().time(), 0
        self._detect(now)
        images = [image for image in self._images() if not image.pinned]
        for image in sorted(images, key=lambda one: (self._used.get(one.id, -math.inf), self._detected[one.id])):
            if freed >= wanted or self._used.get(image.id, -math.inf) >= now:
                break
            if now - self._detected[image.id] < MINIMUM_AGE_SECONDS:
                continue
            text = f'"Removing image to free bytes" imageID="{image.id}" size={image.size} runtimeHandler=""'
            self._process.note("kubelet.image_gc", text)
            await self._runtime.remove_image(image.id)
            freed += image.size
        if freed:
            await self._learn()
        return freed

    def _event(self, reason: str, message: str) -> None:
        self._recorder.event(about_node(self._process.host.hostname), "Warning", reason, message)


class CollectionError(Exception):
    """There are too few images to delete; the text is the kubelet's."""
