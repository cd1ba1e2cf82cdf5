"""Whether this server can do its work: a write is tried, not assumed.

    GET /readyz (and /healthz)   200 {"ready": true, "problems": {}}
                                 503 {"ready": false, "problems": {"disk": "No space left on device"}}

`database`  it is where it was, has our tables, and gives a transaction that may write (SQLite: BEGIN IMMEDIATE)
`disk`      a file of `PROBE_BYTES` is written into DATA_DIR, and removed: SQLite would need as much for a commit
`workers`   a worker is there to take clusters, and the bus can be asked

Anybody may ask, as often as they like: an answer is good for `SECONDS`, and what is asked meanwhile waits for the same.
"""

import asyncio
import math
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, transaction

from visualizer.models import Cluster

PROBE_BYTES = 256 * 1024
SECONDS = 1.0
PATIENCE_SECONDS = 5.0

Problems = dict[str, str]
Check = Callable[[], None]


class Health:
    """The health of one server, asked for by many."""

    def __init__(self, workers: Callable[[], Awaitable[bool]]) -> None:
        self._workers = workers
        self._lock = asyncio.Lock()
        self._asked_at = -math.inf
        self._problems: Problems = {}

    async def problems(self) -> Problems:
        """Look, unless somebody has just looked; nothing is well, else each part that is not with why."""
        async with self._lock:
            if time.monotonic() - self._asked_at >= SECONDS:
                self._problems = await self._look()
                self._asked_at = time.monotonic()
            return self._problems

    def forget(self) -> None:
        """Look anew when it is asked for next."""
        self._asked_at = -math.inf

    async def _look(self) -> Problems:
        found = {}
        for name, check in (("database", check_database), ("disk", check_disk)):
            if (problem := await _problem_of(check)) is not None:
                found[name] = problem
        if not await self._workers():
            found["workers"] = "no worker is there to run clusters"
        return found


async def _problem_of(check: Check) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.to_thread(check)
    except TimeoutError:
        return f"no answer within {PATIENCE_SECONDS:g} s"
    except OSError as problem:
        return problem.strerror or str(problem)
    except DatabaseError as problem:
        return str(problem)
    return None


def check_database() -> None:
    """Begin a transaction that may write, over a connection of its own. Raise OSError or DatabaseError."""
    if connection.vendor == "sqlite":
        _check_file(str(connection.settings_dict["NAME"]))
    try:
        with transaction.atomic():
            Cluster.objects.filter(pk="").update(reason="")
    finally:
        connection.close()


def _check_file(name: str) -> None:
    """Look for SQLite's file, which it would make anew, empty, where it is gone."""
    if not name.startswith("file:") and name != ":memory:":
        Path(name).stat()


def check_disk() -> None:
    """Write something into DATA_DIR and remove it. Raise OSError."""
    with tempfile.TemporaryFile(dir=Path(settings.DATA_DIR), buffering=0) as probe:
        left = PROBE_BYTES
        while left:
            left -= probe.write(bytes(left)) or 0
        os.fsync(probe.fileno())
