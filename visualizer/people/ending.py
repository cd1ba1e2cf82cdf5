"""How an account ends: with its rooms, its places in others' rooms, its clusters and their journals.

Rooms and places first, as `rooms.ending` ends them, so that who watches hears of it; then the clusters are stopped and
deleted; then, in one transaction, whatever is left. A server that is killed in between leaves an account that can be
deleted again.
"""

from django.http import HttpRequest

from visualizer.database import in_database
from visualizer.hosting.web_process import WebProcess
from visualizer.people import services
from visualizer.people.selectors import clusters_of
from visualizer.rooms import ending
from visualizer.rooms.models import Member, Room
from visualizer.selectors import Owner


async def delete_account(host: WebProcess, request: HttpRequest) -> None:
    """Delete the account that is signed in, with everything that is theirs, and this session."""
    owner = await in_database(Owner.of)(request.session, request.user)
    for room in await in_database(_rooms_of)(owner):
        await ending.delete(host, room)
    for member in await in_database(_places_of)(owner):
        await ending.forget(host, member.room, [member.pk])
    await ending.end_clusters(host, await in_database(clusters_of)(owner))
    await in_database(services.delete_account)(request)


def _rooms_of(owner: Owner) -> list[Room]:
    return list(Room.objects.filter(owner=owner.user_id))


def _places_of(owner: Owner) -> list[Member]:
    return list(Member.objects.filter(visitor=owner.visitor).select_related("room")) if owner.visitor else []
