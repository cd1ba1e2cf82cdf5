"""A host's files: absolute paths and bytes, with the bounds of a small disk and Linux's words for what it refuses.

    files.write("/etc/hosts", b"127.0.0.1 localhost")
    files.listdir("/etc")                              -> ["hosts"]
    files.read("/etc/passwd")                          FileNotFoundError: [Errno 2] No such file or directory

A file remembers when it was last written, with which mode, and whose it is. On a host everybody is root, whom no mode
keeps out; in a container they keep out whoever is not (`containerd/rootfs.py`). A directory is there by having
something in it, or because it was made. A program that keeps a file in memory binds it: its bytes are made when
somebody reads it, and whoever moves it moves it as it is. Left out: links.
"""

import contextlib
import errno
from collections.abc import Callable, Iterator
from typing import Protocol

from cluster_engine.world.pids import OF_MACHINES
from cluster_engine.world.users import ROOT, ROOT_OWNER, Owner

FILE_BYTES_MAX = 8 * 1024 * 1024
DISK_BYTES_MAX = 64 * 1024 * 1024
FILES_MAX = 2_000
PATH_LENGTH_MAX, NAME_LENGTH_MAX = 4096, 255
"""Linux's PATH_MAX and NAME_MAX."""
MODE, PRIVATE_MODE, DIRECTORY_MODE = 0o644, 0o600, 0o755
"""Of a file that everybody may read, of one that is its owner's alone: a key; of a directory."""


class Content(Protocol):
    """What a file holds that a program keeps in memory."""

    def __bytes__(self) -> bytes:
        """Return the file's bytes as they are now."""
        ...


