"""Volumes: what a pod's start waits for, as directories of the host that its containers see at their paths.

ConfigMaps and Secrets must be there before the pod's containers are made; they lie as files on the host, and are
written anew when the pod is looked at again after they have changed (60 … 90 s later, as in reality). A projected
service-account token is asked of the API server (TokenRequest, bound to the pod), and asked for anew once 80 % of its
life, or a day, less up to 10 s, are gone; while that is refused the old one stays for as long as it is good. No Secret
is involved.

    POST /api/v1/namespaces/default/serviceaccounts/default/token
    {"spec": {"audiences": [], "expirationSeconds": 3607, "boundObjectRef": {"kind": "Pod", "name": "web-0", "uid": …}}}

    /var/lib/kubelet/pods/<uid>/volumes/kubernetes.io~projected/kube-api-access-x7k2p/token, ca.crt, namespace

An emptyDir is an empty directory that everybody may write to, a hostPath the host's own; a pod's fsGroup is given all
but the last. Modelled on pkg/volume/projected, configmap, secret,
downwardapi and pkg/kubelet/token/token_manager.go. Left out: every other kind of volume (an empty directory stands for
it), modes of single items, the links by which the real kubelet replaces all files of a volume at once.
"""

import asyncio
from typing import TYPE_CHECKING

import msgspec

from cluster_engine.api.kinds import SERVICE_ACCOUNT
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.api.time import parse
from cluster_engine.client.events import EventRecorder
from cluster_engine.client.rest import Client
from cluster_engine.kubelet import pods, volume_files
from cluster_engine.kubelet.cri_config import READ_ONLY, pod_directory, volume_directory
from cluster_engine.kubelet.managed_files import DiskError, write
from cluster_engine.kubelet.objects import MissingObjectError, Objects
from cluster_engine.kubelet.security_context import volume_owner
from cluster_engine.world.files import MODE, PRIVATE_MODE

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

EMPTY_DIRECTORY_MODE, GROUP_READS, SET_GROUP = 0o777, 0o440, 0o2000
TOKEN_SECONDS = 3607
REFRESH_AT, REFRESH_SECONDS_MAX = 0.8, 24 * 3600.0
REFRESH_JITTER_SECONDS = 10.0


class VolumeFailure(Exception):  # noqa: N818
    """A volume is not there yet; the text is that of the FailedMount event."""


class _Token(msgspec.Struct):
    uid: str
    refresh_at: float
    expires_at: float


