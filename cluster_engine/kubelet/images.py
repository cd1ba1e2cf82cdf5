"""Seeing to it that a container's image is on the node: pull policy, one pull at a time, back-off after failures.

    IfNotPresent, it is here          event Pulled "Container image … already present on machine"
    Always, or it is not here         Pulling … Pulled "Successfully pulled image …", or Failed and ErrImagePull
    failed less than 10, 20 … 300 s ago    event BackOff, ImagePullBackOff

Modelled on pkg/kubelet/images/image_manager.go with `serializeImagePulls: true` (the default). Images are deleted in
`image_gc`. Left out: credentials, pull rate limits (5 a second).
"""

import asyncio
import re
from collections.abc import Callable

from cluster_engine.api.durations import go_duration
from cluster_engine.api.objects import Object
from cluster_engine.kubelet import pods
from cluster_engine.kubelet.backoff import Backoff
from cluster_engine.kubelet.runtime import Runtime, RuntimeRefusal
from cluster_engine.rpc import cri_pb2 as cri

_REFERENCE = re.compile(r"[a-z0-9]+(?:[._/:-]+[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?")
Say = Callable[[str, str, str], None]
"""Record an event about the container: type, reason, message."""


class StartFailure(Exception):  # noqa: N818
    """A container could not be started. `reason` is that of the waiting state, the text its message."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Images:
    """The images of this node. `on_pulled` is told when there is a new one."""

    def __init__(self, runtime: Runtime, on_pulled: Callable[[], None]) -> None:
        self._runtime = runtime
        self._on_pulled = on_pulled
        self._backoff = Backoff()
        self._failures: dict[str, str] = {}
        self._one_at_a_time = asyncio.Lock()

    async def ensure(self, pod: Object, container: Object, sandbox_config: cri.PodSandboxConfig, say: Say) -> cri.Image:
        """Return the container's image once it is here. StartFailure, RuntimeRefusal."""
        image = str(container.get("image") or "")
        if not _REFERENCE.fullmatch(image):
            message = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": '
            message += "invalid reference format"
            say("Warning", "InspectFailed", message)
            raise StartFailure("InvalidImageName", message)
        policy = container.get("imagePullPolicy") or ("Always" if _tag(image) in ("", "latest") else "IfNotPresent")
        present = await self._runtime.image(image)
        if present is not None and policy != "Always":
            say("Normal", "Pulled", f'Container image "{image}" already present on machine')
            return present
        if policy == "Never":
            message = f'Container image "{image}" is not present with pull policy of Never'
            say("Warning", "ErrImageNeverPull", message)
            raise StartFailure("ErrImageNeverPull", message)
        return await self._pull(pods.uid(pod), image, sandbox_config, say)

    async def _pull(self, uid: str, image: str, sandbox_config: cri.PodSandboxConfig, say: Say) -> cri.Image:
        loop = asyncio.get_running_loop()
        key = f"{uid}_{image}"
        if self._backoff.in_backoff_since_update(key, loop.time()):
            say("Normal", "BackOff", f'Back-off pulling image "{image}"')
            failure = self._failures.get(key)
            cause = f": ErrImagePull: {failure}" if failure else ""
            raise StartFailure("ImagePullBackOff", f'Back-off pulling image "{image}"{cause}')
        say("Normal", "Pulling", f'Pulling image "{image}"')
        asked = loop.time()
        try:
            async with self._one_at_a_time:
                began = loop.time()
                id_ = await self._runtime.pull(image, sandbox_config)
        except RuntimeRefusal as refusal:
            say("Warning", "Failed", f'Failed to pull image "{image}": {refusal}')
            self._backoff.next(key, loop.time(), loop.time())
            self._failures[key] = str(refusal)
            raise StartFailure("ErrImagePull", str(refusal)) from refusal
        took, waited = go_duration(loop.time() - began, 3), go_duration(loop.time() - asked, 3)
        pulled = await self._runtime.image(id_) or cri.Image(id=id_)
        how_long = f"in {took} ({waited} including waiting)"
        say("Normal", "Pulled", f'Successfully pulled image "{image}" {how_long}. Image size: {pulled.size} bytes.')
        self._failures.pop(key, None)
        self._on_pulled()
        return pulled

    def forget(self, uid: str) -> None:
        """Drop what is remembered for a pod that has gone."""
        self._backoff.forget(f"{uid}_")
        self._failures = {key: failure for key, failure in self._failures.items() if not key.startswith(f"{uid}_")}


def _tag(image: str) -> str:
    tail = image.partition("@")[0].rpartition(":")
    return tail[2] if tail[1] and "/" not in tail[2] else ""