class FileSystem:
    """A host's files by absolute path. Directories exist by having something in them.

    A disk has at most FILES_MAX files and DISK_BYTES_MAX bytes, paths included. What it refuses it refuses as Linux
    does: OSError with the errno, its words and the path. `seconds` tells the time, from whatever beginning. `user` is
    whoever sees these files.
    """

    user = ROOT
    pids = OF_MACHINES
    """What is known of processes to those who see these files."""

    def __init__(self, seconds: Callable[[], float] = lambda: 0.0) -> None:
        self._files: dict[str, bytes | bytearray] = {}
        self._modes: dict[str, int] = {}
        self._owners: dict[str, Owner] = {}
        self._written: dict[str, float] = {}
        self._bound: dict[str, Content] = {}
        self._made: dict[str, None] = {}
        """Directories that stay when there is nothing in them."""
        self._seconds = seconds
        self._size = 0
        self._watchers: dict[Callable[[], None], str] = {}

    def read(self, path: str) -> bytes:
        """Return a file's bytes; FileNotFoundError names the path."""
        data = self._files.get(path)
        if data is None:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        if path in self._bound:
            return bytes(self._bound[path])
        if isinstance(data, bytearray):
            data = self._files[path] = bytes(data)
        return data

    def bind(self, path: str, content: Content) -> None:
        """Make a file of what a program keeps; it takes no room of the disk. OSError as for `write`."""
        self.write(path, b"", PRIVATE_MODE)
        self._bound[path] = content

    def bound(self, path: str) -> Content | None:
        """Return what a file is bound to; None where it has bytes of its own, or is not there."""
        return self._bound.get(path)

    def copy(self, path: str, to: str) -> None:
        """Make another file with a file's bytes and mode. OSError as for `read` and `write`."""
        self.write(to, self.read(path), self.mode(path))

    def move(self, path: str, to: str) -> None:
        """Give a file another path. OSError as for `read` and `write`."""
        content = self._bound.get(path)
        self.write(to, b"" if content is not None else self.read(path), self.mode(path))
        if content is not None:
            self._bound[to] = content
        self.remove(path)

    def write(self, path: str, data: bytes, mode: int | None = None) -> None:
        """Replace or make a file of at most FILE_BYTES_MAX. OSError: EFBIG, ENOSPC, EISDIR, ENOTDIR, ENAMETOOLONG.

        Without a `mode` it keeps the one it has; a new one gets MODE.
        """
        if not path.startswith("/"):
            raise ValueError(f"{path!r} is not an absolute path")
        old = self._files.get(path)
        if old is None:
            self._check_new(path)
        self._make_room(path, len(data), len(data) + (len(path) if old is None else -len(old)))
        self._files[path] = data
        self._bound.pop(path, None)
        self._written[path] = self._seconds()
        self._tell(path)
        if mode is not None:
            self.change_mode(path, mode)

    def check_writable(self, path: str) -> None:
        """Raise the OSError with which a file's making or writing would be refused to this user."""

    def append(self, path: str, data: bytes) -> None:
        """Add to a file, or make it; see `write`. A file that grows in small pieces is not copied for each."""
        old = self._files.get(path)
        if old is None or path in self._bound:
            self.write(path, data if old is None else self.read(path) + data)
            return
        self._make_room(path, len(old) + len(data), len(data))
        if not isinstance(old, bytearray):
            old = self._files[path] = bytearray(old)
        old += data
        self._written[path] = self._seconds()
        self._tell(path)

    def _make_room(self, path: str, size: int, growth: int) -> None:
        if size > FILE_BYTES_MAX:
            raise OSError(errno.EFBIG, "File too large", path)
        if growth > 0 and self._size + growth > DISK_BYTES_MAX:
            raise OSError(errno.ENOSPC, "No space left on device", path)
        self._size += growth

    def _check_new(self, path: str) -> None:
        parts = path.split("/")[1:]
        if len(path) >= PATH_LENGTH_MAX or max(map(len, parts)) > NAME_LENGTH_MAX:
            raise OSError(errno.ENAMETOOLONG, "File name too long", path)
        if not parts[-1] or path in self._made or any(True for _ in self._inside(path)):
            raise IsADirectoryError(errno.EISDIR, "Is a directory", path)
        if any("/" + "/".join(parts[:depth]) in self._files for depth in range(1, len(parts))):
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory", path)
        if len(self._files) + len(self._made) >= FILES_MAX:
            raise OSError(errno.ENOSPC, "No space left on device", path)

    def remove(self, path: str) -> None:
        """Delete a file; FileNotFoundError names the path."""
        data = self._files.pop(path, None)
        if data is None:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        self._size -= len(path) + len(data)
        del self._written[path]
        self._bound.pop(path, None)
        self._forget(path)
        self._tell(path)

    def _forget(self, path: str) -> None:
        self._modes.pop(path, None)
        self._owners.pop(path, None)

    @contextlib.contextmanager
    def watched(self, directory: str, on_change: Callable[[], None]) -> Iterator[None]:
        """Within this, call `on_change` whenever a file of the directory was written or deleted, as inotify tells."""
        self._watchers[on_change] = f"{directory}/"
        try:
            yield
        finally:
            del self._watchers[on_change]

    def _tell(self, path: str) -> None:
        for on_change, prefix in self._watchers.items():
            if path.startswith(prefix):
                on_change()

    def remove_below(self, directory: str) -> None:
        """Delete all files of a directory, which may not be there."""
        for path in self.below(directory):
            self.remove(path)
        for path in [made for made in self._inside(directory) if made in self._made]:
            del self._made[path]
            self._forget(path)

    @property
    def size(self) -> int:
        """How many bytes the files have, paths included."""
        return self._size

    def below(self, directory: str) -> list[str]:
        """Return the paths of all files of a directory, which may not be there."""
        return list(self._below(directory))

    def is_file(self, path: str) -> bool:
        """Return whether there is a file of that path."""
        return path in self._files

    def length(self, path: str) -> int:
        """Return how many bytes a file has; FileNotFoundError names the path."""
        data = self._files.get(path)
        return len(self.read(path) if data is None or path in self._bound else data)

    def mode(self, path: str) -> int:
        """Return the permission bits of a file or directory."""
        return self._modes.get(path, MODE if path in self._files else DIRECTORY_MODE)

    def change_mode(self, path: str, mode: int) -> None:
        """Change the permission bits of a file or directory, which is not looked for."""
        if mode == (MODE if path in self._files else DIRECTORY_MODE):
            self._modes.pop(path, None)
        else:
            self._modes[path] = mode

    def owner(self, path: str) -> Owner:
        """Return whose a file or directory is."""
        return self._owners.get(path, ROOT_OWNER)

    def change_owner(self, path: str, owner: Owner) -> None:
        """Give a file or directory, which is not looked for, to somebody."""
        if owner == ROOT_OWNER:
            self._owners.pop(path, None)
        else:
            self._owners[path] = owner

    def written(self, path: str) -> float:
        """Return when a file, or the newest below a directory, was last written, by `seconds`; 0: there is none."""
        own = self._written.get(path)
        return max((self._written[below] for below in self._below(path)), default=0.0) if own is None else own

    def exists(self, path: str) -> bool:
        """Return whether there is a file or a directory of that path."""
        return path in self._files or path in self._made or any(True for _ in self._inside(path))

    def make_directory(self, path: str) -> None:
        """Make a directory, and those that lead there, or leave it as it is. OSError as for a file."""
        if path not in self._made and not any(True for _ in self._inside(path)) and path != "/":
            if path in self._files:
                raise FileExistsError(errno.EEXIST, "File exists", path)
            self._check_new(path)
            self._made[path] = None

    def remove_directory(self, path: str) -> bool:
        """Take a directory away; False where there is something in it."""
        if any(True for _ in self._inside(path)):
            return False
        self._made.pop(path, None)
        self._forget(path)
        return True

    def listdir(self, path: str) -> list[str]:
        """Name what a directory holds, sorted; FileNotFoundError when there is no such directory."""
        names = {name[len(path.rstrip("/")) + 1 :].split("/")[0] for name in self._inside(path)}
        if not names and path not in self._made:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return sorted(names)

    def usage(self, path: str) -> tuple[int, int]:
        """Return how many bytes, and files, there are below a directory."""
        sizes = [len(self._files[below]) for below in self._below(path)]
        return sum(sizes), len(sizes)

    def _below(self, path: str) -> Iterator[str]:
        prefix = path.rstrip("/") + "/"
        return (name for name in self._files if name.startswith(prefix))

    def _inside(self, path: str) -> Iterator[str]:
        """Yield the files and the made directories below a directory."""
        yield from self._below(path)
        prefix = path.rstrip("/") + "/"
        yield from (name for name in self._made if name.startswith(prefix))
