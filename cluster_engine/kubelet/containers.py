"""Starting and stopping containers: the CRI calls for one pod, with their events, and waiting until the cache has seen.

What cannot be started raises `StartFailure`, whose reason and message become the container's waiting state:
ErrImagePull, CreateContainerConfigError, RunContainerError and the others that everyone who runs pods gets to know.

Modelled on kuberuntime_container.go (`startContainer`, `killContainer`).
"""

import asyncio
import math
from collections.abc import Callable, Iterable

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.client.events import EventRecorder
from cluster_engine.kubelet import lifecycle_hooks, managed_files, pods
from cluster_engine.kubelet.cri_config import container_config
from cluster_engine.kubelet.environment import TooLargeError, environment
from cluster_engine.kubelet.images import Images, StartFailure
from cluster_engine.kubelet.lifecycle_hooks import HookFailure
from cluster_engine.kubelet.managed_files import DiskError
from cluster_engine.kubelet.objects import MissingObjectError, Objects
from cluster_engine.kubelet.runtime import Runtime, RuntimeRefusal
from cluster_engine.kubelet.runtime_cache import PodRuntime, RuntimeCache
from cluster_engine.kubelet.security_context import RunAsRootError
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.process import Host

GRACE_SECONDS_MIN = 2
"""What a container gets for its end after a preStop hook, and a sidecar after the others."""


class Place(msgspec.Struct, frozen=True):
    """Where a pod's containers are made: its sandbox."""

    sandbox_id: str
    config: cri.PodSandboxConfig


