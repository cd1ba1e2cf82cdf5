"""A container's files: what its image brings, what it has written over that, and the volumes mounted into it.

Theory of operation. As with overlayfs the image's files are never changed: what a container writes lies on its host,
below a directory of the container's own, and lies over them; what it deletes of them is hidden. A volume is a directory
or a file of the host, seen at another path. So everything that a container writes counts for its node's disk, and is
gone with the container, but for what is in volumes.

    image        {"/usr/share/nginx/html/index.html": b"<html>…"}
    mounts       /cache → /var/lib/kubelet/pods/<uid>/volumes/kubernetes.io~empty-dir/cache
    write        /tmp/health       is /run/containerd/…/<id>/rootfs/tmp/health on the host
    write        /cache/a          is /var/lib/kubelet/pods/<uid>/volumes/kubernetes.io~empty-dir/cache/a

Modelled on overlayfs and bind mounts. Left out: what is left out of a host's files too.
"""

import contextlib
import errno
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cluster_engine.world.files import MODE, FileSystem

TOP_LEVEL = ("bin", "dev", "etc", "home", "lib", "proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var")
"""What every image has at its root."""
DIRECTORIES = frozenset(f"/{name}" for name in TOP_LEVEL)
STATE = "/run/containerd/io.containerd.runtime.v2.task/k8s.io"


@dataclass(frozen=True, slots=True)
class Mount:
    """A directory or file of the host, at a path of the container's."""

    path: str
    host_path: str
    is_readonly: bool = False

    def below(self, path: str) -> str | None:
        """Return where a path of the container's is on the host; None where it is not in this mount."""
        if path == self.path:
            return self.host_path
        return self.host_path.rstrip("/") + path[len(self.path) :] if path.startswith(f"{self.path}/") else None


class RootFiles(FileSystem):
    """What a container's processes see as their files. `upper` is the directory on the host with what they wrote."""

    def __init__(
        self,
        host: FileSystem,
        image: Mapping[str, bytes],
        upper: str,
        mounts: Sequence[Mount] = (),
        *,
        is_readonly: bool = False,
    ) -> None:
        super().__init__()
        self._host = host
        self._image = image
        self._upper = Mount("", upper, is_readonly)
        self._mounts = sorted(mounts, key=lambda mount: -len(mount.path))
        self._hidden: set[str] = set()

    def read(self, path: str) -> bytes:
        """See FileSystem."""
        with _named(path):
            if self._is_image(path) and path not in self._hidden and not self._host.exists(self._on_host(path)):
                return self._image[path]
            return self._host.read(self._on_host(path))

    def write(self, path: str, data: bytes, mode: int | None = None) -> None:
        """See FileSystem. Also OSError: EROFS."""
        with _named(path):
            self._host.write(self._writable(path), data, mode)

    def append(self, path: str, data: bytes) -> None:
        """See FileSystem. Also OSError: EROFS."""
        with _named(path):
            target = self._writable(path)
            if self._is_image(path) and not self._host.exists(target):
                data = self.read(path) + data if path not in self._hidden else data
            self._host.append(target, data)

    def remove(self, path: str) -> None:
        """See FileSystem. Also OSError: EROFS, EBUSY for what is mounted."""
        with _named(path):
            self.read(path)
            if any(mount.path == path for mount in self._mounts):
                raise OSError(errno.EBUSY, "Device or resource busy", path)
            target = self._writable(path)
            if self._is_image(path):
                self._hidden.add(path)
                with contextlib.suppress(FileNotFoundError):
                    self._host.remove(target)
            else:
                self._host.remove(target)

    def make_directory(self, path: str) -> None:
        """See FileSystem. Also OSError: EROFS."""
        with _named(path):
            self._host.make_directory(self._writable(path))

    def remove_directory(self, path: str) -> bool:
        """See FileSystem."""
        return not (self.exists(path) and self.listdir(path)) and self._host.remove_directory(self._on_host(path))

    def mode(self, path: str) -> int:
        """See FileSystem."""
        return MODE if self._is_image(path) else self._host.mode(self._on_host(path))

    def written(self, path: str) -> float:
        """See FileSystem."""
        return self._host.written(self._on_host(path))

    def exists(self, path: str) -> bool:
        """See FileSystem: a directory that something is mounted on, or below, exists too."""
        if path in DIRECTORIES:
            return True
        if self._place(path) is not self._upper:
            return any(mount.path == path for mount in self._mounts) or self._host.exists(self._on_host(path))
        return path in self._shown() or any(True for _ in self._names(path)) or self._host.exists(self._on_host(path))

    def listdir(self, path: str) -> list[str]:
        """See FileSystem: a directory that something is mounted on may be empty."""
        names = set(self._names(path))
        with contextlib.suppress(FileNotFoundError):
            names.update(self._host.listdir(self._on_host(path)))
        if not names and not self.exists(path):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return sorted(names)

    @property
    def size(self) -> int:
        """See FileSystem: of what was written, without volumes."""
        return sum(len(self._host.read(path)) for path in self._host.below(self._upper.host_path))

    def _names(self, path: str) -> Iterator[str]:
        """Name what the image has in a directory, and what is mounted there."""
        prefix = path.rstrip("/") + "/"
        if prefix == "/":
            yield from TOP_LEVEL
        if self._place(path) is self._upper:
            yield from (name[len(prefix) :].split("/")[0] for name in self._shown() if name.startswith(prefix))
        yield from (mount.path[len(prefix) :].split("/")[0] for mount in self._mounts if mount.path.startswith(prefix))

    def _shown(self) -> "Mapping[str, bytes] | set[str]":
        return self._image if not self._hidden else set(self._image) - self._hidden

    def _is_image(self, path: str) -> bool:
        """Return whether the image brings a file of that path, and nothing is mounted over it."""
        return path in self._image and self._place(path) is self._upper

    def _place(self, path: str) -> Mount:
        return next((mount for mount in self._mounts if mount.below(path) is not None), self._upper)

    def _on_host(self, path: str) -> str:
        found = self._place(path).below(path)
        assert found is not None, "the upper directory has every absolute path"
        return found

    def _writable(self, path: str) -> str:
        if self._place(path).is_readonly:
            raise OSError(errno.EROFS, "Read-only file system", path)
        if self._place(path) is self._upper and any(name.startswith(f"{path.rstrip('/')}/") for name in self._image):
            raise IsADirectoryError(errno.EISDIR, "Is a directory", path)
        return self._on_host(path)


@contextlib.contextmanager
def _named(path: str) -> Iterator[None]:
    """Within this, what the host refuses is told of the container's path."""
    try:
        yield
    except OSError as error:
        error.filename = path
        raise
