"""How rooms and members end, and their clusters with them.

Forgetting is whole: in one transaction the member goes, reports and all, and their clusters become nobody's; then who
watches is told, the clusters are stopped and deleted, journals and all. What is nobody's and could not be stopped, or
was left by a server that was killed in between, is swept away like any other cluster that nobody watches.
"""

import asyncio
from collections.abc import Iterable

from django.db import transaction

from cluster_engine.deeds import Resume
from visualizer.database import in_database
from visualizer.hosting.clusters import NotRunning
from visualizer.hosting.messages import Stop
from visualizer.hosting.refused import Refused
from visualizer.hosting.web_process import WebProcess
from visualizer.models import Cluster
from visualizer.rooms import clusters, hub, selectors, services
from visualizer.rooms.changes import Changed, Deleted, Gone
from visualizer.rooms.models import Member, Room

STOPS_AT_ONCE_MAX = 20


async def close(host: WebProcess, room: Room) -> None:
    """Close a room; what was held goes on."""
    held = await in_database(selectors.clusters_of)(room) if room.paused else []
    await in_database(services.close_room)(room.pk)
    await hub.tell(host.bus, room.pk, Changed(room=True))
    await clusters.reconsider(host, held)
    await asyncio.gather(*(_ask(host, cluster, Resume()) for cluster in held))


async def delete(host: WebProcess, room: Room) -> None:
    """Delete a room, its members and their clusters. The instructor's cluster stays the instructor's."""
    members = await in_database(_members_of)(room)
    await forget(host, room, members)
    await in_database(services.delete_room)(room.pk)
    await hub.tell(host.bus, room.pk, Deleted())


async def forget(host: WebProcess, room: Room, members: list[int]) -> bool:
    """Forget members, reports and clusters included; False when there were none."""
    theirs = await in_database(_forget)(room.pk, members)
    if theirs is None:
        return False
    for member in members:
        await hub.tell(host.bus, room.pk, Gone(member))
    await clusters.reconsider(host, [*theirs, room.cluster_id] if room.cluster_id else theirs)
    await end_clusters(host, theirs)
    return True


def _members_of(room: Room) -> list[int]:
    return list(room.members.values_list("pk", flat=True))


def _forget(room: str, members: list[int]) -> list[str] | None:
    with transaction.atomic():
        found = list(Member.objects.filter(room=room, pk__in=members).select_related("cluster"))
        theirs = [one for member in found if member.cluster for one in selectors.lineage(member.cluster)]
        Cluster.objects.filter(pk__in=theirs).update(visitor="", user=None)
        Member.objects.filter(pk__in=[member.pk for member in found]).delete()
    return theirs if found else None


async def end_clusters(host: WebProcess, ended: Iterable[str]) -> None:
    """Stop clusters and delete them."""
    patience = asyncio.Semaphore(STOPS_AT_ONCE_MAX)

    async def end(cluster: str) -> None:
        async with patience:
            stopped = await _ask(host, cluster, Stop("stopped"))
        if stopped:
            await in_database(_delete)(cluster)

    await asyncio.gather(*(end(cluster) for cluster in ended))


async def _ask(host: WebProcess, cluster: str, question: Stop | Resume) -> bool:
    try:
        await host.clusters.ask(cluster, question)
    except NotRunning:
        return True
    except Refused:
        return False
    return True


def _delete(cluster: str) -> None:
    Cluster.objects.filter(pk=cluster).delete()


async def delete_old_rooms(host: WebProcess) -> None:
    """Delete rooms that were closed long ago."""
    for room in await in_database(selectors.old_rooms)():
        await delete(host, room)
