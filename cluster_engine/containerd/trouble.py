"""What is wrong with images on a host: written by faults, read by containerd. It lies on the host's disk.

trouble_of(host.disk).crash("docker.io/library/nginx:latest")
"""

from collections.abc import Callable
from typing import Any

import msgspec

TROUBLE = "/var/lib/containerd-trouble"
CRASH_EXIT_CODE = 1


class Trouble(msgspec.Struct):
    """What is wrong with images on a host, by full reference. Faults write it, `on_crash` is containerd's."""

    missing: dict[str, None] = msgspec.field(default_factory=dict)
    crashing: dict[str, None] = msgspec.field(default_factory=dict)
    on_crash: Callable[[str], None] | None = None

    def crash(self, reference: str) -> None:
        """Let every container of the image crash: those that run, now, and those that start, soon."""
        self.crashing[reference] = None
        if self.on_crash is not None:
            self.on_crash(reference)


def trouble_of(disk: dict[str, Any]) -> Trouble:
    """Return the trouble of the host whose disk this is."""
    trouble: Trouble = disk.setdefault(TROUBLE, Trouble())
    return trouble
