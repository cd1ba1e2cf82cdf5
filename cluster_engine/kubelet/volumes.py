"""Volumes, as far as containers here have any: what a pod's start waits for, and the tokens it is given.

ConfigMaps and Secrets must be there before the pod's containers are made. A projected service-account token is asked of
the API server (TokenRequest, bound to the pod), written to a file on the host as the kubelet does, and asked for anew
once 80 % of its life, less up to 10 s, are gone. No Secret is involved.

    POST /api/v1/namespaces/default/serviceaccounts/default/token
    {"spec": {"audiences": [], "expirationSeconds": 3607, "boundObjectRef": {"kind": "Pod", "name": "web-0", "uid": …}}}

What an object of the API or the pod itself says lies as files in the volume's directory on the host (`volume_files`),
and is written anew when it has changed. Modelled on pkg/volume/projected, configmap, secret and
pkg/kubelet/token/token_manager.go. Left out: every other kind of volume (they are there at once).
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster_engine.api.kinds import SERVICE_ACCOUNT
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.api.time import parse
from cluster_engine.client.events import EventRecorder
from cluster_engine.client.rest import Client
from cluster_engine.kubelet import pods, volume_files
from cluster_engine.kubelet.cri_config import pod_directory, volume_directory
from cluster_engine.kubelet.objects import MissingObjectError, Objects

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

TOKEN_SECONDS = 3607
REFRESH_AT = 0.8
REFRESH_JITTER_SECONDS = 10.0


class VolumeFailure(Exception):  # noqa: N818
    """A volume is not there yet; the text is that of the FailedMount event."""


@dataclass(slots=True)
class _Token:
    refresh_at: float


class _DiskError(Exception):
    """The host's disk does not take a file."""


class Volumes:
    """The volumes of the pods on this node."""

    def __init__(self, client: Client, process: "Process", objects: Objects, recorder: EventRecorder) -> None:
        self._client = client
        self._process = process
        self._objects = objects
        self._recorder = recorder
        self._tokens: dict[tuple[str, str], _Token] = {}
        self._mounted: set[str] = set()

    async def mount(self, pod: Object) -> None:
        """See to it that all is there. VolumeFailure, told in an event."""
        self._objects.register(pod)
        for volume in pod["spec"].get("volumes") or []:
            try:
                await self._mount(pod, volume)
            except (MissingObjectError, Refusal, _DiskError) as error:
                message = error.message if isinstance(error, Refusal) else str(error)
                text = f'MountVolume.SetUp failed for volume "{volume["name"]}" : {message}'
                self._recorder.event(pod, "Warning", "FailedMount", text)
                raise VolumeFailure(text) from error
        if pod["spec"].get("volumes") and pods.uid(pod) not in self._mounted:
            await self._process.work("kubelet.mount")
            self._mounted.add(pods.uid(pod))

    def unmount(self, uid: str) -> None:
        """Let go of a pod's volumes."""
        self._objects.unregister(uid)
        self._mounted.discard(uid)
        for key in [key for key in self._tokens if key[0] == uid]:
            del self._tokens[key]
        self._process.files.remove_below(pod_directory(uid))

    async def _mount(self, pod: Object, volume: Object) -> None:
        for source in [volume, *((volume.get("projected") or {}).get("sources") or [])]:
            if token := source.get("serviceAccountToken"):
                await self._mount_token(pod, volume["name"], token)
            if said := source.get("downwardAPI"):
                self._write(pod, volume["name"], volume_files.of_pod(pod, said.get("items") or []))
            for what, reference, name_field in (
                ("configmap", source.get("configMap"), "name"),
                ("secret", source.get("secret"), "secretName" if source is volume else "name"),
            ):
                if reference:
                    self._write(pod, volume["name"], await self._files_of(pod, what, reference, name_field))

    async def _files_of(self, pod: Object, what: str, reference: Object, name_field: str) -> dict[str, bytes]:
        """Return what an object brings; nothing where it is not there and need not be."""
        try:
            found = await self._objects.get(what, pod["metadata"]["namespace"], reference[name_field])
            return volume_files.of_object(what, found, reference)
        except MissingObjectError:
            if not reference.get("optional"):
                raise
        return {}

    def _write(self, pod: Object, volume: str, files: dict[str, bytes]) -> None:
        """Write a volume's files, those that have changed."""
        directory = volume_directory(pods.uid(pod), volume)
        for name, data in files.items():
            path = f"{directory}/{name}"
            if not self._process.files.exists(path) or self._process.files.read(path) != data:
                self._write_file(path, data)

    def _write_file(self, path: str, data: bytes) -> None:
        try:
            self._process.files.write(path, data)
        except OSError as error:
            raise _DiskError(f"open {path}: {str(error.strerror).lower()}") from error

    async def _mount_token(self, pod: Object, volume: str, wanted: Object) -> None:
        key = (pods.uid(pod), volume)
        now = asyncio.get_running_loop().time()
        known = self._tokens.get(key)
        if known is not None and now < known.refresh_at:
            return
        status = (await self._request(pod, wanted))["status"]
        seconds = (parse(status["expirationTimestamp"]) - self._process.now()).total_seconds()
        path = f"{volume_directory(pods.uid(pod), volume)}/{wanted.get('path', 'token')}"
        self._write_file(path, status["token"].encode())
        jitter = REFRESH_JITTER_SECONDS * self._process.rng.random()
        self._tokens[key] = _Token(now + seconds * REFRESH_AT - jitter)

    async def _request(self, pod: Object, wanted: Object) -> Object:
        metadata = pod["metadata"]
        bound = {"kind": "Pod", "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"]}
        spec = {
            "audiences": [wanted["audience"]] if wanted.get("audience") else [],
            "expirationSeconds": wanted.get("expirationSeconds") or TOKEN_SECONDS,
            "boundObjectRef": bound,
        }
        request = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": spec}
        account = pod["spec"].get("serviceAccountName") or "default"
        return await self._client.create(
            SERVICE_ACCOUNT, request, metadata["namespace"], subresource="token", name=account
        )
