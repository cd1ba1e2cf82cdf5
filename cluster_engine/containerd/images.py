"""CRI's ImageService: which images are on the node, and pulling those that are not.

A pull first asks the registry what a tag means now (an image that is there already costs only that question), then
fetches what is missing at PULL_BYTES_PER_SECOND. The registries are outside of this world: the pull is a note, not
traffic. Modelled on `internal/cri/server/image_pull.go`. Left out: layers shared between images, garbage collection.
"""

import asyncio

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from cluster_engine.containerd import registry
from cluster_engine.containerd.references import normalise
from cluster_engine.containerd.registry import Image
from cluster_engine.containerd.rootfs import STATE
from cluster_engine.containerd.store import Store
from cluster_engine.containerd.tasks import nanoseconds
from cluster_engine.containerd.trouble import trouble_of
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.process import Process

PAUSE_IMAGE = "registry.k8s.io/pause:3.10"
SNAPSHOTS = "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs"
"""Where images are unpacked, and containers write."""
IMAGES_MAX = 200
RESOLVE_SECONDS = 0.35
PULL_BYTES_PER_SECOND = 50_000_000


class ImageService:
    """The calls, named as in CRI; the images are in `store`."""

    def __init__(self, process: Process, store: Store) -> None:
        self._process = process
        self._store = store

    async def ListImages(self, request: cri.ListImagesRequest) -> cri.ListImagesResponse:  # noqa: N802
        """List the images that are here, or the one asked for."""
        wanted = request.filter.image.image
        images = [self._find(wanted)] if wanted else self._store.images.values()
        return cri.ListImagesResponse(images=[_message(image) for image in images if image is not None])

    async def ImageStatus(self, request: cri.ImageStatusRequest) -> cri.ImageStatusResponse:  # noqa: N802
        """Tell about one image; an empty answer when it is not here."""
        image = self._find(request.image.image)
        return cri.ImageStatusResponse(image=_message(image) if image is not None else None)

    async def PullImage(self, request: cri.PullImageRequest) -> cri.PullImageResponse:  # noqa: N802
        """Fetch an image. Refusals carry the registry's words."""
        rng = self._process.rng
        await asyncio.sleep(RESOLVE_SECONDS * (0.8 + 0.4 * rng.random()))
        try:
            reference = normalise(request.image.image)
            if reference in trouble_of(self._process.disk).missing:
                raise registry.NotFoundError(registry.not_found(reference))
            image = registry.resolve(reference)
        except registry.PullError as error:
            raise GRPCError(Status[error.code], str(error)) from error
        except ValueError as error:
            raise GRPCError(
                Status.UNKNOWN, f'failed to parse image reference "{request.image.image}": {error}'
            ) from error
        if image.reference not in self._store.images:
            text = f"pulls {image.reference}: {image.bytes / 1e6:.1f} MB"
            self._process.note("containerd.pull", text, image=image.reference, bytes=image.bytes)
            await asyncio.sleep(image.bytes / PULL_BYTES_PER_SECOND * (0.8 + 0.4 * rng.random()))
            self._make_room()
            self._store.images[image.reference] = image
        return cri.PullImageResponse(image_ref=image.id)

    def _make_room(self) -> None:
        """Forget the images that were pulled longest ago and run nowhere, as a kubelet's image collection would."""
        images = self._store.images
        used = {container.image.reference for container in self._store.containers.values()} | {PAUSE_IMAGE}
        unused = [reference for reference in images if reference not in used]
        for reference in unused[: max(0, len(images) - IMAGES_MAX + 1)]:
            del images[reference]

    async def RemoveImage(self, request: cri.RemoveImageRequest) -> cri.RemoveImageResponse:  # noqa: N802
        """Forget an image."""
        image = self._find(request.image.image)
        if image is not None:
            del self._store.images[image.reference]
        return cri.RemoveImageResponse()

    async def ImageFsInfo(self, request: cri.ImageFsInfoRequest) -> cri.ImageFsInfoResponse:  # noqa: N802
        """Tell how much of the disk the images take, and what containers have written."""
        size, files = self._process.files.usage(STATE)

        def usage(used: int, inodes: int) -> cri.FilesystemUsage:
            return cri.FilesystemUsage(
                timestamp=nanoseconds(self._process.now()),
                fs_id=cri.FilesystemIdentifier(mountpoint=SNAPSHOTS),
                used_bytes=cri.UInt64Value(value=used),
                inodes_used=cri.UInt64Value(value=inodes),
            )

        images = sum(image.bytes for image in self._store.images.values())
        return cri.ImageFsInfoResponse(
            image_filesystems=[usage(images, len(self._store.images))],
            container_filesystems=[usage(size, files)],
        )

    def _find(self, name: str) -> Image | None:
        """Find an image by reference or by id."""
        if name.startswith("sha256:"):
            return next((image for image in self._store.images.values() if image.id == name), None)
        try:
            return self._store.images.get(normalise(name))
        except ValueError:
            return None


def _message(image: Image) -> cri.Image:
    user = image.workload.user
    return cri.Image(
        id=image.id,
        repo_tags=[image.reference],
        repo_digests=[f"{image.repository}@{image.digest}"],
        size=image.bytes,
        pinned=image.reference == PAUSE_IMAGE,
        uid=cri.Int64Value(value=int(user)) if user.isdecimal() else None,
        username="" if user.isdecimal() else user,
    )
