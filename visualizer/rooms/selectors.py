"""Everything that is read of rooms."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import override

from visualizer import refusals
from visualizer.models import Cluster
from visualizer.rooms import lessons
from visualizer.rooms.models import Incident, Member, Report, Room
from visualizer.selectors import ACTIVE, Owner

ONLINE_SECONDS = 20.0
ROOMS_LISTED_MAX = 200
LINEAGE_MAX = 1000


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a room: its instructor, or a member."""

    room: Room
    member: Member | None

    @property
    def is_instructor(self) -> bool:
        """Whether the room is theirs."""
        return self.member is None


def person(owner: Owner, room: str) -> Person | None:
    """Who somebody is in a room; None when there is no such room or they are nobody there."""
    found = Room.objects.select_related("cluster").filter(pk=room).first()
    if found is None:
        return None
    if owner.user_id is not None and found.owner_id == owner.user_id:
        return Person(found, None)
    member = member_of(found, owner)
    return Person(found, member) if member is not None else None


def member_of(room: Room, owner: Owner) -> Member | None:
    """The member that this browser is."""
    if not owner.visitor:
        return None
    return Member.objects.select_related("cluster").filter(room=room, visitor=owner.visitor).first()


def open_room(code: str) -> Room | None:
    """The room that a code opens."""
    return Room.objects.filter(code=code, state=Room.State.OPEN).first()


def rooms_of(user_id: int) -> list[Room]:
    """An instructor's rooms, newest first, each with its `headcount`."""
    rooms = Room.objects.filter(owner_id=user_id).annotate(headcount=Count("members"))
    return list(rooms.order_by("-created_at")[:ROOMS_LISTED_MAX])


def groups(room: Room) -> list[str]:
    """The groups in use."""
    found = Member.objects.filter(room=room).exclude(group="")
    return sorted(set(found.values_list("group", flat=True)))


def old_rooms() -> list[Room]:
    """Rooms that were closed so long ago that they are to be deleted."""
    before = timezone.now() - timedelta(days=settings.RECORDINGS_KEPT_DAYS)
    return list(Room.objects.filter(state=Room.State.CLOSED, closed_at__lt=before))


# Clusters -------------------------------------------------------------------------------------------------------------


def targeted(room: Room, targets: dict[str, Any]) -> list[Member]:
    """The members that targets mean, with their clusters."""
    members = Member.objects.filter(room=room).select_related("cluster").order_by("pk")
    if "group" in targets:
        members = members.filter(group=targets["group"])
    elif "member" in targets:
        members = members.filter(pk=targets["member"])
    return list(members)


def clusters_of(room: Room) -> list[str]:
    """The clusters that a pause holds: the learners' own, or the one they all watch."""
    if room.mode == Room.Mode.SHARED:
        return [room.cluster_id] if room.cluster_id else []
    held = Member.objects.filter(room=room).exclude(cluster=None)
    return list(held.values_list("cluster_id", flat=True))


def with_pages(clusters: Iterable[str]) -> list[str]:
    """Those of the clusters whose streams somebody may be following."""
    return list(Cluster.objects.filter(pk__in=list(clusters), state__in=ACTIVE).values_list("pk", flat=True))


def with_incidents(incidents: Iterable[int], members: Iterable[int]) -> list[int]:
    """Those of the members for whom one of the incidents is not over."""
    found = Report.objects.filter(incident__in=list(incidents), member__in=list(members), healed_at=None)
    return sorted(set(found.values_list("member_id", flat=True)))


def incident_clusters(incidents: Iterable[int], members: Iterable[int]) -> list[tuple[int, str]]:
    """Where these members' incidents were put: (incident, cluster), once each; a cluster's successor in its stead."""
    found = Report.objects.filter(incident__in=list(incidents), member__in=list(members), healed_at=None)
    found = found.select_related("member", "incident__room")
    pairs: dict[tuple[int, str], None] = {}
    for report in found:
        room = report.incident.room
        now = room.cluster_id if room.mode == Room.Mode.SHARED else report.member.cluster_id
        if now:
            pairs[(report.incident_id, now)] = None
    return list(pairs)


def reports_in(cluster: str) -> list[Report]:
    """What was put into a cluster, one report for each incident, the oldest first."""
    found = Report.objects.filter(Q(cluster=cluster) | Q(member__cluster=cluster), problem="")
    return list({one.incident_id: one for one in found.select_related("incident").order_by("-incident_id")}.values())[
        ::-1
    ]


# The board ------------------------------------------------------------------------------------------------------------


def board_rows(room: str, members: Iterable[int] | None = None) -> list[dict[str, Any]]:
    """The rows of a room's board, as they are sent (protocol.py); only of these members when given."""
    found = Member.objects.filter(room_id=room).select_related("cluster").order_by("pk")
    reports = Report.objects.filter(incident__room_id=room)
    if members is not None:
        wanted = list(members)
        found, reports = found.filter(pk__in=wanted), reports.filter(member__in=wanted)
    of: dict[int, list[Report]] = {}
    for report in reports.order_by("incident_id"):
        of.setdefault(report.member_id, []).append(report)
    now = timezone.now()
    return [_row(member, of.get(member.pk, []), now) for member in found]


def _row(member: Member, reports: list[Report], now: datetime) -> dict[str, Any]:
    return {
        "member": member.pk,
        "name": member.name,
        "group": member.group,
        "online": is_online(member, now),
        "cluster": {"id": member.cluster_id, "state": member.cluster.state if member.cluster else None},
        "where": _where(member.cluster),
        "help": iso(member.help_at),
        "falseAlarms": member.false_alarms,
        "reports": {str(report.incident_id): _report(report) for report in reports},
    }


