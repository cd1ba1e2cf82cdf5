"""A container's files: what its image brings, what it has written over that, and the volumes mounted into it.

Theory of operation. As with overlayfs the image's files are never changed: what a container writes lies on its host,
below a directory of the container's own, and lies over them; what it deletes of them is hidden. A volume is a directory
or a file of the host, seen at another path. So everything that a container writes counts for its node's disk, and is
gone with the container, but for what is in volumes.

    image        {"/usr/share/nginx/html/index.html": b"<html>…"}
    mounts       /cache → /var/lib/kubelet/pods/<uid>/volumes/kubernetes.io~empty-dir/cache
    write        /tmp/health       is /run/containerd/…/<id>/rootfs/tmp/health on the host
    write        /cache/a          is /var/lib/kubelet/pods/<uid>/volumes/kubernetes.io~empty-dir/cache/a

They are the files as one user sees them (`world/users.py`): what the image brings is root's, so that anybody else
writes to /tmp and to what volumes and the image give them; what one writes is one's own.

    user 1000    write /a          PermissionError        write /tmp/a       -rw-r--r-- 1000 0

Modelled on overlayfs and bind mounts. Left out: what is left out of a host's files too.
"""

import contextlib
import errno
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from cluster_engine.world.files import DIRECTORY_MODE, MODE, FileSystem
from cluster_engine.world.pids import OF_MACHINES, PidNamespace
from cluster_engine.world.users import READ, ROOT, WRITE, Owner, User

TOP_LEVEL = ("bin", "dev", "etc", "home", "lib", "proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var")
"""What every image has at its root."""
DIRECTORIES = frozenset(f"/{name}" for name in TOP_LEVEL)
TEMPORARY = {"/tmp": 0o1777, "/var/tmp": 0o1777, "/dev/shm": 0o1777}
"""The directories of every image to which anybody may write."""
SET_GROUP = 0o2000
"""What is made in such a directory is its group's."""
STATE = "/run/containerd/io.containerd.runtime.v2.task/k8s.io"


