"""Having a cluster run somewhere: written as a `Create`, placed on a worker, with room made for it if need be.

Room is made by suspending the running cluster that nobody has watched for longest (`MAKE_ROOM_SECONDS` at least).
"""

import asyncio
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.crypto import salted_hmac

from visualizer import selectors
from visualizer.database import in_database
from visualizer.hosting.bus import Bus
from visualizer.hosting.clusters import Clusters, NoRoom
from visualizer.hosting.messages import Create, Stop
from visualizer.hosting.recorder import end
from visualizer.hosting.refused import Refused
from visualizer.lessons import cluster_options
from visualizer.models import Cluster
from visualizer.selectors import Owner

OWN_WORKERS_SECONDS = 5.0
LOOK_SECONDS = 0.05
MAKE_ROOM_SECONDS = 20.0  # a cluster unwatched for so long may be suspended when there is no room
LOOKS_MAX = 100

Spawn = Callable[["asyncio._CoroutineLike[None]", str], None]


def create_of(cluster: Cluster) -> Create:
    """Write how a cluster is started or, when it has lived, brought back. ValueError: its inputs cannot be read."""
    inputs, last = selectors.inputs(cluster.pk), selectors.last_entry(cluster.pk)
    clock: dict[str, Any] = cluster.clock or {}
    until = max(clock.get("now", 0.0), selectors.instant_of(last), *(one.at for one in inputs), 0.0)
    return Create(
        nodes=cluster.nodes,
        seed=cluster.seed,
        **cluster_options.of(cluster),
        pace=clock.get("pace") or 1.0,
        lesson=cluster.lesson or None,
        epoch=cluster.epoch.timestamp(),
        effort=cluster.effort,
        revision=cluster.revision,
        life=cluster.life,
        inputs=inputs,
        until=until,
        paused=clock.get("paused", False),
        recorded=cluster.recorded,
        last=last,
        gateway_names=settings.GATEWAY_NAMES,
        secret=secret_of(cluster),
        leaves=bool(cluster.origin) and not cluster.revision,
    )


def secret_of(cluster: Cluster) -> bytes:
    """Make the secret of a cluster, which its lives and its branches share, and which nobody else can make."""
    about = f"{cluster.seed}/{cluster.epoch.isoformat()}"
    return salted_hmac("visualizer.hosting.cluster", about, algorithm="sha256").digest()


class Placement:
    """Places clusters, for one web process with so many workers of its own."""

    def __init__(self, bus: Bus, clusters: Clusters, workers: int, spawn: Spawn) -> None:
        self._bus, self._clusters, self._workers, self._spawn = bus, clusters, workers, spawn

    def launch(self, cluster: Cluster) -> None:
        """Have a cluster started, in the background; its page hears how it goes."""
        self._spawn(self._launch(cluster), f"launch {cluster.pk}")

    async def _launch(self, cluster: Cluster) -> None:
        try:
            await self.place(cluster.pk, await in_database(create_of)(cluster))
        except NoRoom as problem:
            await end(self._bus, cluster.pk, problem.reason)

    async def place(self, cluster: str, create: Create) -> None:
        """Place a cluster on a worker, making room if need be. Raise `NoRoom`."""
        try:
            await self._clusters.place(cluster, create)
        except NoRoom as problem:
            if problem.reason != "no-room" or not await self._make_room():
                raise
            await self._clusters.place(cluster, create)

    async def make_room_of(self, owner: Owner) -> bool:
        """Suspend the cluster of theirs that nobody has watched for longest; whether there was one."""
        unwatched = await self._make_room(selectors.counted(owner))
        for _ in range(LOOKS_MAX):
            if unwatched is None or not await in_database(selectors.is_active)(unwatched):
                break
            await asyncio.sleep(LOOK_SECONDS)  # its journal is written first
        return unwatched is not None

    async def _make_room(self, among: Q | None = None) -> str | None:
        unwatched = await in_database(selectors.longest_unwatched)(for_seconds=MAKE_ROOM_SECONDS, among=among)
        if unwatched is None:
            return None
        try:
            await self._clusters.ask(unwatched, Stop("room"))
        except Refused:
            return None
        return unwatched

    async def wait_for_own_workers(self) -> None:
        """Wait until all our workers are up, but not long: what comes back at once is to be spread over all of them."""
        for _ in range(round(OWN_WORKERS_SECONDS / LOOK_SECONDS)):
            if len(await self._bus.leases("worker:")) >= self._workers:
                return
            await asyncio.sleep(LOOK_SECONDS)
