"""A machine's log, as systemd's journal keeps it: what its services note, and what is said of them, the newest of it.

    log.write(unit="kubelet", by="kubelet", pid=101, text="successfully registered node worker-1", …)
    log.lines({"kubelet"})             the lines of a unit, oldest first
    await log.change()                 returns when there is one more

It lies on the machine's disk: it outlives processes and power. LINES_MAX of each unit are kept. Which form a line has
(klog, zap, logfmt) is a matter of who shows it. Modelled on systemd-journald. Left out: priorities, catalogues, fields
of systemd's own.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec

LINES_MAX = 1000
TEXT_LENGTH_MAX = 4096
INIT = "systemd"
"""Who says that a unit was started or stopped: process 1."""


class Line(msgspec.Struct, frozen=True):
    """One line: the `number`-th of the machine, in its `boot`-th boot, dated by the machine's clock.

    `by` and `pid` say which process wrote it, `kind` what it is about, as notes have it, `source` where in its code.
    """

    number: int
    boot: int
    at: datetime
    unit: str
    by: str
    pid: int
    kind: str
    text: str
    fields: Mapping[str, Any]
    source: str


class SystemLog:
    """The log of one machine."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[Line]] = {}
        self._count = 0
        self._waiting: list[asyncio.Future[None]] = []

    def write(
        self,
        *,
        unit: str,
        at: datetime,
        boot: int,
        by: str,
        pid: int,
        text: str,
        kind: str = "",
        fields: Mapping[str, Any] | None = None,
        source: str = "",
    ) -> None:
        """Add a line."""
        self._count += 1
        line = Line(self._count, boot, at, unit, by, pid, kind, text[:TEXT_LENGTH_MAX], fields or {}, source)
        self._lines.setdefault(unit, deque(maxlen=LINES_MAX)).append(line)
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    def lines(self, units: Collection[str] | None = None, after: int = 0) -> list[Line]:
        """Return the lines of some units, or of all, whose number is higher than `after`; oldest first."""
        wanted = self._lines if units is None else units
        found = [line for unit in wanted for line in self._lines.get(unit, ()) if line.number > after]
        return sorted(found, key=lambda line: line.number)

    async def change(self) -> None:
        """Wait until a line is added."""
        one = asyncio.get_running_loop().create_future()
        self._waiting.append(one)
        await one