class Mount(msgspec.Struct, frozen=True):
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
    """What a container's processes see as their files. `upper` is the directory on the host with what they wrote.

    `owned` are the directories of the image that are not root's.
    """

    def __init__(
        self,
        host: FileSystem,
        image: Mapping[str, bytes],
        upper: str,
        mounts: Sequence[Mount] = (),
        *,
        is_readonly: bool = False,
        user: User = ROOT,
        owned: Mapping[str, Owner] = MappingProxyType({}),
        pids: PidNamespace = OF_MACHINES,
    ) -> None:
        super().__init__()
        self.user = user
        self.pids = pids
        self._owned = owned
        self._host = host
        self._image = image
        self._upper = Mount("", upper, is_readonly)
        self._mounts = sorted(mounts, key=lambda mount: -len(mount.path))
        self._hidden: set[str] = set()

    def read(self, path: str) -> bytes:
        """See FileSystem. Also OSError: EACCES."""
        with _named(path):
            data = self._image[path] if self._is_untouched(path) else self._host.read(self._on_host(path))
            self._check(path, READ)
            return data

    def write(self, path: str, data: bytes, mode: int | None = None) -> None:
        """See FileSystem. Also OSError: EROFS, EACCES."""
        with _named(path):
            target, is_new = self._writable(path), not self.exists(path)
            self._host.write(target, data, mode)
            if is_new:
                self._host.change_owner(target, self._new_owner(path))

    def check_writable(self, path: str) -> None:
        """See FileSystem."""
        self._writable(path)

    def append(self, path: str, data: bytes) -> None:
        """See FileSystem. Also OSError: EROFS, EACCES."""
        with _named(path):
            if self._host.exists(self._on_host(path)):
                self._host.append(self._writable(path), data)
                return
        self.write(path, (self.read(path) if self._is_untouched(path) else b"") + data)

    def remove(self, path: str) -> None:
        """See FileSystem. Also OSError: EROFS, EACCES, EBUSY for what is mounted."""
        with _named(path):
            is_image, target = self._is_image(path), self._on_host(path)
            if not self._is_untouched(path):
                self._host.read(target)
            if any(mount.path == path for mount in self._mounts):
                raise OSError(errno.EBUSY, "Device or resource busy", path)
            self._check_place(path)
            self._check(_parent(path), WRITE)
            if is_image:
                self._hidden.add(path)
            if self._host.exists(target):
                self._host.remove(target)

    def make_directory(self, path: str) -> None:
        """See FileSystem. Also OSError: EROFS, EACCES."""
        if self.exists(path):
            return
        with _named(path):
            target = self._writable(path)
            self._host.make_directory(target)
            self._host.change_owner(target, self._new_owner(path))
            self._host.change_mode(target, DIRECTORY_MODE | self.mode(_parent(path)) & SET_GROUP)

    def remove_directory(self, path: str) -> bool:
        """See FileSystem."""
        return not (self.exists(path) and self.listdir(path)) and self._host.remove_directory(self._on_host(path))

    def is_file(self, path: str) -> bool:
        """See FileSystem."""
        return self._is_untouched(path) or self._host.is_file(self._on_host(path))

    def length(self, path: str) -> int:
        """See FileSystem."""
        with _named(path):
            return len(self._image[path]) if self._is_untouched(path) else self._host.length(self._on_host(path))

    def mode(self, path: str) -> int:
        """See FileSystem."""
        if path in TEMPORARY and self._place(path) is self._upper:
            return TEMPORARY[path]
        return MODE if self._is_untouched(path) else self._host.mode(self._on_host(path))

    def owner(self, path: str) -> Owner:
        """See FileSystem."""
        if path in self._owned and self._place(path) is self._upper:
            return self._owned[path]
        return self._host.owner(self._on_host(path))

    def change_mode(self, path: str, mode: int) -> None:
        """See FileSystem. Also OSError: EROFS, EPERM."""
        with _named(path):
            self._host.change_mode(self._changeable(path, self.user.can("FOWNER")), mode)

    def change_owner(self, path: str, owner: Owner) -> None:
        """See FileSystem. Also OSError: EROFS, EPERM: one may give away a file only with CAP_CHOWN, not to a group."""
        with _named(path):
            is_within = owner[0] == self.user.uid and owner[1] in self.user.groups
            if not is_within and not self.user.can("CHOWN"):
                raise _not_permitted(path)
            self._host.change_owner(self._changeable(path, self.user.can("CHOWN")), owner)

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

    def _is_untouched(self, path: str) -> bool:
        """Return whether a file is as the image brings it."""
        return self._is_image(path) and path not in self._hidden and not self._host.exists(self._on_host(path))

    def _check(self, path: str, wanted: int) -> None:
        if not self.user.may(wanted, self.mode(path), self.owner(path)):
            raise PermissionError(errno.EACCES, "Permission denied", path)

    def _check_place(self, path: str) -> None:
        if self._place(path).is_readonly:
            raise OSError(errno.EROFS, "Read-only file system", path)

    def _writable(self, path: str) -> str:
        self._check_place(path)
        if self._place(path) is self._upper and any(name.startswith(f"{path.rstrip('/')}/") for name in self._image):
            raise IsADirectoryError(errno.EISDIR, "Is a directory", path)
        if not self.user.can("DAC_OVERRIDE"):
            there = path
            while not self.exists(there):
                there = _parent(there)
            self._check(there, WRITE)
        return self._on_host(path)

    def _new_owner(self, path: str) -> Owner:
        directory = _parent(path)
        is_groups = self.mode(directory) & SET_GROUP
        return (self.user.uid, self.owner(directory)[1] if is_groups else self.user.gid)

    def _changeable(self, path: str, may_anyway: bool) -> str:
        """Return where a file lies on the host that its user may change, a copy where it is the image's."""
        self._check_place(path)
        if not may_anyway and self.owner(path)[0] != self.user.uid:
            raise _not_permitted(path)
        target = self._on_host(path)
        if self._is_untouched(path):
            self._host.write(target, self._image[path])
        elif not self._host.exists(target):
            self._host.make_directory(target)
        return target


def _parent(path: str) -> str:
    return path.rstrip("/").rpartition("/")[0] or "/"


def _not_permitted(path: str) -> OSError:
    return PermissionError(errno.EPERM, "Operation not permitted", path)


@contextlib.contextmanager
def _named(path: str) -> Iterator[None]:
    """Within this, what the host refuses is told of the container's path."""
    try:
        yield
    except OSError as error:
        error.filename = path
        raise
