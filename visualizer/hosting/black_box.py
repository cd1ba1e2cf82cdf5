"""What a cluster was told last, kept where it can be read after its process has died.

A page of memory that two processes share. The cluster's thread writes into it before it does what it was told, in the
same instant and without a lock or a system call: what a message says may still lie in a buffer when the process is
killed, this does not. The worker reads it when the process is gone.

    box = BlackBox()            # in the worker; `box.fd` is handed to the process
    box.write(3, "kubectl apply -f big.yaml")
    box.read()                  # (3, "kubectl apply -f big.yaml"), whatever became of the process
"""

import contextlib
import mmap
import os
import struct
import tempfile
from typing import NamedTuple

SIZE = mmap.PAGESIZE
HEADER = struct.Struct("<IH")  # the input's number, the length of its text
TEXT_BYTES_MAX = 2000


class LastDone(NamedTuple):
    """The last thing that was done to a cluster: input number `n` (0: nothing was) and what it says."""

    n: int = 0
    text: str = ""


NOTHING = LastDone()


class BlackBox:
    """One page, made by the worker (`fd` None) or opened by a cluster's process."""

    def __init__(self, fd: int | None = None) -> None:
        self.fd = _page() if fd is None else fd
        self._page = mmap.mmap(self.fd, SIZE)

    def write(self, n: int, text: str) -> None:
        """Note that input `n` is about to be done."""
        said = text.encode("utf-8", "replace")[:TEXT_BYTES_MAX]
        self._page[: HEADER.size + len(said)] = HEADER.pack(n, len(said)) + said

    def read(self) -> LastDone:
        """Return what was noted last."""
        n, size = HEADER.unpack_from(self._page)
        said = self._page[HEADER.size : HEADER.size + min(size, TEXT_BYTES_MAX)]
        return LastDone(n, said.decode("utf-8", "replace"))

    def close(self) -> None:
        """Let go of the page."""
        self._page.close()
        with contextlib.suppress(OSError):
            os.close(self.fd)


def _page() -> int:
    with tempfile.TemporaryFile(prefix="glassplane-") as file:
        file.truncate(SIZE)
        return os.dup(file.fileno())


__all__ = ["NOTHING", "BlackBox", "LastDone"]
