"""What is wrong with images on a host: written by faults, read by containerd. It lies on the host's disk.

trouble_of(host.disk).crash("docker.io/library/nginx:latest")
"""

from collections.abc import Callable
from typing import Any

import msgspec

TROUBLE = "/var/lib/containerd-trouble"
CRASH_EXIT_CODE = 1


class Trouble(msgspec.Struct):
    """What is wrong with images on a host, by full reference. Faults write it; what is `on_…` is containerd's."""

    missing: dict[str, None] = msgspec.field(default_factory=dict)
    crashing: dict[str, None] = msgspec.field(default_factory=dict)
    leaking: dict[str, None] = msgspec.field(default_factory=dict)
    hanging: dict[str, None] = msgspec.field(default_factory=dict)
    on_crash: Callable[[str], None] | None = None
    on_leak: Callable[[str], None] | None = None
    on_hang: Callable[[str, bool], None] | None = None

    def crash(self, reference: str) -> None:
        """Let every container of the image crash: those that run, now, and those that start, soon."""
        self.crashing[reference] = None
        if self.on_crash is not None:
            self.on_crash(reference)

    def leak(self, reference: str) -> None:
        """Let every container of the image take memory until the kernel kills it: now, and soon after each start."""
        self.leaking[reference] = None
        if self.on_leak is not None:
            self.on_leak(reference)

    def hang(self, reference: str, *, hangs: bool) -> None:
        """Let every container of the image hang, or go on."""
        if hangs:
            self.hanging[reference] = None
        else:
            self.hanging.pop(reference, None)
        if self.on_hang is not None:
            self.on_hang(reference, hangs)


def trouble_of(disk: dict[str, Any]) -> Trouble:
    """Return the trouble of the host whose disk this is."""
    trouble: Trouble = disk.setdefault(TROUBLE, Trouble())
    return trouble