def _where(cluster: Cluster | None) -> dict[str, Any] | None:
    """How far a cluster is in its lesson, from what its player said last."""
    if cluster is None or not cluster.lesson:
        return None
    said = cluster.progress or {}
    milestones = lessons.milestones(cluster.lesson)
    held: dict[str, dict[str, Any]] = {**said.get("anchors", {}), **said.get("checks", {})}
    anchors = {name: held[name] for name in milestones if name in held}
    last = max(anchors, key=lambda name: anchors[name]["seq"], default=None)
    return {
        "lesson": cluster.lesson,
        "beat": said.get("beat"),
        "checks": len(anchors),
        "of": len(milestones),
        "last": {"id": last, "at": anchors[last]["at"]} if last is not None else None,
    }


def worded(row: dict[str, Any], language: str) -> dict[str, Any]:
    """A row as it is read in a language: why something was not applied is kept in the engine's words."""
    with override(language):
        reports = {
            incident: {**one, "problem": refusals.said(one["problem"])} if one["problem"] else one
            for incident, one in row["reports"].items()
        }
    return {**row, "reports": reports}


def _report(report: Report) -> dict[str, Any]:
    return {
        "applied": iso(report.applied_at),
        "problem": report.problem or None,
        "noticed": seconds(report.applied_at, report.noticed_at),
        "diagnosed": seconds(report.applied_at, report.diagnosed_at),
        "tries": report.tries,
        "healed": iso(report.healed_at),
    }


def is_online(member: Member, now: datetime) -> bool:
    """Whether a page of theirs was open just now."""
    return member.seen_at is not None and now - member.seen_at <= timedelta(seconds=ONLINE_SECONDS)


def iso(at: datetime | None) -> str | None:
    """An instant as JSON."""
    return at.isoformat(timespec="milliseconds") if at is not None else None


def seconds(since: datetime | None, until: datetime | None) -> float | None:
    """How long something took; None as long as it has not happened."""
    return round(max(0.0, (until - since).total_seconds()), 1) if since and until else None


def incidents(room: str, only: Iterable[int] | None = None) -> list[dict[str, Any]]:
    """A room's incidents as they are sent to its instructor."""
    found = Incident.objects.filter(room_id=room).order_by("pk")
    if only is not None:
        found = found.filter(pk__in=list(only))
    return [
        {
            "id": one.pk,
            "fault": one.record,
            "when": one.when,
            "targets": one.targets,
            "made": iso(one.made_at),
            "healed": iso(one.healed_at),
        }
        for one in found
    ]


def room_fields(room: Room, *, with_code: bool) -> dict[str, Any]:
    """A room as it is sent; only an instructor is told its code."""
    return {
        "id": room.pk,
        "title": room.title,
        "code": room.code if with_code else None,
        "mode": room.mode,
        "lesson": room.lesson or None,
        "state": room.state,
        "paused": room.paused,
        "leading": room.leading,
        "cluster": room.cluster_id,
    }


def me_fields(room: Room, member: Member | None) -> dict[str, Any]:
    """Who somebody is in a room, as it is sent."""
    if member is None:
        nobody = {"role": "instructor", "member": None, "name": "", "group": "", "help": None, "follows": False}
        return {**nobody, "cluster": room.cluster_id}
    return {
        "role": "member",
        "member": member.pk,
        "name": member.name,
        "group": member.group,
        "help": iso(member.help_at),
        "follows": member.follows,
        "cluster": member.cluster_id,
    }


# Whose cluster it is to whom ------------------------------------------------------------------------------------------


def lineage(cluster: Cluster) -> list[str]:
    """A cluster and those it has replaced: a room may still name one of them."""
    found = newest = [cluster.pk]
    while newest and len(found) < LINEAGE_MAX:
        newest = list(Cluster.objects.filter(successor__in=newest).exclude(pk__in=found).values_list("pk", flat=True))
        found = found + newest
    return found


def newest(cluster: Cluster) -> Cluster:
    """What has replaced a cluster in the end; itself when nothing has."""
    passed = {cluster.pk}
    while cluster.successor is not None and cluster.successor.pk not in passed:
        cluster = cluster.successor
        passed.add(cluster.pk)
    return cluster


def rooms_of_cluster(cluster: str) -> dict[str, list[int]]:
    """The rooms for which it matters what becomes of a cluster, and the members whose own it is there."""
    found: dict[str, list[int]] = {
        room: [] for room in Room.objects.filter(cluster=cluster).values_list("pk", flat=True)
    }
    for room, member in Member.objects.filter(cluster=cluster).values_list("room_id", "pk"):
        found.setdefault(room, []).append(member)
    return found


def room_of_incident(incident: int) -> str | None:
    """The room in which something was broken."""
    return Incident.objects.filter(pk=incident).values_list("room_id", flat=True).first()


def instructs(user_id: int, clusters: Iterable[str]) -> bool:
    """Whether one of these clusters is a room's of this user, or a member's of such a room."""
    wanted = list(clusters)
    return Room.objects.filter(Q(cluster__in=wanted) | Q(members__cluster__in=wanted), owner_id=user_id).exists()


def watches(visitor: str, clusters: Iterable[str]) -> bool:
    """Whether this visitor is a member of a room whose instructor's cluster is one of these."""
    return Member.objects.filter(visitor=visitor, room__cluster__in=list(clusters)).exists()


def is_held(cluster: str) -> bool:
    """Whether a cluster is a learner's in an open room that is paused."""
    return Member.objects.filter(cluster=cluster, room__paused=True, room__state=Room.State.OPEN).exists()
