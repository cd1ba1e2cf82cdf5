"""The clusters of a room: made when they are first looked at, followed to what replaced them, brought back, held.

A learner's belongs to the learner, the room's own to the instructor; what others may do in them says visualizer.access.
The limit on clusters of one visitor is for clusters they make themselves; a room has a limit on members instead.
"""

import contextlib
from collections.abc import Iterable

from visualizer import services as clusters
from visualizer.database import in_database
from visualizer.hosting.bus import BusLost
from visualizer.hosting.messages import Rights, cluster_name, say
from visualizer.hosting.web_process import WebProcess
from visualizer.models import Cluster
from visualizer.rooms import hub, lessons, selectors, services
from visualizer.rooms.changes import Changed
from visualizer.rooms.models import Member, Room
from visualizer.selectors import Owner


async def join(host: WebProcess, room: Room, owner: Owner, *, name: str, group: str) -> Member:
    """Let somebody in. Raise `RoomFull`."""
    member = await in_database(services.join)(room, owner.visitor, name=name, group=group)
    await hub.tell(host.bus, room.pk, Changed(members=[member.pk]))
    return member


async def of_member(host: WebProcess, room: Room, member: Member, owner: Owner) -> Cluster:
    """A learner's cluster: theirs, what replaced it, or a new one; running, or on its way."""
    cluster = await _of(host, room, member, owner)
    await hub.tell(host.bus, room.pk, Changed(members=[member.pk]))
    return cluster


async def of_instructor(host: WebProcess, room: Room, owner: Owner | None) -> Cluster:
    """The instructor's cluster of a room; `owner` is the instructor, None when somebody else looks first."""
    cluster = await _of(host, room, room, owner or Owner("", room.owner_id))
    if cluster.pk != room.cluster_id:
        await hub.tell(host.bus, room.pk, Changed(room=True))
    return cluster


async def reconsider(host: WebProcess, clusters: Iterable[str]) -> None:
    """Have the pages of clusters ask again what they may do; one that may not even look any more is closed."""
    for cluster in await in_database(selectors.with_pages)(clusters):
        with contextlib.suppress(BusLost):  # they ask again by themselves (consumers.ACCESS_SECONDS)
            await host.bus.append(cluster_name(cluster), say(Rights(), 0))


async def _of(host: WebProcess, room: Room, whose: Room | Member, owner: Owner) -> Cluster:
    cluster, is_new = await in_database(_find_or_make)(room, whose, owner)
    if is_new:
        host.placement.launch(cluster)
    return cluster


def _find_or_make(room: Room, whose: Room | Member, owner: Owner) -> tuple[Cluster, bool]:
    current = _current(whose)
    if current is not None:
        return current, False
    made = clusters.create_cluster(owner, **lessons.cluster_of(room.lesson), for_a_room=True)
    given = services.give_cluster(whose, made)
    if given.pk != made.pk:  # another page of theirs was quicker
        made.delete()
    return given, given.pk == made.pk


def _current(whose: Room | Member) -> Cluster | None:
    """The cluster somebody has in a room, or its last successor; None when there is none any more."""
    old = whose.cluster
    if old is None:
        return None
    current = selectors.newest(old)
    if current.pk != old.pk:
        services.replace_cluster(old.pk, current.pk)
    return current
