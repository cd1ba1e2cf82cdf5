"""Everything that is written of rooms and members; what is written of incidents is in incidents.py."""

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from visualizer.models import Cluster
from visualizer.rooms import codes, names, selectors
from visualizer.rooms.models import Member, Report, Room

MEMBERS_MAX = 200
ROOMS_MAX = 20  # of one instructor, closed ones too
CODES_TRIED_MAX = 10


class TooManyRooms(Exception):  # noqa: N818
    """This instructor has as many rooms as one may have."""


class RoomFull(Exception):  # noqa: N818
    """A room has as many members as it may."""


# Rooms ----------------------------------------------------------------------------------------------------------------


def open_room(owner: int, *, title: str, mode: str, lesson: str) -> Room:
    """Open a room; its code is one that no other open room has. Raise `TooManyRooms`."""
    for _ in range(CODES_TRIED_MAX):
        try:
            with transaction.atomic():
                if Room.objects.filter(owner_id=owner).count() >= ROOMS_MAX:
                    raise TooManyRooms
                code = codes.new_code()
                return Room.objects.create(owner_id=owner, title=title, mode=mode, lesson=lesson, code=code)
        except IntegrityError:
            continue  # one in three thousand million, times the rooms that are open
    raise AssertionError("no code is free")


def close_room(room: str) -> None:
    """Close a room: nobody joins any more, nothing is led, nothing is held; results stay until it is deleted."""
    closed = {"state": Room.State.CLOSED, "closed_at": timezone.now(), "paused": False, "leading": False}
    Room.objects.filter(pk=room, state=Room.State.OPEN).update(**closed, position=None)
    Member.objects.filter(room=room).update(help_at=None)


def delete_room(room: str) -> None:
    """Delete a room with its members, incidents and reports; clusters are `ending.py`'s."""
    Room.objects.filter(pk=room).delete()


def set_leading(room: str, on: bool) -> None:
    """Begin or stop to lead; the position is said anew."""
    Room.objects.filter(pk=room, state=Room.State.OPEN).update(leading=on, position=None)


def set_position(room: str, position: dict[str, Any]) -> None:
    """Keep where the instructor is, for who comes later; nothing when nobody leads."""
    Room.objects.filter(pk=room, leading=True).update(position=position)


def set_paused(room: str, on: bool) -> None:
    """Note that a room's clusters are held."""
    Room.objects.filter(pk=room, state=Room.State.OPEN).update(paused=on)


# Members --------------------------------------------------------------------------------------------------------------


def join(room: Room, visitor: str, *, name: str, group: str) -> Member:
    """Let a browser in, or give it the name it now says. `name` is clean and not empty. Raise `RoomFull`."""
    with transaction.atomic():
        Room.objects.select_for_update().get(pk=room.pk)  # one at a time, so that names and numbers hold
        others = Member.objects.filter(room=room).exclude(visitor=visitor)
        member = Member.objects.filter(room=room, visitor=visitor).first()
        if member is None:
            if others.count() >= MEMBERS_MAX:
                raise RoomFull
            member = Member(room=room, visitor=visitor)
        member.name = names.unique(name, others.values_list("name", flat=True))
        member.group = group
        member.save()
        return member


def set_follows(member: int, on: bool) -> None:
    """Note whether a member goes along."""
    Member.objects.filter(pk=member).update(follows=on)


def set_help(room: str, member: int, on: bool) -> None:
    """Put a member's hand up or down; one that is up keeps its time."""
    members = Member.objects.filter(pk=member, room=room)
    if on:
        members.filter(help_at=None).update(help_at=timezone.now())
    else:
        members.update(help_at=None)


def mark_online(members: Iterable[int]) -> None:
    """Pages of these members are open now."""
    Member.objects.filter(pk__in=list(members)).update(seen_at=timezone.now())


def mark_offline(member: int) -> None:
    """The last page of a member here was closed; another process that has one says otherwise."""
    Member.objects.filter(pk=member).update(seen_at=None)


# Clusters -------------------------------------------------------------------------------------------------------------


def give_cluster(person: Room | Member, cluster: Cluster) -> Cluster:
    """Make a cluster somebody's in the room, unless they have one already; return the one they have."""
    with transaction.atomic():
        given = type(person).objects.select_for_update().select_related("cluster").get(pk=person.pk)
        if given.cluster is None:
            type(person).objects.filter(pk=person.pk).update(cluster=cluster)
            return cluster
        return given.cluster


def replace_cluster(old: str, new: str) -> None:
    """Put a cluster's successor in its place."""
    Member.objects.filter(cluster=old).update(cluster=new)
    Room.objects.filter(cluster=old).update(cluster=new)
    Report.objects.filter(cluster=old).update(cluster=new)


def take_over(cluster: str) -> None:
    """Put a cluster in the place of all that it has replaced."""
    found = Cluster.objects.filter(pk=cluster).first()
    for old in selectors.lineage(found)[1:] if found is not None else []:
        replace_cluster(old, cluster)