class Volumes:
    """The volumes of the pods on this node."""

    def __init__(self, client: Client, process: "Process", objects: Objects, recorder: EventRecorder) -> None:
        self._client = client
        self._process = process
        self._objects = objects
        self._recorder = recorder
        self._tokens: dict[str, _Token] = {}
        """By their paths."""
        self._mounted: set[str] = set()

    async def mount(self, pod: Object) -> None:
        """See to it that all is there. VolumeFailure, told in an event."""
        self._objects.register(pod)
        for volume in pod["spec"].get("volumes") or []:
            try:
                await self._mount(pod, volume)
            except (MissingObjectError, Refusal, DiskError) as error:
                message = error.message if isinstance(error, Refusal) else str(error)
                text = f'MountVolume.SetUp failed for volume "{volume["name"]}" : {message}'
                self._recorder.event(pod, "Warning", "FailedMount", text)
                raise VolumeFailure(text) from error
        if pod["spec"].get("volumes") and pods.uid(pod) not in self._mounted:
            await self._process.work("kubelet.mount")
            self._mounted.add(pods.uid(pod))

    def unmount(self, uid: str) -> None:
        """Let go of a pod's volumes; what lies in its own (emptyDir) goes with them."""
        self._objects.unregister(uid)
        self._mounted.discard(uid)
        self._process.files.remove_below(f"{pod_directory(uid)}/volumes")
        for path in [path for path, token in self._tokens.items() if token.uid == uid]:
            del self._tokens[path]
            if self._process.files.exists(path):
                self._process.files.remove(path)

    def remove(self, uid: str) -> None:
        """Delete what lies on the host for a pod."""
        self._process.files.remove_below(pod_directory(uid))

    async def _mount(self, pod: Object, volume: Object) -> None:
        if host_path := volume.get("hostPath"):
            self._check_host_path(host_path)
        if "emptyDir" in volume:
            self._make_empty(pod, volume_directory(pods.uid(pod), volume))
        projected = (volume.get("projected") or {}).get("sources")
        if projected is None and not any(kind in volume for kind in ("configMap", "secret", "downwardAPI")):
            return
        found: dict[str, bytes] = {}
        for source in [volume] if projected is None else projected:
            if token := source.get("serviceAccountToken"):
                await self._mount_token(pod, volume, token)
            if reference := source.get("configMap"):
                found |= await self._object_files(pod, "configmap", reference, reference.get("name"))
            if reference := source.get("secret"):
                name = reference.get("secretName") or reference.get("name")
                found |= await self._object_files(pod, "secret", reference, name)
            if reference := source.get("downwardAPI"):
                found |= volume_files.of_pod(pod, reference.get("items") or [])
        mode = next(volume[kind] for kind in READ_ONLY if kind in volume).get("defaultMode")
        self._lay_out(pod, volume_directory(pods.uid(pod), volume), found, MODE if mode is None else mode)

    async def _object_files(self, pod: Object, what: str, reference: Object, name: str | None) -> dict[str, bytes]:
        try:
            obj = await self._objects.get(what, pod["metadata"]["namespace"], name or "")
        except MissingObjectError:
            if reference.get("optional"):
                return {}
            raise
        return volume_files.of_object(what, obj, reference)

    def _make_empty(self, pod: Object, directory: str) -> None:
        """Make a directory to which everybody may write."""
        files, (_, group) = self._process.files, volume_owner(pod)
        if not files.exists(directory):
            try:
                files.make_directory(directory)
            except OSError as error:
                raise DiskError(f"mkdir {directory}: {str(error.strerror).lower()}") from error
            files.change_owner(directory, (0, group or 0))
            files.change_mode(directory, EMPTY_DIRECTORY_MODE if group is None else SET_GROUP | EMPTY_DIRECTORY_MODE)

    def _lay_out(self, pod: Object, directory: str, found: dict[str, bytes], mode: int) -> None:
        """Make a directory's files what was found, but for the tokens in it."""
        files = self._process.files
        wanted = {f"{directory}/{path}": data for path, data in found.items()}
        for path in [path for path in files.below(directory) if path not in wanted and path not in self._tokens]:
            files.remove(path)
        for path, data in wanted.items():
            if not files.exists(path) or files.read(path) != data:
                _, group = volume_owner(pod)
                write(files, path, data, mode if group is None else mode | GROUP_READS)
                files.change_owner(path, (0, group or 0))

    def _check_host_path(self, wanted: Object) -> None:
        """Hold a hostPath to its type. DiskError."""
        path, kind = str(wanted.get("path")), wanted.get("type") or ""
        files = self._process.files
        is_directory = bool(files.below(path))
        if kind == "File" and (is_directory or not files.exists(path)):
            raise DiskError(f"hostPath type check failed: {path} is not a file")
        if kind == "Directory" and not is_directory:
            raise DiskError(f"hostPath type check failed: {path} is not a directory")

    async def _mount_token(self, pod: Object, volume: Object, wanted: Object) -> None:
        path = f"{volume_directory(pods.uid(pod), volume)}/{wanted.get('path', 'token')}"
        now = asyncio.get_running_loop().time()
        known = self._tokens.get(path)
        if known is not None and now < known.refresh_at:
            return
        try:
            status = (await self._request(pod, wanted))["status"]
        except (Refusal, ConnectionError, TimeoutError) as error:
            if known is None or now >= known.expires_at:
                raise
            self._process.note("kubelet.token", f'"Couldn\'t update token" pod="{pods.full_name(pod)}" err="{error}"')
            return
        seconds = (parse(status["expirationTimestamp"]) - self._process.now()).total_seconds()
        files, (user, group) = self._process.files, volume_owner(pod)
        mode = MODE if user is None and group is None else PRIVATE_MODE
        write(files, path, status["token"].encode(), mode if group is None else mode | GROUP_READS)
        files.change_owner(path, (user or 0, group or 0))
        jitter = REFRESH_JITTER_SECONDS * self._process.rng.random()
        refresh = min(seconds * REFRESH_AT, REFRESH_SECONDS_MAX)
        self._tokens[path] = _Token(pods.uid(pod), now + refresh - jitter, now + seconds)

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
