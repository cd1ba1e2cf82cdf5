"""ConfigMaps and Secrets of the pods that run here, each watched by name, and only while a pod refers to it.

A kubelet may not list all Secrets; the Node authorizer lets it read those of its own pods. So there is one reflector an
object, `fieldSelector=metadata.name=<name>`, started with the first pod that needs it and stopped with the last.

Modelled on pkg/kubelet/util/manager/watch_based_manager.go.
"""

import asyncio
from typing import TYPE_CHECKING

from cluster_engine.api.kinds import CONFIG_MAP, SECRET
from cluster_engine.api.objects import Object
from cluster_engine.api.resource import Resource
from cluster_engine.client.informer import Informer
from cluster_engine.client.rest import Client
from cluster_engine.kubelet import pods

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

Reference = tuple[str, str, str]
KINDS: dict[str, Resource] = {"configmap": CONFIG_MAP, "secret": SECRET}
SYNC_TIMEOUT_SECONDS = 10.0


class MissingObjectError(Exception):
    """An object (or a key in it) that a pod refers to is not there; the text is the kubelet's."""


class Objects:
    """The watched objects. `serve` gives it the task group to watch in."""

    def __init__(self, client: Client, process: "Process") -> None:
        self._client = client
        self._process = process
        self._users: dict[Reference, dict[str, None]] = {}
        self._informers: dict[Reference, tuple[Informer, asyncio.Task[None]]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    def serve(self, tasks: asyncio.TaskGroup) -> None:
        """Watch in this group."""
        self._tasks = tasks

    def register(self, pod: Object) -> None:
        """Watch what the pod refers to."""
        for reference in references(pod):
            self._users.setdefault(reference, {})[pods.uid(pod)] = None

    def unregister(self, uid: str) -> None:
        """Stop watching what only this pod referred to."""
        for reference, users in list(self._users.items()):
            users.pop(uid, None)
            if not users:
                del self._users[reference]
                _, task = self._informers.pop(reference, (None, None))
                if task is not None:
                    task.cancel()

    async def get(self, what: str, namespace: str, name: str) -> Object:
        """Return a `configmap` or `secret`; MissingObjectError."""
        assert self._tasks is not None
        reference = (what, namespace, name)
        if reference not in self._informers:
            informer = Informer(
                self._client,
                KINDS[what],
                self._process,
                namespace=namespace,
                field_selector=f"metadata.name={name}",
            )
            self._informers[reference] = (
                informer,
                self._tasks.create_task(informer.run(), name=f"watch {what} {name}"),
            )
        informer, _ = self._informers[reference]
        try:
            async with asyncio.timeout(SYNC_TIMEOUT_SECONDS):
                await informer.synced()
        except TimeoutError as error:
            raise MissingObjectError(f"failed to sync {what} cache: timed out waiting for the condition") from error
        obj = informer.get(f"{namespace}/{name}")
        if obj is None:
            raise MissingObjectError(f'{what} "{name}" not found')
        return obj


def references(pod: Object) -> list[Reference]:
    """Find all ConfigMaps and Secrets that a pod refers to, in volumes and environment."""
    namespace = pod["metadata"]["namespace"]
    found: dict[Reference, None] = {}
    for volume in pod["spec"].get("volumes") or []:
        for source in [volume, *((volume.get("projected") or {}).get("sources") or [])]:
            if name := (source.get("configMap") or {}).get("name"):
                found["configmap", namespace, name] = None
            secret = source.get("secret") or {}
            if name := secret.get("secretName") or secret.get("name"):
                found["secret", namespace, name] = None
    for container in pods.all_containers(pod):
        for source in container.get("envFrom") or []:
            _refer(found, namespace, source.get("configMapRef"), source.get("secretRef"))
        for variable in container.get("env") or []:
            value = variable.get("valueFrom") or {}
            _refer(found, namespace, value.get("configMapKeyRef"), value.get("secretKeyRef"))
    return list(found)


def _refer(found: dict[Reference, None], namespace: str, config_map: Object | None, secret: Object | None) -> None:
    for what, reference in (("configmap", config_map), ("secret", secret)):
        if reference and reference.get("name"):
            found[what, namespace, reference["name"]] = None