class Containers:
    """The CRI calls that make a pod's containers."""

    def __init__(
        self,
        *,
        runtime: Runtime,
        cache: RuntimeCache,
        images: Images,
        objects: Objects,
        recorder: EventRecorder,
        services: Callable[[], Iterable[Object]],
        host: Host,
    ) -> None:
        self._runtime = runtime
        self._cache = cache
        self._images = images
        self._objects = objects
        self._recorder = recorder
        self._services = services
        self._host = host

    async def make_sandbox(self, pod: Object, config: cri.PodSandboxConfig) -> Place:
        """Make the sandbox. RuntimeRefusal, told in an event."""
        try:
            id_ = await self._runtime.run_sandbox(config)
        except RuntimeRefusal as refusal:
            text = f"Failed to create pod sandbox: {refusal}"
            self._recorder.event(pod, "Warning", "FailedCreatePodSandBox", text)
            raise
        await self._seen(pod, lambda runtime: id_ in runtime.sandboxes)
        return Place(id_, config)

    async def start(self, pod: Object, container: Object, place: Place) -> None:
        """Pull, create and start one container. StartFailure, told in an event."""

        def say(type_: str, reason: str, message: str) -> None:
            self._recorder.event(pod, type_, reason, message, field_path=pods.container_field(pod, container))

        try:
            image = await self._images.ensure(pod, container, place.config, say)
            await self._create_and_start(pod, container, place, image, say)
        except StartFailure as failure:
            plain = failure.reason if failure.reason in _NAMED_ONLY else str(failure)
            say("Warning", "Failed", f"Error: {plain}")
            raise

    async def _create_and_start(
        self, pod: Object, container: Object, place: Place, image: cri.Image, say: Callable[[str, str, str], None]
    ) -> None:
        runtime = self._cache.get(pods.uid(pod))
        latest = runtime.latest(container["name"])
        attempt = 0 if latest is None else latest.metadata.attempt + 1
        facts = {"podIP": runtime.ip or self._host.address, "hostIP": self._host.address}
        try:
            variables = await environment(pod, container, services=self._services(), objects=self._objects, facts=facts)
            target = runtime.latest(container.get("targetContainerName") or "")
            wanted = container_config(
                pod,
                container,
                image=image,
                attempt=attempt,
                variables=variables,
                target_id="" if target is None else target.id,
            )
            managed_files.prepare(self._host, pod, container, ip=runtime.ip, attempt=attempt)
        except (MissingObjectError, TooLargeError, RunAsRootError, DiskError) as error:
            raise StartFailure("CreateContainerConfigError", str(error)) from error
        try:
            id_ = await self._runtime.create_container(place.sandbox_id, wanted, place.config)
        except RuntimeRefusal as refusal:
            raise StartFailure("CreateContainerError", refusal.description) from refusal
        say("Normal", "Created", f"Created container: {container['name']}")
        try:
            await self._runtime.start_container(id_)
        except RuntimeRefusal as refusal:
            await self._seen(pod, _is_past_created(id_))
            raise StartFailure("RunContainerError", refusal.description) from refusal
        say("Normal", "Started", f"Started container {container['name']}")
        await self._seen(pod, _is_past_created(id_))
        if hook := (container.get("lifecycle") or {}).get("postStart"):
            await self._after_start(pod, container, id_, hook, say)
        await self._remove_old(pod, container["name"])

    async def _after_start(
        self, pod: Object, container: Object, id_: str, hook: Object, say: Callable[[str, str, str], None]
    ) -> None:
        """Run the postStart hook; a container whose hook fails is killed. StartFailure."""
        runtime = self._cache.get(pods.uid(pod))
        try:
            name = pod["metadata"]["name"]
            await lifecycle_hooks.run(
                hook, container, id_=id_, ip=runtime.ip or self._host.address, pod_name=name, runtime=self._runtime
            )
        except HookFailure as failure:
            say("Warning", "FailedPostStartHook", "PostStartHook failed")
            if (status := runtime.container(id_)) is not None:
                await self.kill(pod, status, pods.grace_seconds(pod), "FailedPostStartHook")
            raise StartFailure("PostStartHookError", str(failure)) from failure

    async def _before_stop(self, pod: Object, container: Object, id_: str, hook: Object, grace_seconds: int) -> int:
        """Run the preStop hook within the grace; return what is left of that, GRACE_SECONDS_MIN at least."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        ip = self._cache.get(pods.uid(pod)).ip or self._host.address
        try:
            async with asyncio.timeout(grace_seconds):
                await lifecycle_hooks.run(
                    hook, container, id_=id_, ip=ip, pod_name=pod["metadata"]["name"], runtime=self._runtime
                )
        except (HookFailure, TimeoutError):
            field = pods.container_field(pod, container)
            self._recorder.event(pod, "Warning", "FailedPreStopHook", "PreStopHook failed", field_path=field)
        return max(GRACE_SECONDS_MIN, math.ceil(grace_seconds - (loop.time() - began)))

    async def _remove_old(self, pod: Object, name: str) -> None:
        """Keep the newest container of a name and the one before it, for its logs and its end."""
        for status in self._cache.get(pods.uid(pod)).of_name(name)[2:]:
            if status.state == cri.CONTAINER_EXITED:
                await self._runtime.remove_container(status.id)
                await self._seen(pod, _is_gone(status.id))

    async def kill(self, pod: Object, status: cri.ContainerStatus, grace_seconds: int, message: str) -> None:
        """Stop one container and wait until it has ended."""
        name = status.metadata.name
        container = next((one for one in pods.all_containers(pod) if one["name"] == name), None)
        field = pods.container_field(pod, container) if container is not None else ""
        self._recorder.event(pod, "Normal", "Killing", message, field_path=field)
        if container is not None and (hook := (container.get("lifecycle") or {}).get("preStop")) and grace_seconds > 0:
            grace_seconds = await self._before_stop(pod, container, status.id, hook, grace_seconds)
        await self._runtime.stop_container(status.id, grace_seconds)
        await self._seen(pod, lambda runtime: not _runs(runtime, status.id))

    async def kill_all(self, pod: Object, grace_seconds: int) -> None:
        """Stop all containers, at the same time, then the sidecars, the last one first, and then the sandboxes."""
        runtime = self._cache.get(pods.uid(pod))
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + grace_seconds
        beside = [container["name"] for container in pods.sidecars(pod)]
        running = runtime.running()
        kills = [
            self.kill(pod, status, grace_seconds, f"Stopping container {status.metadata.name}")
            for status in running
            if status.metadata.name not in beside
        ]
        for outcome in await asyncio.gather(*kills, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        for name in reversed(beside):
            for status in [status for status in running if status.metadata.name == name]:
                left = max(GRACE_SECONDS_MIN, math.ceil(ends_at - loop.time()))
                await self.kill(pod, status, left, f"Stopping container {name}")
        for id_, sandbox in list(runtime.sandboxes.items()):
            if sandbox.is_ready:
                await self._runtime.stop_sandbox(id_)

    async def remove_all(self, uid: str) -> None:
        """Remove what is left of a pod: containers, then sandboxes."""
        runtime = self._cache.get(uid)
        for status in runtime.all_containers():
            await self._runtime.remove_container(status.id)
        for id_ in list(runtime.sandboxes):
            await self._runtime.remove_sandbox(id_)

    async def _seen(self, pod: Object, predicate: Callable[[PodRuntime], bool]) -> None:
        try:
            await self._cache.until(pods.uid(pod), predicate)
        except TimeoutError as error:
            raise RuntimeRefusal("DeadlineExceeded", "the container runtime told no event") from error


_NAMED_ONLY = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")


def _is_past_created(id_: str) -> Callable[[PodRuntime], bool]:
    def is_past_created(runtime: PodRuntime) -> bool:
        status = runtime.container(id_)
        return status is not None and status.state != cri.CONTAINER_CREATED

    return is_past_created


def _is_gone(id_: str) -> Callable[[PodRuntime], bool]:
    return lambda runtime: runtime.container(id_) is None


def _runs(runtime: PodRuntime, id_: str) -> bool:
    status = runtime.container(id_)
    return status is not None and status.state == cri.CONTAINER_RUNNING
